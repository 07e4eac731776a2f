"""A screen reader is given what one can listen to, and no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hearing import AT_ONCE, LEAST, PER_SECOND, Hearing, hushed, summary


def test_some_lines_at_once_are_read() -> None:
    hearing = Hearing()
    assert hearing.take(AT_ONCE // 2, 0.0)
    assert hearing.take(AT_ONCE // 2, 0.1)


def test_a_long_text_is_not_read_at_all() -> None:
    assert not Hearing().take(AT_ONCE + 1, 0.0)


def test_what_is_slow_enough_is_read_for_ever() -> None:
    hearing = Hearing()
    assert all(hearing.take(PER_SECOND, float(second)) for second in range(1000))


def test_a_flood_is_read_no_more_and_stays_silent_until_the_next_run() -> None:
    hearing = Hearing()
    read = [hearing.take(2, number / 20) for number in range(1000)]  # while True: print(1)
    assert read[0]
    assert not any(read[AT_ONCE // LEAST * 2 :])
    assert not hearing.take(1, 10_000.0)
    assert hearing.too_much


@given(st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 5))))
def test_never_more_is_read_than_one_can_listen_to(changes: list[tuple[int, float]]) -> None:
    hearing, now, said = Hearing(), 0.0, 0
    for characters, later in changes:
        now += later
        said += characters if hearing.take(characters, now) else 0
        assert said <= AT_ONCE + PER_SECOND * now + 1


def test_who_listens_is_told_why_it_is_silent() -> None:
    assert hushed(3) == "Cell 3: its output goes on, and is no longer read aloud."


def test_the_end_of_such_a_run_is_one_sentence() -> None:
    assert summary(3, "done", 5000) == "Cell 3 done: 5000 lines of output, not read aloud."
    assert summary(3, "failed", 1) == "Cell 3 failed: its output is long, not read aloud."
