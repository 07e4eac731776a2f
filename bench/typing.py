"""How soon a key pressed in a cell is seen, and how evenly a notebook of 300 cells scrolls, also under many events.

    python -m bench.typing [--keys 300] [--rate 1000] [--browser chromium] [--browser firefox]

From the key's own time stamp to the end of the frame that shows it, in the page's clock; the longest as the browser's
Event Timing has it, too, until it can be seen, in steps of 8 ms; and from one frame to the next while the notebook is
scrolled through. The notebook of 300 cells has an output below each cell; events come at ``--rate`` a second while a
cell counts them and draws their chart.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import time
from pathlib import Path

from bench.browsers import add_argument, engines
from tests.browser import notebook
from tests.browser.driver import Browser, Engine, Page, wait
from tests.running import Server

CELLS = 300

PAUSE_SECONDS = 0.08
"""Between two keys: as fast as people type who type fast."""

FEED = """
import asyncio, time
from collections.abc import AsyncIterator
from server.feeds import Emit, feed

@feed()
async def flood() -> AsyncIterator[Emit]:
    sent, began = 0, time.monotonic()
    while True:
        while sent < (time.monotonic() - began) * {rate}:
            sent += 1
            yield Emit("bench.flood", {{"n": sent, "value": sent % 100}})
        await asyncio.sleep(0.02)
"""

COUNT = """from partyline import line, chart
seen = 0
async def count():
    global seen
    async for event in line.events("bench.flood"):
        seen += 1
import asyncio
task = asyncio.create_task(count())
chart("bench.flood", y="value")"""

WATCH = """(() => {
    window.keys = [];
    window.timings = [];
    const add = list => timings.push(...list.getEntriesByName("keydown").map(entry => entry.duration));
    new PerformanceObserver(add).observe({ type: "event", durationThreshold: 16 });
    addEventListener("keydown", event => requestAnimationFrame(() => {
        const seen = () => keys.push(performance.now() - event.timeStamp);
        scheduler.postTask(seen, { priority: "user-blocking" }); // before all that waits for the end of the frame
    }), true);
})()"""
"""https://www.w3.org/TR/event-timing/ : entries shorter than 16 ms are not told."""

STEP, FRAMES = 60, 400
"""Scroll by so many pixels a frame, for so many frames."""

SCROLL = """(by, frames) => {
    window.gaps = [];
    let last = performance.now();
    const step = () => {
        const now = performance.now();
        window.gaps.push(now - last);
        last = now;
        scrollBy(0, by);
        if (window.gaps.length < frames) requestAnimationFrame(step);
    };
    scrollTo(0, 0);
    requestAnimationFrame(step);
}"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.typing", description=__doc__.partition("\n")[0])
    parser.add_argument("--keys", type=int, default=300, help="how many keys are pressed (default: %(default)s)")
    parser.add_argument("--rate", type=int, default=1000, help="how many events come a second (default: %(default)s)")
    add_argument(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "flood.py").write_text(FEED.format(rate=options.rate))
        quiet, busy = (
            Server(folder),
            Server(folder, FEEDS=str(folder / "flood.py"), LOG=f"sqlite:///{folder / 'busy.db'}"),
        )
        try:
            for server in (quiet, busy):
                server.start()
            for engine, process in engines(options.browser):
                print(f"{engine}: median, 95th percentile, longest")
                measure(process, quiet, busy, options.keys, options.rate)
        finally:
            for server in (quiet, busy):
                server.kill()


def measure(process: Engine, quiet: Server, busy: Server, keys: int, rate: int) -> None:
    """Measure in one browser, and print."""
    cases = [
        ("2 cells, no events", quiet, 2),
        (f"{CELLS} cells, no events", quiet, CELLS),
        (f"{CELLS} cells, {rate:,} events a second", busy, CELLS),
    ]
    for what, server, count in cases:
        with contextlib.closing(process.browser(server.url)) as browser:
            page = open_notebook(browser, count)
            if server is busy:
                notebook.run(page, COUNT)
                first, began = seen(page), time.monotonic()
                times = press(page, keys)
                print(f"  the cell counted {(seen(page) - first) / (time.monotonic() - began):,.0f} events a second")
            else:
                times = press(page, keys)
            print(f"  {what:50}a key's way to the screen  {told(times)}")
            print(f"  {what:50}the longest, in Event Timing{page.evaluate('Math.max(16, ...timings)'):25.0f} ms")
            if count == CELLS:
                print(f"  {what:50}from frame to frame        {told(scroll(page))}")


def open_notebook(browser: Browser, count: int) -> Page:
    """A tab with a notebook of so many cells, each with an output."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    output = {"output_type": "stream", "name": "stdout", "text": "".join(f"line {n} of an output\n" for n in range(8))}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "for n in range(8):\n    print(n)"}
    cells = [{**cell, "id": f"cell-{n}", "outputs": [output]} for n in range(count)]
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    name = notebook.ask(page, "import", name="bench", text=text)
    page = notebook.open_notebook(browser, f"/notebook/{name['name'] if isinstance(name, dict) else name}")
    notebook.wait_opened(page)
    return page


def press(page: Page, keys: int) -> list[float]:
    """Type into the first cell; milliseconds for each key."""
    page.evaluate("document.querySelector('[data-testid=cell]').focus()")
    page.press("Enter")  # into its text
    page.evaluate(WATCH)
    for index in range(keys):
        page.press("abc "[index % 4])
        time.sleep(PAUSE_SECONDS)
    times: list[float] = wait(lambda: page.evaluate("keys"), lambda found: len(found) >= keys, "all keys to be seen")
    return times


def scroll(page: Page) -> list[float]:
    """Scroll down from the top; milliseconds between each two frames."""
    page.evaluate(f"({SCROLL})({STEP}, {FRAMES})")
    gaps: list[float] = wait(lambda: page.evaluate("window.gaps"), lambda found: len(found) >= FRAMES, "the last frame")
    return gaps[1:]


def seen(page: Page) -> int:
    """How many events the cell has counted."""
    return int(notebook.run(page, "seen").output)


def told(times: list[float]) -> str:
    """Median, 95th percentile, longest."""
    ordered = sorted(times)
    most = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return f"{statistics.median(times):8.1f} {most:8.1f} {ordered[-1]:8.1f} ms"


if __name__ == "__main__":
    main()
