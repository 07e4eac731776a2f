"""The runner of one feed: publishes what it yields, starts one that fails again, and knows how it is doing.

    standby ──> starting ──> running ──> stopped (it ended by itself)
    (another       ▲            │
    process        │            ▼  it raised, or yielded what cannot be an event
    runs it)       └──────── waiting (1, 2, 4 … 60 seconds; from 1 again after a minute's good running)

Values flow in from the feed, drafts out to the log. A log that takes none is asked again; meanwhile the feed is not
asked for more, so no memory grows.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from types import AsyncGeneratorType, FrameType
from typing import Any, cast

from ..log import Draft, EventLog, LogError, LogTooLargeError
from .declare import Source
from .drafts import FeedError, make_draft
from .turn import Turn

STANDBY, STARTING, RUNNING, WAITING, STOPPED = STATES = ("standby", "starting", "running", "waiting", "stopped")

STANDBY_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 60.0
STEADY_SECONDS = 60.0
"""A feed that failed after it ran so long is not taken for one that keeps failing."""
APPEND_SECONDS = 30.0
"""How long an event is kept for a log that does not take it."""
APPEND_BACKOFF_SECONDS = 0.1, 5.0
MAX_ERROR_LENGTH = 300

logger = logging.getLogger("partyline.feeds")


class Runner:
    """Runs one feed. ``now`` is the time since 1970, ``monotonic`` any clock that is never set; in seconds."""

    def __init__(
        self,
        source: Source,
        log: EventLog,
        *,
        turn: Turn,
        max_bytes: int,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.source = source
        self.state = STARTING
        self.until: float | None = None
        self.events = self.dropped = self.failures = 0
        self.error: str | None = None
        self.last_event: float | None = None
        self.blocked = 0
        self.blocked_seconds: float | None = None
        self.blocked_at: str | None = None
        self._log = log
        self._turn = turn
        self._max_bytes = max_bytes
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._generator: AsyncGeneratorType[Any, None] | None = None
        self._told = ""
        self._log_is_down = False

    def status(self) -> dict[str, Any]:
        """How it is doing, as ``GET /api/status`` tells it."""
        return {
            "name": self.source.name,
            "state": self.state,
            "until": self.until,
            "events": self.events,
            "dropped": self.dropped,
            "failures": self.failures,
            "error": self.error,
            "last_event": self.last_event,
            "blocked": self.blocked,
            "blocked_seconds": self.blocked_seconds,
            "blocked_at": self.blocked_at,
        }

    def standing(self, frames: Sequence[FrameType]) -> FrameType | None:
        """Where in the feed's own code it stands; None where these frames, innermost first, are not of its making."""
        generator = self._generator
        if generator is None:
            return None
        codes = [frame.f_code for frame in frames]
        if make_draft.__code__ in codes:
            return generator.ag_frame  # at the ``yield`` whose value is being made an event
        if generator.ag_code not in codes:
            return None
        own = (generator.ag_code.co_filename, str(self.source.file))
        return next(frame for frame in frames if frame.f_code.co_filename in own)

    async def run(self) -> None:
        """Run the feed until it ends by itself or we are cancelled. Its failures, whatever they are, stay in here."""
        in_a_row = 0
        while True:
            began = math.inf
            try:
                while not self._turn.take():
                    self.state = STANDBY
                    await self._sleep(STANDBY_SECONDS)
                self.state = STARTING
                began = self._monotonic()
                await self._publish_all()
                self.state = STOPPED
                logger.info("= the feed %s ended by itself", self.source.name)
                return
            except (Exception, SystemExit, asyncio.CancelledError) as error:
                failure = error
            if _is_cancelled():
                if not isinstance(failure, asyncio.CancelledError):
                    logger.error("the feed %s failed while it was ended", self.source.name, exc_info=failure)
                raise asyncio.CancelledError
            # a CancelledError that gets here is the feed's own: something it awaited was cancelled
            in_a_row = 1 if self._monotonic() - began >= STEADY_SECONDS else in_a_row + 1
            self.failures += 1
            delay = min(2.0 ** min(in_a_row - 1, 10), MAX_BACKOFF_SECONDS)
            self.state, self.until = WAITING, self._now() + delay
            self._tell(failure, delay)
            await self._sleep(delay)
            self.until = None

    async def _publish_all(self) -> None:
        every = self.source.every
        due = self._monotonic()
        async with contextlib.aclosing(self.source.function()) as generator:
            self._generator = cast("AsyncGeneratorType[Any, None]", generator)
            async for value in generator:
                if _is_cancelled():
                    raise asyncio.CancelledError  # the feed swallowed it
                try:
                    draft = make_draft(self.source, value, self._max_bytes)
                except FeedError as error:
                    raise FeedError(f"{_place(generator)}: {error}") from None
                await self._append(draft)
                self.state = RUNNING
                if every is not None:
                    # what fell due while the feed or the log was busy is left out
                    due += every * max(1, math.ceil((self._monotonic() - due) / every))
                    await self._sleep(max(0.0, due - self._monotonic()))

    async def _append(self, draft: Draft) -> None:
        """Append, again and again for a bounded time; the id makes that safe."""
        deadline = self._monotonic() + APPEND_SECONDS
        delay, longest = APPEND_BACKOFF_SECONDS
        while True:
            try:
                await self._log.append([draft])
                break
            except LogError as error:
                self.error = str(error)[:MAX_ERROR_LENGTH]
                if not self._log_is_down and not isinstance(error, LogTooLargeError):
                    self._log_is_down = True
                    logger.warning("the feed %s waits for the log: %s", self.source.name, error)
                if isinstance(error, LogTooLargeError) or self._monotonic() + delay > deadline:
                    self.dropped += 1
                    logger.error("the feed %s dropped an event of %s: %s", self.source.name, draft.topic, error)
                    return
            await self._sleep(delay)
            delay = min(2 * delay, longest)
        self.events += 1
        self.last_event = self._now()
        if self._log_is_down:
            self._log_is_down = False
            logger.info("= the feed %s publishes again; it dropped %d events so far", self.source.name, self.dropped)

    def _tell(self, error: BaseException, delay: float) -> None:
        """A line for each failure, with its traceback where it is not just what was told before."""
        text = str(error) if isinstance(error, FeedError) else f"{type(error).__name__}: {error}"
        self.error = text[:MAX_ERROR_LENGTH]
        known, self._told = self._told == text, text
        trace = None if known or isinstance(error, FeedError) else error
        logger.error(
            "the feed %s failed and starts again in %g seconds: %s", self.source.name, delay, self.error, exc_info=trace
        )


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _place(generator: AsyncGenerator[Any, None]) -> str:
    """Where the generator stands, at the ``yield`` that gave its last value: ``file:line``."""
    own = cast("AsyncGeneratorType[Any, None]", generator)
    line = own.ag_frame.f_lineno if own.ag_frame is not None else own.ag_code.co_firstlineno
    return f"{Path(own.ag_code.co_filename).name}:{line}"
