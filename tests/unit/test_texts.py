"""The cells' texts between a tab's editors and the worker, both played here."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from texts import Texts, bring_up


class Editor:
    """What Python sees of js/editor.js."""

    def __init__(self, text: str = "", version: int = 0, unsent: int = 0) -> None:
        self._state = (text, version)
        self.left = unsent
        self.heard: list[tuple[Any, ...]] = []

    def text(self) -> str:
        """As it stands."""
        return self._state[0]

    def version(self) -> int:
        """The worker's, that it stands on."""
        return self._state[1]

    def unsent(self) -> int:
        """How many changes the worker does not know."""
        return self.left

    def refused(self) -> None:
        """A push came too late."""
        self.heard.append(("refused",))

    def receive(self, text: str) -> None:
        """What the worker took."""
        self.heard.append(("receive", json.loads(text)))

    def reset(self, text: str, version: int, keep: object) -> None:
        """Begin anew with this text."""
        self._state = (text, version)
        self.heard.append(("reset", bool(keep)))


class World:
    """A notebook of the cells ``a`` and ``b``, a worker that answers when it is told to, and what came of it."""

    def __init__(self) -> None:
        self.editors = {"a": Editor(), "b": Editor()}
        self.asked: list[tuple[dict[str, Any], Any]] = []
        self.refusals: list[str] = []
        self.touched: list[str] = []
        self.cells = [{"id": "a", "source": "1", "version": 1}, {"id": "b", "source": "2", "version": 2}]
        view = SimpleNamespace(order=["a", "b"], get=lambda name: SimpleNamespace(editor=self.editors[name]))
        self.order = view.order
        remote = SimpleNamespace(
            cells=self.cells,
            apply=lambda operation, answered: self.asked.append((operation, answered)),
            ask=lambda request, answered: self.asked.append((request, answered)),
        )
        self.texts = Texts(remote, view, "me", self.refusals.append, self.touched.append)


@pytest.fixture
def world() -> World:
    """A fresh one."""
    return World()


def test_what_was_typed_is_pushed(world: World) -> None:
    """Meant for the version that the editor stands on."""
    world.texts.push("a", 7, [1, [0, "x"]])
    ((edit, _),) = world.asked
    assert edit == {"op": "edit", "cell": "a", "version": 7, "changes": [1, [0, "x"]], "author": "me"}


def test_a_push_that_came_too_late_is_told_to_the_editor(world: World) -> None:
    """It fetches what it lacks, and pushes anew."""
    world.texts.push("a", 7, [1])
    world.asked.pop()[1](None, "stale", "too late")
    assert world.editors["a"].heard == [("refused",)]
    assert world.refusals == []


def test_what_can_never_be_taken_is_told_and_given_up(world: World) -> None:
    """The user reads why; the editor shows the worker's text, and what shows that text is drawn."""
    world.texts.push("a", 7, [1])
    world.asked.pop()[1](None, "too_long", "A cell may have so much.")
    assert world.refusals == ["A cell may have so much."]
    request, answered = world.asked.pop()
    assert request == {"do": "pull", "cell": "a", "version": None}
    world.touched.clear()
    answered({"source": "the worker's", "version": 9}, "", "")
    assert world.editors["a"].text() == "the worker's"
    assert world.touched == ["a"]


def test_an_answer_about_a_cell_that_is_gone_harms_nothing(world: World) -> None:
    """Another tab deleted it meanwhile."""
    world.texts.push("a", 7, [1])
    world.texts.pull("a", 7)
    world.order.remove("a")
    for _, answered in world.asked:
        answered({"updates": []}, "stale", "")
    assert world.editors["a"].heard == []


def test_an_editor_is_given_what_it_lacks(world: World) -> None:
    """Change by change, or, where the worker cannot say them any more, the whole text."""
    world.texts.pull("a", 7)
    world.asked.pop()[1]({"updates": [{"author": "you", "changes": [1]}]}, "", "")
    assert world.editors["a"].heard == [("receive", {"version": 7, "updates": [{"author": "you", "changes": [1]}]})]
    world.texts.pull("b", 7)
    world.asked.pop()[1]({"source": "all of it", "version": 300}, "", "")
    assert (world.editors["b"].text(), world.editors["b"].version()) == ("all of it", 300)
    assert world.touched == ["a", "b"]


def test_a_change_is_told_to_the_editors_it_concerns(world: World) -> None:
    """Text steps of cells that are here; nothing else is an editor's business."""
    text = {"step": "text", "cell": "b", "version": 2, "changes": [1], "author": "you"}
    world.texts.take({"steps": [text, {"step": "set", "cell": "a", "fields": {}}, {**text, "cell": "gone"}]})
    assert world.editors["a"].heard == []
    assert world.editors["b"].heard == [("receive", {"version": 2, "updates": [{"author": "you", "changes": [1]}]})]


def test_a_whole_notebook_brings_all_editors_up(world: World) -> None:
    """Whoever stands there already is left alone, with the caret and the undo history."""
    world.editors["b"] = Editor("2", 2)
    world.texts.take(None)
    assert (world.editors["a"].text(), world.editors["a"].heard) == ("1", [("reset", False)])
    assert world.editors["b"].heard == []


def test_what_was_typed_alone_is_kept_on_top(world: World) -> None:
    """An editor that holds what the worker does not know tells it anew."""
    editor = Editor("2!", 2, unsent=1)
    bring_up(editor, world.cells[1])
    assert editor.heard == [("reset", True)]


def test_acts_wait_for_the_worker_and_keep_their_order(world: World) -> None:
    """A cell is not run before the worker has its text; nor is what was asked for after that."""
    done: list[str] = []
    world.editors["a"].left = 1
    world.texts.when_told(["a"], lambda: done.append("run a"))
    world.texts.when_told(["b"], lambda: done.append("run b"))
    assert done == []
    world.texts.take({"steps": []})
    assert done == []
    world.editors["a"].left = 0
    world.texts.take({"steps": []})
    assert done == ["run a", "run b"]


def test_a_cell_that_is_deleted_holds_nothing_up(world: World) -> None:
    """What was typed in it goes with it."""
    done: list[str] = []
    world.editors["a"].left = 1
    world.texts.when_told(["a"], lambda: done.append("save"))
    assert world.texts.unsent(["a", None])
    world.order.remove("a")
    world.texts.take({"steps": []})
    assert done == ["save"]
    assert not world.texts.unsent(["a", None])


def test_what_the_worker_lacks_is_known_by_cell(world: World) -> None:
    """Of all cells, whichever is written in now; until it has been told."""
    world.texts.push("a", 7, [1])
    world.texts.push("b", 7, [1])
    world.texts.push("b", 8, [1])
    world.editors["a"] = Editor("typed", 7, unsent=1)
    assert world.texts.lacking() == {"a": "typed"}
    world.editors["a"].left = 0
    assert world.texts.lacking() == {}
