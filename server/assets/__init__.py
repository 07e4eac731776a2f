"""The browser's files: fetched from npm packages, compressed, versioned by content, ready to be served.

In flow ``package.json`` and ``package-lock.json``; out comes a folder that a server can hand out as it stands::

    build/assets/manifest.json               what is there; written last, so what it names is whole
    build/assets/pyodide-3f0c…/pyodide.mjs   a package's files, in a folder named by what is in it
    build/assets/pyodide-3f0c…/pyodide.mjs.br   the same in brotli, and .gz in gzip, where those are smaller

A folder's name changes with its content, so browsers may keep its files for ever. ``python -m server.assets``
prepares them from the command line; ``prepare`` does so from Python.
"""

from .build import prepare
from .errors import AssetsError
from .manifest import AssetFile, AssetPackage, Manifest, default_out, load_manifest

__all__ = ["AssetFile", "AssetPackage", "AssetsError", "Manifest", "default_out", "load_manifest", "prepare"]
