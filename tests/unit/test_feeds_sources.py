"""The built-in feeds: the ticks they go by, the walk, the pendulum and the clock."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.feeds.clock import telling
from server.feeds.pendulum import (
    GRAVITY,
    LENGTH1,
    LENGTH2,
    MASS1,
    MASS2,
    RATE,
    RUN_TICKS,
    State,
    advance,
    energy,
    start,
)
from server.feeds.pendulum import telling as pendulum_telling
from server.feeds.ticks import ticks
from server.feeds.walk import SEED, SIGMA, SPAN, TICKERS, level, quote

TICK = 3_590_000_000
"""A tick of the walk in our days."""


ROUNDING = 1e-6
"""Seconds since 1970 are exact to a quarter of that, as floats."""


class Clock:
    """A wall clock for tests. It moves by sleeping alone, each time a little more or less than was asked for."""

    def __init__(self, start: float, errors: list[float]) -> None:
        self.time = start
        self.errors = errors
        self.slept = 0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        assert seconds <= 1.0
        self.slept += 1
        self.time += max(seconds + self.errors[self.slept % len(self.errors)], 1e-6)


@given(
    st.floats(1.7e9, 2e9),
    st.sampled_from([1, 2, 30]),
    st.lists(st.floats(-0.003, 0.05), min_size=1),
    st.lists(st.floats(0, 0.5), min_size=1, max_size=20),
)
async def test_ticks_rise_and_come_in_time(start: float, rate: int, errors: list[float], busy: list[float]) -> None:
    clock = Clock(start, errors)
    last = math.floor(start * rate)
    source = ticks(rate, now=clock.now, sleep=clock.sleep)
    for seconds in busy:
        tick = await anext(source)
        assert tick > last
        assert tick / rate - ROUNDING <= clock.time < (tick + 1) / rate + max(0.05, *errors)
        last = tick
        clock.time += seconds
    await source.aclose()


async def test_ticks_go_on_where_the_clock_was_set_back() -> None:
    clock = Clock(2e9, [0.0])
    source = ticks(1, now=clock.now, sleep=clock.sleep)
    assert await anext(source) == 2_000_000_001
    clock.time -= 3600
    assert await anext(source) == 2_000_000_001 - 3599
    assert clock.slept < 5


def test_the_clock_tells_the_second() -> None:
    assert telling(1_767_225_600) == {"unix": 1_767_225_600, "utc": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("ticker", sorted(TICKERS))
def test_the_walks_steps_are_normal_and_know_nothing_of_each_other(ticker: str) -> None:
    walk = [level(SEED, ticker, TICK + number) for number in range(5000)]
    steps = [after - before for before, after in pairwise(walk)]
    assert statistics.pstdev(steps) == pytest.approx(SIGMA, rel=0.05)
    assert abs(statistics.mean(steps)) < 4 * SIGMA / math.sqrt(len(steps))
    assert abs(statistics.correlation(steps[:-1], steps[1:])) < 4 / math.sqrt(len(steps))
    within = sum(abs(step) < SIGMA for step in steps) / len(steps)
    assert within == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.03)


def test_the_walk_goes_on_over_the_end_of_a_span() -> None:
    end = (TICK // SPAN + 1) * SPAN
    for ticker in TICKERS:
        walk = [level(SEED, ticker, end + number) for number in range(-50, 51)]
        assert all(abs(after - before) < 6 * SIGMA for before, after in pairwise(walk))


@given(st.integers(0, 2**33), st.sampled_from(sorted(TICKERS)))
def test_a_quote_is_a_price_not_far_from_the_tickers_own_and_fits_the_one_before(tick: int, ticker: str) -> None:
    told, before = quote(SEED, ticker, tick + 1), quote(SEED, ticker, tick)
    assert TICKERS[ticker] / 3 < told["price"] < TICKERS[ticker] * 3
    assert told["change"] == round(told["price"] - before["price"], 2)
    assert told["percent"] == pytest.approx(100 * told["change"] / before["price"], abs=0.001)
    assert told == quote(SEED, ticker, tick + 1)


def test_another_seed_or_ticker_walks_another_way() -> None:
    ours = [level(SEED, "moss", TICK + number) for number in range(500)]
    assert ours == [level(SEED, "moss", TICK + number) for number in range(500)]
    for other in (
        [level(SEED + 1, "moss", TICK + number) for number in range(500)],
        [level(SEED, "plum", TICK + number) for number in range(500)],
    ):
        steps = [[after - before for before, after in pairwise(walk)] for walk in (ours, other)]
        assert abs(statistics.correlation(*steps)) < 0.2


SCALE = GRAVITY * ((MASS1 + MASS2) * LENGTH1 + MASS2 * LENGTH2)
"""The energy of both rods straight up, over that of both level."""


@pytest.mark.parametrize("run", [0, 1, 29_920_000, 29_920_001])
def test_the_pendulum_keeps_its_energy_and_its_rods_for_a_whole_run(run: int) -> None:
    state = start(run)
    first = energy(state)
    moved = False
    for _ in range(RUN_TICKS):
        state = advance(state)
        assert abs(energy(state) - first) < 1e-4 * SCALE
        assert math.hypot(state.sin1, state.cos1) == pytest.approx(1)
        assert math.hypot(state.sin2, state.cos2) == pytest.approx(1)
        moved = moved or abs(state.speed2) > 3
    assert moved


@pytest.mark.parametrize("sign", [1, -1])
def test_small_swings_have_the_periods_that_theory_gives(sign: int) -> None:
    """Equal rods and masses swing in two normal modes: w² = g/l (2 ± √2), with angle2 = ∓√2 angle1."""
    small = 1e-3
    angle2 = -sign * math.sqrt(2) * small
    state = State(math.sin(small), math.cos(small), 0.0, math.sin(angle2), math.cos(angle2), 0.0)
    omega = math.sqrt(GRAVITY / LENGTH1 * (2 + sign * math.sqrt(2)))
    for tick in range(1, 10 * RATE):
        state = advance(state)
        expected = math.cos(omega * tick / RATE)
        assert state.sin1 / small == pytest.approx(expected, abs=2e-3)
        assert state.sin2 / angle2 == pytest.approx(expected, abs=2e-3)


def test_the_pendulum_hanging_still_stays_so() -> None:
    still = State(0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
    assert advance(still) == still
    told = pendulum_telling(still, 3)
    assert told == {"angle1": 0, "angle2": 0, "x1": 0, "y1": -LENGTH1, "x2": 0, "y2": -LENGTH1 - LENGTH2, "run": 3}


def test_the_pendulum_is_chaotic_and_yet_the_same_each_time() -> None:
    ours, again = start(5), start(5)
    near = ours._replace(speed1=1e-9)
    apart = 0.0
    for _ in range(RUN_TICKS):
        ours, again, near = advance(ours), advance(again), advance(near)
        apart = max(apart, abs(ours.sin2 - near.sin2))
    assert ours == again
    assert apart > 0.5


def test_each_run_starts_at_rest_and_elsewhere() -> None:
    starts = [start(run) for run in range(200)]
    assert len(set(starts)) == len(starts)
    for state in starts:
        assert (state.speed1, state.speed2) == (0, 0)
        assert state.cos1 < 0
        assert state.cos2 < 0
    assert {state.sin1 > 0 for state in starts} == {True, False}


# The last bits of a minute of chaos: any other rounding, anywhere, would give something else altogether
WHERE_RUN_7_ENDS = (0.9705541606095434, -0.058296477834988356)


def test_the_pendulum_is_the_same_on_every_machine() -> None:
    state = start(7)
    for _ in range(RUN_TICKS):
        state = advance(state)
    assert (state.sin1, state.sin2) == WHERE_RUN_7_ENDS
