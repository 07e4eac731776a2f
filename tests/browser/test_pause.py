"""Output that goes on changing: it is held still by a button, and a screen reader is not flooded with it."""

from __future__ import annotations

import json

import pytest

from tests.running import Server

from . import notebook
from .accessibility import grave
from .driver import Browser, Page, wait

pytestmark = [pytest.mark.engines("chromium", why="the page's own Python, the same everywhere"), pytest.mark.shared]

FLOOD = "n = 0\nwhile True:\n    n += 1\n    print('line', n)"
SLOW = "import time\nn = 0\nwhile True:\n    n += 1\n    print(n, end=' ')\n    time.sleep(0.02)"


def part(page: Page, cell: str, what: str) -> str:
    """An expression's value at one of a cell's elements, as JavaScript has it in text."""
    return str(page.evaluate(f"String(document.querySelector('[data-id={cell}]').querySelector{what})"))


def live(page: Page, cell: str) -> str:
    """Whether the cell's output is a live region: polite, or off."""
    return part(page, cell, "('[data-testid=cell-output]').ariaLive")


def pause(page: Page, cell: str, pressed: str) -> None:
    """Press the cell's button by the keyboard, as soon as it is there."""
    button = "('[data-testid=output-pause]')"
    wait(lambda: part(page, cell, f"{button}.hidden"), lambda seen: seen == "false", "a button to pause")
    part(page, cell, f"{button}.focus()")
    page.press("Enter")
    wait(lambda: part(page, cell, f"{button}.ariaPressed"), lambda seen: seen == pressed, f"pressed: {pressed}")


def length(page: Page, cell: str) -> int:
    """How many characters of output are shown."""
    seen = notebook.look(page, cell)
    assert seen is not None
    return len(seen.output)


def printed(page: Page, cell: str) -> int:
    """How many characters of output the worker has."""
    cells = json.loads(notebook.ask(page, "export"))["cells"]
    (found,) = [each for each in cells if each["id"] == cell]
    return sum(len("".join(output["text"])) for output in found["outputs"])


def test_a_short_output_is_read_and_a_flood_is_not(server: Server, browser: Browser) -> None:
    """One sentence stands for the flood; what a page was opened with is not read."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    short = notebook.run(page, "print('hello')").id
    assert live(page, short) == "polite"
    assert page.text("aloud") == ""
    long = notebook.run(page, "print('word ' * 1000)").id
    assert live(page, long) == "off"
    assert page.text("aloud").endswith("done: its output is long, not read aloud.")
    flood = notebook.add(page, FLOOD)
    notebook.start(page, flood)
    page.wait_text("aloud", lambda text: text.endswith("its output goes on, and is no longer read aloud."))
    assert live(page, flood) == "off"
    notebook.stop(page, flood)
    page.wait_text("aloud", lambda text: "failed: " in text and text.endswith("lines of output, not read aloud."))
    page.reload()
    notebook.wait_opened(page)
    assert notebook.wait_ended(page, short).output == "hello"
    assert live(page, short) == "off"


def test_output_is_paused_and_goes_on_with_what_came_meanwhile(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    cell = notebook.add(page, SLOW)
    notebook.start(page, cell)
    pause(page, cell, "true")
    assert part(page, cell, "('[data-testid=cell-note]').textContent") == "Paused · running"
    before = length(page, cell)
    assert grave(page) == []
    wait(lambda: printed(page, cell), lambda count: count > before + 100, "the worker to go on")
    assert length(page, cell) == before
    pause(page, cell, "false")
    wait(lambda: length(page, cell), lambda count: count > before, "what came meanwhile")
    pause(page, cell, "true")
    notebook.stop(page, cell)
    notebook.wait_ended(page, cell)
    notebook.start(page, cell)
    wait(lambda: part(page, cell, "('[data-testid=output-pause]').ariaPressed"), lambda seen: seen == "false", "a run")
    notebook.stop(page, cell)
    notebook.wait_ended(page, cell)
    assert page.errors == []


def test_a_live_chart_is_paused(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    cell = notebook.run(page, "chart('test.figures', y='value')").id
    label = "('.chart-stage').getAttribute('aria-label')"
    server.post("test.figures", {"data": 1})
    wait(lambda: part(page, cell, label), lambda text: "value 1 " in text, "the first point")
    pause(page, cell, "true")
    server.post("test.figures", {"data": 2})
    here = "import asyncio\nwhile line.latest('test.figures').data != 2:\n    await asyncio.sleep(0.05)"
    assert notebook.run(page, here).state == "done"
    assert "value 1 " in part(page, cell, label)
    pause(page, cell, "false")
    wait(lambda: part(page, cell, label), lambda text: "2 points" in text and "value 2 " in text, "both points")
    assert part(page, cell, "('.chart-stage').ariaLive") == "off"
    assert page.errors == []
