"""How long code of cells takes, as it is told."""

from __future__ import annotations

from typing import Any

import pytest

import timing


class Clock:
    """A clock that a test turns on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "clock", clock)
    return clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ns"),
        (0.000_000_012_34, "12.3 ns"),
        (0.000_005, "5 µs"),
        (0.999_999, "1 s"),
        (0.123_456, "123 ms"),
        (12.34, "12.3 s"),
        (59.99, "60 s"),
        (3_725.4, "3,725 s"),
    ],
)
def test_times_in_words(seconds: float, text: str) -> None:
    assert timing.spelled(seconds) == text


def test_an_expression_has_its_value_and_is_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    def slow() -> str:
        clock.now += 1.5
        return "value"

    assert timing.Time().of(slow()) == "value"
    with timing.Time():
        slow()
    with pytest.raises(ZeroDivisionError), timing.Time():
        _ = 1 / 0
    assert capsys.readouterr().out == "Wall time: 1.5 s\nWall time: 1.5 s\n"


@pytest.mark.parametrize(
    ("each", "runs", "loops"), [(0.000_01, 7, "10,000"), (0.03, 6, "5"), (0.3, 3, "1"), (5, 1, "1")]
)
def test_a_line_is_timed_for_a_second_at_most(
    clock: Clock, capsys: pytest.CaptureFixture[str], each: float, runs: int, loops: str
) -> None:
    def slow() -> None:
        clock.now += each

    namespace: dict[str, Any] = {"slow": slow}
    timing.timeit("kept = slow()", namespace)
    said = capsys.readouterr().out
    assert said.startswith(
        f"{timing.spelled(each)} ± 0 ns per loop (mean ± std. dev. of {runs} run{'s' * (runs > 1)}, "
    )
    assert said.endswith(f", {loops} loop{'s' * (loops != '1')} each)\n")
    assert clock.now - 100 <= max(1.0, each)
    assert "kept" not in namespace


def test_what_fails_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        timing.timeit("1 / 0", {})


def test_help_is_what_the_editor_shows(capsys: pytest.CaptureFixture[str]) -> None:
    def greet(name: str) -> str:
        """Say hello."""
        return name

    timing.describe("greet", {"greet": greet})
    assert capsys.readouterr().out == "greet(name: str) -> str\n\nSay hello.\n"
    timing.describe("nothing.here", {})
    assert capsys.readouterr().out == "There is nothing called nothing.here.\n"
