"""Fan-out, side by side in one run: Partyline, and ``websockets.broadcast()`` with one frame an event.

    python -m bench.fanout [--connections 200] [--seconds 5]

Each server is one process with the same event loop (uvloop); the clients are one other process (bench/crowd.py), who
offer compression as browsers do. A flush of N events goes out when the one before has been handed to all sockets.
Partyline's way is the whole one: append to the log (memory://), tail, encode, deliver. The baseline has no log: it
calls ``broadcast`` for each event of the flush. Printed are deliveries a second, an event to a socket being one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import secrets
import statistics
import time
from typing import Any

from bench.crowd import Crowd

EVENTS_A_FLUSH = (1, 10, 50)
ROUNDS = 3
DATA = {"symbol": "FOX", "price": 101.25, "change": -0.4}
MARKER = b'"symbol"'


def serve_partyline(port: int, control: Any, log: str) -> None:
    """One Partyline process; appends flushes as ``control`` asks for them."""
    import uvloop
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from server.app import create_app
    from server.config import Settings

    async def main() -> None:
        app = create_app(Settings(log=log, feeds=(), flush_ms=1, log_level="warning", secret=secrets.token_hex()))
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.accesslog = config.errorlog = None
        line = app.extensions["partyline.line"]
        serving = asyncio.create_task(serve(app, config, shutdown_trigger=asyncio.Event().wait))  # type: ignore[arg-type]

        from server.log import Draft

        async def flush(count: int) -> None:
            data = json.dumps(DATA, separators=(",", ":"))
            flush.number += 1  # type: ignore[attr-defined]
            drafts = [Draft("walk.fox", f"{flush.number}-{index}", data) for index in range(count)]  # type: ignore[attr-defined]
            receipts = await line.log.append(drafts)
            seq = receipts[-1].seq
            while any(connection.position < seq for connection in line.connections):
                await asyncio.sleep(0)

        flush.number = 0  # type: ignore[attr-defined]
        await _obey(control, flush)
        os._exit(serving.done())  # its clients have gone, and nothing is left to be put in order

    uvloop.run(main())


def serve_websockets(port: int, control: Any, log: str) -> None:
    """One process of ``websockets``, whose ``broadcast`` sends one frame an event."""
    import uvloop
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    async def main() -> None:
        connections: set[ServerConnection] = set()

        async def handler(socket: ServerConnection) -> None:
            connections.add(socket)
            await socket.wait_closed()

        seq = 0

        async def flush(count: int) -> None:
            nonlocal seq
            for _ in range(count):
                seq += 1
                event = {"seq": seq, "topic": "walk.fox", "time": time.time(), "id": f"{seq}", "data": DATA}
                broadcast(connections, json.dumps(event))
            while any(each.transport.get_write_buffer_size() for each in connections):
                await asyncio.sleep(0)

        async with serve(handler, "127.0.0.1", port, compression=None, ping_interval=None):
            await _obey(control, flush)

    uvloop.run(main())


async def _obey(control: Any, flush: Any) -> None:
    """Flush as often, and as many events at once, as the other end of the pipe says, until it says 0."""
    loop = asyncio.get_running_loop()
    while True:
        flushes, count = await loop.run_in_executor(None, control.recv)
        if not flushes:
            return
        for _ in range(flushes):
            await flush(count)
        control.send("done")


def measure(serve: Any, connections: int, seconds: float, log: str) -> dict[int, float]:
    """Deliveries a second by events a flush."""
    from tests.running import free_port

    port = free_port()
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(port, theirs, log), daemon=True)
    process.start()
    hello = {"kind": "hello", "protocol": 1, "cursor": None, "resume": [], "subscribe": ["walk.*"]}
    deadline = time.monotonic() + 30
    while True:
        try:
            crowd = Crowd(port, connections, hello=json.dumps(hello))
            break
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    time.sleep(1.0)
    rates = {}
    for count in EVENTS_A_FLUSH:
        _run(crowd, ours, 20, count)
        took = _run(crowd, ours, 20, count)
        flushes = max(20, round(20 * seconds / took))
        took = _run(crowd, ours, flushes, count)
        rates[count] = flushes * count * connections / took
    ours.send((0, 0))
    crowd.close()
    process.join(5)
    process.kill()
    return rates


def _run(crowd: Crowd, control: Any, flushes: int, count: int) -> float:
    start = time.perf_counter()
    control.send((flushes, count))
    crowd.count(MARKER, flushes * count * len(crowd.sockets), seconds=120)
    took = time.perf_counter() - start
    control.recv()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--log", default="memory://")
    options = parser.parse_args()
    ours: dict[int, list[float]] = {count: [] for count in EVENTS_A_FLUSH}
    peers: dict[int, list[float]] = {count: [] for count in EVENTS_A_FLUSH}
    for _ in range(ROUNDS):
        for serve, rates in ((serve_partyline, ours), (serve_websockets, peers)):
            for count, rate in measure(serve, options.connections, options.seconds, options.log).items():
                rates[count].append(rate)
    print(f"{options.connections} connections, deliveries a second, median of {ROUNDS} rounds (lowest to highest)")
    print(f"{'events a flush':>15} {'Partyline':>32} {'websockets.broadcast()':>32} {'ratio':>7}")
    for count in EVENTS_A_FLUSH:
        row = [f"{count:>15}"]
        for rates in (ours, peers):
            each = sorted(rates[count])
            row.append(f"{f'{statistics.median(each):,.0f} ({each[0]:,.0f} to {each[-1]:,.0f})':>32}")
        row.append(f"{statistics.median(ours[count]) / statistics.median(peers[count]):>6.1f}×")
        print(" ".join(row))


if __name__ == "__main__":
    main()
