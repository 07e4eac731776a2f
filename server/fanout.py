"""Tail the log, encode each batch once, wake the connections.

A ``Window`` is what one read of the log gave: all events with ``after < seq <= window.seq``. Its bodies are encoded
once; the frame for a set of subscriptions is made once, however many connections share that set. A connection is but
a number, the next window it wants: no queue per client, no copy per client.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from partyline import protocol
from partyline.topics import any_matches

from .log import Event, EventLog
from .metrics import Metrics
from .rates import Rates
from .wire import text_frame

PAGE = 1_000

WINDOW_BYTES = 2_000
"""What a window takes besides its events: without it, a great many small ones would fill far more than the buffer."""

logger = logging.getLogger("partyline.fanout")


class Frame(NamedTuple):
    """A frame as the wire's bytes, and how many events are in it."""

    data: bytes
    events: int


class Window:
    """A contiguous piece of the log, encoded. One window is one message, so it arrives whole or not at all.

    ``lost`` are topics of which events are missing in it: retention removed them before they could be read.
    """

    def __init__(self, epoch: str, seq: int, events: Iterable[Event], lost: Collection[str] = ()) -> None:
        self.epoch = epoch
        self.seq = seq
        self.lost = lost
        self.bodies = encode_bodies(events)
        self.size = WINDOW_BYTES + sum(len(body) for _, body in self.bodies.values())
        self._by_patterns: dict[frozenset[str], Frame | None] = {}
        self._by_topics: dict[tuple[str, ...], Frame] = {}

    def frame(self, patterns: frozenset[str]) -> Frame | None:
        """The ``events`` frame for who subscribed to ``patterns``; None where nothing in it is for them."""
        if patterns not in self._by_patterns:
            self._by_patterns[patterns] = self._frame(patterns)
        return self._by_patterns[patterns]

    def is_whole(self, patterns: frozenset[str]) -> bool:
        """Whether no event is missing in it for who subscribed to ``patterns``."""
        return not any(any_matches(patterns, topic) for topic in self.lost)

    def message(self, patterns: frozenset[str]) -> str | None:
        """The text of ``frame``."""
        topics = self._topics(patterns)
        return self._encode(topics) if topics else None

    def _topics(self, patterns: frozenset[str]) -> tuple[str, ...]:
        return tuple(topic for topic in self.bodies if any_matches(patterns, topic))

    def _frame(self, patterns: frozenset[str]) -> Frame | None:
        topics = self._topics(patterns)
        if not topics:
            return None
        if topics not in self._by_topics:
            count = sum(self.bodies[topic][0] for topic in topics)
            self._by_topics[topics] = Frame(text_frame(self._encode(topics)), count)
        return self._by_topics[topics]

    def _encode(self, topics: tuple[str, ...]) -> str:
        header = {
            "kind": protocol.EVENTS,
            "epoch": self.epoch,
            "seq": self.seq,
            "topics": [[topic, self.bodies[topic][0]] for topic in topics],
        }
        return protocol.encode(header, [self.bodies[topic][1] for topic in topics])


def encode_bodies(events: Iterable[Event]) -> dict[str, tuple[int, str]]:
    """By topic: how many events, and the text of their JSON array."""
    by_topic: dict[str, list[str]] = {}
    for event in events:
        by_topic.setdefault(event.topic, []).append(event.to_json())
    return {topic: (len(texts), f"[{','.join(texts)}]") for topic, texts in by_topic.items()}


def encode_snapshot(epoch: str, seq: int, topic: str, events: Sequence[Event], reason: str) -> str:
    """The ``snapshot`` frame: the last events of a topic, as things stand at ``seq``."""
    count, body = encode_bodies(events).get(topic, (0, "[]"))
    header = {
        "kind": protocol.SNAPSHOT,
        "epoch": epoch,
        "seq": seq,
        "topics": [[topic, count]],
        "reason": reason,
    }
    return protocol.encode(header, [body])


class Listener(Protocol):
    """A connection, as the fan-out sees it."""

    def offer(self, number: int, window: Window, now: float) -> None:
        """There is a new window. Take it at once, without waiting, or see to it later; ``now`` is the loop's time."""

    def passed_over(self) -> None:
        """The fan-out's position has moved without a window: there was no event."""


