"""Cells put into another order, around the one that has the focus."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from order import moves

NAMES = list("abcdefgh")


def moved(there: list[str], steps: list[tuple[str, str | None]]) -> list[str]:
    """What ``insertBefore`` makes of it."""
    after = list(there)
    for name, below in steps:
        if name in after:
            after.remove(name)
        after.insert(len(after) if below is None else after.index(below), name)
    return after


@given(st.permutations(NAMES), st.integers(0, len(NAMES)), st.sampled_from([*NAMES, None]))
def test_the_order_is_as_wanted_and_one_stays(wanted: list[str], count: int, stays: str | None) -> None:
    """Whatever was there, whatever is new."""
    there = NAMES[:count]
    steps = moves(there, wanted, stays)
    assert moved(there, steps) == wanted
    names = [name for name, _ in steps]
    assert len(set(names)) == len(names), "nothing is moved twice"
    if stays in there:
        assert stays not in names


@given(st.permutations(NAMES), st.sampled_from([*NAMES, None]))
def test_what_stands_right_is_not_moved(wanted: list[str], stays: str | None) -> None:
    """Nothing is, where all stand right; of two neighbours that change places, one is: the one without the focus."""
    assert moves(wanted, wanted, stays) == []
    for at in range(len(wanted) - 1):
        upper, lower = wanted[at : at + 2]
        swapped = [*wanted[:at], lower, upper, *wanted[at + 2 :]]
        for focused, other in ((upper, lower), (lower, upper)):
            assert [name for name, _ in moves(wanted, swapped, focused)] == [other]


def test_new_ones_are_put_in() -> None:
    """Between those that are there."""
    assert moves(["a", "b"], ["x", "a", "y", "b", "z"], "b") == [("z", None), ("y", "b"), ("x", "a")]
