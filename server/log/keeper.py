"""Keeps a session with JetStream open: the first at the start, another whenever one ends.

In flow the trouble of sessions, out come ``session`` (None while there is none) and ``mirror``, which outlives them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from . import LogError
from .connection import Connection
from .mirror import Mirror
from .session import TROUBLE, Home, Session, end
from .stream import look
from .tail import TailError

START_SECONDS = 5.0
"""A NATS that cannot be reached is tried for so long at the start."""

GRACE_SECONDS = 1.5
"""An append waits at most for so long until a lost connection is back."""

RETRY_SECONDS = (0.05, 0.5)
START_RETRY_SECONDS = 1.0
TELL_SECONDS = 30.0

T = TypeVar("T")

logger = logging.getLogger("partyline.log")


class Keeper:
    """``opened`` is awaited with each session before it is used; what it raises ends the session."""

    def __init__(self, home: Home, opened: Callable[[Session], Awaitable[None]], *, start_seconds: float) -> None:
        self.address = home.address
        self.session: Session | None = None
        self.mirror: Mirror
        self.breaks = 0
        self._home = home
        self._opened = opened
        self._start_seconds = start_seconds
        self._connected = asyncio.Event()
        self._lost_at = 0.0
        self._trouble = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def check(self) -> None:
        """Look whether NATS can be reached and the stream, if there is one, is ours. Raises LogError."""

        async def look_once() -> None:
            connection = Connection(self.address)
            try:
                await connection.open()
                await look(connection.js, self.address)
            finally:
                await connection.close()

        await self._persist(look_once)

    async def open(self) -> None:
        """Open the first session. Raises LogError where that cannot be done."""
        self.start(self._stay_connected(await self._persist(self._open_session)))

    async def close(self) -> None:
        """End all."""
        await end(self._tasks)
        await asyncio.to_thread(self.mirror.close)

    async def usable(self) -> Session:
        """The session, waited for a little. Raises LogError where there is none."""
        if self.session is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._lost_at + GRACE_SECONDS - time.monotonic())):
                    await self._connected.wait()
        if self.session is None:
            raise LogError(
                f"NATS at {self.address.server} is away: {self._trouble}. "
                "Nothing of this was taken; send it again in a moment."
            )
        return self.session

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something until ``close``."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _persist(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works; past the time for a start, raise LogError."""
        deadline = time.monotonic() + self._start_seconds
        while True:
            try:
                return await attempt()
            except TROUBLE as error:
                if time.monotonic() > deadline:
                    raise LogError(
                        f"NATS at {self.address.server} cannot be used: {_why(error)}. It was tried for "
                        f"{self._start_seconds:.0f} seconds. Start it with nats-server -js, or correct PARTYLINE_LOG."
                    ) from error
                logger.warning("= NATS at %s cannot be used, trying again: %s", self.address.server, _why(error))
            await asyncio.sleep(START_RETRY_SECONDS)

    async def _open_session(self, *, afresh: bool = False) -> Session:
        before = None if afresh else getattr(self, "mirror", None)
        session = Session(self._home, before)
        try:
            await session.open()
            await self._opened(session)
        except BaseException:
            await session.close()
            if session.fresh_mirror is not None:
                self.start(asyncio.to_thread(session.fresh_mirror.close))
            raise
        if session.fresh_mirror is not None:
            self._adopt(session.fresh_mirror)
        self.session = session
        self._connected.set()
        return session

    def _adopt(self, mirror: Mirror) -> None:
        before: Mirror | None = getattr(self, "mirror", None)
        self.mirror = mirror
        if before is not None:
            self.breaks += 1
            self.start(asyncio.to_thread(before.close))  # when the reads under way are done
        self._home.told()

    async def _stay_connected(self, session: Session) -> None:
        while True:
            afresh = False
            try:
                await session.run()
            except (*TROUBLE, LogError) as error:
                afresh = isinstance(error, TailError) and error.afresh
                self._trouble = _why(error)
            except Exception as error:  # whatever it is, there must be another session
                self._trouble = _why(error)
                logger.exception("= the session with %s failed", self.address)
            finally:
                self.session = None
                self._connected.clear()
                self._lost_at = time.monotonic()
                await session.close()
            logger.warning("= lost %s, connecting again: %s", self.address, self._trouble)
            session = await self._open_again(afresh)
            logger.info("= connected to %s again", self.address)

    async def _open_again(self, afresh: bool) -> Session:
        told = time.monotonic()
        while True:
            await asyncio.sleep(random.uniform(*RETRY_SECONDS))
            try:
                return await self._open_session(afresh=afresh)
            except Exception as error:
                afresh = afresh or (isinstance(error, TailError) and error.afresh)
                self._trouble = _why(error)
                unexpected = None if isinstance(error, (*TROUBLE, LogError)) else error
            if time.monotonic() > told + TELL_SECONDS:
                told = time.monotonic()
                logger.warning(
                    "= NATS at %s is still away: %s", self.address.server, self._trouble, exc_info=unexpected
                )


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
