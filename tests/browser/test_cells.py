"""The cells as elements: who has the focus keeps it, and what cannot be drawn stops nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

pytestmark = pytest.mark.shared


def move(page: Page, cell: str, after: str | None) -> None:
    """Have the worker move a cell."""
    notebook.ask(page, "apply", operation={"op": "move", "cell": cell, "after": after})


def wait_order(page: Page, wanted: list[str]) -> None:
    """Wait until the cells stand so."""
    wait(lambda: [cell.id for cell in notebook.shown(page)], lambda seen: seen == wanted, f"{page!r}: {wanted}")


def test_a_cell_that_is_moved_keeps_the_focus(server: Server, browser: Browser) -> None:
    """So that the same key moves it on, up as well as down."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    first = notebook.last(page)
    second, third = notebook.add(page, "2"), notebook.add(page, "3")
    page.evaluate(f"document.querySelector('[data-id={third}]').focus()")
    for key, wanted in (
        ("ArrowUp", [first, third, second]),
        ("ArrowUp", [third, first, second]),
        ("ArrowDown", [first, third, second]),
        ("ArrowDown", [first, second, third]),
    ):
        page.press(f"Control+Shift+{key}")
        wait_order(page, wanted)
        assert page.evaluate("document.activeElement.dataset.id") == third
    assert page.errors == []


def test_who_types_is_not_disturbed_where_another_tab_moves_cells(server: Server, browser: Browser) -> None:
    """The cells around the one that is written in are moved, not that one."""
    one = notebook.open_notebook(browser)
    notebook.wait_opened(one)
    first = notebook.last(one)
    second, third = notebook.add(one, "2"), notebook.add(one, "3")
    two = notebook.open_notebook(browser)
    notebook.wait_opened(two)
    one.evaluate(f"document.querySelector('[data-id={second}]').focus()")
    one.press("Enter")
    written = "2"
    for cell, after, wanted in (
        (first, second, [second, first, third]),
        (first, None, [first, second, third]),
        (third, first, [first, third, second]),
        (second, None, [second, first, third]),
    ):
        move(two, cell, after)
        wait_order(one, wanted)
        one.press("x")
        written = f"x{written}"
        here = wanted.index(second)
        wait(lambda: notebook.texts(one)[here], lambda seen: seen == written, f"{written} to be typed")  # noqa: B023
    assert one.errors + two.errors == []


CHART = "application/vnd.partyline.chart+json"
TABLE = "Show as table"
ROWS = [{"a": 1, "b": 2}, {"a": 2, "b": 1}]
EVIL = {"toString": 1, "valueOf": 1}  # what JavaScript cannot make a text of
# what an output holds, its metadata, and what is shown of it
ODD: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({CHART: None}, {}, f"Nothing that can be shown: {CHART}."),
    ({CHART: 5}, {}, f"Nothing that can be shown: {CHART}."),
    ({CHART: [1, 2]}, {}, f"Nothing that can be shown: {CHART}."),
    ({CHART: {"rows": 7}, "text/plain": "instead"}, {}, "instead"),
    ({CHART: {"rows": ROWS, "x": 5, "y": [None, {}, "a"], "title": 3, "last": "x"}}, {}, TABLE),
    (
        {CHART: {"rows": [None, [], "x", ROWS, EVIL], "x": EVIL, "y": EVIL, "title": EVIL, "last": -1}},
        {},
        TABLE,
    ),
    ({CHART: {"rows": [1e308, -1e308, 5e-324], "topic": 5, "y": 4}}, {}, TABLE),
    (
        {CHART: {"rows": [{"x": 1e308, "y": 1e308}, {"x": -1e308, "y": 1e308}], "x": "x", "last": 0}},
        {},
        TABLE,
    ),
    ({"image/png": "no base64", "text/plain": "a"}, {"image/png": "x"}, ""),
    ({"image/png": ""}, {"image/png": [1]}, ""),
    ({"image/svg+xml": "<svg>\ud800"}, {"image/svg+xml": {"width": {}, "height": -1}}, ""),
    ({"application/json": [1, None]}, {}, "[1, null]"),
    ({"odd": "x"}, {}, "Nothing that can be shown: odd."),
]


def test_odd_outputs_stop_nothing_that_is_below(server: Server, browser: Browser) -> None:
    """A file that anybody may have made: what cannot be shown says so, and all cells are drawn."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"odd{number}",
            "metadata": {},
            "source": "",
            "execution_count": 1,
            "outputs": [{"output_type": "display_data", "data": data, "metadata": metadata}],
        }
        for number, (data, metadata, _) in enumerate(ODD)
    ]
    cells.append({"cell_type": "markdown", "id": "below", "metadata": {}, "source": "# All was drawn"})
    notebook.drop(page, "odd.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    page.wait_text("notebook-title", "odd")
    page.wait_text("outline-list", "All was drawn")
    for cell, (data, _, text) in zip(notebook.shown(page), ODD, strict=False):
        assert cell.output == text or (text == TABLE and cell.output.startswith(text)), data
    seen = page.evaluate(DRAWN)
    assert seen == [[True, True]] * sum(text == TABLE for _, _, text in ODD), "each chart is drawn, and is a table"
    assert page.errors == []


DRAWN = """
    (async () => {
        const frame = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        const seen = [];
        for (const toggle of document.querySelectorAll('[data-testid=chart-toggle]')) {
            const chart = toggle.closest('.chart');
            chart.scrollIntoView();
            await frame();
            const drawn = chart.querySelector('canvas') !== null;
            toggle.click();
            await frame();
            seen.push([drawn, chart.querySelector('table') !== null]);
        }
        return seen;
    })()
"""


COLOURED = """import asyncio, sys
class Coloured:
    def __repr__(self): return "\\x1b[32mgreen\\x1b[0m <b>"
print("\\x1b[1;31mred <i>\\x1b[3", end="")
await asyncio.sleep(0.3)
print("9m bold\\x1b[?25l\\x1b]8;;https://example.org\\x1b\\\\link\\x1b]8;;\\x1b\\\\\\x1b[0m.")
display(Coloured())
raise ValueError("\\x1b[35mwhy")"""
PARTS = "[...document.querySelectorAll('pre.output span')].map(each => [each.className, each.textContent])"


def test_a_terminals_colours_are_shown(server: Server, browser: Browser) -> None:
    """Also where a sequence comes in two parts; all else that a terminal is told is not shown."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    output = notebook.run(page, COLOURED).output
    assert "red <i> boldlink." in output
    assert "\x1b" not in output
    assert "green <b>" in output
    assert output.endswith("ValueError: why")
    assert page.evaluate(PARTS) == [
        ["ansi-bold ansi-1", "red <i>"],
        ["ansi-bold", " bold"],
        ["ansi-bold", "link"],
        ["ansi-2", "green"],
        ["ansi-5", "why"],
    ]
    assert page.errors == []


@pytest.mark.engines("chromium", "firefox", why="what MicroPython prints does not reach WebKit's driver")
def test_a_cell_that_fails_to_be_drawn_stops_none_below(server: Server, browser: Browser) -> None:
    """The console has the exception."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.evaluate("window.markdown.html = 5")  # which Python calls in vain
    notebook.run(page, "class Fails:\n    def _repr_html_(self):\n        return 'x'\nFails()")
    wait(lambda: page.console, lambda seen: any("TypeError" in line.text for line in seen), "the exception")
    below = {"op": "add", "id": "below", "after": notebook.last(page), "type": "markdown", "source": "# All was drawn"}
    notebook.ask(page, "apply", operation=below)
    page.wait_text("outline-list", "All was drawn")
