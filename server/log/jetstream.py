"""The event log in NATS JetStream: many servers, on many machines, on one stream.

JetStream gives order and durability; each process reads from its own copy of the stream (``mirror``), which its tail
feeds. An append is acknowledged when JetStream has acknowledged it (PubAck) and it can be read here.

**Once, as long as it is kept.** JetStream drops a message whose Nats-Msg-Id it has seen within its duplicate window.
Older ids are looked up in the mirror before publishing. That leaves no hole between the two as long as the mirror is
known to have been complete less than a window ago: an id that is neither in it nor in the window was never there. So
appends are refused (LogBusyError) while the mirror was not known to be complete within the last half window; the other
half is for what a message takes on its way.

**Trouble.** Whatever goes wrong ends the session, and another is opened after a short random wait. An append that
was under way fails then, fast, with a LogError; it may be in or not, and the same id can be sent again. Where the
mirror must be made afresh (see ``session.py``), ``breaks`` counts up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import nats.errors

from . import Draft, Event, LogBusyError, LogError, Receipt, TopicInfo
from .address import Address
from .announcements import Announcements, check_name
from .keeper import START_SECONDS, Keeper
from .mirror import Mirror
from .publishing import Job, publish
from .retention import Retention
from .session import TROUBLE, Home, Session
from .stream import look
from .waiting import Waiting

PRUNE_SECONDS = 5.0
MAX_GROUP = 2_000

logger = logging.getLogger("partyline.log")


class JetStreamLog:
    """An EventLog in a stream. ``now`` is for ages: of events, and of what servers announce."""

    def __init__(
        self,
        address: Address,
        retention: Retention,
        *,
        now: Callable[[], float] = time.time,
        start_seconds: float = START_SECONDS,
        prune_seconds: float = PRUNE_SECONDS,
    ) -> None:
        self.address = address
        self._keeper = Keeper(Home(address, retention, now, self._told), self._opened, start_seconds=start_seconds)
        self._prune_seconds = prune_seconds
        self._wake = asyncio.Event()
        self._announcements = Announcements(now)
        self._own: set[str] = set()
        self._jobs: deque[Job] = deque()
        self._some_job = asyncio.Event()
        self._waiting = Waiting()
        self._closing = False

    @property
    def epoch(self) -> str:
        return self._mirror.epoch

    @property
    def breaks(self) -> int:
        return self._keeper.breaks

    @property
    def _mirror(self) -> Mirror:
        return self._keeper.mirror

    @property
    def announced_version(self) -> int:
        return self._announcements.version

    def check(self) -> None:
        with ThreadPoolExecutor(1) as thread:  # this may be called where an event loop runs
            thread.submit(lambda: asyncio.run(self._keeper.check())).result()

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._keeper.open()
        self._writer = self._keeper.start(self._write_forever())
        self._keeper.start(self._prune_forever())

    async def close(self) -> None:
        self._closing = True
        self._some_job.set()
        await self._writer
        await self._keeper.close()

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        if self._closing:
            raise LogBusyError("The server is shutting down; send it again to the next one.")
        self._waiting.enter(drafts)
        job = Job(drafts, self._loop.create_future())
        self._jobs.append(job)
        self._some_job.set()
        return job.future

    async def read(
        self, after: int, limit: int, topics: Sequence[str] | None = None, until: int | None = None
    ) -> list[Event]:
        return await self._mirror.read(after, limit, topics, until)

    async def latest(self, topic: str, count: int, until: int | None = None) -> list[Event]:
        return await self._mirror.latest(topic, count, until)

    async def count(self, after: int, topics: Sequence[str], most: int) -> int:
        return await self._mirror.count(after, topics, most)

    async def topics(self) -> list[TopicInfo]:
        return await self._mirror.topics()

    async def last_seq(self) -> int:
        return self._mirror.last_seq_here

    async def reaches(self, seq: int) -> bool:
        session = self._keeper.session
        if seq <= self._mirror.last_seq_here or session is None:
            return seq <= self._mirror.last_seq_here
        try:
            state = await look(session.connection.js, self.address)
        except TROUBLE:
            return False
        return state is not None and state.epoch == self.epoch and seq <= state.last_seq

    async def changed(self, timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        self._wake.clear()

    async def announce(self, server: str, text: str) -> None:
        self._own.add(check_name(server))
        self._announcements.take(server, text)
        self._wake.set()
        await self._tell(server, text)

    def announced(self) -> dict[str, str]:
        return self._announcements.texts()

    def _told(self) -> None:
        self._wake.set()

    # what servers announce goes over plain NATS, beside the stream

    async def _opened(self, session: Session) -> None:
        await session.connection.subscribe(self._presence("*"), self._heard_announced)
        await session.connection.subscribe(self._presence(), self._asked_announced)
        await session.connection.nats.publish(self._presence())

    def _presence(self, server: str = "") -> str:
        return f"{self.address.stream}-presence.{server}" if server else f"{self.address.stream}-presence"

    def _heard_announced(self, subject: str, payload: bytes) -> None:
        self._announcements.take(subject.rpartition(".")[2], payload.decode(errors="replace"))
        self._told()

    def _asked_announced(self, subject: str, payload: bytes) -> None:
        """Another server has come, or we have come back: tell ours to all."""
        for server, text in self.announced().items():
            if server in self._own and self._keeper.session is not None:
                self._keeper.start(self._tell(server, text))

    async def _tell(self, server: str, text: str) -> None:
        if self._keeper.session is None:
            return
        try:
            await self._keeper.session.connection.nats.publish(self._presence(server), text.encode())
        except nats.errors.MaxPayloadError:
            logger.error(
                "= the other servers are not told what %s announces: NATS takes no %d bytes", server, len(text)
            )
        except TROUBLE as error:
            logger.debug("= the next session tells again what %s announces: %s", server, error)

    # writing

    async def _write_forever(self) -> None:
        while self._jobs or not self._closing:
            if not self._jobs:
                self._some_job.clear()
                await self._some_job.wait()
                continue
            group: list[Job] = []
            size = 0
            while self._jobs and size < MAX_GROUP:
                group.append(self._jobs.popleft())
                size += len(group[-1].drafts)
            failure: Exception = LogError("The event was not written.")
            try:
                await publish(await self._keeper.usable(), group)
            except LogError as error:
                failure = error
            except Exception as error:
                logger.exception("= publishing to %s failed", self.address)
                failure = LogError(f"Publishing to {self.address} failed: {error}.")
            for job in group:
                self._waiting.leave(job.drafts)
                job.fail(failure)

    async def _prune_forever(self) -> None:
        while True:
            await asyncio.sleep(self._prune_seconds)
            try:
                await self._mirror.prune()
            except LogError as error:
                logger.error("= what is too old could not be removed, and will be: %s", error)
