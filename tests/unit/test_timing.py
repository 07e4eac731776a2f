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


def test_as_many_loops_and_runs_as_one_wants(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    calls = 0

    def slow() -> None:
        nonlocal calls
        calls += 1
        clock.now += 2

    timing.timeit("slow()", {"slow": slow}, loops=3)
    assert calls == 3 * 7
    assert capsys.readouterr().out == "2 s ± 0 ns per loop (mean ± std. dev. of 7 runs, 3 loops each)\n"
    timing.timeit("slow()", {"slow": slow}, runs=2)
    assert calls == 3 * 7 + 2
    assert capsys.readouterr().out == "2 s ± 0 ns per loop (mean ± std. dev. of 2 runs, 1 loop each)\n"
    assert timing.timeit("slow()", {"slow": slow}, loops=1, runs=1, quiet=True) is None
    assert capsys.readouterr().out == ""


def test_the_result_tells_all(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    times = [1.0, 2.0, 3.0]

    def slow() -> None:
        clock.now += times.pop(0)

    told = timing.timeit("slow()", {"slow": slow}, loops=1, runs=3, gives=True)
    assert told is not None
    assert (told.loops, told.repeat, told.best, told.worst, told.average) == (1, 3, 1, 3, 2)
    assert told.all_runs == told.timings == [1, 2, 3]
    assert round(told.stdev, 3) == 0.816
    assert capsys.readouterr().out == f"{told}\n"
    assert repr(told) == f"<TimeitResult : {told}>"


def test_a_run_that_took_far_longer_is_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    times = [0.5, 0.1]

    def slow() -> None:
        clock.now += times.pop(0)

    timing.timeit("slow()", {"slow": slow}, loops=1, runs=2)
    assert capsys.readouterr().out.startswith(
        "The slowest run took 5.00 times longer than the fastest. "
        "This could mean that an intermediate result is being cached.\n300 ms ± 200 ms per loop"
    )


def test_setup_runs_before_each_run_and_is_not_timed(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[str] = []

    def note(what: str, seconds: float) -> None:
        ran.append(what)
        clock.now += seconds

    setup = "n = 5; note('setup', 60)"
    timing.timeit("for _ in range(n):\n    note('', 1)", {"note": note}, setup=setup, loops=1, runs=2)
    assert ran == ["setup", *[""] * 5] * 2
    assert capsys.readouterr().out.startswith("5 s ± 0 ns per loop")


@pytest.mark.parametrize("name", ["_i", "_it", "_timer", "loops", "inner"])
def test_timed_code_sees_all_names_of_the_cells(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    timing.timeit(f"assert {name} == 'theirs'", {name: "theirs"}, loops=1, runs=1)


def test_what_fails_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        timing.timeit("1 / 0", {})


def test_what_fails_in_a_cell_is_in_its_own_line() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        timing.timeit("\n\n1 / 0", {}, filename="cell")
    assert (raised.traceback[-1].path, raised.traceback[-1].lineno + 1) == ("cell", 3)
    for wrong in ("return", "break", "await f()", "yield"):
        with pytest.raises(SyntaxError) as refused:
            timing.timeit(f"\n\n{wrong}", {}, filename="cell")
        assert (refused.value.filename, refused.value.lineno) == ("cell", 3)


def test_help_is_what_the_editor_shows(capsys: pytest.CaptureFixture[str]) -> None:
    def greet(name: str) -> str:
        """Say hello."""
        return name

    timing.describe("greet", {"greet": greet})
    assert capsys.readouterr().out == "greet(name: str) -> str\n\nSay hello.\n"
    timing.describe("nothing.here", {})
    assert capsys.readouterr().out == "There is nothing called nothing.here.\n"
