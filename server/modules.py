"""JavaScript modules that pages import by bare names, such as ``@codemirror/state``: no bundler puts them together.

In flows the manifest; out come the import map that says where each name is found, and what the page's
Content-Security-Policy must say of it: an import map stands in the page itself, so it is allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from .assets import Manifest
from .assets.npm import SOURCES

SCRIPTS = "'self' 'unsafe-eval' 'wasm-unsafe-eval'"
"""PyScript's Python package calls Function, so the pages need 'unsafe-eval'; the worker does not."""


@dataclass(frozen=True)
class Modules:
    """An import map as JSON text, and which of its addresses are to be fetched before the first import is met."""

    text: str
    addresses: list[str]

    @property
    def hash(self) -> str:
        """What ``script-src`` calls it."""
        return f"'sha256-{base64.b64encode(hashlib.sha256(self.text.encode()).digest()).decode()}'"


def make_modules(manifest: Manifest) -> Modules:
    """The modules of the prepared packages that are imported by bare names."""
    imports = {
        source.npm: f"/assets/{manifest.packages[name].folder}/{PurePosixPath(source.files[0]).name}"
        for name, source in SOURCES.items()
        if source.bare
    }
    at_once = [imports[source.npm] for source in SOURCES.values() if source.bare and not source.late]
    return Modules(json.dumps({"imports": imports}), at_once)


def make_policy(*, scripts: str = "", styles: str = "") -> str:
    """A Content-Security-Policy that allows our own files, and these sources beside them."""
    script, style = f"{SCRIPTS} {scripts}".strip(), f"'self' {styles}".strip()
    return (
        f"default-src 'self'; script-src {script}; style-src {style}; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )
