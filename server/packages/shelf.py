"""Files that many fetch at the same time: each is read once, and those that were read last are held, within a limit."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from threading import Lock

from ..files import Content, tag

MAX_HELD = 64_000_000
"""How much is held, in bytes: a class fetches the same few packages within a minute."""

_Version = tuple[int, int]


class Shelf:
    """Reads files."""

    def __init__(self) -> None:
        self._held: dict[Path, tuple[_Version, str, Content]] = {}
        self._lock = Lock()
        self._reading: dict[Path, asyncio.Task[tuple[str, Content]]] = {}

    async def read(self, path: Path, sha256: str | None = None) -> Content | None:
        """A file's content; None where its hash is not this one. Raises OSError where it cannot be read."""
        reading = self._reading.get(path)
        if reading is None:
            reading = self._reading[path] = asyncio.create_task(asyncio.to_thread(self._read, path))
            reading.add_done_callback(lambda done: self._was_read(path, done))
        found, content = await asyncio.shield(reading)
        return content if sha256 in (None, found) else None

    def changed(self, path: Path) -> None:
        """There is another file: who asks from now on is not given what was being read until then."""
        self._reading.pop(path, None)

    def _was_read(self, path: Path, task: asyncio.Task[tuple[str, Content]]) -> None:
        if self._reading.get(path) is task:
            del self._reading[path]
        if not task.cancelled():
            task.exception()  # who waited for it has gone, perhaps

    def _read(self, path: Path) -> tuple[str, Content]:
        stat = path.stat()
        version = (stat.st_mtime_ns, stat.st_size)
        with self._lock:
            held = self._held.get(path)
        if held is None or held[0] != version:
            raw = path.read_bytes()
            held = (version, hashlib.sha256(raw).hexdigest(), Content(raw, "application/zip", tag(raw)))
        with self._lock:
            self._held.pop(path, None)
            self._held[path] = held  # the last one to be let go
            total = sum(len(each[2].raw) for each in self._held.values())
            while total > MAX_HELD and len(self._held) > 1:
                total -= len(self._held.pop(next(iter(self._held)))[2].raw)
        return held[1], held[2]
