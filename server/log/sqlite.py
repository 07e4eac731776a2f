"""The event log in a SQLite file, in WAL mode: the default home, with nothing to set up.

One thread writes. What waits when it is free goes into one transaction (group commit), so many small appends
cost one fsync. ``BEGIN IMMEDIATE`` makes the order of commits the order of seqs, across processes too; other
processes' commits are noticed by ``PRAGMA data_version``. See https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from . import MAX_READ_BYTES, Draft, Event, LogBusyError, LogError, Receipt, TopicInfo
from .sqlite_file import cannot_open, check, connect, migrate

MAX_WAITING = 20_000
MAX_GROUP = 2_000
POLL_SECONDS = 0.05

_IN_TOPICS = "topic IN (SELECT value FROM json_each(?))"

T = TypeVar("T")
_Job = tuple[Sequence[Draft], "asyncio.Future[list[Receipt]]"]


class SqliteLog:
    """An EventLog in a file; with ``path`` None in memory, for tests and demos. ``now`` gives the events' times."""

    def __init__(self, path: str | None, *, retention: int, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self.retention = retention
        self._now = now
        self._epoch = ""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting = 0
        self._closing = False
        self._wake = asyncio.Event()
        self._reader = ThreadPoolExecutor(1, "partyline-log-read")
        self._data_version = 0

    @property
    def epoch(self) -> str:
        return self._epoch

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
            else:
                self._read_connection = await asyncio.to_thread(connect, self.path)
        except sqlite3.Error as error:
            raise LogError(cannot_open(self.path, error)) from error
        self._lock = threading.Lock()
        self._writer = threading.Thread(target=self._write_forever, name="partyline-log-write", daemon=True)
        self._writer.start()

    async def close(self) -> None:
        self._closing = True
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reader.shutdown()
        self._read_connection.close()
        self._write_connection.close()

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        if self._closing:
            raise LogBusyError("The server is shutting down; send it again to the next one.")
        if self._waiting + len(drafts) > MAX_WAITING:
            raise LogBusyError(f"{self._waiting} events wait to be written; try again in a moment.")
        future: asyncio.Future[list[Receipt]] = self._loop.create_future()
        self._waiting += len(drafts)
        self._jobs.put((drafts, future))
        return future

    async def read(
        self, after: int, limit: int, topics: Sequence[str] | None = None, until: int | None = None
    ) -> list[Event]:
        sql = "SELECT * FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        if topics is None:
            return await self._select_events(sql, [after, _until(until), limit])
        sql = sql.replace("ORDER BY", f"AND {_IN_TOPICS} ORDER BY")
        return await self._select_events(sql, [after, _until(until), json.dumps(topics), limit])

    async def latest(self, topic: str, count: int, until: int | None = None) -> list[Event]:
        events = await self._select_events(
            "SELECT * FROM events WHERE topic = ? AND seq <= ? ORDER BY seq DESC LIMIT ?", [topic, _until(until), count]
        )
        return events[::-1]

    async def count(self, after: int, topics: Sequence[str], most: int) -> int:
        rows = await self._select(
            f"SELECT count(*) FROM (SELECT 1 FROM events WHERE seq > ? AND {_IN_TOPICS} LIMIT ?)",  # noqa: S608
            [after, json.dumps(topics), most],
        )
        return int(rows[0][0])

    async def topics(self) -> list[TopicInfo]:
        rows = await self._select("SELECT topic, last_seq, count, pruned FROM topics ORDER BY topic", [])
        return [TopicInfo(*row) for row in rows]

    async def last_seq(self) -> int:
        rows = await self._select("SELECT seq FROM sqlite_sequence WHERE name = 'events'", [])
        return int(rows[0][0]) if rows else 0

    async def announce(self, server: str, text: str) -> None:
        pass

    def announced(self) -> dict[str, str]:
        return {}

    async def changed(self, timeout: float) -> None:
        deadline = self._loop.time() + timeout
        while not self._wake.is_set():
            left = deadline - self._loop.time()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await self._wake.wait()
            if not self._wake.is_set() and self.path is not None:
                version = (await self._select("PRAGMA data_version", []))[0][0]
                if version != self._data_version:  # another connection has committed: our writer, or another process
                    self._data_version = version
                    return
        self._wake.clear()

    # reading, in the reader's thread

    async def _select(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return await self._in_reader(lambda: self._read_connection.execute(sql, values).fetchall())

    async def _select_events(self, sql: str, values: Sequence[object]) -> list[Event]:
        def run() -> list[Event]:
            events: list[Event] = []
            size = 0
            for row in self._read_connection.execute(sql, values):
                events.append(Event(*row))
                size += len(events[-1].data)
                if size > MAX_READ_BYTES:
                    break
            return events

        return await self._in_reader(run)

    async def _in_reader(self, run: Callable[[], T]) -> T:
        def locked() -> T:
            with self._lock if self.path is None else contextlib.nullcontext():
                return run()

        try:
            return await self._loop.run_in_executor(self._reader, locked)
        except sqlite3.Error as error:
            raise LogError(f"The event log {self.path} could not be read: {error}.") from error

    # writing, in the writer's thread

    def _write_forever(self) -> None:
        stop = False
        while not stop:
            group: list[_Job] = []
            job = self._jobs.get()
            while True:
                if job is None:
                    stop = True
                    break
                group.append(job)
                if sum(len(drafts) for drafts, _ in group) >= MAX_GROUP:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            if group:
                self._write(group)

    def _write(self, group: list[_Job]) -> None:
        receipts: list[list[Receipt]] = []
        failure: LogError | None = None
        with self._lock:
            try:
                self._write_connection.execute("BEGIN IMMEDIATE")
                receipts = [[self._insert(draft) for draft in drafts] for drafts, _ in group]
                self._prune({draft.topic for drafts, _ in group for draft in drafts})
                self._write_connection.execute("COMMIT")
            except Exception as error:  # whatever it is, the writer must live on and the callers must learn of it
                with contextlib.suppress(sqlite3.Error):
                    self._write_connection.execute("ROLLBACK")
                failure = LogError(f"The event log {self.path} could not be written: {error}.")
        with contextlib.suppress(RuntimeError):  # the loop may be closed already, at the end of the process
            self._loop.call_soon_threadsafe(self._settle, group, receipts, failure)

    def _settle(self, group: list[_Job], receipts: list[list[Receipt]], failure: LogError | None) -> None:
        self._wake.set()
        for index, (drafts, future) in enumerate(group):
            self._waiting -= len(drafts)
            if future.done():
                continue  # whoever asked has gone
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(receipts[index])

    def _insert(self, draft: Draft) -> Receipt:
        execute = self._write_connection.execute
        known = execute("SELECT seq FROM events WHERE topic = ? AND id = ?", (draft.topic, draft.id)).fetchone()
        if known is not None:
            return Receipt(known[0], draft.id, duplicate=True)
        (seq,) = execute(
            "INSERT INTO events (topic, time, id, data) VALUES (?, ?, ?, ?) RETURNING seq",
            (draft.topic, self._now(), draft.id, draft.data),
        ).fetchone()
        execute(
            "INSERT INTO topics (topic, last_seq, count) VALUES (?, ?, 1) "
            "ON CONFLICT DO UPDATE SET last_seq = excluded.last_seq, count = count + 1",
            (draft.topic, seq),
        )
        return Receipt(seq, draft.id, duplicate=False)

    def _prune(self, topics: set[str]) -> None:
        """Remove what is past the retention, a tenth more at a time, so that it costs little."""
        execute = self._write_connection.execute
        for topic in topics:
            (count,) = execute("SELECT count FROM topics WHERE topic = ?", (topic,)).fetchone()
            if count <= self.retention + self.retention // 10:
                continue
            (last_removed,) = execute(
                "SELECT seq FROM events WHERE topic = ? ORDER BY seq DESC LIMIT 1 OFFSET ?", (topic, self.retention)
            ).fetchone()
            removed = execute("DELETE FROM events WHERE topic = ? AND seq <= ?", (topic, last_removed)).rowcount
            execute("UPDATE topics SET count = count - ?, pruned = ? WHERE topic = ?", (removed, last_removed, topic))


def _until(until: int | None) -> int:
    return until if until is not None else 2**63 - 1
