"""The event log: one global order of events, durable, idempotent, and tailed.

Every event gets a place ``seq``, strictly increasing within an ``epoch``, which is the log's identity. Whoever
wrote an event learns of it the way all others do: by tailing. So several processes on one log are all right.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..rules import PerTopic

MAX_READ_BYTES = 2 * 1024 * 1024
"""A read stops after about this much of data, so that no page of large events fills the memory."""


MAX_WAITING = 20_000
"""How many events of one process may wait to be written; past that an append is refused."""

MAX_WAITING_BYTES = 64 * 1024 * 1024
"""And so much of data, about: events are small, but need not be."""

ANNOUNCED_SECONDS = 15.0
"""What a server process announced is gone when it was not renewed for so long."""


class LogError(Exception):
    """The log cannot be opened or used; the message says what happened, to what, and what to do."""


class LogBusyError(LogError):
    """Too much waits to be written; try again in a moment. Nothing of this call was taken."""


class LogTooLargeError(LogError):
    """An event is larger than the log takes; sending it again will not do. Nothing of this call was taken."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event on its way in. ``data`` is JSON text on one line; ``id`` is its author's, unique in its topic.

    ``by`` is who published it, as the server knows: ``feed:host``, a browser's public id, empty if unknown.
    """

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
    by: str = ""

    def to_json(self) -> str:
        """The event as JSON text, ``data`` unparsed."""
        return (
            f'{{"seq":{self.seq},"topic":{json.dumps(self.topic)},"time":{self.time!r},'
            f'"id":{json.dumps(self.id)},"by":{json.dumps(self.by)},"data":{self.data}}}'
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

    @property
    def breaks(self) -> int:
        """How often what is read here began anew: the epoch changed, or events were gone before they could be read.

        Who tails the log must forget all and start at its end when this has changed.
        """

    @property
    def announced_version(self) -> int:
        """Another number whenever ``announced`` may be different."""

    def check(self) -> None:
        """Look whether it can be used, and change nothing. Raises LogError, which says why not."""

    async def open(self) -> None:
        """Make ready. Raises LogError, and leaves what it found untouched, where that cannot be used."""

    async def close(self) -> None:
        """Finish what waits to be written, then let go of all."""

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        """Take drafts in; they keep this order, also against later calls. The receipts come when they are durable.

        Raises LogBusyError at once where too much is waiting. LogError comes through the awaitable where writing
        fails; then the drafts may or may not be in, and the same ids can safely be sent again.
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

    async def reaches(self, seq: int) -> bool:
        """Whether ``seq`` was given out in this epoch, perhaps so lately that it cannot be read here yet."""

    async def changed(self, timeout: float) -> None:
        """Return when there may be something new to read, or in ``announced``, or after ``timeout`` seconds."""

    async def announce(self, server: str, text: str) -> None:
        """Tell all server processes on this log a text of this one; it replaces the last, and "" withdraws it.

        Call it again within ANNOUNCED_SECONDS, else it is gone. ``server`` names this process: letters, digits, - _.
        """

    def announced(self) -> dict[str, str]:
        """What the server processes on this log last announced, our own included, by server."""


def open_log(url: str, *, retention: PerTopic | int, retention_age: PerTopic | int = 0) -> EventLog:
    """The log that a ``PARTYLINE_LOG`` URL names, not opened yet. Raises LogError for a URL of no known kind.

    ``retention`` is how many events of a topic are kept, ``retention_age`` for how many seconds; 0 is for ever.
    """
    from .address import Address
    from .jetstream import JetStreamLog
    from .retention import Retention
    from .sqlite import SqliteLog

    keep = Retention(_per_topic(retention), _per_topic(retention_age))
    if url == "memory://":
        return SqliteLog(None, keep)
    if url == "sqlite:///:memory:":
        raise LogError("PARTYLINE_LOG is 'sqlite:///:memory:'; a log in memory is memory://.")
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return SqliteLog(url.removeprefix("sqlite:///"), keep)
    if url.startswith(("nats://", "tls://")):
        return JetStreamLog(Address.parse(url), keep)
    raise LogError(
        f"PARTYLINE_LOG is {shown(url)!r}, which names no log this server knows. "
        "Use sqlite:///file.db (relative), sqlite:////folder/file.db (absolute), nats://host:port/stream or memory://."
    )


def shown(url: str) -> str:
    """A log's URL as it may be shown: without what proves who we are, even where that is not written as it should."""
    if "@" not in url or url.startswith("sqlite:///"):
        return url
    before, _, after = url.rpartition("@")
    scheme, separator, _ = before.partition("://")
    return f"{scheme if separator else ''}{separator}…@{after}"


def _per_topic(value: PerTopic | int) -> PerTopic:
    return value if isinstance(value, PerTopic) else PerTopic(value)
