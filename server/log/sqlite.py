"""The event log in a SQLite file, in WAL mode: the default home, with nothing to set up.

One thread writes. What waits when it is free goes into one transaction (group commit), so many small appends
cost one fsync. ``BEGIN IMMEDIATE`` makes the order of commits the order of seqs, across processes too; other
processes' commits are noticed by ``PRAGMA data_version``. See https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import Draft, LogBusyError, LogError, Receipt
from .announcements import Announcements, check_name
from .reader import Reader
from .retention import Retention
from .sqlite_file import cannot_open, check, connect, migrate, read_announced, write_announced
from .store import Store
from .waiting import Waiting

MAX_GROUP = 2_000
POLL_SECONDS = 0.05

LOOK_SECONDS = 1.0
"""Where we write all the time, others' announcements are looked for so often."""

PRUNE_SECONDS = 5.0
"""How often all topics are looked at, for events too old, or too many since the settings changed."""

logger = logging.getLogger("partyline.log")


@dataclass(frozen=True)
class _Job:
    """Something to write: ``work`` is done inside the group's transaction, its result is the future's."""

    work: Callable[[], Any]
    future: asyncio.Future[Any]
    drafts: Sequence[Draft] = ()


class SqliteLog(Reader):
    """An EventLog in a file; with ``path`` None in memory, for tests and demos. ``now`` gives the events' times."""

    breaks = 0

    def __init__(
        self,
        path: str | None,
        retention: Retention,
        *,
        now: Callable[[], float] = time.time,
        prune_seconds: float = PRUNE_SECONDS,
    ) -> None:
        super().__init__(path or "in memory")
        self.path = path
        self.retention = retention
        self._now = now
        self._prune_seconds = prune_seconds
        self._epoch = ""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = Waiting()
        self._closing = False
        self._wake = asyncio.Event()
        self._data_version = 0
        self._looked_at = 0.0
        self._announcements = Announcements(now)
        self._announced_number = 0

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def announced_version(self) -> int:
        return self._announcements.version

    def check(self) -> None:
        if self.path is not None:
            check(Path(self.path))

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.check)
        try:
            self._write_connection = await asyncio.to_thread(connect, self.path)
            self._epoch = await asyncio.to_thread(migrate, self._write_connection)
            if self.path is None:
                self._read_connection = self._write_connection  # a database in memory belongs to its connection
                self.lock = threading.Lock()
            else:
                self._read_connection = await asyncio.to_thread(connect, self.path)
        except sqlite3.Error as error:
            raise LogError(cannot_open(self.path, error)) from error
        self.store = Store(self._read_connection)
        self._writing = Store(self._write_connection)
        self._writer = threading.Thread(target=self._write_forever, name="partyline-log-write", daemon=True)
        self._writer.start()
        await self._look()

    async def close(self) -> None:
        self._closing = True
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self.close_reader()
        self._read_connection.close()
        self._write_connection.close()

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        if self._closing:
            raise LogBusyError("The server is shutting down; send it again to the next one.")
        self._waiting.enter(drafts)
        return self._put(lambda: [self._insert(draft) for draft in drafts], drafts)

    async def reaches(self, seq: int) -> bool:
        return seq <= await self.last_seq()

    async def changed(self, timeout: float) -> None:
        deadline = self._loop.time() + timeout
        while not self._wake.is_set() and not await self._look():
            left = deadline - self._loop.time()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await self._wake.wait()
        self._wake.clear()
        if self._loop.time() > self._looked_at + LOOK_SECONDS:
            await self._look()

    async def announce(self, server: str, text: str) -> None:
        check_name(server)
        if self.path is None:
            self._announcements.take(server, text)
            self._wake.set()
        elif not self._closing:
            await self._put(lambda: write_announced(self._write_connection, server, self._now(), text))
            await self._look()

    def announced(self) -> dict[str, str]:
        return self._announcements.texts()

    # reading

    async def _look(self) -> bool:
        """Whether another connection, our writer's or another process's, has committed since the last look."""
        if self.path is None:
            return False
        self._looked_at = self._loop.time()
        (version,) = await self.run(lambda: self._read_connection.execute("PRAGMA data_version").fetchone())
        if version == self._data_version:
            return False
        self._data_version = version
        told = await self.run(lambda: read_announced(self._read_connection, self._announced_number))
        if told is not None:
            self._announced_number, texts = told
            self._announcements.replace(texts)
        return True

    # writing, in the writer's thread

    def _put(self, work: Callable[[], Any], drafts: Sequence[Draft] = ()) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(_Job(work, future, drafts))
        return future

    def _write_forever(self) -> None:
        stop = False
        prune_at = time.monotonic()
        while not stop:
            group: list[_Job] = []
            size = 0
            with contextlib.suppress(queue.Empty):
                job = self._jobs.get(timeout=max(0.0, prune_at - time.monotonic()))
                while job is not None:
                    group.append(job)
                    size += len(job.drafts)
                    if size >= MAX_GROUP:
                        break
                    job = self._jobs.get_nowait()
                stop = job is None
            if group:
                self._write(group)
            if time.monotonic() >= prune_at and not stop:
                self._prune()
                prune_at = time.monotonic() + self._prune_seconds

    def _write(self, group: list[_Job]) -> None:
        results: list[Any] = []
        failure: LogError | None = None
        with self.lock or contextlib.nullcontext():
            try:
                self._write_connection.execute("BEGIN IMMEDIATE")
                results = [job.work() for job in group]
                topics = {draft.topic for job in group for draft in job.drafts}
                self._writing.prune(self.retention, self._now(), topics)
                self._write_connection.execute("COMMIT")
            except Exception as error:  # whatever it is, the writer must live on and the callers must learn of it
                with contextlib.suppress(sqlite3.Error):
                    self._write_connection.execute("ROLLBACK")
                failure = LogError(f"The event log {self.name} could not be written: {error}.")
        with contextlib.suppress(RuntimeError):  # the loop may be closed already, at the end of the process
            self._loop.call_soon_threadsafe(self._settle, group, results, failure)

    def _prune(self) -> None:
        with self.lock or contextlib.nullcontext():
            try:
                if self._writing.prunable(self.retention, self._now()):
                    self._write_connection.execute("BEGIN IMMEDIATE")
                    self._writing.prune(self.retention, self._now())
                    self._write_connection.execute("COMMIT")
            except Exception as error:  # as above: a writer that ended would have every append wait for ever
                with contextlib.suppress(sqlite3.Error):
                    self._write_connection.execute("ROLLBACK")
                logger.error("= the event log %s could not be pruned, and will be tried again: %s", self.name, error)

    def _settle(self, group: list[_Job], results: list[Any], failure: LogError | None) -> None:
        self._wake.set()
        for index, job in enumerate(group):
            self._waiting.leave(job.drafts)
            if job.future.done():
                continue  # whoever asked has gone
            if failure is not None:
                job.future.set_exception(failure)
            else:
                job.future.set_result(results[index])

    def _insert(self, draft: Draft) -> Receipt:
        known = self._writing.seq_of(draft.topic, draft.id)
        if known is not None:
            return Receipt(known, draft.id, duplicate=True)
        return Receipt(self._writing.add(draft, self._now()), draft.id, duplicate=False)
