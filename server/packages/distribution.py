"""Pyodide's distribution: which packages it has, by its pyodide-lock.json, and the folder's wheels in their places."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from packaging.utils import canonicalize_name

from .wheels import Target, Wheel, WheelError, read_wheel

logger = logging.getLogger("partyline.packages")


class Distribution:
    """What ``import`` can find.

    Args:
        lock: the text of Pyodide's own pyodide-lock.json.
        folder: of wheels; it need not be there.
    """

    def __init__(self, lock: bytes, folder: Path) -> None:
        self._lock: dict[str, Any] = json.loads(lock)
        info = self._lock["info"]
        self.target = Target(info["python"], info["abi_version"], info["arch"])
        self.folder = folder
        packages: dict[str, dict[str, Any]] = self._lock["packages"]
        self._packages: dict[str, dict[str, Any]] = {canonicalize_name(name): each for name, each in packages.items()}
        self._hashes = {entry["file_name"]: str(entry["sha256"]) for entry in self._packages.values()}
        self._read: dict[str, tuple[tuple[int, int], Wheel | None]] = {}
        self._warned: set[str] = set()
        self._reading = Lock()

    def sha256(self, file: str) -> str | None:
        """The hash of a file of Pyodide's; None where it has no such file."""
        return self._hashes.get(file)

    def is_own(self, file: str) -> bool:
        """Whether the folder has another wheel of this name than Pyodide. Reads it: call it in a thread."""
        with self._reading:
            return any(wheel.file == file for wheel in self._wheels().values())

    def closure(self, projects: Iterable[str]) -> tuple[list[str], list[str]]:
        """The files of these projects of Pyodide's and of all they need; and the projects that it does not have."""
        files: list[str] = []
        missing: list[str] = []
        seen: set[str] = set()
        waiting = [canonicalize_name(name) for name in projects]
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            entry = self._packages.get(name)
            if entry is None:
                missing.append(name)
            else:
                files.append(entry["file_name"])
                waiting += [canonicalize_name(each) for each in entry["depends"]]
        return files, missing

    def merged(self) -> bytes:
        """The lock file with the folder's wheels in it, as JSON. Reads those that are new: call it in a thread."""
        with self._reading:
            wheels = self._wheels()
        known = {*self._packages, *wheels}
        for wheel in wheels.values():
            if lacking := [name for name in wheel.needs if name not in known]:
                self._warn(wheel.file, f"{wheel.file} needs {', '.join(lacking)}: put the wheels beside it")
        entries = {name: wheel.entry(known) for name, wheel in wheels.items()}
        packages = dict(sorted({**self._packages, **entries}.items()))
        return json.dumps({**self._lock, "packages": packages}, separators=(",", ":")).encode()

    def _wheels(self) -> dict[str, Wheel]:
        """The folder's own wheels by project, without Pyodide's files; of several versions the newest."""
        found: dict[str, Wheel] = {}
        there: set[str] = set()
        for path in sorted(self.folder.glob("*.whl")):
            try:
                stat = path.stat()
            except OSError:
                continue  # it went away meanwhile
            there.add(path.name)
            version = (stat.st_mtime_ns, stat.st_size)
            kept = self._read.get(path.name)
            if kept is None or kept[0] != version:
                kept = self._read[path.name] = (version, self._wheel(path))
            wheel = kept[1]
            if wheel is None or wheel.sha256 == self._hashes.get(wheel.file):
                continue
            if wheel.project not in found or wheel.version > found[wheel.project].version:
                found[wheel.project] = wheel
        self._read = {name: kept for name, kept in self._read.items() if name in there}
        return found

    def _wheel(self, path: Path) -> Wheel | None:
        try:
            return read_wheel(path, self.target)
        except WheelError as error:
            self._warn(path.name, f"{path} is left out: {error}")
        except Exception as error:  # one damaged file must not take all others from everybody
            self._warn(path.name, f"{path} is left out, it is damaged: {error!r}")
        return None

    def _warn(self, file: str, message: str) -> None:
        if file not in self._warned:
            self._warned.add(file)
            logger.warning("%s", message)
