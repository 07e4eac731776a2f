"""What a tab that is closed leaves to the next one."""

from __future__ import annotations

from typing import Any

import left
from tests.unit.notebooks import Storage


def notebook(title: str, **versions: int) -> dict[str, Any]:
    """One that holds these writers' changes."""
    return {"title": title, "versions": versions, "cells": []}


def test_it_is_taken_once() -> None:
    store = Storage()
    left.leave(store, "hello", notebook("mine", a=1))
    assert left.take(store, "other") is None
    assert left.take(store, "hello") == notebook("mine", a=1)
    assert left.take(store, "hello") is None


def test_what_knows_all_of_it_takes_its_place() -> None:
    store = Storage()
    left.leave(store, "hello", notebook("older", a=1))
    left.leave(store, "hello", notebook("newer", a=2))
    assert left.take(store, "hello") == notebook("newer", a=2)
    assert left.take(store, "hello") is None


def test_of_two_that_lack_something_of_each_other_both_stay() -> None:
    store = Storage()
    left.leave(store, "hello", notebook("one", a=1))
    left.leave(store, "hello", notebook("two", b=1))
    assert left.take(store, "hello") == notebook("one", a=1)
    assert left.take(store, "hello") == notebook("two", b=1)


def test_of_a_notebook_that_was_deleted_nothing_comes_back() -> None:
    store = Storage()
    for title, versions in (("one", {"a": 1}), ("two", {"b": 1})):
        left.leave(store, "hello", notebook(title, **versions))
    left.forget(store, "hello")
    assert left.take(store, "hello") is None


def test_what_no_tab_of_ours_has_written_is_passed_over() -> None:
    store = Storage()
    store.keep(left.KEY + "hello", "not JSON")
    store.keep(left.KEY + "hello:2", "[1]")
    assert left.take(store, "hello") is None
    store.keep(left.KEY + "hello", "not JSON")
    left.leave(store, "hello", notebook("mine", a=1))
    assert left.take(store, "hello") == notebook("mine", a=1)


def test_it_can_be_taken_back_while_nobody_has_taken_it() -> None:
    store = Storage()
    given = left.leave(store, "hello", notebook("mine", a=1))
    left.take_back(store, given)
    left.take_back(store, None)
    assert left.take(store, "hello") is None
    given = left.leave(store, "hello", notebook("mine", a=1))
    left.leave(store, "hello", notebook("newer", a=2))
    left.take_back(store, given)
    assert left.take(store, "hello") == notebook("newer", a=2)
