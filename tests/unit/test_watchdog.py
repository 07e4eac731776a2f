"""The thread that watches the event loop, with real loops and real stacks: what stands where, and whose it is."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from server.feeds import Feeds, find
from server.holds import Over
from server.log import open_log
from server.watchdog import Watchdog, running, stand

FILE = """
import asyncio, json, threading
from server.feeds import feed

blocked, go = threading.Event(), threading.Event()

def block(*_):
    blocked.set()
    go.wait()

class Odd(dict):
    def items(self):
        block()
        return super().items()

@feed("a")
async def direct():
    block()
    yield 1

@feed("b")
async def odd():
    yield Odd(a=1)

@feed("c")
async def starts_a_task():
    async def helper():
        block()
    await asyncio.create_task(helper())
    yield 1
"""
LOOPS = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "partyline-watchdog"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threads():
        thread.join(20)
    assert threads() == []


class Watched:
    """A loop of its own, watched, with the feeds of a file or none."""

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop], file: str = "", only: str = "") -> None:
        self.new_loop = new_loop
        self.holds: list[Over] = []
        self.sources = [source for source in find([file] if file else []) if only in ("", source.name)]

    def run(self, what: Callable[[], Any]) -> list[Over]:
        """Let ``what`` happen on the loop, and return the holds when one is over."""

        async def main() -> None:
            log = open_log("memory://", retention=10)
            await log.open()
            feeds = Feeds(self.sources, log, url="memory://", max_bytes=1000)
            watchdog = Watchdog(feeds, self.holds.append)
            watchdog.start()
            await asyncio.sleep(0.01)
            feeds.start()
            asyncio.get_running_loop().call_soon(what)
            async with asyncio.timeout(30):
                while not self.holds:
                    await asyncio.sleep(0.01)
            await feeds.close()
            watchdog.stop()
            assert threads() == []
            await log.close()

        with asyncio.Runner(loop_factory=self.new_loop) as runner:
            runner.run(main())
        return self.holds


class Told(logging.Handler):
    """Lets go what is blocked once it is told that it is."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.go = go

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.go.set()


@pytest.fixture
def told() -> Iterator[Told]:
    handler = Told(threading.Event())
    logger = logging.getLogger("partyline.watchdog")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@LOOPS
def test_what_is_no_feeds_is_told_with_its_place(new_loop: Any, told: Told) -> None:
    def stuck() -> None:
        told.go.wait(30)

    (over,) = Watched(new_loop).run(stuck)
    line = stuck.__code__.co_firstlineno + 1
    assert over.feed == ""
    assert over.stand is not None
    assert over.stand.inside.endswith("in wait")
    assert f"by no feed, at {__file__}:{line}, in stuck: told.go.wait(30) (inside " in told.lines[0]
    assert told.lines[1].startswith("= the server goes on after ")


@LOOPS
@pytest.mark.parametrize(
    ("only", "code", "feeds"),
    [
        ("direct", "go.wait()", ("direct",)),
        ("odd", "yield Odd(a=1)", ("odd",)),
        ("starts_a_task", "go.wait()", ("starts_a_task",)),
    ],
)
def test_a_feed_is_named_with_the_line_of_its_own(
    new_loop: Any, told: Told, tmp_path: Path, only: str, code: str, feeds: tuple[str, ...]
) -> None:
    (tmp_path / "my_feeds.py").write_text(FILE)
    watched = Watched(new_loop, str(tmp_path / "my_feeds.py"), only)
    module = sys.modules[watched.sources[0].function.__module__]
    told.go = module.go
    (over, *_) = watched.run(lambda: None)
    assert over.stand is not None
    assert (over.stand.feeds, over.feed, over.stand.code) == (feeds, feeds[0], code)
    assert over.stand.place.startswith(str(tmp_path / "my_feeds.py"))
    assert told.lines[0].startswith(f"the feed {feeds[0]} has held up the whole server for ")


def test_what_two_feeds_may_have_started_is_neithers(told: Told, tmp_path: Path) -> None:
    (tmp_path / "my_feeds.py").write_text(FILE.replace('@feed("a")\n', "").replace("yield Odd(a=1)", "yield 1"))
    watched = Watched(asyncio.new_event_loop, str(tmp_path / "my_feeds.py"))
    told.go = sys.modules[watched.sources[0].function.__module__].go
    (over,) = watched.run(lambda: None)
    assert over.feed == ""
    assert told.lines[0].startswith("the feed odd or starts_a_task has held up the whole server for ")


def test_a_debugger_is_known_by_its_frames() -> None:
    space: dict[str, Any] = {"__name__": "bdb"}
    exec("def prompt(ask):\n    ask()", space)  # noqa: S102
    frames = []

    def ask() -> None:
        frame: Any = sys._getframe()
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back

    space["prompt"](ask)
    assert stand(frames[:3]).debugger
    assert not stand(frames[:1]).debugger


@LOOPS
def test_a_loop_that_waits_runs_nothing_and_the_thread_ends_with_it(new_loop: Any) -> None:
    seen = []

    async def main() -> None:
        feeds = Feeds([], open_log("memory://", retention=10), url="memory://", max_bytes=1000)
        watchdog = Watchdog(feeds, lambda hold: None)
        watchdog.start()
        await asyncio.sleep(0.05)
        loop_thread = threading.get_ident()

        def look() -> None:
            time.sleep(0.1)
            seen.append(running(sys._current_frames()[loop_thread], watchdog._base))

        await asyncio.to_thread(look)
        assert running(sys._getframe(), watchdog._base) == [sys._getframe()]

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
    assert seen == [[]]
