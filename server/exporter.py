"""What Prometheus is told: every number of ``Metrics``, and of what lives just now, under its public name.

In flow the line, its fan-out and its metrics; out comes text in Prometheus' format, made when it asks for it. Each
sample says which ``process`` it is of: where several serve on one port, a scrape reaches one of them.
docs/how-to/operate.md lists the names; a test holds the two together.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, Metric, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from partyline import __version__

from .line import Line
from .metrics import SOURCES, Histogram, Traffic

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
BEHIND_WINDOWS = 10
"""A connection is behind where it has not been sent so many of the newest windows."""


class Exporter(Collector):
    """The metrics of one app; ``log_seq`` is set before each scrape, None where the log does not answer."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._process = multiprocessing.current_process().name  # Hypercorn names its workers SpawnProcess-1, -2 …
        self._others: list[Collector] = [
            each(registry=CollectorRegistry()) for each in (ProcessCollector, PlatformCollector, GCCollector)
        ]
        self.log_seq: int | None = None

    def text(self) -> bytes:
        """All metrics in Prometheus' text format, which is of ``CONTENT_TYPE``."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of a scrape: the registry need not look for doubles."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric, each sample of it with the process's name."""
        for family in self._families():
            family.samples = [
                sample._replace(labels={**sample.labels, "process": self._process}) for sample in family.samples
            ]
            yield family

    def _families(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "partyline", "This server.", {"version": __version__, "epoch": self._line.log.epoch or "unknown"}
        )
        yield from self._connections()
        yield from self._traffic()
        yield from self._events()
        yield from self._fanout()
        yield from self._http()
        yield from self._loop()
        for each in self._others:
            yield from each.collect()

    def _connections(self) -> Iterator[Metric]:
        roster, metrics = self._line.attendance.roster, self._line.metrics
        lags = [connection.lag for connection in self._line.connections]
        yield _gauge("connections", "Open WebSockets.", roster.sockets)
        yield _gauge("browsers", "Distinct browsers that said hello on them.", len(roster.people()))
        yield _counter("connections_opened", "WebSockets opened.", roster.sockets + sum(metrics.closed.values()))
        yield _counters("connections_closed", "WebSockets closed, by why.", "reason", metrics.closed)
        yield _gauge(
            "connection_lag_windows", "How many windows the slowest connection is behind.", max(lags, default=0)
        )
        yield _gauge(
            "connections_behind",
            f"Connections that are at least {BEHIND_WINDOWS} windows behind.",
            sum(lag >= BEHIND_WINDOWS for lag in lags),
        )

    def _traffic(self) -> Iterator[Metric]:
        traffic = Traffic()
        traffic.add(self._line.metrics.past)
        for connection in self._line.connections:
            traffic.add(connection.traffic)
        yield _counter("messages_sent", "Messages sent over sockets.", traffic.sent)
        yield _counter("sent_bytes", "Their bytes, with WebSocket's framing.", traffic.sent_bytes)
        yield _counter("messages_received", "Messages taken from sockets.", traffic.received)
        yield _counter("received_bytes", "Their bytes.", traffic.received_bytes)
        yield _counter("deliveries", "Live events sent, counted once for each connection.", traffic.deliveries)

    def _events(self) -> Iterator[Metric]:
        metrics = self._line.metrics
        known = dict.fromkeys(SOURCES, 0)  # so that a rate is known from the first on
        yield _counters("events_appended", "Events appended to the log.", "source", {**known, **metrics.appended})
        yield _counters(
            "events_duplicate", "Events that stood in the log before.", "source", {**known, **metrics.duplicates}
        )
        yield _histogram("append_seconds", "From append to durable, or to failure.", metrics.append_seconds)
        refusals = CounterMetricFamily(
            "partyline_refusals", "What was answered with an error, by its code.", labels=("channel", "code")
        )
        for labels, count in sorted(metrics.refusals.items()):
            refusals.add_metric(labels, count)
        yield refusals
        yield _gauge("log_up", "Whether the log can be read: 1 or 0.", int(self.log_seq is not None))
        if self.log_seq is not None:
            yield _gauge("log_seq", "The log's last seq.", self.log_seq)

    def _fanout(self) -> Iterator[Metric]:
        fanout, metrics = self._line.fanout, self._line.metrics
        yield _gauge("tail_seq", "The last seq that this process has encoded for its sockets.", fanout.position)
        yield _histogram("window_events", "Events in a window, which is one flush.", metrics.window_events)
        yield _histogram(
            "flush_seconds", "Reading a window, encoding it, waking the connections.", metrics.flush_seconds
        )
        yield _gauge("buffer_bytes", "Newest windows kept encoded.", fanout.buffered_bytes)
        yield _counters("snapshots_sent", "Snapshots sent, by why.", "reason", metrics.snapshots)

    def _http(self) -> Iterator[Metric]:
        http = self._line.metrics.http
        requests = CounterMetricFamily("partyline_http_requests", "HTTP requests.", labels=("method", "status"))
        for (method, status), count in sorted(http.requests.items()):
            requests.add_metric((method, str(status)), count)
        yield requests
        yield _histogram("http_request_seconds", "From request to the last byte handed over.", http.seconds)

    def _loop(self) -> Iterator[Metric]:
        metrics = self._line.metrics
        yield _counters("loop_blocked", "How often the event loop was held up.", "feed", metrics.blocked)
        yield _counters(
            "loop_blocked_seconds", "For how long the event loop was held up.", "feed", metrics.blocked_seconds
        )


def _gauge(name: str, doc: str, value: float) -> Metric:
    return GaugeMetricFamily(f"partyline_{name}", doc, value)


def _counter(name: str, doc: str, value: float) -> Metric:
    return CounterMetricFamily(f"partyline_{name}", doc, value)


def _counters(name: str, doc: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"partyline_{name}", doc, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _histogram(name: str, doc: str, histogram: Histogram) -> Metric:
    bounds = [*map(str, map(float, histogram.bounds)), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    return HistogramMetricFamily(f"partyline_{name}", doc, buckets, histogram.sum)
