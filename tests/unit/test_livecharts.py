"""A live chart shows each event of its topic once, in order, however they came."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from livecharts import LiveCharts, row, since
from partyline.protocol import EVENTS, NEW, SNAPSHOT
from partyline.store import Store


class Line:
    """What a chart needs of a tab."""

    def __init__(self) -> None:
        self.store = Store([])
        self.changes = 0

    def want(self, topic: str) -> None:
        self.store.patterns.append(topic)

    def changed(self) -> None:
        self.changes += 1

    def take(self, kind: str, seq: int, seqs: list[int], topic: str = "a") -> None:
        """A frame of events, or a snapshot up to ``seq``; the events' data are their seqs."""
        body = json.dumps([{"seq": each, "time": 0.5, "id": str(each), "data": each} for each in seqs])
        header = {"kind": kind, "epoch": "e", "seq": seq, "topics": [[topic, len(seqs)]], "reason": NEW}
        self.store.take(header, [body])


class Chart:
    """www/js/chart.js: only strings cross the border."""

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.updates = 0

    def append(self, rows: str) -> None:
        self.shown += [each["value"] for each in json.loads(rows)]

    def update(self, rows: str) -> None:
        self.shown = []
        self.updates += 1
        self.append(rows)


def world(topic: str = "a") -> tuple[LiveCharts, Line, Chart, int]:
    """A page with one chart, and its key."""
    charts, line, chart = LiveCharts(), Line(), Chart()
    charts.line = line
    key = charts.add(chart, {"topic": topic})
    assert key is not None
    return charts, line, chart, key


def test_history_then_what_comes() -> None:
    charts, line, chart, _ = world()
    line.take(SNAPSHOT, 3, [1, 3])
    charts.draw()
    line.take(EVENTS, 4, [4])
    line.take(EVENTS, 9, [8, 9])
    charts.draw()
    charts.draw()
    assert chart.shown == [1, 3, 4, 8, 9]
    assert chart.updates == 1


def test_history_that_comes_after_the_first_live_events() -> None:
    """The channel and the tab's own port have no order between them."""
    charts, line, chart, _ = world()
    line.take(EVENTS, 9, [9])
    charts.draw()
    assert chart.shown == [9]
    line.take(SNAPSHOT, 8, [6, 7, 8])
    charts.draw()
    assert chart.shown == [6, 7, 8, 9]


def test_a_new_log_whose_seqs_begin_anew() -> None:
    """The old log's points go; the new one's are shown, though their seqs are lower."""
    charts, line, chart, _ = world()
    line.take(SNAPSHOT, 100, [99, 100])
    charts.draw()
    line.store.clear()
    charts.draw()
    assert chart.shown == []
    line.take(EVENTS, 1, [1])
    charts.draw()
    assert chart.shown == [1]


def test_the_late_history_of_one_topic_is_nothing_to_another_chart() -> None:
    """A chart may show more points than the store keeps, and does not lose them."""
    charts, line, chart, _ = world()
    charts.add(Chart(), {"topic": "b"})
    for first in range(1, 1201, 100):
        line.take(EVENTS, first + 99, list(range(first, first + 100)))
        charts.draw()
    line.take(EVENTS, 1301, [1301], "b")
    charts.draw()
    line.take(SNAPSHOT, 1300, [1299, 1300], "b")
    charts.draw()
    assert chart.shown == list(range(1, 1201))
    assert line.store.limit < 1200


def test_topics_of_a_pattern_are_one_chart() -> None:
    charts, line, chart, _ = world("a.*")
    line.take(EVENTS, 2, [2], "a.x")
    line.take(EVENTS, 1, [1], "a.y")
    line.take(EVENTS, 3, [3], "b")
    charts.draw()
    assert chart.shown == [1, 2]


def test_a_chart_on_pause_shows_afterwards_what_came_meanwhile() -> None:
    charts, line, chart, key = world()
    charts.draw()
    charts.pause(key, paused=True)
    line.take(EVENTS, 2, [1, 2])
    charts.draw()
    assert chart.shown == []
    before = line.changes
    charts.pause(key, paused=False)
    assert line.changes == before + 1
    charts.draw()
    assert chart.shown == [1, 2]


def test_a_chart_that_is_gone_is_drawn_no_more() -> None:
    charts, line, chart, key = world()
    charts.remove(key)
    charts.remove(None)
    line.take(EVENTS, 1, [1])
    charts.draw()
    assert chart.shown == []


def test_rows_without_a_topic_are_not_followed() -> None:
    charts = LiveCharts()
    assert charts.add(Chart(), {"rows": [1, 2]}) is None
    assert charts.add(Chart(), {"topic": "no topic"}) is None


def test_an_event_becomes_a_row_with_its_time() -> None:
    assert row({"time": 1.5, "data": {"percent": 3, "time": "mine"}}) == {"percent": 3, "time": 1.5}
    assert row({"time": 1.5, "data": [1]}) == {"value": [1], "time": 1.5}


@given(st.lists(st.integers(1, 50), unique=True).map(sorted), st.integers(0, 60))
def test_since_a_seq(seqs: list[int], seq: int) -> None:
    events = [{"seq": each} for each in seqs]
    assert [event["seq"] for event in since(events, seq)] == [each for each in seqs if each > seq]


FRAMES = st.lists(
    st.one_of(
        st.tuples(st.just(EVENTS), st.sets(st.integers(1, 30), min_size=1, max_size=4)),
        st.tuples(st.just(SNAPSHOT), st.sets(st.integers(1, 30), max_size=8)),
        st.tuples(st.just("clear"), st.just(set())),
    ),
    max_size=12,
)


@given(FRAMES)
def test_all_that_the_store_holds_is_drawn_once_and_in_order(frames: list[tuple[str, set[int]]]) -> None:
    charts, line, chart, _ = world()
    for kind, seqs in frames:
        if kind == "clear":
            line.store.clear()
        else:
            line.take(kind, max(seqs, default=0), sorted(seqs))
        charts.draw()
        held = [event["data"] for event in line.store.events("a")]
        assert chart.shown == sorted(set(chart.shown))
        assert chart.shown[len(chart.shown) - len(held) :] == held
