"""The homes of the event log, for tests: each a fresh one, on which one or more logs are opened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from server import rules
from server.log import EventLog
from server.log.address import Address
from server.log.jetstream import JetStreamLog
from server.log.retention import Retention
from server.log.sqlite import SqliteLog

SECONDS = 60  # a consumer that passes messages over is found at the third look, WATCH_SECONDS apart
PRUNE_SECONDS = 0.05

T = TypeVar("T")


class Home:
    """A home by its PARTYLINE_LOG. ``later`` moves the clock of its logs on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.logs: list[EventLog] = []
        self._ahead = 0.0

    @property
    def later_events(self) -> int:
        """How many of one event now and one written after ``later(30)`` are younger than 60 s at ``later(70)``.

        JetStream gives events the times of its own clock, which the tests cannot move.
        """
        return 0 if self.url.startswith("nats:") else 1

    def now(self) -> float:
        """The logs' clock."""
        return time.time() + self._ahead

    def later(self, seconds: float) -> None:
        """Move the clock on."""
        self._ahead += seconds

    async def open(self, *, retention: str = "100", retention_age: str = "0") -> EventLog:
        """A log on this home, opened."""
        log = self.make(retention=retention, retention_age=retention_age)
        await log.open()
        self.logs.append(log)
        return log

    def make(self, *, retention: str = "100", retention_age: str = "0") -> EventLog:
        """A log on this home, not opened yet."""
        keep = Retention(rules.parse(retention, rules.read_count), rules.parse(retention_age, rules.read_duration))
        if self.url.startswith("nats:"):
            return JetStreamLog(
                Address.parse(self.url), keep, now=self.now, start_seconds=2, prune_seconds=PRUNE_SECONDS
            )
        path = None if self.url == "memory://" else self.url.removeprefix("sqlite:///")
        return SqliteLog(path, keep, now=self.now, prune_seconds=PRUNE_SECONDS)

    async def close(self, log: EventLog) -> None:
        """Close one of the logs."""
        self.logs.remove(log)
        await log.close()

    async def close_all(self) -> None:
        """Close those that are still open."""
        while self.logs:
            await self.close(self.logs[-1])


def sqlite_home(folder: Path) -> Home:
    """A home in a file that is not there yet."""
    return Home(f"sqlite:///{folder / 'log.db'}")


async def eventually(ask: Callable[[], Awaitable[T]], expected: T) -> None:
    """Ask until the answer is as expected."""
    deadline = time.monotonic() + SECONDS
    while (answer := await ask()) != expected:
        assert time.monotonic() < deadline, f"{answer!r} did not become {expected!r}"
        await asyncio.sleep(0.01)
