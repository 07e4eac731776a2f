"""A page is drawn when it has to be, and no oftener."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pace import EVENTS_DRAW_MS, HIDDEN_DRAW_MS, TYPED_DRAW_MS, Pace

FRAME_MS = 1000 / 60


class Window:
    """A browser's window, whose clock the test moves: a frame comes 60 times a second while the tab is looked at."""

    def __init__(self) -> None:
        self.now = 0.0
        self.hidden = False
        self.typed = False
        self.drawn: list[float] = []
        self.pace = Pace(lambda: self.drawn.append(self.now), self, lambda act: act)
        self._due: dict[int, tuple[float, Callable[..., None]]] = {}
        self._frames: dict[int, Callable[..., None]] = {}
        self._next_frame = FRAME_MS
        self._last = 0

    @property
    def performance(self) -> Any:
        return SimpleNamespace(now=lambda: self.now)

    @property
    def document(self) -> Any:
        return SimpleNamespace(hidden=self.hidden)

    def setTimeout(self, act: Callable[..., None], delay: float) -> int:
        self._last += 1
        self._due[self._last] = (self.now + delay, act)
        return self._last

    def clearTimeout(self, timer: int) -> None:
        self._due.pop(timer, None)

    @property
    def painting(self) -> Any:
        return SimpleNamespace(
            request=self._request, cancel=lambda frame: self._frames.pop(frame, None), isTyped=lambda: self.typed
        )

    def _request(self, act: Callable[..., None]) -> int:
        self._last += 1
        self._frames[self._last] = act
        return self._last

    @property
    def waiting(self) -> int:
        """How many timers and frames are asked for."""
        return len(self._due) + len(self._frames)

    def pass_time(self, milliseconds: float) -> None:
        """Let so much time pass, with what comes due in it, in order."""
        end = self.now + milliseconds
        while True:
            timer, (at, act) = min(self._due.items(), key=lambda item: item[1][0], default=(0, (end + 1, print)))
            if min(at, self._next_frame) > end:
                break
            if at <= self._next_frame:
                self.now = at
                del self._due[timer]
                act()
            else:
                self.now, self._next_frame = self._next_frame, self._next_frame + FRAME_MS
                if not self.hidden:
                    frames, self._frames = self._frames, {}
                    for act in frames.values():
                        act(self.now)
        self.now = end

    def turn(self, hidden: bool) -> None:
        """Hide the tab, or look at it again."""
        self.hidden = hidden
        self.pace.turned()


def test_all_that_changes_before_a_frame_is_drawn_by_it() -> None:
    window = Window()
    for _ in range(100):
        window.pace.soon()
        window.pace.flow()
    assert window.drawn == []
    window.pass_time(1000)
    assert window.drawn == [FRAME_MS]


def test_events_after_a_rest_are_drawn_at_the_next_frame() -> None:
    window = Window()
    window.pass_time(EVENTS_DRAW_MS)
    window.pace.flow()
    window.pass_time(FRAME_MS)
    assert len(window.drawn) == 1


@pytest.mark.parametrize(("typed", "least"), [(False, EVENTS_DRAW_MS), (True, TYPED_DRAW_MS)])
def test_a_flood_of_events_is_drawn_only_so_often(typed: bool, least: int) -> None:
    window = Window()
    window.typed = typed
    for _ in range(10_000):
        window.pass_time(1)
        window.pace.flow()
    assert 10_000 / (least + 2 * FRAME_MS) <= len(window.drawn) <= 10_000 / least
    between = [later - before for before, later in zip(window.drawn, window.drawn[1:], strict=False)]
    assert min(between) > least - 0.001


def test_what_the_user_does_does_not_wait_for_the_events() -> None:
    window = Window()
    window.pace.soon()
    window.pass_time(FRAME_MS)
    window.pace.flow()
    window.pass_time(1)
    window.pace.soon()
    window.pass_time(FRAME_MS)
    assert len(window.drawn) == 2
    window.pass_time(1000)
    assert len(window.drawn) == 2, "the events were in it"


def test_a_hidden_tab_is_drawn_four_times_a_second() -> None:
    window = Window()
    window.hidden = True
    for _ in range(2 * HIDDEN_DRAW_MS):
        window.pace.soon()
        window.pass_time(1)
    assert window.drawn == [HIDDEN_DRAW_MS, 2 * HIDDEN_DRAW_MS]


def test_a_frame_that_never_came_is_asked_for_again() -> None:
    window = Window()
    window.pace.soon()
    window.hidden = True  # before the page is told
    window.pass_time(1000)
    assert window.drawn == []
    window.pace.turned()
    window.pass_time(1000)
    assert len(window.drawn) == 1
    window.pace.soon()
    window.turn(hidden=False)
    window.pass_time(1000)
    assert len(window.drawn) == 2, "once, not by the timer and by the frame"


def test_an_error_while_drawing_stops_no_later_drawing() -> None:
    window, shown = Window(), []

    def draw() -> None:
        shown.append(window.now)
        if len(shown) == 1:
            raise ValueError("cannot be shown")

    pace = Pace(draw, window, lambda act: act)
    pace.soon()
    try:
        window.pass_time(FRAME_MS)
    except ValueError:
        window.pass_time(0)
    pace.soon()
    window.pass_time(FRAME_MS)
    assert len(shown) == 2


ACTS = st.one_of(
    st.sampled_from(["soon", "flow", "hide", "look", "type", "rest"]),
    st.floats(0.1, 400, allow_nan=False).map(lambda ms: round(ms, 1)),
)


@given(st.lists(ACTS, max_size=60))
@example(["soon", 20.0, "type", "flow", "rest", "flow", 400.0])
def test_every_change_is_drawn_in_time_and_nothing_else_is(acts: list[str | float]) -> None:
    window = Window()
    due: list[float] = []  # until when something has to be drawn

    def drawn() -> None:
        assert due, "drawn, and nothing had changed"
        assert window.now <= min(due) + 0.001
        due.clear()

    window.pace = Pace(drawn, window, lambda act: act)
    for act in acts:
        if isinstance(act, float):
            window.pass_time(act)
            continue
        if act in ("type", "rest"):
            window.typed = act == "type"
            continue
        if act in ("hide", "look"):
            window.turn(hidden=act == "hide")
            due.clear()  # who turns to a tab waits from then on
        elif act == "soon":
            window.pace.soon()
        else:
            window.pace.flow()
        waits = (TYPED_DRAW_MS if window.typed else EVENTS_DRAW_MS) if act == "flow" else 0
        if not (due and act == "flow"):  # else it is in what is asked for, maybe since one typed
            due.append(window.now + (HIDDEN_DRAW_MS if window.hidden else FRAME_MS) + waits)
        assert window.waiting == 1
    window.pass_time(1000)
    assert not due
    assert not window.waiting
