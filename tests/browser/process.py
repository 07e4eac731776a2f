"""A browser's process: started with a folder of its own, ended by its id, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from .driver import DriverError

START_SECONDS = 60.0

T = TypeVar("T")


class Process:
    """Runs ``command``; ``{folder}`` in it stands for ``folder``, which is made for it and removed with it."""

    def __init__(self, command: Sequence[str], files: dict[str, str] | None = None, **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="partyline-browser-"))
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        self._log = self.folder / "output.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [part.replace("{folder}", str(self.folder)) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
            )

    def wait_for(self, what: str, look: Callable[[], T | None]) -> T:
        """Look until there is something, and return it."""
        deadline = time.monotonic() + START_SECONDS
        while (found := look()) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace")[-2000:]
                raise DriverError(f"{self._process.args!r} gave no {what}. It said:\n{said}")
            time.sleep(0.02)
        return found

    def wait_for_port(self, name: str) -> int:
        """The number on the first line of a file that the browser writes into its folder."""

        def look() -> int | None:
            path = self.folder / name
            lines = path.read_text().split() if path.exists() else []
            return int(lines[0]) if lines else None

        return self.wait_for(name, look)

    def end(self) -> None:
        """End the process, kindly first, and remove its folder."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        shutil.rmtree(self.folder, ignore_errors=True)
