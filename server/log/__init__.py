"""The event log: one global order of events, durable, idempotent, and tailed.

Every event gets a place ``seq``, strictly increasing within an ``epoch``, which is the log's identity. Whoever
wrote an event learns of it the way all others do: by tailing. So several processes on one log are all right.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_READ_BYTES = 2 * 1024 * 1024
"""A read stops after about this much of data, so that no page of large events fills the memory."""


class LogError(Exception):
    """The log cannot be opened or used; the message says what happened, to what, and what to do."""


class LogBusyError(LogError):
    """Too much waits to be written; try again in a moment. Nothing of this call was taken."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event on its way in. ``data`` is JSON text on one line; ``id`` is its author's, unique in its topic."""

    topic: str
    id: str
    data: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a draft: its place, and whether its id stood there before (then ``seq`` is the first's)."""

    seq: int
    id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Event:
    """An event in its place. ``time`` is in seconds since 1970, UTC; ``data`` is JSON text without line breaks."""

    seq: int
    topic: str
    time: float
    id: str
    data: str

    def to_json(self) -> str:
        """The event as JSON text, ``data`` unparsed."""
        return (
            f'{{"seq":{self.seq},"topic":{json.dumps(self.topic)},"time":{self.time!r},'
            f'"id":{json.dumps(self.id)},"data":{self.data}}}'
        )


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """What the log knows of a topic. ``pruned`` is the highest seq that retention has removed, 0 for none."""

    topic: str
    last_seq: int
    count: int
    pruned: int


class EventLog(Protocol):
    """The contract of every log."""

    @property
    def epoch(self) -> str:
        """The log's identity; another epoch means another log, whose seqs have nothing to do with this one's."""

    def check(self) -> None:
        """Look whether it can be used, and change nothing. Raises LogError, which says why not."""

    async def open(self) -> None:
        """Make ready. Raises LogError, and leaves what it found untouched, where that cannot be used."""

    async def close(self) -> None:
        """Finish what waits to be written, then let go of all."""

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        """Take drafts in; they keep this order, also against later calls. The receipts come when they are durable.

        Raises LogBusyError at once where too much is waiting, LogError through the awaitable where writing fails.
        """

    async def read(
        self, after: int, limit: int, topics: Sequence[str] | None = None, until: int | None = None
    ) -> list[Event]:
        """The next events with ``after < seq <= until``, in order; of these topics alone, if given.

        At most ``limit``, and no more once their data passes MAX_READ_BYTES. None means there are no more.
        """

    async def latest(self, topic: str, count: int, until: int | None = None) -> list[Event]:
        """The last ``count`` events of a topic with ``seq <= until``, oldest first; fewer past MAX_READ_BYTES."""

    async def count(self, after: int, topics: Sequence[str], most: int) -> int:
        """How many events of these topics come after ``after``; counted no further than ``most``."""

    async def topics(self) -> list[TopicInfo]:
        """All topics that ever had an event, by name."""

    async def last_seq(self) -> int:
        """The highest seq given out, 0 for none."""

    async def changed(self, timeout: float) -> None:
        """Return when there may be something after what was read, by whomever, or after ``timeout`` seconds."""


def open_log(url: str, *, retention: int) -> EventLog:
    """The log that a ``PARTYLINE_LOG`` URL names, not opened yet. Raises LogError for a URL of no known kind."""
    from .sqlite import SqliteLog

    if url == "memory://":
        return SqliteLog(None, retention=retention)
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return SqliteLog(url.removeprefix("sqlite:///"), retention=retention)
    raise LogError(
        f"PARTYLINE_LOG is {url!r}, which names no log this server knows. "
        "Use sqlite:///file.db (relative), sqlite:////folder/file.db (absolute) or memory://."
    )
