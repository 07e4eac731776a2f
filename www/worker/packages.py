"""Packages for cells: what a cell imports and Python does not have yet is loaded before the cell runs.

    source ──find_imports──> loading.py      %pip install name ──> loading.py, then micropip ──> GET /packages/simple/…

What cannot be loaded is no error by itself: the cell may do without. The import that then fails says why, in a note.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
import warnings
import zipfile
from collections.abc import Set
from typing import Any

import js
from pyodide.code import find_imports

from loading import Loader, Say, canonical, is_there, listed
from magics import to_install

_PROJECT = re.compile(r"(?!.*\.whl$)(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?P<more>.*)", re.DOTALL)
"""A requirement as PEP 508 has it, not a wheel's address."""


class Packages:
    """What can be loaded into this Python. ``watch_fetches`` is what fetches.js exports."""

    def __init__(self, watch_fetches: Any) -> None:
        self._loader = Loader(f"{js.location.origin}/packages", watch_fetches)
        self._by_import: dict[str, str] | None = None
        self._failed: dict[str, str] = {}  # by package: why it could not be loaded
        # Pyodide's own notes tell of ways that pages have; ours tell what to do here
        hook = importlib.import_module("_pyodide._importhook")
        vars(hook)["add_note_to_module_not_found_error"] = lambda error: None

    async def prepare(self, python: str, say: Say) -> None:
        """Load what the source imports, as far as it can be had."""
        with warnings.catch_warnings(action="ignore"):  # they come when the cell is compiled
            names = {name.partition(".")[0] for name in find_imports(python)} & self._packages().keys()
        packages = {self._packages()[name] for name in names if not is_there(name)}
        packages |= {need for name in names for need in self._needs(self._packages()[name]) if need in self._failed}
        await self._load(packages, say)

    async def install(self, command: str, say: Say) -> None:
        """``%pip install …``: Pyodide's packages, or wheels for it from the server's index. Raises ValueError."""
        wanted = to_install(command)
        found = [project for project in map(_PROJECT.fullmatch, wanted) if project]
        names = {canonical(project["name"]) for project in found}
        plain = {canonical(project["name"]) for project in found if not project["more"]}
        failed = await self._load(plain & self._loader.packages.keys(), say)  # in the version that Pyodide has
        if not failed and all(name in plain and self._has(name) for name in names) and len(found) == len(wanted):
            return
        await self._load({"micropip"}, say)
        if not is_there("micropip"):
            raise ValueError(self._cannot("micropip"))
        say(f"Installing {listed(wanted)}…")
        try:  # the index may have what Pyodide's place did not give
            await importlib.import_module("micropip").install([*wanted, *failed])
        except zipfile.BadZipFile:  # micropip takes any answer for the wheel
            raise ValueError("The server has not got a wheel that its index lists; its log says why.") from None
        except Exception as error:  # its own frames and causes say nothing of the cell
            raise ValueError(str(error) or type(error).__name__) from None
        importlib.invalidate_caches()
        absent = {name for name in {*names, *failed} if not self._has(name)}
        if absent:  # micropip has Pyodide load what no index has, and does not hear that it failed
            await self._load((absent & self._loader.packages.keys()) - failed.keys(), say)
            raise ValueError("\n".join(self._cannot(name) for name in sorted(absent)))

    def explain(self, error: BaseException) -> None:
        """Add a note to an import that failed: why, and what to do."""
        if not isinstance(error, ModuleNotFoundError) or not error.name or getattr(error, "__notes__", None):
            return
        top = error.name.partition(".")[0]
        package = self._packages().get(top)
        if is_there(top):
            return
        if package in self._failed:
            error.add_note(self._cannot(package))
        elif package is not None:
            error.add_note(f"It is in the package {package}: write the import into the cell itself, and it is loaded.")
        elif top in sys.stdlib_module_names:
            error.add_note(
                f"Python in the browser has no {top}: there is nothing in a browser that it could work with."
            )
        else:
            error.add_note(
                f"There is no package here that {top} is in. If it is on PyPI, install it in a cell: "
                f"%pip install {top}\nOr put its wheel into the server's folder of packages (PARTYLINE_PACKAGES)."
            )

    def _packages(self) -> dict[str, str]:
        """By the name that is imported, the package it is in."""
        if self._by_import is None:
            packages = self._loader.packages
            self._by_import = {name: package for package, entry in packages.items() for name in entry["imports"]}
        return self._by_import

    def _needs(self, package: str) -> set[str]:
        """The package, all that it needs, and what these need."""
        needs: set[str] = set()
        waiting = [package]
        while waiting:
            name = canonical(waiting.pop())
            if name not in needs:
                needs.add(name)
                waiting += self._loader.packages.get(name, {}).get("depends", [])
        return needs

    async def _load(self, packages: Set[str], say: Say) -> dict[str, str]:
        """Returns why packages could not be loaded, those that others need among them."""
        missing = sorted(name for name in packages if not self._loader.has(name))
        failed = await self._loader.load(missing, say) if missing else {}
        for name in missing:
            self._failed.pop(name, None)
            reasons = [failed[need] for need in self._needs(name) if need in failed]
            if reasons:
                self._failed[name] = failed.get(name) or " ".join(reasons)
        self._failed.update(failed)
        return failed

    def _has(self, package: str) -> bool:
        try:
            importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            return self._loader.has(package)
        return True

    def _cannot(self, package: str) -> str:
        if package not in self._loader.packages:
            return f"{package} could not be installed: no index here has it."
        reason = self._failed.get(package, "It was not loaded.")
        return (
            f"{package} could not be loaded. {reason}\nWhoever runs the server can fetch it where "
            f"there is internet: .venv/bin/python -m server.packages {package}"
        )
