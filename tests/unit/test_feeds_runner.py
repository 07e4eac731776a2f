"""The runner of one feed: backoff, states, pace, a log that is down. A real log in memory; the clock is the test's."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from server.feeds import Emit, Feeds, Source
from server.feeds.runner import APPEND_SECONDS, MAX_BACKOFF_SECONDS, STATES, STEADY_SECONDS, Runner
from server.feeds.turn import Turn
from server.log import Draft, LogError, LogTooLargeError, Receipt
from server.log.retention import Retention
from server.log.sqlite import SqliteLog
from server.rules import PerTopic
from tests.running import ROOT

START = 1_767_225_600.0


class World:
    """A clock that moves by sleeping alone, and the log of what was slept. It ends the run after so many sleeps."""

    def __init__(self, most: int = 100) -> None:
        self.time = START
        self.most = most
        self.slept: list[float] = []
        self.seen: list[dict[str, Any]] = []
        self.runner: Runner | None = None

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if self.runner is not None:
            self.seen.append(self.runner.status())
        self.slept.append(round(seconds, 3))
        self.time += seconds
        if len(self.slept) >= self.most:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)


class Faulty(SqliteLog):
    """A log whose disk fails while ``down`` says so."""

    down: Callable[[], bool] = staticmethod(lambda: False)

    def append(self, drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        if self.down():
            raise LogError("the disk is full")
        return super().append(drafts)


@pytest.fixture
async def log() -> AsyncIterator[Faulty]:
    log = Faulty(None, Retention(PerTopic(1000), PerTopic(0)))
    await log.open()
    yield log
    await log.close()


async def run(world: World, log: Faulty, function: Callable[[], Any], turn: Turn | None = None, **more: Any) -> Runner:
    """Run the feed ``lab`` until it ends or the world does."""
    source = Source("lab", function, more.pop("topic", "lab"), **more)
    runner = world.runner = Runner(
        source,
        log,
        turn=turn or Turn(None),
        max_bytes=1000,
        now=world.now,
        monotonic=world.now,
        sleep=world.sleep,
    )
    task = asyncio.create_task(runner.run())
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None
    return runner


async def data(log: Faulty, topic: str = "lab") -> list[str]:
    return [event.data for event in await log.read(0, 1000, [topic])]


def fail(log: Faulty, world: World, seconds: float) -> None:
    """Have the log fail for so long, from now."""
    back = world.time + seconds
    log.down = lambda: world.time < back


async def test_what_a_feed_yields_stands_in_the_log_and_a_feed_that_ends_is_stopped(log: Faulty) -> None:
    async def three() -> Any:
        yield {"a": 1}
        yield Emit("hall", [2], "my-id")
        yield None

    world = World()
    runner = await run(world, log, three)
    stored = await log.read(0, 10)
    assert [event.data for event in stored] == ['{"a":1}', "[2]", "null"]
    assert [event.topic for event in stored] == ["lab", "hall", "lab"]
    assert stored[1].id == "my-id"
    assert runner.status() == {
        "name": "lab",
        "state": "stopped",
        "until": None,
        "events": 3,
        "dropped": 0,
        "failures": 0,
        "error": None,
        "last_event": START,
        "blocked": 0,
        "blocked_seconds": None,
        "blocked_at": None,
    }
    assert world.slept == []


async def test_a_feed_that_keeps_failing_is_started_later_each_time_and_told_with_one_traceback(
    log: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> Any:
        yield 1
        raise ValueError("no sensor")

    times = 1100  # as many as a night has, and more than 2.0 has powers
    world = World(most=times)
    with caplog.at_level(logging.INFO, "partyline.feeds"):
        runner = await run(world, log, broken)
    assert world.slept == [1, 2, 4, 8, 16, 32, *[MAX_BACKOFF_SECONDS] * (times - 6)]
    assert {each["state"] for each in world.seen} == {"waiting"}
    assert [each["until"] for each in world.seen[:3]] == [START + 1, START + 3, START + 7]
    assert (runner.events, runner.failures, runner.error) == (times, times, "ValueError: no sensor")
    records = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(records) == times
    assert [record.exc_info is not None for record in records] == [True] + [False] * (times - 1)
    assert "the feed lab failed" in records[0].getMessage()


async def test_after_good_running_the_backoff_begins_anew(log: Faulty) -> None:
    world = World(most=30)
    starts = 0

    async def now_and_then() -> Any:
        nonlocal starts
        starts += 1
        if starts == 4:
            world.time += STEADY_SECONDS
        yield starts
        raise ValueError(f"failure {starts}")

    world.most = 6
    await run(world, log, now_and_then)
    assert world.slept == [1, 2, 4, 1, 2, 4]


@pytest.mark.parametrize(
    "failure", [SystemExit(3), asyncio.CancelledError(), RecursionError(), ExceptionGroup("two", [OSError("gone")])]
)
async def test_whatever_a_feed_raises_stays_in_its_runner(log: Faulty, failure: BaseException) -> None:
    times = 0

    async def fails_once() -> Any:
        nonlocal times
        times += 1
        if times == 1:
            raise failure
        yield times

    runner = await run(World(), log, fails_once)
    assert (runner.state, runner.failures, runner.events) == ("stopped", 1, 1)
    assert runner.error is not None
    assert type(failure).__name__ in runner.error


async def test_what_cannot_be_an_event_is_a_failure_told_with_its_line(
    log: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    closed = []

    async def wrong() -> Any:
        try:
            yield 1
            yield datetime.date(2026, 1, 1)
        finally:
            closed.append(True)

    runner = await run(World(most=2), log, wrong)
    line = wrong.__code__.co_firstlineno + 3
    assert runner.error is not None
    assert runner.error.startswith(
        f"test_feeds_runner.py:{line}: it yielded what JSON cannot hold: Object of type date"
    )
    assert (runner.failures, runner.events) == (2, 2)
    assert closed == [True, True], "the generator was left open"
    assert "Traceback" not in caplog.text


async def test_every_sets_the_pace_and_what_is_missed_is_left_out(log: Faulty) -> None:
    world = World(most=6)
    values = iter([0.0, 0.3, 0.0, 1.7, 0.0, 0.0, 0.0])

    async def busy() -> Any:
        for seconds in values:
            world.time += seconds  # as if measuring took so long
            yield round(world.time - START, 3)

    await run(world, log, busy, every=0.5)
    assert await data(log) == ["0.0", "0.8", "1.0", "3.2", "3.5", "4.0"]


async def test_a_log_that_is_down_is_waited_for_and_nothing_is_lost(
    log: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()

    async def numbers() -> Any:
        for number in range(3):
            if number == 1:
                fail(log, world, APPEND_SECONDS / 2)
            yield number

    with caplog.at_level(logging.INFO, "partyline.feeds"):
        runner = await run(world, log, numbers)
    assert await data(log) == ["0", "1", "2"]
    assert (runner.state, runner.events, runner.dropped, runner.failures) == ("stopped", 3, 0, 0)
    assert runner.error == "the disk is full"
    said = [record.getMessage() for record in caplog.records]
    assert sum("waits for the log" in each for each in said) == 1
    assert sum("publishes again; it dropped 0" in each for each in said) == 1


async def test_what_is_too_large_for_the_log_is_dropped_at_once(
    log: Faulty, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def numbers() -> Any:
        for number in range(3):
            yield number

    def append(drafts: Sequence[Draft]) -> Awaitable[list[Receipt]]:
        if drafts[0].data == "1":
            raise LogTooLargeError("larger than NATS takes")
        return SqliteLog.append(log, drafts)

    monkeypatch.setattr(log, "append", append)
    world = World()
    runner = await run(world, log, numbers)
    assert (runner.state, runner.events, runner.dropped, world.slept) == ("stopped", 2, 1, [])
    assert [event.data for event in await log.read(0, 10)] == ["0", "2"]
    assert "dropped an event of lab: larger than NATS takes" in caplog.text


async def test_what_the_log_does_not_take_in_time_is_dropped_counted_and_told(
    log: Faulty, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()

    async def numbers() -> Any:
        for number in range(4):
            if number == 1:
                fail(log, world, 2 * APPEND_SECONDS)
            yield number

    runner = await run(world, log, numbers)
    assert runner.dropped >= 1
    assert runner.events + runner.dropped == 4
    kept = await data(log)
    assert kept[0] == "0"
    assert kept[-1] == "3"
    assert len(kept) == runner.events
    assert caplog.text.count("dropped an event of lab: the disk is full") == runner.dropped


async def test_another_process_stands_by_and_takes_over(log: Faulty, tmp_path: Path) -> None:
    theirs = Turn(tmp_path / "lock")
    assert theirs.take()
    world = World()

    async def once() -> Any:
        yield 1

    sleep = world.sleep

    async def sleep_and_die(seconds: float) -> None:
        if len(world.slept) == 4:
            theirs.release()
        await sleep(seconds)

    world.sleep = sleep_and_die  # type: ignore[method-assign]
    ours = Turn(tmp_path / "lock")
    runner = await run(world, log, once, turn=ours)
    assert [each["state"] for each in world.seen] == ["standby"] * 5
    assert (runner.state, await data(log)) == ("stopped", ["1"])
    assert not theirs.take(), "a feed that ended by itself is not for others to run again"
    ours.release()


async def test_a_lock_that_cannot_be_had_is_a_failure_like_others(log: Faulty, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    async def once() -> Any:
        yield 1

    runner = await run(World(most=3), log, once, turn=Turn(tmp_path / "folder"))
    assert (runner.failures, runner.events) == (3, 0)
    assert runner.error is not None
    assert runner.error.startswith("IsADirectoryError")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_feeds_run_side_by_side_and_end_together(log: Faulty, caplog: pytest.LogCaptureFixture) -> None:
    ended = []
    waiting, clumsy_waits = asyncio.Event(), asyncio.Event()

    async def steady() -> Any:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            ended.append("steady")

    async def broken() -> Any:
        raise ValueError("no sensor")
        yield

    async def stubborn() -> Any:
        yield 2
        while True:
            try:
                waiting.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("stubborn")
            yield 3

    async def clumsy() -> Any:
        try:
            yield 4
            clumsy_waits.set()
            await asyncio.Event().wait()
        finally:
            raise ValueError("cannot let go")

    sources = [Source(each.__name__, each, each.__name__) for each in (steady, broken, stubborn, clumsy)]
    feeds = Feeds(sources, log, url="memory://", max_bytes=1000)
    assert [each["state"] for each in feeds.status()] == ["starting"] * 4
    feeds.start()
    await until(lambda: waiting.is_set() and clumsy_waits.is_set() and feeds.status()[0]["events"] > 10)
    await until(lambda: feeds.status()[1]["failures"] > 0)
    assert [each["state"] for each in feeds.status()] == ["running", "waiting", "running", "running"]
    assert [each["name"] for each in feeds.status()] == ["steady", "broken", "stubborn", "clumsy"]
    await feeds.close()
    assert sorted(ended) == ["steady", "stubborn"]
    assert await data(log, "stubborn") == ["2"]
    assert "the feed clumsy failed while it was ended" in caplog.text
    assert "does not end" not in caplog.text


def test_every_state_and_every_field_of_the_status_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    runner = Runner(Source("lab", lambda: None), None, turn=Turn(None), max_bytes=1)  # type: ignore[arg-type, return-value]
    for name in (*STATES, *runner.status()):
        assert f"`{name}`" in text
