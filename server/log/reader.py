"""The reading half of an EventLog, over a ``Store`` in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from . import Event, LogError, TopicInfo
from .store import Store

T = TypeVar("T")


class Reader:
    """Reads from ``store``. ``name`` is the log's, for errors; ``lock`` is held where others use the connection too."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.store: Store
        self.lock: threading.Lock | None = None
        self._thread = ThreadPoolExecutor(1, "partyline-log-read")

    def close_reader(self) -> None:
        """End the thread, when what it does is done."""
        self._thread.shutdown()

    async def read(
        self, after: int, limit: int, topics: Sequence[str] | None = None, until: int | None = None
    ) -> list[Event]:
        return await self.run(lambda: self.store.read(after, limit, topics, until))

    async def latest(self, topic: str, count: int, until: int | None = None) -> list[Event]:
        return await self.run(lambda: self.store.latest(topic, count, until))

    async def count(self, after: int, topics: Sequence[str], most: int) -> int:
        return await self.run(lambda: self.store.count(after, topics, most))

    async def topics(self) -> list[TopicInfo]:
        return await self.run(lambda: self.store.topics())

    async def last_seq(self) -> int:
        return await self.run(lambda: self.store.last_seq())

    async def run(self, work: Callable[[], T]) -> T:
        """Do something in the thread. Raises LogError where SQLite fails."""

        def locked() -> T:
            with self.lock or contextlib.nullcontext():
                return work()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, locked)
        except sqlite3.Error as error:
            raise LogError(f"The event log {self.name} could not be read: {error}.") from error
