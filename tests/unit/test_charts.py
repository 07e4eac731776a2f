"""What ``chart`` makes of topics and rows, and what it says of what it cannot draw."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, date, datetime
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charts import MAX_ROWS, MIME, Chart, make_chart
from streams import Event


def bundle(of: Any, **options: Any) -> dict[str, Any]:
    """What is displayed."""
    shown: list[Any] = []
    make_chart(shown.append, lambda text: None)(of, **options)
    (drawn,) = shown
    told: dict[str, Any] = drawn._repr_mimebundle_(include=None, exclude=None)
    json.dumps(told, allow_nan=False)
    return told


def event(time: float, data: Any) -> Event:
    return Event("lab", int(time), time, "id", data)


def test_a_topic_is_left_to_the_tab() -> None:
    told = bundle("host.cpu", y="percent", last=60)
    assert told[MIME] == {
        "topic": "host.cpu",
        "x": "time",
        "y": ["percent"],
        "title": "host.cpu",
        "last": 60,
    }
    assert "host.cpu" in told["text/plain"]
    assert bundle("room")[MIME]["y"] is None, "all numbers"


def test_events_have_their_time_and_their_fields() -> None:
    told = bundle([event(1.5, {"a": 1, "b": "text", "c": 2.5}), event(2.5, {"a": 2, "time": 99})])[MIME]
    assert told["rows"] == [{"time": 1.5, "a": 1, "c": 2.5}, {"time": 2.5, "a": 2, "c": None}]
    assert (told["x"], told["y"]) == ("time", ["a", "c"])
    assert bundle([event(1, 5), event(2, 6)])[MIME]["rows"] == [{"time": 1, "value": 5}, {"time": 2, "value": 6}]


def test_dicts_and_numbers() -> None:
    told = bundle([{"day": 1, "rain": 3, "sun": True}, {"day": 2}], x="day", title="Rain")[MIME]
    assert told == {
        "x": "day",
        "y": ["rain"],
        "title": "Rain",
        "last": 2,
        "rows": [{"day": 1, "rain": 3}, {"day": 2, "rain": None}],
        "times": False,
    }
    told = bundle([1, 4.5, None])[MIME]
    assert (told["x"], told["rows"]) == (None, [{"value": 1}, {"value": 4.5}, {"value": None}])


def test_dates_and_times_become_seconds() -> None:
    """Those without a zone are the browser's, as the chart shows them."""
    rows = [{"day": date(2026, 5, day), "rain": day} for day in (3, 4)]
    told = bundle(rows, x="day")[MIME]
    assert [row["day"] for row in told["rows"]] == [datetime(2026, 5, day).timestamp() for day in (3, 4)]  # noqa: DTZ001
    assert told["times"] is True
    aware = bundle([{"time": datetime(1970, 1, 2, tzinfo=UTC), "rain": 1}])[MIME]
    assert (aware["x"], aware["rows"]) == ("time", [{"time": 86400.0, "rain": 1}])
    naive = bundle([{"time": datetime(2026, 5, 3, 12), "rain": 1}])[MIME]  # noqa: DTZ001
    assert naive["rows"][0]["time"] == datetime(2026, 5, 3, 12).timestamp()  # noqa: DTZ001
    of_numpy = bundle([{"time": numpy.datetime64("2026-05-03T12:00"), "rain": 1}, {"time": numpy.datetime64("NaT")}])
    assert of_numpy[MIME]["rows"] == naive["rows"]


def test_x_that_is_no_number_is_told_and_the_default_is_counted() -> None:
    rows = [{"city": "Oslo", "rain": 3}, {"city": "Rome", "rain": 1}]
    with pytest.raises(ValueError, match="no row has a number or a date in the field 'city' for x; with x=None"):
        bundle(rows, x="city")
    assert bundle(rows, x=None)[MIME]["rows"] == [{"rain": 3}, {"rain": 1}]
    told = bundle([{"time": "12:00", "rain": 3}, {"time": "13:00", "rain": 1}])[MIME]
    assert (told["x"], told["y"], told["rows"]) == (None, ["rain"], [{"rain": 3}, {"rain": 1}])


