"""A feed that blocks, in a real server: it is named while it blocks, and counted when it goes on."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_feeds import count, wait_for, write
from tests.integration.test_ops import scrape, value
from tests.running import Server

BLOCKING = """
import asyncio, os, pathlib, time
from server.feeds import feed

FOLDER = pathlib.Path(__file__).parent

def measure():
    while (FOLDER / "block").exists():
        time.sleep(0.01)

@feed("own.steady", every=0.05)
async def steady():
    while True:
        yield 1

@feed("own.greedy", every=0.05)
async def greedy():
    while True:
        measure()
        yield 2
"""
COMPUTING = """
import time
from server.feeds import feed

@feed("own.power")
async def power():
    yield 0
    exponent, seconds = 1_000_000, 0
    while seconds < 2:
        began = time.thread_time()
        pow(7, exponent)
        seconds = time.thread_time() - began
        exponent *= 2
    yield 1
"""
WORKERS = pytest.mark.parametrize("worker", ["asyncio", "uvloop"])


def lines(server: Server, feed: str | None = None) -> list[dict[str, Any]]:
    """What the watchdog has said, of this feed or of all."""
    told = map(json.loads, server.log.splitlines())
    return [line for line in told if line["logger"] == "partyline.watchdog" and feed in (None, line.get("feed"))]


def serve(make_server: Callable[..., Server], worker: str, path: str) -> Server:
    server = make_server(FEEDS=path, LOG_FORMAT="json")
    server.hypercorn += ("--worker-class", worker)
    server.start()
    return server


@WORKERS
def test_a_feed_that_blocks_is_named_while_it_does_and_counted_afterwards(
    make_server: Callable[..., Server], tmp_path: Path, worker: str
) -> None:
    path = write(tmp_path, BLOCKING)
    server = serve(make_server, worker, path)
    wait_for(lambda: count(server, "own.greedy") >= 1)
    assert lines(server, "greedy") == []
    (tmp_path / "block").touch()
    wait_for(lambda: lines(server, "greedy"))
    (held,) = lines(server, "greedy")  # it is still held: nobody has let go
    (tmp_path / "block").unlink()
    assert (held["level"], held["feed"], held["state"]) == ("warning", "greedy", "held")
    assert held["place"] == f"{path}:9, in measure"
    assert held["message"].startswith("the feed greedy has held up the whole server for 1.")
    assert f"and still does, at {path}:9, in measure: time.sleep(0.01). Meanwhile no socket" in held["message"]
    assert "await asyncio.to_thread(call)" in held["message"]

    wait_for(lambda: server.status()["feeds"][1]["blocked"])
    _, over = lines(server, "greedy")
    assert over["message"] == f"= the feed greedy let go of the server after {over['seconds']:.1f} seconds"
    assert over["seconds"] >= held["seconds"] >= 1
    steady, greedy = server.status()["feeds"]
    assert (steady["blocked"], steady["blocked_seconds"], steady["blocked_at"]) == (0, None, None)
    assert (greedy["blocked"], greedy["blocked_seconds"]) == (1, round(over["seconds"], 1))
    assert greedy["blocked_at"] == "my_feeds.py:9, in measure"
    assert greedy["state"] == "running"
    samples = scrape(server)
    assert value(samples, "loop_blocked_total", feed="greedy") == 1
    assert value(samples, "loop_blocked_seconds_total", feed="greedy") == pytest.approx(over["seconds"], abs=0.001)
    assert value(samples, "loop_blocked_total", feed="steady") == 0
    server.stop()
    assert "Traceback" not in server.log


def test_a_feed_that_lets_no_other_thread_run_is_named_afterwards(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """Inside one call that is written in C: the thread that looks on sees nothing of it before it returns."""
    server = serve(make_server, "asyncio", write(tmp_path, COMPUTING))
    wait_for(lambda: server.status()["feeds"][0]["blocked"])
    states = [line["state"] for line in lines(server, "power")]
    assert states in (["held", "over"], ["over"]), "another thread may come before it when the call returns"
    (power,) = server.status()["feeds"]
    assert power["blocked_seconds"] >= 1.5, "the time that it computed, if it had to wait for the processor"
    assert power["blocked_at"].startswith("my_feeds.py:1")


def test_a_server_that_was_stopped_and_goes_on_blames_nobody(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """As a laptop that is closed and opened again; here its processes' clocks even go on."""
    server = serve(make_server, "asyncio", write(tmp_path, BLOCKING))
    wait_for(lambda: count(server, "own.greedy") >= 1)
    for _ in range(3):
        server.spawned.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        server.spawned.send_signal(signal.SIGCONT)
        before = count(server, "own.steady")
        wait_for(lambda before=before: count(server, "own.steady") > before + 10)  # type: ignore[misc]
    assert lines(server) == []
    assert value(scrape(server), "loop_blocked_total", feed="") == 0
