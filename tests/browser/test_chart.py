"""Live charts: drawn from rows as they come, in the page's colours, and readable as a table."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait
from .notebook import run_script

pytestmark = [
    pytest.mark.engines("chromium", why="the library's own business in the other engines"),
    pytest.mark.shared,
]


def make_chart(page: Page, **options: Any) -> None:
    """A chart below the cells, ``window.chart``."""
    script = """
        const element = document.createElement('div');
        document.querySelector('[data-testid=cells]').prepend(element);
        window.chart = charts.create(element, options);
    """
    run_script(page, script, options=json.dumps(options))


def label(page: Page) -> str:
    """What the chart says to who cannot see it."""
    return str(page.evaluate("chart.stage.getAttribute('aria-label') ?? ''"))


def wait_label(page: Page, *parts: str) -> None:
    wait(lambda: label(page), lambda text: all(part in text for part in parts), f"the chart to tell of {parts}")


def legend(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.u-legend .u-label')].map(each => each.textContent)"
    )
    return found


def ink(page: Page) -> int:
    """How many pixels of the chart are coloured like a series, more than grey."""
    script = """
        const canvas = document.querySelector('.chart canvas');
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4)
            count += data[at + 3] > 128 && Math.max(data[at], data[at + 1], data[at + 2])
                - Math.min(data[at], data[at + 1], data[at + 2]) > 60;
        return count;
    """
    return int(run_script(page, script))


def test_rows_become_lines_and_a_legend(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    rows = [
        {"time": 1_767_225_600 + n, "percent": n % 7, "used": 7 - n % 5, "host": "a", "odd": None} for n in range(60)
    ]
    make_chart(page, title="host.cpu", x="time", rows=rows)
    wait_label(page, "host.cpu", "60 points", "percent 3", "used 3")
    assert legend(page) == ["time", "percent", "used"]
    assert ink(page) > 500
    values = "[...document.querySelectorAll('.u-legend .u-value')].map(each => each.textContent).slice(1)"
    assert page.evaluate(values) == ["3", "3"], "the last row's"
    assert notebook.complaints(page) == []


def test_it_goes_on_and_forgets_what_is_old(server: Server, browser: Browser) -> None:
    """Numbers alone are counted; the last of them are kept; update begins anew."""
    page = notebook.open_notebook(browser)
    make_chart(page, rows=[1, 2, 3], last=5)
    wait_label(page, "3 points", "value 3 at row 2")
    run_script(page, "for (let n = 4; n < 12; n += 1) chart.append(JSON.stringify([n]))")
    wait_label(page, "5 points", "value 11 at row 10")
    run_script(page, "chart.update(JSON.stringify([{a: 1, b: 2}]))")
    wait_label(page, "1 point", "a 1, b 2")
    assert {"a", "b"} <= set(legend(page))


def test_a_chart_can_be_read_as_a_table(server: Server, browser: Browser) -> None:
    """By a button; the newest row is the first, and it goes on; odd values are no numbers, and text is text."""
    page = notebook.open_notebook(browser)
    make_chart(
        page, x="t", y=["v", "<b>"], rows=[{"t": 1, "v": 1.5}, {"t": 2, "v": "many", "<b>": 3}, {"t": "no"}, None]
    )
    page.click("chart-toggle")
    cells = "[...chart.table.querySelectorAll('tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    wanted = [["t", "v", "<b>"], ["2", "–", "3"], ["1", "1.5", "–"]]
    wait(lambda: page.evaluate(cells), lambda seen: seen == wanted, "the table")
    run_script(page, "chart.append(JSON.stringify([{t: 3, v: 9}]))")
    wait(lambda: page.evaluate(cells)[1], lambda seen: seen == ["3", "9", "–"], "the new row")
    page.click("chart-toggle")
    assert page.evaluate("chart.table.hidden && !chart.stage.hidden")
    wait(lambda: ink(page), lambda count: count > 0, "the chart to be drawn again")


def test_lines_go_from_left_to_right(server: Server, browser: Browser) -> None:
    """Rows come in any order; one whose x is no number is not drawn, and where all are so, it is said."""
    page = notebook.open_notebook(browser)
    make_chart(page, x="t", rows=[{"t": 3, "v": 30}, {"t": 1, "v": 10}, {"t": "no", "v": 5}])
    run_script(page, "chart.append(JSON.stringify([{t: 2, v: 20}]))")
    wait_label(page, "3 points", "v 30 at t 3")
    assert page.evaluate("chart.plot.data") == [[1, 2, 3], [10, 20, 30]]
    note = "document.querySelector('.chart-note').textContent"
    assert page.evaluate(note) == ""
    run_script(page, "chart.update(JSON.stringify([{t: 'Oslo', v: 30}]))")
    wait_label(page, "0 points", "t")
    assert page.evaluate(note) == "No row has a number in the field t."
    assert notebook.complaints(page) == []


def test_dates_of_any_year_are_times(server: Server, browser: Browser) -> None:
    """Where the options say so; by themselves numbers are taken for times from 2001 on."""
    page = notebook.open_notebook(browser)
    make_chart(page, x="day", times=True, rows=[{"day": 86400 * 365.25 * n, "v": n} for n in range(-20, 10)])
    wait_label(page, "30 points", "1979")
    assert notebook.complaints(page) == []


def test_its_width_is_that_of_its_place(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    make_chart(page, rows=[3, 1, 2])
    wait_label(page, "3 points")
    width = "document.querySelector('.uplot').getBoundingClientRect().width"
    run_script(page, "chart.element.style.width = '320px'")
    wait(lambda: page.evaluate(width), lambda seen: seen == 320, "the chart to be as wide as its place")
    run_script(page, "chart.destroy()")
    assert page.evaluate("chart.element.childElementCount") == 0
