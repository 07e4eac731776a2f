"""Cells that a tab added, until the worker tells of them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from early import Early


def cell(cell_id: str) -> dict[str, Any]:
    """A cell as the worker tells of it."""
    return {"id": cell_id, "type": "code", "source": "", "outputs": ["the worker's"]}


def put(cell_id: str) -> dict[str, Any]:
    """The worker's change that makes a cell."""
    return {"steps": [{"step": "put", "after": None, "cell": cell(cell_id)}]}


def ids(cells: list[dict[str, Any]]) -> list[str]:
    """Their order."""
    return [each["id"] for each in cells]


def test_a_cell_is_there_at_once_where_it_was_added() -> None:
    """After the cell that was named, or first."""
    early = Early()
    early.add("new", "a", "code", "1")
    early.add("first", None, "markdown", "")
    shown = early.shown([cell("a"), cell("b")])
    assert ids(shown) == ["first", "a", "new", "b"]
    assert shown[2]["source"] == "1"
    assert shown[0]["type"] == "markdown"


def test_one_added_after_another_that_is_early_itself() -> None:
    """Both are there, in their order."""
    early = Early()
    early.add("one", "a", "code", "")
    early.add("two", "one", "code", "")
    assert ids(early.shown([cell("a")])) == ["a", "one", "two"]


def test_a_cell_whose_neighbour_is_gone_waits_for_the_worker() -> None:
    """Another tab deleted it; where the cell stands is the worker's to say."""
    early = Early()
    early.add("new", "gone", "code", "")
    assert ids(early.shown([cell("a")])) == ["a"]


def test_a_refused_cell_is_gone() -> None:
    """The worker said no."""
    early = Early()
    early.add("new", None, "code", "")
    early.forget("new")
    assert early.shown([]) == []


def test_a_cell_that_was_taken_and_deleted_does_not_come_back() -> None:
    """The whole notebook was told anew meanwhile, without it."""
    early = Early()
    early.add("new", None, "code", "")
    early.taken("new")
    early.told(None)
    assert early.shown([]) == []


@given(st.permutations(["answer", "put", "whole"]))
def test_whatever_comes_first_the_cell_is_there_once(order: list[str]) -> None:
    """The answer, the change and the whole notebook take different ways; the worker's cell replaces the early one."""
    early, there = Early(), [cell("a")]
    early.add("new", "a", "code", "")
    for what in order:
        if what == "answer":
            early.taken("new")
        else:  # the worker made it before it told of it
            there = [cell("a"), cell("new")]
            early.told(put("new") if what == "put" else None)
        assert ids(early.shown(there)) == ["a", "new"]
    assert early.shown(there)[1]["outputs"] == ["the worker's"]
