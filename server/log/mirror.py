"""The read copy that a server process keeps of a JetStream: a private SQLite database, gone with the process.

In flow the stream's messages, in order, with JetStream's own seqs; out come all reads. So readers keep what they
have while NATS is away, and a page of history costs NATS nothing.

What was gone before it came here must be told by ``pruned``. A copy that begins with the stream's first message
misses nothing. Otherwise a topic's events may be gone up to just before the first that came; and of a topic whose
first event came after the load, up to where the load ended. Where fewer messages came than the stream had when the
load began, some were removed meanwhile, nobody knows of which topics: so all are said to be gone up to there.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence

from . import Draft, Event
from .reader import Reader
from .retention import Retention
from .store import TABLES, Store
from .stream import StreamState


class Mirror(Reader):
    """The copy of a stream that stood at ``state`` when its load began. ``now`` is for the events' ages."""

    def __init__(self, state: StreamState, retention: Retention, now: Callable[[], float]) -> None:
        super().__init__("read from JetStream")
        self.epoch = state.epoch
        self.last_seq_here = 0
        self._state = state
        self._complete = state.whole
        self._load_count = 0
        self._retention = retention
        self._now = now
        self._arrived = asyncio.Event()
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        # nothing to survive a crash: https://www.sqlite.org/inmemorydb.html#temp_db
        self._connection.executescript(f"PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; {TABLES}")
        self.store = Store(self._connection)

    @property
    def loading(self) -> bool:
        """Whether messages are still to come that were there when the load began."""
        return self.last_seq_here < self._state.last_seq

    def may_miss(self, seq: int) -> bool:
        """Whether a message may be missing: only one that was there when the load began."""
        return seq <= self._state.last_seq

    async def take(self, events: Sequence[Event], loaded: int, last_seq: int) -> None:
        """Take in what messages up to ``last_seq`` brought; some may have been no events.

        ``loaded`` is how many of the messages were there when the load began (``may_miss``).
        """
        loading, start = self.loading, self._state.last_seq
        pruned: dict[str, int] = {}
        if not self._complete:
            for event in events:
                pruned.setdefault(event.topic, min(event.seq - 1, start))

        def write() -> None:
            self.store.copy(events, last_seq, pruned)
            self.store.prune(self._retention, self._now(), {event.topic for event in events})

        await self._write(write)
        self.last_seq_here = last_seq
        if loading:
            self._load_count += loaded
            if not self.loading:
                await self._loaded()
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def _loaded(self) -> None:
        if self._load_count < self._state.messages:
            self._complete = False
            sql = "UPDATE topics SET pruned = max(pruned, ?)"
            await self.run(lambda: self.store.execute(sql, (self._state.last_seq,)).rowcount)

    async def end_load(self) -> None:
        """All has come that the stream has. Needed where the last that was there when the load began is removed."""
        if self.loading:
            await self.take([], 0, self._state.last_seq)

    async def reached(self, seq: int, timeout: float) -> None:
        """Return when all up to ``seq`` can be read, or after ``timeout`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.last_seq_here < seq:
                    await self._arrived.wait()

    async def known(self, drafts: Sequence[Draft]) -> list[int | None]:
        """The seqs of the events that stand here with the drafts' ids; None where there is none."""
        return await self.run(lambda: [self.store.seq_of(draft.topic, draft.id) for draft in drafts])

    async def prune(self) -> None:
        """Remove what has become too old, also of topics nobody writes to."""
        await self._write(lambda: self.store.prune(self._retention, self._now()))

    async def _write(self, work: Callable[[], None]) -> None:
        """All of it or nothing: what is gone must be told."""

        def write() -> None:
            self.store.execute("BEGIN")
            try:
                work()
                self.store.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends some by itself: the disk was full
                    self.store.execute("ROLLBACK")
                raise

        await self.run(write)

    async def newest(self, count: int) -> list[Event]:
        """The newest event of each of the ``count`` topics written last."""
        infos = sorted(await self.topics(), key=lambda info: -info.last_seq)[:count]
        found = [await self.latest(info.topic, 1) for info in infos if info.count]
        return [event for events in found for event in events]

    def close(self) -> None:
        """Let go, when the reads under way are done. Blocks meanwhile."""
        self.close_reader()
        self._connection.close()
