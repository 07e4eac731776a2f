"""How long the worker takes to start: plainly, and from a memory snapshot.

    python -m bench.start [--starts 10] [--browser chromium] [--browser firefox]

Both in one run, in turns, in a browser with a profile on disk, whose cache has all files. The clock is a page's, and
runs from `new SharedWorker` to when Python is there, and to when the tab has joined. The page is an error page, which
starts nothing by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.browsers import add_argument, engines
from tests.browser.driver import Browser, Page, wait
from tests.running import Server

# A worker of its own for each start; resolves to the seconds until Python was there, and until the tab had joined
START = """new Promise((resolve, reject) => {
    const began = performance.now(), seconds = () => (performance.now() - began) / 1000;
    const name = "bench-" + Math.random();
    const which = new URLSearchParams({ build: "bench", generation: 1, rung: "shared", notices: name });
    const { port } = new SharedWorker(`/worker/boot.js?${which}`, { type: "module", name });
    let python;
    port.onmessage = ({ data }) => {
        const header = JSON.parse(data.split("\\n")[0]);
        if (header.kind === "booting" && header.stage === "starting" && header.total) python ??= seconds();
        else if (header.kind === "joined") resolve([python, seconds()]);
        else if (header.kind === "failed" || header.kind === "error") reject(new Error(header.message));
    };
    const hello = { kind: "hello", protocol: 1, tab: name, browser: "bench", page: "bench", visible: true, topics: [] };
    port.postMessage(JSON.stringify(hello));
})"""

MAKE = """new Promise((resolve, reject) => {
    const worker = new Worker("/worker/snapshot.js", { type: "module" });
    worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
    worker.onerror = () => reject(new Error("the snapshot's worker could not be started"));
})"""

# What is known of starts from this build's snapshot: read, or set. One that began just now keeps others from using it
MARK = """new Promise((resolve, reject) => {
    const request = indexedDB.open("partyline-snapshot", 1), build = document.documentElement.dataset.build;
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
        const transaction = request.result.transaction(["marks"], "readwrite");
        const marks = transaction.objectStore("marks");
        const asked = %s;
        transaction.oncomplete = () => { request.result.close(); resolve(asked.result ?? null); };
    };
})"""
NO_MARK = MARK % "marks.delete(build)"
UNDER_WAY = MARK % "marks.put({ since: Date.now(), failures: 0 }, build)"
READ_MARK = MARK % "marks.get(build)"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.start", description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=10, help="how often each is measured (default: %(default)s)")
    add_argument(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            for name, process in engines(options.browser):
                # in Chromium those whose tabs can be hidden are processes of their own, with a profile on disk
                with contextlib.closing(process.browser(server.url, hides=True)) as browser:
                    report(name, measure(browser, server, options.starts))
        finally:
            server.kill()


def measure(browser: Browser, server: Server, starts: int) -> dict[str, list[list[float]]]:
    """By kind of start, what each took."""
    with opened(browser, server) as page:
        page.evaluate(START)  # brings all files into the cache
    with opened(browser, server) as page:
        told = page.evaluate(MAKE)
    if "was made" not in told:
        raise RuntimeError(told)
    found: dict[str, list[list[float]]] = {"plain": [], "snapshot": []}
    for _ in range(starts):
        for kind, times in found.items():
            with opened(browser, server) as page:
                page.evaluate(NO_MARK if kind == "snapshot" else UNDER_WAY)
                times.append(page.evaluate(START))
                proven = kind == "snapshot"
                wait(lambda: is_proven(page), lambda seen: seen == proven, f"a {kind} start")  # noqa: B023 - called at once
    return found


@contextlib.contextmanager
def opened(browser: Browser, server: Server) -> Iterator[Page]:
    """A tab, which leaves no worker behind."""
    page = browser.open("/bench")
    yield page
    page.close()
    wait(lambda: server.status()["sockets"], lambda count: count == 0, "the worker to end with its tab")


def is_proven(page: Page) -> bool:
    """Whether a start from the snapshot has gone well since it was last marked."""
    seen: Any = page.evaluate(READ_MARK)
    return bool(seen == {"since": 0, "failures": 0})


def report(name: str, found: dict[str, list[list[float]]]) -> None:
    """Print the medians, lowest and highest in brackets, and the ratio of each to the plain start."""
    print(f"{name}, {len(found['plain'])} starts of each kind")
    print(f"{'':12}{'Python is there':>26}{'the tab has joined':>28}")
    base = [statistics.median(each) for each in zip(*found["plain"], strict=True)]
    for kind, times in found.items():
        line = f"{kind:12}"
        for column, plain in zip(zip(*times, strict=True), base, strict=True):
            median = statistics.median(column)
            line += f"{median:8.2f} s ({min(column):.2f} to {max(column):.2f}){median / plain:6.2f}"
        print(line)


if __name__ == "__main__":
    main()
