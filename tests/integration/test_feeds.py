"""Feeds in real servers: several processes make one feed, one runs the user's, and failures stay where they are."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.feeds.clock import telling as clock_telling
from server.feeds.pendulum import RUN_TICKS, advance, start
from server.feeds.pendulum import telling as pendulum_telling
from server.feeds.walk import SEED, TICKERS, quote
from tests.running import Server

SECONDS = 60

COUNTING = """
import asyncio, itertools, os
from server.feeds import feed

@feed("own.count")
async def count():
    for number in itertools.count():
        yield {"pid": os.getpid(), "number": number}
        await asyncio.sleep(0.02)
"""

FAILING = """
import asyncio
from server.feeds import Emit, feed

@feed("own.steady", every=0.05)
async def steady():
    while True:
        yield 1

@feed("own.broken")
async def broken():
    yield 1
    raise OSError("the sensor is unplugged")

@feed()
async def wrong():
    yield Emit("no topic", 1)
"""


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def write(folder: Path, text: str) -> str:
    path = folder / "my_feeds.py"
    path.write_text(text)
    return str(path)


def states(server: Server) -> dict[str, str]:
    return {feed["name"]: feed["state"] for feed in server.status()["feeds"]}


def count(server: Server, topic: str) -> int:
    return sum(info["count"] for info in server.get("/api/topics")["topics"] if info["topic"] == topic)


def by_process(events: list[dict[str, Any]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for event in events:
        found.setdefault(event["data"]["pid"], []).append(event["data"]["number"])
    return found


def test_two_processes_make_one_of_each_feed(make_server: Callable[..., Server], tmp_path: Path) -> None:
    server = make_server(FEEDS=f"clock,walk,pendulum,{write(tmp_path, COUNTING)}")
    server.hypercorn = ("--workers", "2")
    server.start()
    seen = set()

    def both_answered() -> bool:
        seen.add(states(server)["count"])
        return seen >= {"running", "standby"}

    wait_for(both_answered)
    wait_for(lambda: count(server, "own.count") >= 50 and count(server, "clock") >= 3)

    (numbers,) = by_process(server.history("own.count")).values()
    assert numbers == list(range(len(numbers)))
    for event in server.history("clock"):
        assert event["data"] == clock_telling(int(event["id"]))
    for ticker in TICKERS:
        for event in server.history(f"walk.{ticker}"):
            assert event["data"] == quote(SEED, ticker, int(event["id"]))
    swing = sorted(server.history("pendulum"), key=lambda event: int(event["id"]))
    run, state, at = -1, start(0), 0
    for event in swing:
        this_run, offset = divmod(int(event["id"]), RUN_TICKS)
        if this_run != run:
            run, state, at = this_run, start(this_run), 0
        while at < offset:
            state = advance(state)
            at += 1
        assert event["data"] == pendulum_telling(state, run)
    assert len(swing) > 30

    process = server.spawned
    process.send_signal(signal.SIGINT)
    process.wait(timeout=SECONDS)
    assert "Traceback" not in server.log


def test_after_kill_9_another_server_on_the_same_log_takes_over(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    path = write(tmp_path, COUNTING)
    first = make_server(FEEDS=path)
    first.start()
    wait_for(lambda: states(first) == {"count": "running"})
    second = make_server(FEEDS=path, LOG=first.settings["LOG"])
    second.start()
    wait_for(lambda: states(second) == {"count": "standby"})
    before = count(first, "own.count")
    wait_for(lambda: count(second, "own.count") > before + 10)
    first.kill()
    wait_for(lambda: states(second) == {"count": "running"})
    wait_for(lambda: len(by_process(second.history("own.count"))) == 2)
    theirs, ours = by_process(second.history("own.count")).values()
    assert theirs == list(range(len(theirs)))
    assert ours == list(range(len(ours)))


def test_servers_with_logs_of_their_own_both_run_a_file(make_server: Callable[..., Server], tmp_path: Path) -> None:
    path = write(tmp_path, COUNTING)
    servers = [make_server(FEEDS=path), make_server(FEEDS=path), make_server(FEEDS=path, LOG="memory://")]
    for server in servers:
        server.start()
        wait_for(lambda server=server: states(server) == {"count": "running"})  # type: ignore[misc]


def test_a_feed_that_fails_is_told_and_the_others_go_on(make_server: Callable[..., Server], tmp_path: Path) -> None:
    server = make_server(FEEDS=write(tmp_path, FAILING))
    server.start()
    wait_for(lambda: all(feed["failures"] >= 2 for feed in server.status()["feeds"][1:]))
    before = count(server, "own.steady")
    wait_for(lambda: count(server, "own.steady") > before)
    steady, broken, wrong = server.status()["feeds"]
    assert (steady["state"], steady["failures"], steady["error"]) == ("running", 0, None)
    assert broken["error"] == "OSError: the sensor is unplugged"
    assert broken["events"] >= broken["failures"] >= 2
    assert wrong["error"].startswith("my_feeds.py:17: 'no topic' is no topic")
    assert wrong["events"] == 0
    assert server.log.count("Traceback") == 1
    assert 'line 13, in broken\n    raise OSError("the sensor is unplugged")' in server.log


@pytest.mark.slow
def test_while_the_database_is_locked_the_feed_waits_and_nothing_is_lost(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server(FEEDS=write(tmp_path, COUNTING))
    server.start()
    wait_for(lambda: count(server, "own.count") >= 5)
    other = sqlite3.connect(server.folder / "events.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    wait_for(lambda: "the feed count waits for the log: " in server.log)
    assert "locked" in server.status()["feeds"][0]["error"]
    other.execute("ROLLBACK")
    other.close()
    before = count(server, "own.count")
    wait_for(lambda: count(server, "own.count") > before + 5)
    (numbers,) = by_process(server.history("own.count")).values()
    assert numbers == list(range(len(numbers)))
    (feed,) = server.status()["feeds"]
    assert (feed["dropped"], feed["failures"]) == (0, 0)
    assert "publishes again; it dropped 0 events" in server.log


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_this_name\n", "my_feeds.py:1: ModuleNotFoundError"),
        ("def f(:\n", "my_feeds.py:1: SyntaxError"),
        ("x = 1\n", "there is no feed in it"),
        (COUNTING.replace("own.count", "own count"), "my_feeds.py:5: ValueError: 'own count' is no topic"),
    ],
)
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_file_that_is_no_good_stops_the_start(
    make_server: Callable[..., Server], tmp_path: Path, text: str, said: str, workers: str
) -> None:
    server = make_server(FEEDS=write(tmp_path, text))
    server.hypercorn = ("--workers", workers)
    ended = server.spawn().wait(timeout=SECONDS)
    assert ended != 0 or workers == "1"  # Hypercorn forgets the exit code of a worker process
    assert "partyline: PARTYLINE_FEEDS names" in server.log
    assert said in server.log
    assert "Traceback" not in server.log
    assert not (server.folder / "events.db").exists()
