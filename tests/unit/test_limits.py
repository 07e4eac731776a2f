"""Token buckets, with a clock that is a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.limits import BURST_SECONDS, MAX_ADDRESSES, Buckets, TokenBucket


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_free_and_then_one_waits() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock)
    assert [bucket.take() for _ in range(round(10 * BURST_SECONDS))] == [0.0] * round(10 * BURST_SECONDS)
    assert bucket.take() == pytest.approx(0.1)
    assert bucket.take() == pytest.approx(0.2)
    clock.now += 0.2
    assert bucket.take() == pytest.approx(0.1)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 30)), max_size=60))
def test_who_waits_as_told_never_gets_more_than_the_rate_and_a_burst(asks: list[tuple[float, float]]) -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock)
    taken = 0.0
    for pause, count in asks:
        clock.now += pause
        clock.now += bucket.take(count)
        taken += count
        assert taken <= 10 * (clock.now - 100.0 + BURST_SECONDS) + 1e-6


def test_what_is_refused_is_not_taken() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock)
    assert bucket.try_take(1_000) == 0.0  # into debt, from a full bucket
    wait = bucket.try_take()
    assert wait > 0
    assert bucket.try_take() == wait
    clock.now += wait
    assert bucket.try_take() == 0.0


def test_quiet_addresses_are_forgotten_and_busy_ones_are_not() -> None:
    clock = Clock()
    buckets = Buckets(10, clock)
    busy = buckets.of("busy")
    busy.take(1_000)
    buckets.of("quiet").take()
    clock.now += 1
    assert buckets.of("busy") is busy
    quiet = buckets.of("quiet")
    clock.now += 1
    buckets.of("another")
    assert buckets.of("busy") is busy
    assert buckets.of("quiet") is not quiet


def test_there_are_never_too_many() -> None:
    buckets = Buckets(1, Clock())
    for number in range(MAX_ADDRESSES + 100):
        buckets.of(str(number)).take(10)
    assert len(buckets._buckets) == MAX_ADDRESSES
