"""What a tab ordered, until the worker answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from document import Document
from early import Early
from partyline.replica import Replica
from shapes import Refused
from tests.unit.notebooks import opened, over_the_wire


def cell(cell_id: str, **fields: Any) -> dict[str, Any]:
    """A cell as the worker tells of it."""
    told = {"id": cell_id, "type": "code", "source": "", "outputs": ["the worker's"], "count": 1}
    return {**told, "state": "done", "duration": 0.5, **fields}


def put(cell_id: str) -> dict[str, Any]:
    """The worker's change that makes a cell."""
    return {"steps": [{"step": "put", "after": None, "cell": cell(cell_id)}]}


def added(cell_id: str, after: str | None, kind: str = "code", source: str = "") -> dict[str, Any]:
    return {"op": "add", "id": cell_id, "after": after, "type": kind, "source": source}


def typed(cell_id: str, kind: str) -> dict[str, Any]:
    return {"op": "type", "cell": cell_id, "type": kind}


def deleted(*ids: str) -> dict[str, Any]:
    return {"op": "delete", "cells": list(ids)}


def moved(cell_id: str, after: str | None) -> dict[str, Any]:
    return {"op": "move", "cell": cell_id, "after": after}


def ordered(*ops: dict[str, Any]) -> Early:
    """All these were ordered."""
    early = Early()
    for op in ops:
        early.order(op)
    return early


def ids(cells: list[dict[str, Any]]) -> str:
    """Their order."""
    return " ".join(each["id"] for each in cells)