def test_rows_stand_in_the_order_of_x_and_those_without_are_told() -> None:
    days = list(range(50))
    random.Random(1).shuffle(days)
    said: list[str] = []
    shown: list[Chart] = []
    rows = [{"day": day, "rain": -day} for day in days] + [{"day": None, "rain": 7}]
    make_chart(shown.append, said.append)(rows, x="day")
    assert shown[0].rows == [{"day": day, "rain": -day} for day in range(50)]
    assert said == ["1 of 51 rows have no number or date in 'day', and are not drawn."]
    assert said[0] in shown[0].text()


def test_a_table_for_who_has_no_picture() -> None:
    text = bundle([{"day": day, "rain": day * day} for day in range(20)], x="day", title="Rain")["text/plain"]
    assert text.splitlines()[:3] == ["Rain", "day  rain", " 12   144"]
    assert text.splitlines()[-2:] == [" 19   361", "the last 8 of 20 rows"]


def test_what_is_no_finite_number_is_a_gap() -> None:
    rows = bundle([{"v": value} for value in (1, math.nan, math.inf, "x", True, None, 10**400, 2**60)], y="v")[MIME][
        "rows"
    ]
    assert [row["v"] for row in rows] == [1, None, None, None, None, None, None, 2.0**60]


@settings(deadline=None)
@given(st.integers(1, 3 * MAX_ROWS))
def test_many_rows_are_thinned_and_it_is_said(count: int) -> None:
    said: list[str] = []
    shown: list[Chart] = []
    make_chart(shown.append, said.append)(range(count))
    values = [row["value"] for row in shown[0].rows]
    assert len(values) == min(count, MAX_ROWS)
    assert (values[0], values[-1]) == (0, count - 1)
    assert values == sorted(set(values))
    assert bool(said) == (count > MAX_ROWS)
    assert not said or f"{MAX_ROWS} of {count} rows" in said[0]


@pytest.mark.parametrize(
    ("of", "options", "kind", "said"),
    [
        ("host.*", {}, ValueError, "pattern for many topics"),
        ("no topic", {}, ValueError, "is no topic"),
        ({"a": 1}, {}, TypeError, r"a dict.*chart\(\[row\]\)"),
        (event(1, 2), {}, TypeError, "an Event"),
        (5, {}, TypeError, "an int"),
        (iter([1]), {}, TypeError, "may never end"),
        ([], {}, ValueError, "empty"),
        ([1, "two"], {}, TypeError, "row 1 of the list is a str"),
        ([{"a": "b"}], {}, ValueError, "no field of the rows holds a number; they have: 'a'"),
        ([{"a": 1}], {"x": "b"}, ValueError, "no row has the field 'b' for x; they have: 'a'"),
        ([{"a": 1, "b": 2}], {"y": "c"}, ValueError, "in the field 'c' for y; there are: 'a', 'b'"),
        ([1], {"y": []}, ValueError, "y names 0 fields"),
        ([1], {"y": [1]}, TypeError, "y is the name of a field"),
        ([1], {"y": 1}, TypeError, "y is the name of a field"),
        ([1], {"x": 1}, TypeError, "x is the name of a field"),
        ([1], {"title": 1}, TypeError, "title is a text"),
        ("room", {"last": 0}, ValueError, "last=0"),
        ("room", {"last": True}, ValueError, "last=True"),
    ],
)
def test_what_cannot_be_drawn_is_told(of: Any, options: dict[str, Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        bundle(of, **options)


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)


@given(st.lists(DATA, max_size=6) | DATA)
def test_whatever_a_cell_has_is_drawn_or_refused_in_words(of: Any) -> None:
    try:
        told = bundle(of)
    except (TypeError, ValueError) as error:
        assert len(str(error)) > 20
    else:
        assert told["text/plain"]
