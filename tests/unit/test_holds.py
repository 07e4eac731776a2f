"""Who is told to hold up the event loop: random days of a loop, with feeds, sleeps of the laptop and a busy machine."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.holds import ADVICE, LATE, LIMIT, MEANWHILE, PERIOD, Held, Holds, Over, Stand, text

TICK = 0.01
FREE, STARVED, ASLEEP, INSIDE_C = "free", "starved", "asleep", "inside C"
"""The loop has nothing to do; it waits for the processor; nothing runs; what it runs lets no other thread run."""
FEEDS = ("dice", "lab")


def at(feed: str, line: int = 7, **more: bool) -> Stand:
    place = f"/home/ada/my_feeds.py:{line}, in {feed}"
    return Stand((feed,), f"feeds {feed}", place, f"my_feeds.py:{line}", "time.sleep(5)", **more)


@dataclass
class Day:
    """A loop and who looks at it. ``live`` has something happen for a while; ``said`` grows."""

    turns_first: bool = True
    debugger: bool = False
    said: list[Held | Over] = field(default_factory=list)
    ticks: int = 0
    worked: float = 0.0
    turned: float = 0.0
    due: int = 0
    next_look: int = round(PERIOD / TICK)
    held: list[tuple[float, int, set[str]]] = field(default_factory=list)
    """Of each thing that was said: how long the loop was really held up by then, how often all slept, by whom."""

    def __post_init__(self) -> None:
        self.holds = Holds(0.0, 0.0)
        self._since_turn: list[str] = []

    def live(self, what: str, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.ticks += 1
            if what == FREE and self.turns_first:
                self.turn()
            if what not in (ASLEEP, INSIDE_C):
                self.look(what)
            if what == FREE and not self.turns_first:
                self.turn()
            if what != FREE:
                self._since_turn.append(what)
            if what == INSIDE_C:
                self.worked += TICK
        if what == INSIDE_C:
            self.look(what)  # it lets others run when it returns

    def turn(self) -> None:
        if self.ticks >= self.due:
            self.turned = self.ticks * TICK
            self.due = self.ticks + round(PERIOD / TICK)

    def look(self, what: str) -> None:
        if self.ticks < self.next_look:
            return
        self.next_look = self.ticks + round(PERIOD / TICK)
        stand = None if what in (FREE, STARVED) else at("C" if what == INSIDE_C else what, debugger=self.debugger)
        for each in self.holds.look(self.ticks * TICK, self.worked, self.turned, lambda: stand):
            self.said.append(each)
            lately = self._since_turn
            sleeps = sum(kind == ASLEEP for kind, _ in itertools.groupby(lately))
            if isinstance(each, Over) and each.told:  # what follows a hold that was told is of it
                lately = ["turning" if kind == STARVED else kind for kind in lately]
            things = {kind for kind in lately if kind not in (ASLEEP, STARVED, "turning")}
            self.held.append((sum(kind not in (ASLEEP, STARVED) for kind in lately) * TICK, sleeps, things))
        if what == FREE and self.turned > self.ticks * TICK - PERIOD:
            self._since_turn = []


LENGTHS = st.integers(1, 300).map(lambda ticks: ticks * TICK)
HAPPENINGS = st.lists(st.tuples(st.sampled_from((FREE, FREE, STARVED, ASLEEP, INSIDE_C, *FEEDS)), LENGTHS), max_size=12)


@given(HAPPENINGS, st.booleans())
def test_nothing_is_said_of_what_did_not_hold_it_so_long(
    happenings: list[tuple[str, float]], turns_first: bool
) -> None:
    day = Day(turns_first)
    for what, seconds in happenings:
        day.live(what, seconds)
        if what == FREE:
            day.live(FREE, 3 * PERIOD)
    for said, (held, sleeps, things) in zip(day.said, day.held, strict=True):
        assert said.seconds >= LIMIT
        assert said.seconds <= held + sleeps * LATE + PERIOD
        assert said.feed in {*things, "", "C"}
        assert len(things) > 1 or not said.several


@given(HAPPENINGS)
def test_each_hold_that_is_told_is_told_to_be_over_once(happenings: list[tuple[str, float]]) -> None:
    day = Day()
    for what, seconds in [*happenings, (FREE, 2.0)]:
        day.live(what, seconds)
    open_hold = False
    for said in day.said:
        assert open_hold == (isinstance(said, Over) and said.told)
        open_hold = isinstance(said, Held)
    assert not open_hold


@given(st.lists(st.tuples(st.sampled_from((FREE, STARVED, ASLEEP)), LENGTHS | st.just(3600.0)), max_size=6))
def test_a_loop_that_nobody_holds_is_never_said_to_be_held(happenings: list[tuple[str, float]]) -> None:
    for turns_first in (True, False):
        day = Day(turns_first)
        for what, seconds in happenings:
            day.live(what, min(seconds, 30.0))
        assert day.said == []


@given(st.sampled_from((*FEEDS, INSIDE_C)), LENGTHS, LENGTHS)
def test_a_feed_that_holds_it_for_long_is_named_with_the_time(what: str, before: float, more: float) -> None:
    day = Day()
    day.live(FREE, before)
    seconds = LIMIT + 3 * PERIOD + more
    day.live(what, seconds)
    day.live(FREE, 1.0)
    held, over = day.said
    assert isinstance(held, Held)
    assert isinstance(over, Over)
    assert held.feed == over.feed == ("C" if what == INSIDE_C else what)
    assert seconds - 1.1 * PERIOD <= over.seconds <= seconds + 2 * TICK
    assert LIMIT <= held.seconds <= over.seconds
    assert what == INSIDE_C or held.seconds <= LIMIT + 2 * PERIOD


def test_a_hold_during_which_the_laptop_sleeps_is_as_long_as_it_was_awake() -> None:
    day = Day()
    for what, seconds in [(FREE, 1.0), ("dice", 2.0), (ASLEEP, 500.0), ("dice", 2.0), (FREE, 1.0)]:
        day.live(what, seconds)
    _, over = day.said
    assert over.feed == "dice"
    assert 4 - PERIOD <= over.seconds <= 4 + LATE


def test_a_hold_that_ends_just_after_the_limit_is_told_once() -> None:
    day = Day()
    day.live(FREE, 0.01)
    day.live("lab", LIMIT + PERIOD + 0.05)
    while not day.said:
        day.live(FREE, TICK)
    day.live(FREE, 1.0)
    (over,) = day.said
    assert over == Over(over.seconds, at("lab"), told=False)


def test_where_several_things_hold_it_no_feed_is_blamed() -> None:
    day = Day()
    for what, seconds in [(FREE, 1.0), ("dice", 0.9), ("lab", 0.9), (FREE, 1.0)]:
        day.live(what, seconds)
    held, over = day.said
    assert (held.several, held.feed, over.feed) == (True, "", "")
    assert "by several things one after the other, the last at /home/ada/my_feeds.py:7" in text(held, advise=True)


def test_under_a_debugger_nothing_is_said() -> None:
    day = Day(debugger=True)
    for what, seconds in [(FREE, 1.0), ("dice", 30.0), (FREE, 1.0)]:
        day.live(what, seconds)
    assert day.said == []
    day.debugger = True
    day.live("dice", 0.8)
    day.debugger = False
    day.live("dice", 30.0)
    day.live(FREE, 1.0)
    assert day.said == [], "who goes on from a debugger's prompt has not held it all the time"
    day.live("dice", 2.0)
    assert [each.feed for each in day.said] == ["dice"], "the next hold is told"


def test_a_hold_that_nobody_saw_is_told_all_the_same() -> None:
    """The thread that looks is the last to run after a call that let none run."""
    holds = Holds(0.0, 0.0)
    assert holds.look(PERIOD, 0.0, 0.25, lambda: None) == []
    (over,) = holds.look(5.0, 4.75, 4.9, lambda: None)
    assert over == Over(pytest.approx(4.4), None)
    assert "let no other Python code run" in text(over, advise=True)


PLACE = "/home/ada/my_feeds.py:7, in dice: time.sleep(5)"
OURS = Stand((), "x", "/opt/pages.py:3, in render", "pages.py:3", "", "/usr/lib/json/decoder.py:9, in decode")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            Held(1.23, at("dice")),
            f"the feed dice has held up the whole server for 1.2 seconds, and still does, at {PLACE}.",
        ),
        (Over(1.23, at("dice")), f"the feed dice held up the whole server for 1.2 seconds, at {PLACE}."),
        (Over(5.0, at("dice"), told=True), "= the feed dice let go of the server after 5.0 seconds"),
        (
            Held(1.0, OURS),
            "the server has been held up for 1.0 seconds, and still is, by no feed, at /opt/pages.py:3, in render",
        ),
        (Over(5.0, OURS, told=True), "= the server goes on after 5.0 seconds"),
    ],
)
def test_what_is_said_names_feed_place_time_and_what_to_do(said: Held | Over, told: str) -> None:
    for advise in (True, False):
        line = text(said, advise=advise)
        assert line.startswith(told)
        assert (ADVICE in line) == (advise and "feed dice" in told and not told.startswith("="))
        assert line.endswith(told.removesuffix(".")) or MEANWHILE in line or not advise


def test_two_feeds_of_one_file_share_what_they_started_by_themselves() -> None:
    either = Stand(("dice", "lab"), "y", "my_feeds.py:9, in helper", "my_feeds.py:9")
    held = Held(1.0, either)
    assert held.feed == "", "neither is counted"
    assert text(held, advise=False).startswith("the feed dice or lab has held up")
