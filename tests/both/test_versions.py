"""Which changes a copy of a notebook holds, and what becomes of two that lack something of each other."""

from partyline.versions import LABEL, MAX_WRITERS, covers, joined, saved_beside


def test_one_copy_has_all_that_another_has():
    assert covers({}, {})
    assert covers({"a": 3}, {})
    assert covers({"a": 3, "b": 4}, {"a": 2})
    assert not covers({}, {"a": 0})
    assert not covers({"a": 3, "b": 4}, {"a": 4})
    assert not covers({"a": 9}, {"b": 1})


def test_a_copy_of_both_has_all_of_both():
    one, other = {"a": 3, "b": 4}, {"a": 5, "c": 1}
    assert joined(one, other) == {"a": 5, "b": 4, "c": 1}
    assert covers(joined(one, other), one)
    assert covers(joined(one, other), other)
    assert one == {"a": 3, "b": 4}


def test_the_oldest_writers_are_forgotten_and_then_a_copy_counts_as_another():
    many = {str(rev): rev for rev in range(MAX_WRITERS)}
    both = joined(many, {"new": 99})
    assert len(both) == MAX_WRITERS
    assert both["new"] == 99
    assert not covers(both, many)
    assert covers(both, {"1": 1})


def cell(cell_id, source, kind="code"):
    return {"id": cell_id, "type": kind, "source": source}


def test_texts_of_one_copy_are_put_below_those_of_the_other():
    ids = iter(["x", "y", "z"])
    mine = [cell("a", "1"), cell("b", "2 mine"), cell("c", "3"), cell("new", "added"), cell("d", "# D", "markdown")]
    theirs = [cell("a", "1"), cell("b", "2"), cell("c", "3 theirs"), cell("d", "# d", "markdown")]
    touched = {"a": 4, "b": 5, "new": 6, "d": 7}
    assert saved_beside(mine, theirs, touched, lambda: next(ids)) == [
        {"op": "add", "id": "x", "after": "b", "type": "code", "source": LABEL + "\n2 mine"},
        {"op": "add", "id": "y", "after": "c", "type": "code", "source": "added"},
        {"op": "add", "id": "z", "after": "d", "type": "markdown", "source": "*" + LABEL[2:] + "*\n\n# D"},
    ]
    assert saved_beside(mine, mine, touched, lambda: next(ids)) == []
