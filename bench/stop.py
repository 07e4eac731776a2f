"""What it costs that cells can be stopped, and how soon they are.

    python -m bench.stop [--rounds 5] [--browser chromium] [--browser firefox]

The cost: a loop of a million turns in a cell, beside the same in the same worker once CPython is not asked any more
whether it is interrupted. The browser is begun anew for each round, since that cannot be undone. The clock is Python's.

Stop: from the click to the cell's end, as the page shows it, for cells that loop, sleep and wait.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from pathlib import Path

from bench.browsers import add_argument, engines
from tests.browser import notebook
from tests.browser.driver import Engine, Page
from tests.running import Server

LOOP = "def loop():\n    for number in range(1_000_000): pass\n"
TIMED = f"import time\n{LOOP}loop()\nbegan = time.perf_counter()\nloop()\ntime.perf_counter() - began"
UNGUARD = "import pyodide_js\npyodide_js.setInterruptBuffer(None)"
STOPS = {
    "while True: pass": "while True: pass",
    "time.sleep": "import time\ntime.sleep(1000)",
    "await": "import asyncio\nawait asyncio.sleep(1000)",
    "print": "while True: print(1)",
}
# from the click to the cell's end, in the page's own clock
STOP = """new Promise(resolve => {
    const cell = document.querySelector("[data-id=%s]"), began = performance.now();
    const seen = new MutationObserver(() => {
        if (["error", "done"].includes(cell.dataset.state)) { seen.disconnect(); resolve(performance.now() - began); }
    });
    seen.observe(cell, { attributes: true, attributeFilter: ["data-state"] });
    cell.querySelector("[data-testid=cell-stop]").click();
})"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.stop", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default: %(default)s)")
    add_argument(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            for name, engine in engines(options.browser):
                measure(name, engine, server, options.rounds)
        finally:
            server.kill()


def measure(name: str, process: Engine, server: Server, rounds: int) -> None:
    """Measure in one browser, and print."""
    guarded, plain = [], []
    stops: dict[str, list[float]] = {what: [] for what in STOPS}
    for _ in range(rounds):
        with contextlib.closing(process.browser(server.url)) as browser:
            page = notebook.open_notebook(browser)
            notebook.wait_opened(page)
            for what, source in STOPS.items():
                stops[what].append(stopped(page, source))
            guarded.append(seconds(page))
            notebook.run(page, UNGUARD)
            plain.append(seconds(page))
    ratio = statistics.median(guarded) / statistics.median(plain)
    print(f"{name}, {rounds} rounds: medians, lowest and highest in brackets")
    print(f"a million turns, guarded    {told([each * 1000 for each in guarded])}{ratio:8.2f} times")
    print(f"a million turns, unguarded  {told([each * 1000 for each in plain])}")
    for what, times in stops.items():
        print(f"stop of {what:20}{told(times)}")


def seconds(page: Page) -> float:
    """How long the loop takes in a cell: the best of three, since the machine does other things too."""
    return min(float(notebook.run(page, TIMED).output) for _ in range(3))


def stopped(page: Page, source: str) -> float:
    """Milliseconds from the click on Stop to the cell's end."""
    cell = notebook.add(page, source)
    notebook.start(page, cell)
    return float(page.evaluate(STOP % cell))


def told(times: list[float]) -> str:
    """Median, lowest and highest, in milliseconds."""
    return f"{statistics.median(times):8.1f} ms ({min(times):.1f} to {max(times):.1f})"


if __name__ == "__main__":
    main()
