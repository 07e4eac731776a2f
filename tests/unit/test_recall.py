"""What cells find of earlier ones under IPython's names, and what of it is kept for how long."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

import recall
from recall import Recall, size_of


class Notebook:
    """Cells that ran in one namespace: each is its source and its value."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.count = 0
        self._recall = Recall(self.names)

    def run(self, value: object = None, source: str = "", **sets: object) -> None:
        """One more cell, which ``sets`` variables and comes to its value."""
        self.count += 1
        self._recall.entered(self.count, source)
        self.names.update(sets)
        if value is not None:
            self._recall.gave(self.count, value, size_of(value))

    def get(self, *names: str) -> list[Any]:
        return [self.names.get(name) for name in names]


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def test_a_new_notebook_has_them_empty(notebook: Notebook) -> None:
    assert notebook.get("_", "__", "___", "_i", "_ii", "_iii") == [""] * 6
    assert notebook.get("In", "Out") == [[""], {}]
    assert notebook.names["_ih"] is notebook.names["In"]
    assert notebook.names["_oh"] is notebook.names["Out"]


def test_the_last_three_values_and_each_by_its_count(notebook: Notebook) -> None:
    for value in ("a", "b", None, "d", "e"):
        notebook.run(value)
    assert notebook.get("_", "__", "___") == ["e", "d", "b"]
    assert notebook.names["Out"] == {1: "a", 2: "b", 4: "d", 5: "e"}
    assert notebook.get("_1", "_3", "_5") == ["a", None, "e"]


def test_sources_are_there_while_their_cell_runs(notebook: Notebook) -> None:
    for source in ("one", "two\n", "three", "four\n\n"):
        notebook.run(source=source)
    assert notebook.names["In"] == ["", "one", "two", "three", "four"]
    assert notebook.get("_i", "_ii", "_iii") == ["three", "two", "one"]
    assert notebook.get("_i1", "_i4", "_i5") == ["one", "four", None]


def test_out_as_a_value_does_not_hold_itself(notebook: Notebook) -> None:
    notebook.run("a")
    notebook.run(notebook.names["Out"])
    assert notebook.names["Out"] == {1: "a"}
    assert notebook.get("_", "_2") == ["a", None]


@pytest.mark.parametrize("name", ["_", "__", "___"])
def test_what_the_user_has_set_stays_until_it_is_deleted(notebook: Notebook, name: str) -> None:
    notebook.run("a")
    notebook.run("b", **{name: "mine"})
    notebook.run("c")
    assert notebook.names[name] == "mine"
    assert notebook.names["Out"] == {1: "a", 2: "b", 3: "c"}
    del notebook.names[name]
    notebook.run("d")
    assert notebook.get("_", "__", "___") == ["d", "c", "b"]


def test_a_translation_that_gettext_has_installed_is_seen(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook.run("a")
    monkeypatch.setattr(builtins, "_", str.upper, raising=False)
    notebook.run("b")
    assert "_" not in notebook.names
    monkeypatch.setattr(builtins, "_", "what doctest leaves there")
    notebook.run("c")
    assert notebook.get("_", "__", "___") == ["c", "b", "a"]


def test_only_so_many_are_kept(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "MOST", 3)
    notebook.run("a", "one")
    notebook.run("b", "two", _1="mine")
    for _ in range(3):
        notebook.run("x", "more")
    assert notebook.names["Out"] == {3: "x", 4: "x", 5: "x"}
    assert notebook.names["In"] == ["", "", "", "more", "more", "more"]
    assert notebook.get("_1", "_2", "_i1", "_i2", "_i3") == ["mine", None, None, None, "more"]


def test_large_values_go_sooner_and_the_last_one_stays(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "MOST_BYTES", 10_000)
    notebook.run("small")
    for letter in "abc":
        notebook.run(letter * 4_000)
    assert list(notebook.names["Out"]) == [3, 4]
    notebook.run("d" * 20_000)
    assert list(notebook.names["Out"]) == [5]
    assert notebook.get("_4", "_5") == [None, "d" * 20_000]


def test_what_the_user_takes_out_counts_no_more(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "MOST_BYTES", 10_000)
    for letter in "ab":
        notebook.run(letter * 4_000)
    del notebook.names["Out"][1]
    notebook.run("c" * 4_000)
    assert list(notebook.names["Out"]) == [2, 3]


def test_what_cannot_say_how_large_it_is_counts_as_nothing() -> None:
    class Broken:
        def __sizeof__(self) -> int:
            raise RuntimeError("unbound")

    assert size_of(Broken()) == 0
    assert size_of(b"x" * 1_000) > 1_000