class Fanout:
    """The newest windows of the log, numbered, and the connections to tell when there is one more.

    Args:
        flush_seconds: the shortest time between two windows, so that one carries many events when they come fast.
        buffer_bytes: how much is kept; who wants an older window reads the log instead.
        rates: is told how many events each topic brought.
        metrics: is told of each window, and counts for all that stands on this.

    ``on_reset`` is called where the log began anew (``EventLog.breaks``): windows are forgotten, and those who were
    sent them must be told so. ``on_announced`` is called where another process may have announced something.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        flush_seconds: float,
        buffer_bytes: int,
        rates: Rates,
        metrics: Metrics | None = None,
    ) -> None:
        self.log = log
        self.rates = rates
        self.metrics = metrics or Metrics()
        self.position = 0
        self.next_number = 0
        self.breaks = 0
        self.on_reset: Callable[[], None] = lambda: None
        self.on_announced: Callable[[], None] = lambda: None
        self.listeners: set[Listener] = set()
        self._announced_version = 0
        self._flush_seconds = flush_seconds
        self._buffer_bytes = buffer_bytes
        self._windows: deque[Window] = deque()
        self._size = 0

    async def open(self) -> None:
        """Take the log's end for the start. Call it once, when the log is open."""
        self.breaks, self.position = self.log.breaks, await self.log.last_seq()

    @property
    def buffered_bytes(self) -> int:
        """How much is kept encoded just now."""
        return self._size

    def window(self, number: int) -> Window | None:
        """The window of this number; None where it is no longer kept. Ask for ``number < next_number`` only."""
        index = number - (self.next_number - len(self._windows))
        return self._windows[index] if index >= 0 else None

    async def run(self) -> None:
        """Tail until cancelled. A log that fails is told of and asked again."""
        while True:
            try:
                await self.log.changed(timeout=1.0)
                if self._announced_version != self.log.announced_version:
                    self._announced_version = self.log.announced_version
                    self.on_announced()
                while True:
                    started = self.metrics.now()
                    events = await self.log.read(self.position, PAGE)
                    lost = await self._lost(events)
                    if self.log.breaks != self.breaks:
                        await self._reset()
                        continue
                    if not events:
                        await self._pass_over()
                        break
                    self.publish(events, lost)
                    self.metrics.flush_seconds.observe(self.metrics.now() - started)
                    if len(events) < PAGE:
                        await asyncio.sleep(self._flush_seconds)
            except Exception:
                logger.exception("the log could not be read; trying again in a second")
                await asyncio.sleep(1)

    async def _pass_over(self) -> None:
        """Go on to the log's end where no event lies before it: they were removed, or NATS holds what is none.

        Somebody may come with a cursor from there, and would wait for us.
        """
        end = await self.log.last_seq()
        if end <= self.position or await self.log.read(self.position, 1, until=end) or self.log.breaks != self.breaks:
            return
        self.position = end
        for listener in self.listeners:
            listener.passed_over()

    async def _lost(self, events: Sequence[Event]) -> Collection[str]:
        """The topics of which events before the end of these were removed unread; seqs without a hole have none."""
        if not events or events[-1].seq - self.position == len(events):
            return ()
        return [info.topic for info in await self.log.topics() if info.pruned > self.position]

    async def _reset(self) -> None:
        logger.warning("= the log began anew; all sockets start again")
        await self.open()
        self._windows.clear()
        self._size = 0
        self.on_reset()

    def publish(self, events: Sequence[Event], lost: Collection[str] = ()) -> None:
        """Make a window of the log's next events, and offer it to everybody. Of ``lost`` topics some are missing."""
        window = Window(self.log.epoch, events[-1].seq, events, lost)
        self.position = window.seq
        self.next_number += 1
        self.metrics.window_events.observe(len(events))
        self._windows.append(window)
        for topic, (count, _) in window.bodies.items():
            self.rates.add(topic, count)
        self._size += window.size
        while self._size > self._buffer_bytes and len(self._windows) > 1:
            self._size -= self._windows.popleft().size
        now = asyncio.get_running_loop().time()
        for listener in self.listeners:
            listener.offer(self.next_number - 1, window, now)
