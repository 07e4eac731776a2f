"""A tab's copy of a notebook: each step, and changes that are late, doubled or lost."""

import json

from partyline.cells import Cells, changed
from partyline.replica import MAX_EARLY, Replica


def cell(cell_id, source=""):
    return {"id": cell_id, "type": "code", "source": source, "version": 0, "outputs": [], "state": "idle"}


def notebook(*cells, rev=0):
    return {"name": "hello", "rev": rev, "cells": list(cells), "undo": 0, "redo": 0, "versions": {}}


def over_the_wire(value):
    return json.loads(json.dumps(value))


def ids(cells):
    return [each["id"] for each in cells]


def change(rev, *steps):
    return over_the_wire({"rev": rev, "steps": list(steps), "undo": rev, "redo": 0, "writer": "w"})


def typed(rev, text):
    """A change that puts a text at the end of cell ``a``, which grows by a character with each."""
    return change(
        rev, {"step": "text", "cell": "a", "version": rev - 1, "changes": [rev - 1, [0, text]], "author": "t"}
    )


def following():
    replica = Replica()
    replica.whole(notebook(cell("a")))
    return replica


def source(replica):
    return replica.cell("a")["source"]


def test_steps_of_structure():
    cells = Cells(notebook(cell("a"), cell("b"), cell("c")))
    cells.apply({"step": "put", "after": None, "cell": cell("x")})
    cells.apply({"step": "put", "after": "b", "cell": cell("y")})
    assert ids(cells.all) == ["x", "a", "b", "y", "c"]
    cells.apply({"step": "drop", "cell": "a"})
    assert cells.get("a") is None
    cells.apply({"step": "place", "cell": "c", "after": None})
    cells.apply({"step": "place", "cell": "x", "after": "y"})
    assert ids(cells.all) == ["c", "b", "y", "x"]
    assert (cells.before("c"), cells.before("x"), cells.place_of("y")) == (None, "y", 2)
    cells.apply({"step": "all", "notebook": notebook(cell("z"))})
    assert ids(cells.all) == ["z"]
    assert cells.get("b") is None


def test_steps_of_a_cell():
    cells = Cells(notebook(cell("a", "one😀")))
    cells.apply({"step": "set", "cell": "a", "fields": {"state": "running", "count": 3}})
    cells.apply({"step": "text", "cell": "a", "version": 4, "changes": [3, [2, "", "two"]], "author": ""})
    assert cells.get("a")["source"] == "one\ntwo"
    assert cells.get("a")["version"] == 5
    assert (cells.get("a")["state"], cells.get("a")["count"]) == ("running", 3)
    part = {"at": 0, "output": {"output_type": "stream", "name": "stdout", "text": "10%"}}
    cells.apply({"step": "output", "cell": "a", "length": 1, "parts": [part]})
    cells.apply({"step": "output", "cell": "a", "length": 1, "parts": [{"at": 0, "keep": 0, "text": "20%"}]})
    assert cells.get("a")["outputs"][0]["text"] == "20%"


def test_outputs_by_what_has_changed():
    one, two, three = [{"text": "é1"}, {"text": "2"}, {"text": "3"}]
    assert changed([], {"length": 2, "parts": [{"at": 0, "output": one}, {"at": 1, "output": two}]}) == [one, two]
    assert changed([one, two], {"length": 1, "parts": []}) == [one]
    assert changed([one, two], {"length": 2, "parts": [{"at": 0, "output": three}]}) == [three, two]
    assert changed([one], {"length": 1, "parts": [{"at": 0, "keep": 1, "text": "x"}]}) == [{"text": "éx"}]
    assert one == {"text": "é1"}
    assert changed([one, two, three], {"length": 1, "parts": [{"at": 0, "output": two}]}) == [two]


def test_a_step_that_is_none_of_ours():
    for step in [{"step": "odd"}, {"step": "drop", "cell": "gone"}, {"step": "set", "cell": "gone", "fields": {}}]:
        try:
            Cells(notebook(cell("a"))).apply(step)
        except (KeyError, ValueError):
            continue
        raise AssertionError(step)


def test_a_whole_is_a_copy():
    cells = Cells(notebook(cell("a", "one")))
    whole = cells.whole()
    cells.apply({"step": "set", "cell": "a", "fields": {"source": "two"}})
    cells.apply({"step": "put", "after": None, "cell": cell("b")})
    assert whole == notebook(cell("a", "one"))


def test_a_new_replica_lacks_all():
    replica = Replica()
    assert (replica.lacking, replica.rev, replica.cells, replica.notebook) == (True, -1, [], None)
    assert replica.cell("a") is None


def test_changes_in_order():
    replica = following()
    assert not replica.lacking
    for rev, text in enumerate("xyz", 1):
        assert replica.take(typed(rev, text)) == [typed(rev, text)]
    assert (source(replica), replica.rev, replica.notebook["undo"]) == ("xyz", 3, 3)


def test_a_change_that_comes_twice_counts_once():
    replica = following()
    replica.take(typed(1, "x"))
    assert replica.take(typed(1, "x")) == []
    assert source(replica) == "x"
    assert not replica.lacking


def test_what_comes_before_the_whole_waits_for_it():
    replica = Replica()
    assert replica.take(typed(1, "x")) == []
    assert replica.take(typed(2, "y")) == []
    assert replica.take(typed(3, "z")) == []
    whole = notebook(cell("a", "x"), rev=1)
    whole["cells"][0]["version"] = 1
    assert replica.whole(whole) == [typed(2, "y"), typed(3, "z")]
    assert (source(replica), replica.rev, replica.lacking) == ("xyz", 3, False)


def test_a_hole_is_seen_and_filled_by_the_whole():
    replica = following()
    assert replica.take(typed(2, "y")) == []
    assert replica.lacking
    assert source(replica) == ""
    replica.take(typed(3, "z"))
    whole = notebook(cell("a", "xy"), rev=2)
    whole["cells"][0]["version"] = 2
    replica.whole(whole)
    assert (source(replica), replica.rev, replica.lacking) == ("xyz", 3, False)


def test_a_whole_that_is_too_old_for_what_waits_leaves_it_lacking():
    replica = following()
    replica.take(typed(3, "z"))
    replica.whole(notebook(cell("a")))
    assert replica.lacking


def test_the_whole_anew_fits_wherever_one_stands():
    replica = following()
    replica.take(typed(5, "x"))
    assert replica.lacking
    all_anew = change(9, {"step": "all", "notebook": notebook(cell("a", "new"))})
    assert replica.take(all_anew) == [all_anew]
    assert (source(replica), replica.rev, replica.lacking) == ("new", 9, False)


def test_another_workers_whole_counts_though_its_rev_is_lower():
    replica = following()
    replica.take(typed(1, "x"))
    replica.whole(notebook(cell("a", "other"), rev=0))
    assert (source(replica), replica.rev) == ("other", 0)


def test_what_waits_is_bounded():
    replica = Replica()
    for rev in range(1, MAX_EARLY + 3):
        replica.take(typed(rev, "x"))
    replica.whole(notebook(cell("a")))
    assert replica.lacking  # the first of them were dropped
