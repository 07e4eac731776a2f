"""A class fetches a large file at once: how fast, and how long does a small request take meanwhile?

    python -m bench.static             side by side: Partyline, Quart's send_from_directory, nginx where there is one
    python -m bench.static --chunks    Partyline with several sizes of chunk

Each subject has a fresh server in each round; rounds take turns, and medians are printed. The clients read as fast as
they can, in a process of their own; the small requests are timed in this one, one after another.
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil

from server.assets import default_out, load_manifest

from . import serving

SUBJECT = Callable[[Path], AbstractContextManager[tuple[int, int]]]


@dataclass(frozen=True)
class Figures:
    """One round: megabytes a second, latencies of small requests in milliseconds, and the memory it took, in MB."""

    rate: float
    latencies: list[float]
    memory: float


def fetch(port: int, target: str, size: int, times: int = 1) -> None:
    """GET a file, as fast as can be. Raises ConnectionError where it does not come whole."""
    room = memoryview(bytearray(1 << 20))
    for _ in range(times):
        _fetch(port, target, size, room)


def _fetch(port: int, target: str, size: int, room: memoryview) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        count = 0
        while got := client.recv_into(room):
            count += got
    if count < size:
        raise ConnectionError(f"{count} bytes came, of {size}")


def run_class(port: int, target: str, size: int, clients: int, times: int, begun: Event, done: Event) -> None:
    """All clients at once; in a process of its own, so that it takes no time from the one that measures latency."""
    threads = [threading.Thread(target=fetch, args=(port, target, size, times)) for _ in range(clients)]
    begun.set()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()


def measure(port: int, process: int, target: str, size: int, clients: int, times: int) -> Figures:
    """One round against a server that runs."""
    fetch(port, target, size)
    server = psutil.Process(process)
    tree = [server, *server.children()]
    before = memory = sum(each.memory_info().rss for each in tree)
    context = multiprocessing.get_context("spawn")
    begun, done = context.Event(), context.Event()
    load = context.Process(target=run_class, args=(port, target, size, clients, times, begun, done))
    load.start()
    probe = http.client.HTTPConnection("127.0.0.1", port)
    latencies = []
    begun.wait()
    started = time.perf_counter()
    while not done.is_set():
        asked = time.perf_counter()
        probe.request("GET", "/api/status")
        probe.getresponse().read()
        latencies.append((time.perf_counter() - asked) * 1000)
        memory = max(memory, sum(each.memory_info().rss for each in tree))
        done.wait(0.002)
    ended = time.perf_counter()
    load.join()
    return Figures(clients * times * size / (ended - started) / 1e6, latencies, (memory - before) / 1e6)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.static", description=__doc__.partition("\n")[0])
    parser.add_argument("--clients", type=int, default=30, help="how many fetch at once (default: %(default)s)")
    parser.add_argument("--times", type=int, default=4, help="how often each does so (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: %(default)s)")
    parser.add_argument("--chunks", action="store_true", help="compare sizes of chunk instead")
    options = parser.parse_args()
    manifest = load_manifest(default_out())
    if manifest is None:
        parser.exit(1, "The browser's files are not prepared. Run `make assets` first.\n")
    package = manifest.packages["pyodide"]
    name = "pyodide.asm.wasm"
    target, size = f"/assets/{package.folder}/{name}", package.files[name].bytes
    worker = "uvloop" if importlib.util.find_spec("uvloop") is not None else "asyncio"

    def partyline(chunk: int, worker: str) -> SUBJECT:
        app = "bench.static_apps:partyline"
        return lambda folder: serving.hypercorn(app, folder, target, worker, BENCH_CHUNK=str(chunk))

    if options.chunks:
        sizes = [1 << power for power in (13, 14, 15, 16, 17, 18, 19, 20, 24)]
        subjects = {f"chunks of {each >> 10} KiB": partyline(each, worker) for each in sizes}
    else:
        from server.files import CHUNK

        app = "bench.static_apps:baseline"
        subjects = {"send_from_directory": lambda folder: serving.hypercorn(app, folder, target, worker)}
        subjects |= {f"partyline, {each}": partyline(CHUNK, each) for each in sorted({worker, "asyncio"}, reverse=True)}
        if serving.nginx_path() is not None:
            subjects["nginx, sendfile"] = lambda folder: serving.nginx(default_out(), folder, target)
    rounds: dict[str, list[Figures]] = {each: [] for each in subjects}
    for _ in range(options.rounds):
        for each, subject in subjects.items():
            with tempfile.TemporaryDirectory() as folder, subject(Path(folder)) as (port, process):
                rounds[each].append(measure(port, process, target, size, options.clients, options.times))
    report(
        rounds, f"{options.clients} clients, each {options.times} times {size / 1e6:.1f} MB; small requests meanwhile"
    )


def report(rounds: dict[str, list[Figures]], title: str) -> None:
    """Print the medians; ratios are to the first subject."""
    print(f"{title}\n{'':24}{'MB/s':>9}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'+MB':>8}")
    base = None
    for name, figures in rounds.items():
        rate = statistics.median(each.rate for each in figures)
        base = base or rate
        latencies = sorted(latency for each in figures for latency in each.latencies)
        p50, p99 = (latencies[int(len(latencies) * share)] for share in (0.5, 0.99))
        memory = statistics.median(each.memory for each in figures)
        line = f"{rate:9.0f}{rate / base:8.1f}{p50:9.1f}{p99:9.1f}{latencies[-1]:9.1f}{memory:8.1f}"
        print(f"{name:24}{line}")


if __name__ == "__main__":
    main()
