"""What cells find around them: names in their namespace, the packages that they import, matplotlib's figures."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Mapping
from typing import Any

import display
import timing
from kernel import CellRun, running
from magics import timed, to_install, translated
from packages import Packages

os.environ["MPLBACKEND"] = "module://figures"  # where a cell imports matplotlib


class Given:
    """As kernel.Surroundings says.

    Args:
        names: what cells find in their namespace from the start.
        packages: what can be loaded.
    """

    def __init__(self, names: Mapping[str, Any], packages: Packages) -> None:
        magics = {
            "__pip__": self._pip,
            "__time__": timing.Time,
            "__time_cell__": self._time,
            "__timeit__": timing.timeit,
            "__help__": timing.describe,
        }
        self.names: Mapping[str, Any] = {**names, **magics}
        self._packages = packages
        self._timed: weakref.WeakKeyDictionary[CellRun, timing.Time] = weakref.WeakKeyDictionary()

    async def prepare(self, run: CellRun, source: str) -> str:
        """Load what the source imports, with a line below the cell that says how far it is and goes away after."""
        python = translated(source, run.filename)
        progress = display.Progress(run)
        try:
            await self._packages.prepare("\n".join([python, *timed(python)]), progress)
        finally:
            progress.clear()
        return python

    def finish(self) -> None:
        """Show the figures that the cell has drawn and not shown, and how long it took if it asked for that."""
        figures = sys.modules.get("figures")
        try:
            if figures is not None:
                figures.finish()
        finally:
            timed = self._timed.pop(run, None) if (run := running()) is not None else None
            if timed is not None:
                timed.tell()

    def put_back(self) -> None:
        """Have ``print``, ``input`` and their like in their places again."""
        display.put_back()

    def explain(self, error: BaseException) -> None:
        """Say why an import failed."""
        self._packages.explain(error)

    def _time(self) -> None:
        """What ``%%time`` becomes."""
        run = running()
        if run is not None:
            self._timed[run] = timing.Time()

    async def _pip(self, command: str) -> None:
        """What ``%pip`` becomes."""
        run = running()
        if run is None:
            raise RuntimeError("%pip works in cells alone")
        progress = display.Progress(run)
        said = f"Not installed: {command.removeprefix('install').strip()}."
        try:
            await self._packages.install(command, progress)
            said = f"Installed: {', '.join(to_install(command))}."
        finally:
            progress(said)
