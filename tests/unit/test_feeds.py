"""Feeds as they are declared, found, and checked: the decorator, the user's files, what may be yielded."""

from __future__ import annotations

import datetime
import json
import math
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline.protocol import MAX_DEPTH
from server.config import SettingsError
from server.feeds import Emit, Source, feed, find
from server.feeds.declare import declared
from server.feeds.drafts import FeedError, make_draft
from server.feeds.turn import Turn, lock_path
from tests.running import ROOT

GOOD = """
from server.feeds import Emit, feed

@feed("lab.temperature", every=0.5)
async def temperature():
    yield 21.5

@feed(name="two-topics")
async def both():
    yield Emit("lab.light", 1)
"""


def write(folder: Path, text: str, name: str = "my_feeds.py") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_a_declared_feed_stays_the_function_it_was() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    assert feed("lab.numbers", every=2)(numbers) is numbers
    source = declared[-1]
    assert (source.name, source.topic, source.every, source.file) == ("numbers", "lab.numbers", 2, None)


async def plain_coroutine() -> int:
    return 1


def plain_generator() -> Any:
    yield 1


async def wants_an_argument(port: str) -> Any:
    yield port


@pytest.mark.parametrize(
    ("declare", "error", "said"),
    [
        (lambda: feed(plain_generator), TypeError, "needs parentheses"),  # type: ignore[arg-type]
        (lambda: feed("no topic"), ValueError, "'no topic' is no topic"),
        (lambda: feed("a", every=0), ValueError, "every=0"),
        (lambda: feed("a", every=math.nan), ValueError, "every=nan"),
        (lambda: feed("a")(plain_generator), TypeError, "plain_generator is no async generator"),
        (lambda: feed("a")(plain_coroutine), TypeError, "plain_coroutine is no async generator"),  # type: ignore[type-var]
        (lambda: feed("a")(wants_an_argument), TypeError, "wants_an_argument takes arguments"),  # type: ignore[type-var]
        (lambda: feed("a", name="my feed")(plain_generator), ValueError, "'my feed' is no name"),
    ],
)
def test_a_wrong_declaration_is_explained(declare: Any, error: type[Exception], said: str) -> None:
    count = len(declared)
    with pytest.raises(error, match=said):
        declare()
    assert len(declared) == count


def test_the_feeds_of_a_file_are_found_with_the_built_in_ones(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    sources = find(["clock", path, "walk"])
    assert [source.name for source in sources] == ["clock", "temperature", "two-topics", "walk"]
    assert [source.file for source in sources] == [None, Path(path), Path(path), None]
    assert (sources[1].topic, sources[1].every) == ("lab.temperature", 0.5)
    assert [source.name for source in find([path])] == ["temperature", "two-topics"], "found again, once"


def test_a_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path)
    assert find(["my_feeds.py"])[0].file == tmp_path / "my_feeds.py"


def test_a_file_may_import_its_neighbours_and_shadows_nothing_afterwards(tmp_path: Path) -> None:
    write(tmp_path, "PORT = 7\n", "lab_hardware.py")
    write(tmp_path, "raise RuntimeError('not the real one')\n", "colorsys.py")
    path = write(tmp_path, f"import lab_hardware\nassert lab_hardware.PORT == 7\n{GOOD}")
    before = list(sys.path)
    assert len(find([path])) == 2
    assert sys.path == [*before, str(tmp_path)]
    sys.path.remove(str(tmp_path))
    assert "my_feeds" not in sys.modules


