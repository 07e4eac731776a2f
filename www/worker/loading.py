"""Loads packages of Pyodide's lock file, one load at a time, apart from the cell that asks.

    load(names, say) ──a task of its own──> Pyodide's loadPackage ──> GET /packages/<file>      and why what failed did

A cell can be stopped meanwhile; Pyodide cannot, so the task holds the turn until Pyodide is done. What cells do by
themselves (micropip loads, too) may overlap with it: Pyodide then keeps the functions that it was given for its
messages, so these live as long as this Python does.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import js
import pyodide_js
from pyodide.ffi import JsException, create_proxy, to_js

Say = Callable[[str], None]
"""Shows how far it is, in place of what it showed before."""

SHOWN = 3
"""So many names are said; of more, how many."""

_LOG = re.compile(r"The following error occurred while loading (?P<package>[^:\n]+):")


class Loader:
    """Pyodide's packages.

    Args:
        base: the address below which the server has them.
        watch_fetches: what fetches.js exports.
    """

    def __init__(self, base: str, watch_fetches: Any) -> None:
        self._base = base
        self._watch_fetches = watch_fetches
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[dict[str, str]]] = set()
        self._noted: list[str] = []
        self._callbacks = {
            "messageCallback": create_proxy(lambda message: None),
            "errorCallback": create_proxy(lambda message: self._noted.append(message)),
        }
        self._packages: dict[str, Any] | None = None

    @property
    def packages(self) -> dict[str, Any]:
        """What the lock file says of each package, by canonical name."""
        if self._packages is None:
            self._packages = pyodide_js.lockfile.packages.to_py()
        return self._packages

    def has(self, package: str) -> bool:
        """Whether a package of this name is loaded, by whomever."""
        return canonical(package) in map(canonical, pyodide_js.loadedPackages.to_py())

    async def load(self, names: list[str], say: Say) -> dict[str, str]:
        """Load packages and what they need; returns why some could not be loaded, by canonical name."""
        what = f"Loading {listed(names)}"
        say(f"{what}, after what is loading now…" if self._turn.locked() else f"{what}…")
        listening = [say]
        task = asyncio.get_running_loop().create_task(
            self._in_turn(names, what, listening), context=contextvars.Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard, context=contextvars.Context())
        try:
            return await asyncio.shield(task)
        finally:
            listening.clear()

    async def _in_turn(self, names: list[str], what: str, listening: list[Say]) -> dict[str, str]:
        async with self._turn:
            if not listening:  # stopped before it began
                return {}

            def count(loaded: int) -> None:
                for say in listening:
                    say(f"{what}: {loaded / 1_000_000:.1f} MB")

            counted = create_proxy(count)
            stop = self._watch_fetches(counted, f"{self._base}/")
            self._noted.clear()
            try:
                options = to_js({**self._callbacks, "checkIntegrity": True}, dict_converter=js.Object.fromEntries)
                await pyodide_js.loadPackage(to_js(names), options)
            except JsException as error:  # none was loaded
                return {canonical(name): str(error) for name in names}
            finally:
                stop()
                counted.destroy()
                importlib.invalidate_caches()
            if is_there("micropip"):
                importlib.import_module("micropip").set_index_urls(f"{self._base}/simple/{{package_name}}/")
            return await self._reasons(list(self._noted))

    async def _reasons(self, noted: list[str]) -> dict[str, str]:
        """Pyodide says which package failed, by its name as written, and how; the server's answer may say why."""
        reasons: dict[str, str] = {}
        for line, following in pairwise([*noted, ""]):
            found = _LOG.match(line)
            if found is not None:
                name = canonical(found["package"])
                reasons[name] = await self._answer(name) or f"Pyodide says: {following}"
        return reasons

    async def _answer(self, package: str) -> str:
        """What the server says that it has no such file for; empty where it has it."""
        try:
            response = await js.fetch(f"{self._base}/{self.packages.get(package, {}).get('file_name')}")
            if response.ok:
                return ""
            text = str(await response.text())
        except JsException as error:
            return f"The server cannot be reached: {error}"
        try:
            return str(json.loads(text)["error"]["message"])
        except (ValueError, TypeError, KeyError):  # whatever stands between us and the server
            return f"The server answered {response.status}."


def canonical(name: str) -> str:
    """A package's name as the lock file's keys have it; as written it may be ``Pillow`` or ``lazy_loader``.

    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def is_there(name: str) -> bool:
    """Whether this, a name with no dots in it, can be imported now."""
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def listed(names: list[str]) -> str:
    """Names for a line of text."""
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