def types(cells: list[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in cells]


def test_a_cell_is_there_at_once_where_it_was_added() -> None:
    """After the cell that was named, or first."""
    early = ordered(added("new", "a", source="1"), added("first", None, "markdown"))
    shown = early.shown([cell("a"), cell("b")])
    assert ids(shown) == "first a new b"
    assert shown[2]["source"] == "1"
    assert shown[0]["type"] == "markdown"


def test_one_added_after_another_that_is_early_itself() -> None:
    """Both are there, in their order."""
    assert ids(ordered(added("one", "a"), added("two", "one")).shown([cell("a")])) == "a one two"


def test_a_cell_whose_neighbour_is_gone_waits_for_the_worker() -> None:
    """Another tab deleted it; where the cell stands is the worker's to say."""
    assert ids(ordered(added("new", "gone")).shown([cell("a")])) == "a"


def test_what_was_refused_is_not_shown() -> None:
    """The worker said no."""
    there = [cell("a"), cell("b")]
    for op in (added("new", None), deleted("a"), typed("a", "markdown"), moved("a", "b")):
        early = ordered(op)
        assert early.shown(there) != there
        early.answered(op, refused=True, lacking=False)
        assert early.shown(there) is there


def test_the_last_type_that_was_ordered_counts() -> None:
    """Answers to what was ordered before, and what the worker tells of it, change nothing of that."""
    ops = [typed("a", "markdown"), typed("a", "code"), typed("a", "markdown")]
    early = ordered(*ops)
    there = [cell("a")]
    for op in ops:
        assert types(early.shown(there)) == ["markdown"]
        there = [cell("a", type=op["type"])]
        early.told({"steps": [{"step": "set", "cell": "a", "fields": {"type": op["type"]}}]})
        assert types(early.shown(there)) == ["markdown"]
        early.answered(op, refused=False, lacking=False)
    assert early.shown(there) is there


def test_prose_has_nothing_of_a_run() -> None:
    (shown,) = ordered(typed("a", "markdown")).shown([cell("a")])
    assert (shown["outputs"], shown["count"], shown["state"], shown["duration"]) == ([], None, "idle", None)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_cell_that_runs_stays_what_it_is(state: str) -> None:
    """The worker refuses that, and says why."""
    there = [cell("a", state=state)]
    assert ordered(typed("a", "markdown")).shown(there) == there


def test_a_new_cell_becomes_another_type_and_goes() -> None:
    """Each as soon as it was ordered."""
    early = ordered(added("new", "a"), typed("new", "markdown"))
    assert types(early.shown([cell("a")])) == ["code", "markdown"]
    early.order(deleted("new"))
    assert ids(early.shown([cell("a")])) == "a"


def test_what_stands_beside_a_deleted_cell_finds_its_place() -> None:
    """It was ordered while that one was there."""
    assert ids(ordered(added("new", "a"), deleted("a")).shown([cell("a"), cell("b")])) == "new b"


def test_a_deleted_cell_that_another_tab_has_back_is_shown() -> None:
    op = deleted("a")
    early = ordered(op)
    assert early.shown([cell("a")]) == []
    early.told({"steps": [{"step": "drop", "cell": "a"}]})
    early.answered(op, refused=False, lacking=False)
    assert ids(early.shown([cell("a")])) == "a"


def test_a_move_is_told_by_what_was_ordered_before() -> None:
    """Past a cell that was moved itself, and not past one that is gone, or itself."""
    there = [cell("a"), cell("b"), cell("c")]
    assert ids(ordered(moved("a", "b"), moved("a", "c")).shown(there)) == "b c a"
    assert ids(ordered(moved("c", None), moved("b", "c")).shown(there)) == "c b a"
    assert ids(ordered(moved("a", "gone"), moved("gone", None), moved("a", "a")).shown(there)) == "a b c"


def test_what_undo_brings_is_not_guessed() -> None:
    op = {"op": "undo"}
    early, there = ordered(op), [cell("a")]
    assert early.undoes
    assert early.shown(there) == there
    early.answered(op, refused=False, lacking=False)
    assert not early.undoes


def test_a_cell_that_was_taken_and_deleted_does_not_come_back() -> None:
    """Its change was missed, and the whole notebook is told anew, without it."""
    op = added("new", None)
    early = ordered(op)
    early.answered(op, refused=False, lacking=True)
    assert ids(early.shown([])) == "new"
    early.told(None)
    assert early.shown([]) == []


@given(st.permutations(["answer", "put", "whole"]))
def test_whatever_comes_first_the_cell_is_there_once(order: list[str]) -> None:
    """The whole notebook may be on its way, and have it; the worker's cell replaces the early one."""
    op = added("new", "a")
    early, there = ordered(op), [cell("a")]
    for what in order:
        if what == "answer":
            early.answered(op, refused=False, lacking="whole" in order[order.index("answer") :])
        else:  # the worker made it before it told of it
            there = [cell("a"), cell("new")]
            early.told(put("new") if what == "put" else None)
        assert ids(early.shown(there)) == "a new"
    assert early.shown(there)[1]["outputs"] == ["the worker's"]


NEW = [f"new{number}" for number in range(8)]  # no id is ever another cell's
KIND, CELL = st.sampled_from(["code", "markdown"]), st.sampled_from(["a", "b", "c", *NEW[:3]])
OPERATION = st.one_of(
    st.builds(added, st.just(""), st.none() | CELL, KIND),
    st.builds(deleted, CELL),
    st.builds(moved, CELL, st.none() | CELL),
    st.builds(typed, CELL, KIND),
)


@given(st.lists(OPERATION, max_size=8), st.data())
def test_what_is_shown_is_what_comes_of_it(ops: list[dict[str, Any]], data: st.DataObject) -> None:
    """At once, and at any time while the worker tells of it and answers.

    Operations that the worker refuses are not ordered here: what builds on them is refused, too.
    """
    document, sure = opened("1", "2", "3"), opened("1", "2", "3")
    replica, early = Replica(), Early()
    replica.whole(over_the_wire(document.whole()))
    waiting: list[dict[str, Any]] = []

    def worker_does_one() -> None:
        op = waiting.pop(0)
        change = document.apply(op)
        if change is not None:
            for taken in replica.take(over_the_wire(change)):
                early.told(taken)
            assert look(early.shown(replica.cells)) == look(sure.cells)
        early.answered(op, refused=False, lacking=replica.lacking)

    new = iter(NEW)
    for asked in ops:
        op = {**asked, "id": next(new)} if asked["op"] == "add" else asked
        if takes(sure, op):
            early.order(op)
            waiting.append(op)
        while waiting and data.draw(st.booleans()):
            worker_does_one()
        assert look(early.shown(replica.cells)) == look(sure.cells)
    while waiting:
        worker_does_one()
        assert look(early.shown(replica.cells)) == look(sure.cells)
    assert early.shown(replica.cells) is replica.cells


def takes(document: Document, op: dict[str, Any]) -> bool:
    """Have it done; whether it was."""
    try:
        document.apply(op)
    except Refused:
        return False
    return True


def look(cells: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What is seen of cells."""
    return [(each["id"], each["type"]) for each in cells]
