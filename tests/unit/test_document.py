"""A notebook in the worker: each operation, its refusals, its undoing, and runs of cells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import document as document_module
import history
import operations
from document import Document
from partyline.changes import size
from partyline.replica import Replica
from shapes import MAX_CELLS, MAX_SOURCE, Notebook, Refused, characters, checked, new_cell, new_notebook
from tests.unit.notebooks import TEXT, change, edit, ids, notebook, opened, over_the_wire, saved, texts

RESULT = {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, "execution_count": 1}
STREAM = {"output_type": "stream", "name": "stdout", "text": "one\n"}


def refusal(document: Document, operation: object, original: Notebook | None = None) -> str:
    """The code of the error; and nothing has changed."""
    before, rev = document.whole(), document.rev
    with pytest.raises(Refused) as caught:
        document.apply(operation, original)
    assert (document.whole(), document.rev) == (before, rev)
    assert str(caught.value) == caught.value.message != ""
    return caught.value.code


def ran(document: Document, cell_id: str = "a") -> None:
    """Run the cell, with two outputs."""
    document.queued(cell_id)
    document.started(cell_id)
    document.output(cell_id, {"length": 2, "parts": [{"at": 0, "output": STREAM}, {"at": 1, "output": RESULT}]})
    document.finished(cell_id, "done", 1, 0.5)


def undone(document: Document, *operations: dict[str, Any]) -> None:
    """Do these; undoing restores exactly what was, and doing again what became of it."""
    states = [saved(document)]
    for operation in operations:
        assert document.apply(operation) is not None, operation
        states.append(saved(document))
    for state in reversed(states[:-1]):
        document.apply({"op": "undo"})
        assert saved(document) == state
    for state in states[1:]:
        document.apply({"op": "redo"})
        assert saved(document) == state
    assert document.whole()["redo"] == 0


def test_add_first_between_and_last() -> None:
    document = opened("1", "2")
    document.apply({"op": "add", "id": "x", "after": None, "type": "code"})
    document.apply({"op": "add", "id": "y", "after": "a", "type": "markdown", "source": "# é\r\nb\rc"})
    document.apply({"op": "add", "id": "z", "after": "b", "type": "raw"})
    assert ids(document) == "x a y b z"
    assert document.cell("y")["source"] == "# é\nb\nc"
    assert document.cell("y")["type"] == "markdown"
    undone(document, {"op": "add", "id": "w", "after": "z", "type": "code", "source": "1"})


def test_whoever_adds_a_cell_can_edit_it_at_once() -> None:
    document = opened("a")
    document.apply({"op": "edit", "cell": "a", "version": 0, "changes": [[1, "x"]], "author": "one"})
    document.apply({"op": "add", "id": "b", "after": "a", "type": "code", "source": "1"})
    document.apply({"op": "edit", "cell": "b", "version": 0, "changes": [1, [0, "2"]], "author": "one"})
    assert document.cell("b")["source"] == "12"


def test_delete_and_move() -> None:
    document = opened("1", "2", "3", "4")
    ran(document, "b")
    undone(document, {"op": "delete", "cells": ["d", "b", "a"]}, {"op": "delete", "cells": ["c"]})
    assert ids(document) == ""
    for _ in range(2):
        document.apply({"op": "undo"})
    undone(document, {"op": "move", "cell": "a", "after": "d"}, {"op": "move", "cell": "d", "after": None})
    assert ids(document) == "d b c a"
    assert document.apply({"op": "move", "cell": "c", "after": "b"}) is None  # it stands there


def test_split_as_jupyter_does() -> None:
    document = opened("one\n\n\ntwo")
    ran(document)
    undone(document, {"op": "split", "cell": "a", "at": 4, "id": "b"})
    assert texts(document) == ["one", "two"]
    first, second = document.cells
    assert (first["outputs"], first["count"], first["state"]) == ([], None, "idle")
    assert (second["outputs"], second["count"], second["state"]) == ([STREAM, RESULT], 1, "done")


@pytest.mark.parametrize(("at", "head", "tail"), [(0, "", "😀b"), (1, "", "😀b"), (2, "😀", "b"), (3, "😀b", "")])
def test_split_counts_utf16_and_parts_no_character(at: int, head: str, tail: str) -> None:
    document = opened("😀b")
    document.apply({"op": "split", "cell": "a", "at": at, "id": "b"})
    assert texts(document) == [head, tail]


@given(TEXT, st.integers(-2, 30))
def test_characters_are_counted_whole(text: str, units: int) -> None:
    count = characters(text, units)
    assert size(text[:count]) <= max(0, units)
    assert count == len(text) or size(text[: count + 1]) > units


def test_what_runs_is_left_to_its_kernel() -> None:
    document = opened("one\ntwo", "three")
    document.started("a")
    document.output("a", {"length": 1, "parts": [{"at": 0, "output": STREAM}]})
    document.apply({"op": "split", "cell": "a", "at": 3, "id": "c"})
    document.apply({"op": "merge", "cells": ["a", "c", "b"]})
    assert refusal(document, {"op": "type", "cell": "a", "type": "markdown"}) == "running"
    document.apply({"op": "undo"})
    document.apply({"op": "undo"})
    document.output("a", {"length": 1, "parts": [{"at": 0, "keep": 3, "text": " more\n"}]})
    document.finished("a", "done", 1, 0.1)
    assert document.cell("a")["outputs"] == [{**STREAM, "text": "one more\n"}]
    assert document.cell("a")["state"] == "done"


def test_what_runs_can_be_cleared_and_goes_on() -> None:
    document = opened("one")
    document.started("a")
    document.output("a", {"length": 1, "parts": [{"at": 0, "output": STREAM}]})
    assert document.apply({"op": "clear", "cells": None}) is not None
    assert (document.cell("a")["outputs"], document.cell("a")["state"]) == ([], "running")
    assert document.apply({"op": "clear", "cells": None}) is None


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_runs_stays_so_when_the_notebook_becomes_another_one(state: str) -> None:
    """Its text is another one by then; what it puts out is shown, and how it ends."""
    document = opened("mine", "gone")
    kept = over_the_wire(document.whole())
    for cell in document.cells:
        document.started(cell["id"])
        document.output(cell["id"], {"length": 1, "parts": [{"at": 0, "output": STREAM}]})
        if state == "queued":
            document.queued(cell["id"])
    original = notebook("original")
    original["cells"][0]["outputs"] = [RESULT]
    document.apply({"op": "reset"}, original)
    assert texts(document) == ["original"]
    for becomes in (lambda: document.apply({"op": "undo"}), lambda: document.bring_back(kept)):
        assert (document.cell("a")["state"], document.cell("a")["outputs"]) == (state, [STREAM])
        assert becomes() is not None
        assert [cell["state"] for cell in document.cells] == [state, "idle"]
    document.finished("a", "done", 1, 0.1)
    document.apply({"op": "undo"})
    assert (document.cell("a")["state"], document.cell("a")["outputs"]) == ("idle", [STREAM])


def test_what_is_no_code_any_more_has_no_run() -> None:
    document = opened("one")
    document.started("a")
    original = notebook("original")
    original["cells"][0]["type"] = "markdown"
    document.apply({"op": "reset"}, original)
    assert document.cell("a")["state"] == "idle"
    delta = {"length": 1, "parts": [{"at": 0, "output": STREAM}]}
    for does in (lambda: document.output("a", delta), lambda: document.finished("a", "done", 1, 0.1)):
        with pytest.raises(Refused) as caught:
            does()
        assert caught.value.code == "no_code"
    assert document.cell("a")["outputs"] == []


def test_undo_of_a_type_waits_for_the_run() -> None:
    document = opened("1")
    document.apply({"op": "type", "cell": "a", "type": "markdown"})
    document.apply({"op": "type", "cell": "a", "type": "code"})
    document.queued("a")
    assert refusal(document, {"op": "undo"}) == "running"
    document.idle("a")
    document.apply({"op": "undo"})
    assert document.cell("a")["type"] == "markdown"


def test_merge_gathers_texts_and_attachments() -> None:
    cells = [new_cell(name, "markdown", name * 2) for name in "abc"]
    cells[0]["extra"] = {"attachments": {"1.png": {"image/png": "first"}}}
    cells[2]["extra"] = {"attachments": {"1.png": {"image/png": "second"}, "2.png": {}}, "more": 1}
    document = Document(new_notebook("hello", cells), "w")
    undone(document, {"op": "merge", "cells": ["a", "b", "c"]})
    assert texts(document) == ["aa\n\nbb\n\ncc"]
    assert document.cell("a")["extra"] == {"attachments": {"1.png": {"image/png": "first"}, "2.png": {}}}


def test_types() -> None:
    cell = {**new_cell("a", "markdown", "# x"), "metadata": {"tags": ["t"]}}
    cell["extra"] = {"attachments": {"1.png": {}}, "outputs": "odd", "kept": True}
    document = Document(new_notebook("hello", [cell]), "w")
    undone(document, {"op": "type", "cell": "a", "type": "raw"}, {"op": "type", "cell": "a", "type": "code"})
    assert document.cell("a")["extra"] == {"kept": True}
    assert document.cell("a")["metadata"] == {"tags": ["t"]}
    ran(document)
    undone(document, {"op": "type", "cell": "a", "type": "markdown"})
    assert document.cell("a")["outputs"] == []
    assert document.apply({"op": "type", "cell": "a", "type": "markdown"}) is None


def test_undo_keeps_what_was_typed_since() -> None:
    document = opened("one\ntwo\nthree", "four")
    document.apply({"op": "merge", "cells": ["a", "b"]})
    edit(document, "a", "ONE\ntwo\nthree\n\nfour\nfive")
    document.apply({"op": "undo"})
    assert texts(document) == ["ONE\ntwo\nthree", "four\nfive"]
    document.apply({"op": "redo"})
    assert texts(document) == ["ONE\ntwo\nthree\n\nfour\nfive"]

    document = opened("one\ntwo")
    document.apply({"op": "split", "cell": "a", "at": 4, "id": "b"})
    edit(document, "b", "two\nTHREE")
    document.apply({"op": "undo"})
    assert texts(document) == ["one\ntwo\nTHREE"]
    document.apply({"op": "redo"})
    assert texts(document) == ["one", "two\nTHREE"]


@given(st.lists(TEXT, min_size=2, max_size=3), TEXT)
def test_undo_of_a_merge_loses_nothing_that_was_typed(sources: list[str], typed: str) -> None:
    document = opened(*sources)
    document.apply({"op": "merge", "cells": ids(document).split()})
    edit(document, "a", typed)
    document.apply({"op": "undo"})
    assert "".join(texts(document)).replace("\n", "") == typed.replace("\n", "")


def test_reset_goes_back_to_the_original_and_can_be_undone() -> None:
    original = notebook("lesson", name="other")
    original["metadata"] = {"lesson": {"number": 3}}
    document = opened("mine", "more")
    ran(document, "b")
    before = saved(document)
    assert refusal(document, {"op": "reset"}) == "no_original"
    document.apply({"op": "reset"}, original)
    assert saved(document) == {**saved(Document(original, "w")), "name": "hello"}
    document.apply({"op": "undo"})
    assert saved(document) == before


def test_a_late_edit_of_a_text_that_was_replaced_never_fits() -> None:
    document = opened("same")
    late = {"op": "edit", "cell": "a", "changes": change("same", 0, 4, "late"), "author": "tab"}
    versions = [document.cell("a")["version"]]
    for operation in [{"op": "reset"}, {"op": "undo"}, {"op": "delete", "cells": ["a"]}, {"op": "undo"}]:
        document.apply(operation, notebook("same"))
        if document.cells:
            assert all(refusal(document, {**late, "version": version}) == "stale" for version in versions)
            versions.append(document.cell("a")["version"])
    assert len(set(versions)) == 4


def test_edits_are_taken_in_turn_and_can_be_pulled() -> None:
    document = opened("a😀")
    told = edit(document, "a", "b", author="one")
    assert told == {
        "rev": 1,
        "steps": [
            {"step": "text", "cell": "a", "version": 0, "changes": [0, [3, "b"], 0], "author": "one"},
        ],
        "undo": 0,
        "redo": 0,
        "writer": "w",
    }
    assert document.pull("a", 0) == {
        "cell": "a",
        "version": 1,
        "updates": [{"changes": [0, [3, "b"], 0], "author": "one"}],
    }
    assert document.pull("a", 1) == {"cell": "a", "version": 1, "updates": []}
    for version in (-1, 2, None, "0"):
        assert document.pull("a", version) == {"cell": "a", "version": 1, "source": "b"}
    stale = {"op": "edit", "cell": "a", "version": 0, "changes": [[3]], "author": "two"}
    assert refusal(document, stale) == "stale"


def test_who_is_too_far_behind_gets_the_text() -> None:
    document = opened("")
    for number in range(210):
        edit(document, "a", str(number))
    assert len(document.pull("a", 10)["updates"]) == 200
    assert document.pull("a", 9) == {"cell": "a", "version": 210, "source": "209"}
    edit(document, "a", "x" * 600_000)
    edit(document, "a", "y" * 600_000)
    assert len(document.pull("a", 211)["updates"]) == 1
    assert "source" in document.pull("a", 210)


def test_clear_is_for_cells_or_all() -> None:
    document = opened("1", "2")
    ran(document, "a")
    ran(document, "b")
    document.queued("b")
    document.apply({"op": "clear", "cells": ["b"]})
    assert (document.cell("b")["outputs"], document.cell("b")["state"]) == ([], "queued")
    assert document.cell("a")["count"] == 1
    document.apply({"op": "clear", "cells": None})
    assert (document.cell("a")["outputs"], document.cell("a")["count"], document.cell("a")["state"]) == (
        [],
        None,
        "idle",
    )
    assert document.apply({"op": "clear", "cells": None}) is None


def test_only_what_a_file_holds_counts_as_edited() -> None:
    document = opened("1")
    document.queued("a")
    assert (document.rev, document.edited) == (1, 0)
    document.started("a")  # its outputs, gone, were none: that is no change of the file
    edit(document, "a", "2")
    assert document.edited == document.rev
    document.finished("a", "done", 1, 0.1)
    assert document.edited == document.rev
    assert document.queued("a") is not None
    assert document.queued("a") is None


def test_what_is_refused() -> None:
    document = opened("one", "two", "three")
    for operation, code in [
        (None, "bad_operation"),
        ({"op": 1}, "bad_operation"),
        ({"op": "output", "cell": "a"}, "bad_operation"),
        ({"op": "add", "id": "a", "type": "code"}, "id_taken"),
        ({"op": "add", "id": "a b", "type": "code"}, "bad_id"),
        ({"op": "add", "id": "x" * 65, "type": "code"}, "bad_id"),
        ({"op": "add", "type": "code"}, "bad_id"),
        ({"op": "add", "id": "x", "type": "heading"}, "bad_type"),
        ({"op": "add", "id": "x", "type": "code", "source": 1}, "bad_operation"),
        ({"op": "add", "id": "x", "type": "code", "source": "x" * (MAX_SOURCE + 1)}, "too_long"),
        ({"op": "add", "id": "x", "type": "code", "after": "gone"}, "no_cell"),
        ({"op": "add", "id": "x", "type": "code", "after": ["a"]}, "no_cell"),
        ({"op": "delete", "cells": []}, "bad_operation"),
        ({"op": "delete", "cells": "a"}, "bad_operation"),
        ({"op": "delete", "cells": ["a", "a"]}, "bad_operation"),
        ({"op": "delete", "cells": ["a", "gone"]}, "no_cell"),
        ({"op": "move", "cell": "a", "after": "a"}, "bad_operation"),
        ({"op": "split", "cell": "a", "at": 4, "id": "x"}, "bad_offset"),
        ({"op": "split", "cell": "a", "at": True, "id": "x"}, "bad_offset"),
        ({"op": "merge", "cells": ["a"]}, "not_neighbours"),
        ({"op": "merge", "cells": ["a", "c"]}, "not_neighbours"),
        ({"op": "merge", "cells": ["b", "a"]}, "not_neighbours"),
        ({"op": "edit", "cell": "a", "changes": [3], "author": "t"}, "bad_operation"),
        ({"op": "edit", "cell": "a", "version": 0, "changes": [3]}, "bad_operation"),
        ({"op": "undo"}, "nothing_to_undo"),
        ({"op": "redo"}, "nothing_to_undo"),
    ]:
        assert refusal(document, operation) == code, operation
    for changes in (None, {}, [2], [4], [-1, 4], [[3, 1]], [[3, "a\nb"]], [[3, "\r"]], [[3, "\ud83d"]], [["3"]], [[]]):
        operation = {"op": "edit", "cell": "a", "version": 0, "changes": changes, "author": "t"}
        assert refusal(document, operation) == "bad_edit", changes
    long = {"op": "edit", "cell": "a", "version": 0, "changes": [3, [0, "x" * MAX_SOURCE]], "author": "t"}
    assert refusal(document, long) == "too_long"
    with pytest.raises(Refused):
        document.started("gone")


def test_a_notebook_has_room_for_so_many_cells() -> None:
    cells = [new_cell(f"c{number}", source="x") for number in range(MAX_CELLS)]
    document = Document(new_notebook("hello", cells), "w")
    assert refusal(document, {"op": "add", "id": "x", "type": "code"}) == "too_many_cells"
    assert refusal(document, {"op": "split", "cell": "c1", "at": 0, "id": "x"}) == "too_many_cells"
    document = opened("x" * 600_000, "y" * 600_000)
    assert refusal(document, {"op": "merge", "cells": ["a", "b"]}) == "too_long"


def test_what_is_kept_for_undo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    document = opened("1")
    for _ in range(history.MAX_ENTRIES + 10):
        document.apply({"op": "type", "cell": "a", "type": "markdown"})
        document.apply({"op": "type", "cell": "a", "type": "code"})
    assert document.whole()["undo"] == history.MAX_ENTRIES
    monkeypatch.setattr(history, "MAX_CHARACTERS", 1000)
    document = opened("1" * 700, "2" * 700)
    document.apply({"op": "delete", "cells": ["a"]})
    document.apply({"op": "delete", "cells": ["b"]})
    assert document.whole()["undo"] == 1


def test_a_new_worker_takes_what_a_tab_knew_of_later() -> None:
    document = opened("one", "two")
    kept_by_shelf = over_the_wire(document.whole())
    edit(document, "a", "ONE")
    document.started("a")
    document.queued("b")
    kept_by_tab = over_the_wire(document.whole())

    new = Document(kept_by_shelf, "later")
    behind = Replica()
    behind.whole(over_the_wire(new.whole()))
    told = new.adopt(kept_by_tab)
    assert told is not None
    assert told["rev"] == new.rev == kept_by_tab["rev"] + 1
    assert texts(new) == ["ONE", "two"]
    assert [cell["state"] for cell in new.cells] == ["idle", "idle"]
    assert behind.take(over_the_wire(told))
    assert behind.notebook == over_the_wire(new.whole())
    assert new.adopt(kept_by_tab) is None
    assert new.edited == new.rev
    assert new.versions == kept_by_tab["versions"], "nothing was written here"

    edit(new, "b", "TWO")
    assert new.versions == {"w": kept_by_tab["versions"]["w"], "later": new.rev}
    edit(document, "a", "lost?")
    assert new.adopt(over_the_wire(document.whole())) is None, "it lacks what was written here"
    assert texts(new) == ["ONE", "TWO"]
    assert new.adopt(kept_by_shelf) is None


def test_undo_and_reset_forget_no_version() -> None:
    document = opened("one")
    for operation in ({"op": "reset"}, {"op": "undo"}):
        document.apply(operation, notebook("original"))
        assert document.versions == {"w": document.rev}


def test_what_was_there_before_a_reset_is_brought_back() -> None:
    document = opened("mine", "too")
    before = over_the_wire(document.whole())
    document.apply({"op": "reset"}, notebook("original"))
    edit(document, "a", "new")
    later = Document(over_the_wire(document.whole()), "later")  # which has no history
    told = later.bring_back(before)
    assert told is not None
    assert texts(later) == ["mine", "too"]
    assert later.versions == {"w": document.rev, "later": later.rev}
    later.apply({"op": "undo"})
    assert texts(later) == ["new"]


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        {"cells": []},
        {"rev": "9"},
        {"metadata": []},
        {"cells": [{}]},
        {"cells": [new_cell("a"), new_cell("a")]},
        {"cells": [new_cell("a b")]},
        {"cells": [{**new_cell("a"), "type": "heading"}]},
        {"cells": [{**new_cell("a"), "outputs": [1]}]},
        {"cells": [{**new_cell("a"), "source": "a\rb"}]},
        {"cells": [{**new_cell("a"), "state": "odd"}]},
        {"cells": [{**new_cell("a"), "count": "1"}]},
    ],
)
def test_what_a_tab_kept_is_looked_at(spoilt: Any) -> None:
    document = opened("one")
    before = document.whole()
    whole = {**notebook("x"), "rev": 9, **spoilt} if spoilt and spoilt != {"cells": []} else spoilt
    with pytest.raises(Refused) as caught:
        document.adopt(whole)
    assert caught.value.code == "bad_notebook"
    assert document.whole() == before


def test_the_docs_of_the_operations_name_all() -> None:
    document = opened("one")
    for name in document._operations:
        assert f'"op": "{name}"' in (document_module.__doc__ or ""), name
    assert operations.Operation({"op": "reset"}, document.cell).name == "reset"


def test_a_notebook_that_gets_another_name_is_of_the_same_lesson() -> None:
    """Whatever takes its place, also what it was when it had the other name; and when it is read again."""
    document = opened("1")
    assert document.lesson == "hello"
    assert document.apply({"op": "reset"}, notebook("original")) is not None
    document.rename("hello-2")
    document.rename("hello-3")
    document.apply({"op": "undo"})
    document.bring_back(notebook("before"))
    kept = notebook("kept")
    kept["versions"] = {**document.versions, "another": 9}
    assert document.adopt(over_the_wire(kept)) is not None
    assert texts(document) == ["kept"]
    whole = document.whole()
    assert (whole["name"], document.lesson) == ("hello-3", "hello")
    assert Document(checked({**over_the_wire(whole), "name": "hello-4"}), "w2").lesson == "hello"


@pytest.mark.parametrize("lesson", ["../ws", "", 5, None, "x" * 61])
def test_what_cannot_be_a_lesson_is_none(lesson: object) -> None:
    """Whoever made the copy."""
    assert Document(checked({**notebook("1"), "lesson": lesson}), "w").lesson == "hello"
