"""What the server counts of itself: plain numbers, which the exporter reads when Prometheus asks.

In flow counts, from where things happen; nothing flows out but the numbers. Counting must cost next to nothing: what
is counted for each message stands in its connection's own ``Traffic``, and is added up at a scrape.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, cast

from .log import Draft, EventLog, LogBusyError, LogTooLargeError, Receipt

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

SOURCES = ("socket", "http", "feed", "server")
"""Where events come from; the server itself tells joins and leaves."""


class Histogram:
    """How often a value was at most each of ``bounds``; above the last is counted too."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Traffic:
    """What went over one socket, or over several; what is sent counts with WebSocket's framing, uncompressed."""

    __slots__ = ("deliveries", "received", "received_bytes", "sent", "sent_bytes")

    def __init__(self) -> None:
        self.sent = 0
        self.sent_bytes = 0
        self.received = 0
        self.received_bytes = 0
        self.deliveries = 0

    def add(self, other: Traffic) -> None:
        """Add another's numbers to these."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class HttpCounts:
    """HTTP requests by method and status, and how long they took."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds = Histogram(SECONDS)

    def observe(self, method: str, status: int, seconds: float) -> None:
        """A request was answered. The methods must be few: each gets numbers of its own."""
        self.requests[method, status] += 1
        self.seconds.observe(seconds)


class Metrics:
    """The numbers of one server process. ``now`` gives seconds of a monotonic clock."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.now = now
        self.closed: Counter[str] = Counter()
        self.past = Traffic()  # of the connections that are closed
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.snapshots: Counter[str] = Counter()
        self.appended: Counter[str] = Counter()
        self.duplicates: Counter[str] = Counter()
        self.append_failing = False
        self.append_seconds = Histogram(SECONDS)
        self.flush_seconds = Histogram(SECONDS)
        self.window_events = Histogram(EVENTS)
        self.http = HttpCounts()
        self.blocked: Counter[str] = Counter({"": 0})
        self.blocked_seconds = {"": 0.0}

    def know_feeds(self, names: Iterable[str]) -> None:
        """Count these feeds from 0 on, so that their first hold is seen as one."""
        for name in names:
            self.blocked[name] += 0
            self.blocked_seconds.setdefault(name, 0.0)

    def was_blocked(self, feed: str, seconds: float) -> None:
        """The event loop was held up for so long by a feed; ``feed`` is empty for anything else."""
        self.blocked[feed] += 1
        self.blocked_seconds[feed] = self.blocked_seconds.get(feed, 0.0) + seconds

    def metered(self, log: EventLog, source: str) -> EventLog:
        """The same log, whose appends are counted as this source's."""
        return cast(EventLog, Metered(log, source, self))


class Metered:
    """A log as it is, but for ``append``."""

    def __init__(self, log: EventLog, source: str, metrics: Metrics) -> None:
        self._log = log
        self._source = source
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        """As the log's own; how long it took is counted when it is done, or has failed."""
        metrics, started = self._metrics, self._metrics.now()

        def done(future: asyncio.Future[list[Receipt]]) -> None:
            if future.cancelled():
                return
            metrics.append_seconds.observe(metrics.now() - started)
            error = future.exception()
            if error is None:
                duplicates = sum(receipt.duplicate for receipt in future.result())
                metrics.duplicates[self._source] += duplicates
                metrics.appended[self._source] += len(future.result()) - duplicates
            metrics.append_failing = error is not None and not isinstance(error, LogBusyError | LogTooLargeError)

        future = asyncio.ensure_future(self._log.append(drafts))
        future.add_done_callback(done)
        return future


def size(message: str | bytes) -> int:
    """How many bytes a message has in UTF-8."""
    if isinstance(message, bytes) or message.isascii():
        return len(message)
    return len(message.encode(errors="surrogatepass"))
