"""What the server counts: histograms, appends by source, requests; with a clock that is a number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from server.access import Access
from server.config import Settings
from server.exporter import Exporter
from server.fanout import Fanout
from server.identity import Identities
from server.line import Line
from server.log import Draft, LogError, open_log
from server.metrics import Histogram, Metrics, Traffic, size
from server.rates import Rates


@given(st.lists(st.floats(0, 100)), st.lists(st.floats(0.1, 50), min_size=1, unique=True))
def test_a_histogram_puts_each_value_below_its_bound(values: list[float], bounds: list[float]) -> None:
    histogram = Histogram(sorted(bounds))
    for value in values:
        histogram.observe(value)
    assert len(values) == sum(histogram.counts)
    assert math.isclose(histogram.sum, math.fsum(values), abs_tol=1e-9)
    below = 0
    for bound, count in zip(histogram.bounds, histogram.counts, strict=False):
        below += count
        assert below == sum(value <= bound for value in values)  # as Prometheus' "le" says


def test_traffic_adds_up() -> None:
    total, one = Traffic(), Traffic()
    one.sent, one.sent_bytes, one.received, one.received_bytes, one.deliveries = 1, 2, 3, 4, 5
    total.add(one)
    total.add(one)
    assert [getattr(total, name) for name in ("sent", "sent_bytes", "received", "received_bytes", "deliveries")] == [
        2,
        4,
        6,
        8,
        10,
    ]


@given(st.text() | st.binary())
def test_sizes_are_of_utf8(message: str | bytes) -> None:
    assert size(message) == len(message if isinstance(message, bytes) else message.encode(errors="surrogatepass"))


class Clock:
    """Each time it is asked it is a quarter of a second later."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


async def test_appends_are_counted_by_source_and_timed() -> None:
    metrics = Metrics(Clock())
    log = open_log("memory://", retention=10)
    await log.open()
    http, feed = metrics.metered(log, "http"), metrics.metered(log, "feed")
    await http.append([Draft("room", "a", "1"), Draft("room", "b", "1")])
    await http.append([Draft("room", "a", "1"), Draft("room", "c", "1")])
    await feed.append([Draft("room", "d", "1")])
    assert metrics.appended == {"http": 3, "feed": 1}
    assert metrics.duplicates == {"http": 1, "feed": 0}
    assert (sum(metrics.append_seconds.counts), metrics.append_seconds.sum) == (3, 0.75)
    assert await feed.last_seq() == 4
    await log.close()


async def test_an_append_that_fails_is_timed_and_told_until_one_succeeds() -> None:
    metrics = Metrics(Clock())
    log = open_log("memory://", retention=10)
    await log.open()
    metered = metrics.metered(log, "http")
    with pytest.raises(LogError):
        await metered.append([Draft("room", None, "1")])  # type: ignore[arg-type] - SQLite refuses what is no text
    assert metrics.append_failing
    await metered.append([Draft("room", "a", "1")])
    assert not metrics.append_failing
    assert sum(metrics.append_seconds.counts) == 2
    assert metrics.appended == {"http": 1}
    await log.close()


async def test_methods_nobody_knows_share_one_count() -> None:
    metrics = Metrics()

    async def app(scope: object, receive: object, send: object) -> None:
        return None

    for method in ("GET", "BREW", "X" * 1000):
        scope = {"type": "http", "method": method, "path": "/", "headers": []}
        await Access(app, metrics)(scope, None, None)
    assert metrics.http.requests == {("GET", 0): 1, ("other", 0): 2}


def test_all_that_is_counted_is_told_in_prometheus_format() -> None:
    log = open_log("memory://", retention=10)
    metrics = Metrics()
    fanout = Fanout(log, flush_seconds=0.0, buffer_bytes=100, rates=Rates(lambda: 0.0), metrics=metrics)
    exporter = Exporter(Line(Settings(), log, fanout, Identities("secret")))
    exporter.log_seq = 42
    metrics.past.deliveries = 7
    metrics.refusals["socket", 'a"\n\\'] += 3
    for value in (1, 3, 5000):
        metrics.window_events.observe(value)
    samples = {
        (sample.name, sample.labels.get("le") or sample.labels.get("code")): sample
        for family in text_string_to_metric_families(exporter.text().decode())
        for sample in family.samples
    }
    assert samples["partyline_log_seq", None].value == 42
    assert samples["partyline_deliveries_total", None].value == 7
    assert samples["partyline_refusals_total", 'a"\n\\'].value == 3
    assert samples["partyline_window_events_bucket", "2.0"].value == 1
    assert samples["partyline_window_events_bucket", "1000.0"].value == 2
    assert samples["partyline_window_events_bucket", "+Inf"].value == 3
    assert samples["partyline_window_events_count", None].value == 3
    assert {sample.labels["process"] for sample in samples.values()} == {"MainProcess"}