def test_a_feed_that_is_only_imported_is_not_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "shared_feeds.py")
    path = write(tmp_path, "import shared_feeds\n")
    with pytest.raises(SettingsError, match="no feed in it"):
        find([path])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_package\n", "my_feeds.py:1: ModuleNotFoundError: No module named 'no_such_package'"),
        ("x = 1\ndef broken(:\n", "my_feeds.py:2: SyntaxError"),
        ("\n\nraise SystemExit('no sensor')\n", "my_feeds.py:3: SystemExit: no sensor"),
        (
            GOOD.replace("lab.temperature", "lab temperature"),
            "my_feeds.py:4: ValueError: 'lab temperature' is no topic",
        ),
        (GOOD.replace("async def both", "def both"), "my_feeds.py:8: TypeError: both is no async generator"),
        ("async def forgotten():\n    yield 1\n", "there is no feed in it"),
        (GOOD.replace("two-topics", "temperature"), "two feeds named 'temperature'"),
        (GOOD.replace("two-topics", "clock"), "two feeds named 'clock', from Partyline itself and "),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError, match="PARTYLINE_FEEDS") as caught:
        find(["clock", path])
    assert said in str(caught.value)
    assert path in str(caught.value)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["nonsense"], "clock, host, pendulum, walk"),
        (["no/such/file.py"], "no such file"),
        (["host", "host"], "two feeds named 'host'"),
    ],
)
def test_a_feed_that_is_not_there_is_named(names: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match="PARTYLINE_FEEDS") as caught:
        find(names)
    assert said in str(caught.value)


def test_importing_the_decorator_leaves_nothing_behind(tmp_path: Path) -> None:
    """As a user's own test of a feed does, or an editor."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); from server.feeds import Emit, feed"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


async def nothing() -> Any:
    yield None


WITH_TOPIC = Source("lab", nothing, "lab.light")
WITHOUT = Source("lab", nothing)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_any_json_value_may_be_yielded_and_comes_through(value: Any) -> None:
    draft = make_draft(WITH_TOPIC, value, 100_000)
    assert (draft.topic, json.loads(draft.data), draft.by) == ("lab.light", value, "feed:lab")
    other = make_draft(WITHOUT, Emit("hall", value, "7"), 100_000)
    assert (other.topic, other.id, other.data) == ("hall", "7", draft.data)
    assert make_draft(WITH_TOPIC, value, 100_000).id != draft.id


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        (WITHOUT, {"a": 1}, r"without a topic: yield Emit\("),
        (WITHOUT, Emit("a..b", 1), "'a..b' is no topic"),
        (WITHOUT, Emit(None, 1), "None is no topic"),  # type: ignore[arg-type]
        (WITHOUT, Emit("a", 1, ""), "'' is no id"),
        (WITHOUT, Emit("a", 1, 7), "7 is no id"),  # type: ignore[arg-type]
        (WITH_TOPIC, datetime.date(2026, 1, 1), "date is not JSON serializable"),
        (WITH_TOPIC, math.nan, "what JSON cannot hold"),
        (WITH_TOPIC, CIRCLE, "Circular reference"),
        (WITH_TOPIC, "\ud800", "surrogate"),
        (WITH_TOPIC, nested(MAX_DEPTH + 1), "deeper than"),
        (WITH_TOPIC, nested(100_000), "what JSON cannot hold"),
        (WITH_TOPIC, "é" * 600, "1202 bytes of JSON; an event's data has at most 1000"),
    ],
)
def test_what_cannot_be_an_event_is_explained(source: Source, value: Any, said: str) -> None:
    with pytest.raises(FeedError, match=said):
        make_draft(source, value, 1000)


def test_it_is_one_processes_turn_until_it_lets_go(tmp_path: Path) -> None:
    """Each Turn opens the file for itself, as processes do."""
    path = lock_path(f"sqlite:///{tmp_path / 'log.db'}", tmp_path / "my_feeds.py")
    assert path is not None
    assert path.parent == tmp_path
    ours, theirs = Turn(path), Turn(path)
    assert ours.take()
    assert ours.take()
    assert not theirs.take()
    ours.release()
    assert theirs.take()
    assert not ours.take()
    theirs.release()


def test_who_shares_a_log_and_a_file_shares_the_lock(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.py", tmp_path / "other.py"
    assert lock_path("sqlite:///a.db", mine) == lock_path("sqlite:///a.db", tmp_path / "x" / ".." / "mine.py")
    assert lock_path("sqlite:///a.db", mine) != lock_path("sqlite:///a.db", other)
    assert lock_path("nats://one:4222/line", mine) != lock_path("nats://two:4222/line", mine)
    assert lock_path("memory://", mine) is None
    ours, theirs = Turn(None), Turn(None)
    assert ours.take()
    assert theirs.take()
