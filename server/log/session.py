"""One session with JetStream: a connection, the stream made sure of, and a tail that feeds a mirror.

A session is opened with the mirror that there is. It goes on with it where the stream is still the one that it
copied, and with a fresh one otherwise: where the epoch is another, where the stream has lost its newest messages
(then the epoch is renewed), or where it cannot be told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import nats.errors
from nats.js.errors import NotFoundError, ServiceUnavailableError

from . import LogError
from .address import Address
from .connection import Connection
from .mirror import Mirror
from .retention import Retention
from .stream import StreamState, decode, look, prepare, renew_epoch
from .tail import Tail, TailError

PROGRESS_SECONDS = 5.0
WATCH_SECONDS = 10.0
VERIFIED_TOPICS = 8
AGAIN_SECONDS = 5.0  # longer than what a task does before it ends

logger = logging.getLogger("partyline.log")


@dataclass(frozen=True)
class Home:
    """What stays the same from session to session. ``told`` is called when there is something new to read."""

    address: Address
    retention: Retention
    now: Callable[[], float]
    told: Callable[[], None]


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks, and return when all have ended, however.

    They are cancelled again and again: nats-py waits with ``asyncio.wait_for``, which before Python 3.12 passes over a
    cancellation that comes at the moment of what it waits for (https://github.com/python/cpython/issues/86296).
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)
        for task in ended:
            if not task.cancelled():
                task.exception()  # looked at, or asyncio complains that nobody did


class Session:
    """Open it, then ``run`` it until trouble, then ``close`` it."""

    def __init__(self, home: Home, mirror: Mirror | None) -> None:
        self.home = home
        self.connection = Connection(home.address)
        self.mirror: Mirror
        self.state: StreamState
        self.tail: Tail
        self._before = mirror
        self._touched = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect, and return when the mirror has all that the stream has.

        Raises LogError for what will not go away by itself; else OSError, TimeoutError or nats.errors.Error.
        """
        try:
            await self.connection.open()
            address = self.home.address
            # JetStream tells what is done to the stream: NATS' ADR-1 and io.nats.jetstream.advisory.v1.stream_action
            await self.connection.subscribe(f"$JS.EVENT.ADVISORY.STREAM.*.{address.stream}", self._heard_of_stream)
            self.state = await prepare(self.connection.js, address, self.home.retention)
            self.mirror = await self._mirror()
        except ServiceUnavailableError as error:
            raise LogError(
                f"The NATS server {self.home.address.server} has no JetStream. Start it with -js: nats-server -js."
            ) from error
        self.tail = Tail(self.connection, address, self.mirror, self.state.duplicate_seconds, self.home.told)
        self._tasks = [asyncio.create_task(self.tail.run()), asyncio.create_task(self._watch())]
        while self.tail.complete_at is None:
            progress = asyncio.create_task(self.tail.completed.wait())
            done, _ = await asyncio.wait(
                [*self._tasks, progress], timeout=PROGRESS_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            progress.cancel()
            for task in self._tasks:
                if task in done:
                    task.result()
            if not done:
                logger.info("= %s: read up to %d of %d", address, self.mirror.last_seq_here, self.state.last_seq)

    @property
    def fresh_mirror(self) -> Mirror | None:
        """The mirror, if it is another than the one given."""
        mirror: Mirror | None = getattr(self, "mirror", None)
        return mirror if mirror is not self._before else None

    async def run(self) -> None:
        """Serve until trouble, which is raised: OSError, TimeoutError, nats.errors.Error or LogError."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def close(self) -> None:
        """Let go of all but the mirror."""
        await end(self._tasks)
        await self.connection.close()

    async def _mirror(self) -> Mirror:
        before, address = self._before, self.home.address
        if before is not None and before.epoch == self.state.epoch:
            same = await self._is_same(before) if before.last_seq_here <= self.state.last_seq else False
            if same:
                return before
            if same is False:
                await renew_epoch(self.connection.js, address, self.state.epoch)
                self.state = await prepare(self.connection.js, address, self.home.retention)
        return Mirror(self.state, self.home.retention, self.home.now)

    async def _is_same(self, mirror: Mirror) -> bool | None:
        """Whether the stream still holds what the mirror copied; None where nothing that could tell is left of it."""
        newest = await mirror.newest(VERIFIED_TOPICS)
        for event in newest:
            try:
                message = await self.connection.js.get_msg(self.home.address.stream, seq=event.seq)
            except NotFoundError:
                continue
            found = decode(self.home.address, message.subject or "", message.data or b"", event.seq, event.time)
            return found == event
        return None if newest else True

    # the stream may be deleted, or be made anew, while all else goes on

    def _heard_of_stream(self, subject: str, payload: bytes) -> None:
        self._touched.set()

    async def _watch(self) -> None:
        """Look at the stream now and then: is it the same, and has all that it had at the last look come since?"""
        had, looked = 0, 0.0
        while True:
            self._touched.clear()
            seen = self.mirror.last_seq_here
            complete_at = self.tail.complete_at
            if complete_at is not None and complete_at > looked and seen < had:
                # the consumer says that it has sent all; what it passed over, nobody can tell
                raise TailError(f"the consumer has passed over messages {seen + 1} to {had}", afresh=True)
            state = await look(self.connection.js, self.home.address)
            if state is None or state.epoch != self.mirror.epoch or state.last_seq < seen:
                raise ConnectionError("the stream is another one")
            had, looked = state.last_seq, time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._touched.wait()


TROUBLE = (nats.errors.Error, OSError, TimeoutError)
"""What ends a session, and may be gone in the next."""
