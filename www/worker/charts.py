"""``chart``: a line chart below a cell, of a live topic, or of rows that the cell has. Pure, but for ``show``.

    chart("host.cpu")                    # live: the tab subscribes and draws, so it goes on after a reload
    chart(line.history("host.cpu"))      # of events, or of dicts: chart([{"x": 1, "y": 2}, ...], x="x")
    chart([1, 4, 9, 16])                 # of numbers, counted

Out comes a MIME bundle: a small table as text, and what www/js/chart.js draws, ``{"x", "y", "title", "last"}`` with a
``topic`` or with ``rows`` and whether their x are ``times``. A row is a flat dict; an event's has its ``time``, and its
data's fields or ``value``. Dates and times in x become seconds since 1970; rows stand in the order of x.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from partyline.topics import is_pattern, is_topic
from streams import Event

MIME = "application/vnd.partyline.chart+json"

MAX_ROWS = 10_000
"""More rows are thinned to so many: no screen has as many columns."""
TABLE_ROWS = 8
MAX_FIELDS = 12

Row = dict[str, Any]
Rows = Sequence[Mapping[str, Any]] | Sequence[Event] | Sequence[float]


class Chart:
    """A chart. Raises TypeError or ValueError for what cannot be drawn; the message says what to do."""

    def __init__(self, of: object, x: object, y: object, title: object, last: object) -> None:
        if not isinstance(title, str):
            raise TypeError(f"a chart's title is a text, not {_kind(title)}")
        if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= MAX_ROWS:
            raise ValueError(f"last={last!r} says how many points are shown: a whole number from 1 to {MAX_ROWS}")
        if x is not None and not isinstance(x, str):
            raise TypeError(f"x is the name of a field, as in x='time', not {_kind(x)}")
        self.x = x
        self.y = _names(y)
        self.title = title
        self.last = last
        self.topic = ""
        self.rows: list[Row] = []
        self.times = False
        self.notices: list[str] = []
        if isinstance(of, str):
            self._of_topic(of)
        else:
            self._of_rows(of)

    def _of_topic(self, topic: str) -> None:
        if is_pattern(topic) and not is_topic(topic):
            raise ValueError(f"{topic!r} is a pattern for many topics; a chart is of one: chart({topic[:-2] + '.…'!r})")
        if not is_topic(topic):
            raise ValueError(f"{topic!r} is no topic: use letters, digits, _ and -, in words joined by dots")
        self.topic = topic
        self.title = self.title or topic

    def _of_rows(self, of: object) -> None:
        if isinstance(of, (Mapping, Event, bytes)) or not isinstance(of, Iterable):
            raise TypeError(
                f"a chart is of a topic's name, or of a list of dicts, events or numbers; this is {_kind(of)}. "
                "Put one row into a list: chart([row])."
            )
        if not hasattr(of, "__len__"):
            raise TypeError(f"{_kind(of)} may never end: take some of it into a list first, then chart the list")
        rows = [_row(each, place) for place, each in enumerate(of)]
        if not rows:
            raise ValueError("there are no rows to chart: the list is empty")
        fields = dict.fromkeys(name for row in rows for name in row)  # in the order of their coming
        if self.x is not None and self.x not in fields:
            if self.x != "time":
                raise ValueError(f"no row has the field {self.x!r} for x; they have: {_list(fields)}")
            self.x = None  # the default, and no times: the rows are counted
        rows = self._in_order(rows)
        numeric = [name for name in fields if name != self.x and any(_is_number(row.get(name)) for row in rows)]
        for name in self.y or ():
            if name not in numeric:
                raise ValueError(f"no row has a number in the field {name!r} for y; there are: {_list(numeric)}")
        self.y = self.y or numeric[:MAX_FIELDS]
        if not self.y:
            raise ValueError(f"no field of the rows holds a number; they have: {_list(fields)}")
        wanted = [*([self.x] if self.x is not None else []), *self.y]
        kept = _thinned(rows)
        if len(kept) < len(rows):
            self.notices.append(f"{len(kept)} of {len(rows)} rows are drawn, evenly picked: more would not show.")
        self.rows = [{name: _plain(row.get(name)) for name in wanted} for row in kept]

    def _in_order(self, rows: list[Row]) -> list[Row]:
        """The rows that have an x, a number now, from the lowest to the highest."""
        if self.x is None:
            return rows
        name = self.x
        self.times = any(isinstance(_moment(row.get(name)), date) for row in rows)
        placed = [{**row, name: _place(row.get(name))} for row in rows]
        found = [row for row in placed if row[name] is not None]
        if not found:
            if name != "time":
                raise ValueError(
                    f"no row has a number or a date in the field {name!r} for x; with x=None the rows are counted"
                )
            self.x = None  # the default, and such times are none
            return rows
        if len(found) < len(rows):
            lacking = len(rows) - len(found)
            self.notices.append(f"{lacking} of {len(rows)} rows have no number or date in {name!r}, and are not drawn.")
        return sorted(found, key=lambda row: row[name])

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        told: dict[str, Any] = {"x": self.x, "y": self.y or None, "title": self.title}
        if self.topic:
            told |= {"topic": self.topic, "last": self.last}
        else:
            told |= {"rows": self.rows, "last": len(self.rows), "times": self.times}
        return {MIME: told, "text/plain": self.text()}

    def text(self) -> str:
        """The chart in words: what is live, or the last rows as a table."""
        if self.topic:
            return f"<a live chart of {self.topic}: {', '.join(self.y) or 'all its numbers'}>"
        names = list(self.rows[0])
        shown = [[str(row[name]) for name in names] for row in self.rows[-TABLE_ROWS:]]
        widths = [max(len(line[at]) for line in [names, *shown]) for at in range(len(names))]
        lines = [
            "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in [names, *shown]
        ]
        if self.title:
            lines.insert(0, self.title)
        if len(self.rows) > TABLE_ROWS:
            lines.append(f"the last {TABLE_ROWS} of {len(self.rows)} rows")
        return "\n".join([*lines, *self.notices])


def make_chart(show: Callable[[object], object], say: Callable[[str], object]) -> Callable[..., None]:
    """The function for cells; ``show`` displays a value, ``say`` a line of text."""

    def chart(
        of: str | Rows,
        x: str | None = "time",
        y: str | Iterable[str] | None = None,
        title: str = "",
        last: int = 200,
    ) -> None:
        """Show a line chart below the cell: of a topic as it lives, or of rows.

        A live chart goes on by itself after the cell is done, in every tab and after a reload, and can be paused. Every
        chart can be read as a table.

        Args:
            of: a topic, for a live chart; or a list of events, of dicts or of numbers.
            x: the field that goes to the right: numbers, dates or times (``datetime``). Seconds since 1970 are shown as
                times. Where rows have no ``time``, or with None, they are counted.
            y: the field, or a list of up to 12 fields, to draw; all that hold numbers unless given.
            title: what stands above it; a live chart's topic unless given.
            last: how many of a live topic's points are shown, 1 to 10,000.

        Raises:
            TypeError: there is nothing to chart: it is neither a topic nor a list of rows, or a name is no text.
            ValueError: the list is empty, no row has a number in that field, or the topic is a pattern for many.

        Example:
            chart("host.cpu", y="percent")
            chart(line.history("host.cpu", last=60), y=["percent"], title="The last minute")
            chart([{"day": 1, "celsius": 20.5}, {"day": 2, "celsius": 22}], x="day")
            chart([1, 4, 9, 16])
        """
        drawn = Chart(of, x, y, title, last)
        for notice in drawn.notices:
            say(notice)
        show(drawn)

    return chart


def _names(y: object) -> list[str]:
    if y is None:
        return []
    names = [y] if isinstance(y, str) else list(y) if isinstance(y, Iterable) else [y]
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"y is the name of a field, or a list of names, as in y=['percent']; {name!r} is none")
    if not 1 <= len(names) <= MAX_FIELDS:
        raise ValueError(f"y names {len(names)} fields; a chart draws 1 to {MAX_FIELDS}")
    return list(dict.fromkeys(names))


def _row(each: object, place: int) -> Row:
    if isinstance(each, Event):
        data = each.data if isinstance(each.data, dict) else {"value": each.data}
        return {**data, "time": each.time}
    if isinstance(each, Mapping):
        return {str(name): value for name, value in each.items()}
    if _is_number(each) or each is None:
        return {"value": each}
    raise TypeError(f"row {place} of the list is {_kind(each)}: a chart's rows are dicts, events or numbers")


def _thinned(rows: list[Row]) -> list[Row]:
    """At most MAX_ROWS, evenly picked, the first and the last among them."""
    if len(rows) <= MAX_ROWS:
        return rows
    step = (len(rows) - 1) / (MAX_ROWS - 1)
    return [rows[round(at * step)] for at in range(MAX_ROWS)]


def _is_number(value: object) -> bool:
    """Also of other libraries' numbers, as numpy's are."""
    is_number = hasattr(value, "__float__") or hasattr(value, "__index__")
    return is_number and not isinstance(value, bool) and not hasattr(value, "__len__")


def _plain(value: Any) -> float | int | None:
    """A number as JSON has it; what is none, is infinite or not a number is a gap."""
    if not _is_number(value):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # as 10**400 is
        return None
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    return number if math.isfinite(number) else None


def _place(value: Any) -> float | int | None:
    """Where on x a value stands; dates and times in seconds since 1970, those without a zone in the browser's."""
    moment = _moment(value)
    if not isinstance(moment, date):
        return _plain(moment)
    try:
        if not isinstance(moment, datetime):
            return datetime.combine(moment, time()).timestamp()
        if moment.tzinfo is not None:
            return _plain(moment.timestamp())
        return datetime.combine(moment.date(), moment.time()).timestamp()  # pandas' own would be in UTC
    except (ValueError, OverflowError, OSError):  # pandas' NaT, and years that no clock knows
        return None


def _moment(value: Any) -> Any:
    """numpy's times as Python's; all else as it is."""
    return value.astype("datetime64[us]").item() if type(value).__name__ == "datetime64" else value


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in list(names)[:MAX_FIELDS]) or "none"
