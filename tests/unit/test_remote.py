"""A tab's end of a notebook, while workers come and go: what it knows is not lost, and no worker is asked too early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from questions import Questions
from remote import ANEW, BESIDE, Remote
from tests.unit.notebooks import Storage

Frame = dict[str, Any]


class Line:
    """A tab's ``Tab``: notes what is posted, and says what a worker would."""

    def __init__(self) -> None:
        self.posted: list[Frame] = []
        self.on_followed: Callable[[], None] = lambda: None
        self.on_joined: Callable[[str], None] = lambda worker: None
        self.on_notebook: Callable[[Frame], object] = lambda frame: None

    def post(self, frame: Frame) -> None:
        self.posted.append(frame)

    def take(self) -> list[Frame]:
        """What was posted since the last time."""
        posted, self.posted = self.posted, []
        return posted


class World:
    """One tab with the notebook ``hello``, and what its user was told."""

    def __init__(self, store: Storage | None = None) -> None:
        self.line = Line()
        self.changes: list[Frame | None] = []
        self.refused: list[str] = []
        self.said: list[str] = []
        self.store = store or Storage()
        self.remote = Remote(
            self.line,
            "hello",
            self.changes.append,
            self.refused.append,
            self.said.append,
            lambda cell, source, ran: ran(source == "good"),
            lambda: None,
            self.store,
            lambda: "new",
        )

    def follow(self, worker: str) -> Frame:
        """A worker is followed and joined; returns what it is asked first."""
        self.line.on_followed()
        assert self.line.take() == []
        self.line.on_joined(worker)
        (asked,) = self.line.take()
        return asked

    def answer(self, asked: Frame, value: object = None, code: str = "", error: str = "") -> list[Frame]:
        """The worker answers; returns what it is asked then."""
        told = {"code": code, "error": error} if code else {"value": value}
        self.line.on_notebook({"kind": "notebook", "ref": asked["ref"], **told})
        return self.line.take()

    def open(self, worker: str, notebook: Frame) -> list[Frame]:
        """A worker opens the notebook, as it knows it; returns what it is asked then."""
        asked = self.follow(worker)
        assert asked["do"] == "open"
        return self.answer(asked, opened(notebook))

    def change(self, rev: int, *steps: Frame, writer: str = "w1") -> None:
        """The worker tells of a change."""
        change = {"rev": rev, "steps": list(steps), "undo": 0, "redo": 0, "writer": writer}
        self.line.on_notebook({"kind": "notebook", "name": "hello", "what": "change", "change": change})

    @property
    def text(self) -> str:
        """The first cell's."""
        return str(self.remote.cells[0]["source"])


def notebook(source: str, rev: int, **versions: int) -> Frame:
    """A notebook of one cell."""
    cell = {"id": "a", "type": "code", "source": source, "version": rev, "outputs": [], "count": None}
    cell |= {"metadata": {}, "extra": {}, "state": "idle", "duration": None}
    told: Frame = {"name": "hello", "title": "", "rev": rev, "undo": 0, "redo": 0, "versions": versions}
    return {**told, "cells": [cell], "metadata": {}, "extra": {}}


def opened(notebook: Frame) -> Frame:
    """The answer to ``open``."""
    facts: Frame = {"kernel": "idle", "suspends": True, "trouble": "", "original": False, "asks": [], "aside": False}
    return {**facts, "notebook": notebook}


def typed(version: int, text: str) -> Frame:
    """A step that puts a text at the end of one of this length, which is its version, too."""
    return {"step": "text", "cell": "a", "version": version, "changes": [version, [0, text]], "author": "me"}


def edit(version: int) -> Frame:
    return {"op": "edit", "cell": "a", "version": version, "changes": [version, [0, "x"]], "author": "me"}


def test_nothing_is_asked_of_a_worker_that_has_not_opened_the_notebook() -> None:
    """What is typed, or asked for while one types, as another worker boots, is no word to one that knows nothing."""
    world = World()
    world.open("one", notebook("", 0))
    world.line.on_followed()
    world.remote.apply(edit(0))
    world.remote.ask({"do": "complete", "text": "a", "offset": 1})
    assert world.line.take() == []
    world.line.on_joined("two")
    (asked,) = world.line.take()
    assert asked["do"] == "open"
    then = world.answer(asked, opened(notebook("", 0)))
    assert [each["do"] for each in then] == ["complete"], "the editor pushes its edits anew"
    assert world.said == [ANEW]
    world.remote.apply(edit(0))
    assert [each["do"] for each in world.line.take()] == ["apply"]


def test_what_was_typed_in_a_cell_that_the_next_worker_is_to_make_comes_after_it() -> None:
    """Its editor stands on the new cell's text, and is not brought up to any other; it would not push anew."""
    world = World()
    world.open("one", notebook("", 0))
    world.remote.apply({"op": "add", "id": "b", "after": "a", "type": "code", "source": ""})
    for cell in ("a", "b"):
        world.remote.apply({**edit(0), "cell": cell})
    world.line.take()
    then = world.open("two", notebook("", 0))
    assert [(each["operation"]["op"], each["operation"].get("cell")) for each in then] == [("add", None), ("edit", "b")]


def test_a_late_answer_does_not_stand_in_for_the_next_workers() -> None:
    world = World()
    world.open("one", notebook("", 0))
    answers: list[tuple[object, str]] = []
    world.remote.ask({"do": "export"}, lambda value, code, message: answers.append((value, code)))
    (asked,) = world.line.take()
    open_asked = world.follow("two")
    world.answer(asked, code="not_open", error="This notebook is not open in the worker.")
    assert answers == []
    (again,) = world.answer(open_asked, opened(notebook("", 0)))
    world.answer(again, "the file")
    assert answers == [("the file", "")]


def test_what_cannot_be_asked_twice_is_told_as_lost() -> None:
    world = World()
    world.open("one", notebook("", 0))
    answers: list[str] = []
    world.remote.ask({"do": "run", "cells": ["a"]}, lambda value, code, message: answers.append(code))
    world.line.take()
    world.line.on_followed()
    assert answers == ["lost"]


def test_the_same_worker_anew_opens_the_notebook_for_the_new_port() -> None:
    """Back from the back/forward cache: the worker has forgotten the old port, and tells nothing to it."""
    world = World()
    world.open("one", notebook("", 0))
    world.line.on_joined("one")
    assert world.line.take() == [], "hello was said again, on the same port"
    world.open("one", notebook("abc", 3, w1=3))
    assert world.text == "abc"
    assert world.said == []


def test_a_tab_that_was_taken_for_gone_may_hear_of_it_twice() -> None:
    """By what the worker refused, and as it joins; what was asked before goes to the worker once, after the opening."""
    world = World()
    world.open("one", notebook("", 0))
    world.remote.ask({"do": "list"})
    world.line.take()
    world.line.on_followed()
    world.line.on_followed()
    world.remote.ask({"do": "run", "cells": ["a"]})
    world.line.on_joined("one")
    world.line.on_joined("one")
    (asked,) = world.line.take()
    assert asked["do"] == "open"
    assert [each["do"] for each in world.answer(asked, opened(notebook("", 0)))] == ["list", "run"]
    assert world.said == []


def test_a_worker_that_knows_less_is_told() -> None:
    world = World()
    world.open("one", notebook("", 0))
    world.change(1, typed(0, "a"))
    (adopt,) = world.open("two", notebook("", 0))
    assert adopt["do"] == "adopt"
    assert adopt["whole"]["cells"][0]["source"] == "a"
    (again,) = world.answer(adopt)
    assert world.answer(again, opened(adopt["whole"])) == []
    assert world.text == "a"


def test_a_second_loss_while_it_is_told_loses_nothing() -> None:
    world = World()
    world.open("one", notebook("", 0))
    world.change(1, typed(0, "a"))
    (adopt,) = world.open("two", notebook("", 0))
    assert adopt["do"] == "adopt"
    (adopt,) = world.open("three", notebook("", 0))
    assert adopt["do"] == "adopt"
    assert adopt["whole"]["cells"][0]["source"] == "a"
    assert world.refused == []


def test_what_a_worker_does_not_take_stands_beside() -> None:
    world = World()
    world.open("one", notebook("", 0))
    world.change(1, typed(0, "a"))
    (adopt,) = world.open("two", notebook("", 0))
    (again,) = world.answer(adopt, code="bad_file", error="This is no notebook.")
    assert world.refused == ["This is no notebook."]
    (added,) = world.answer(again, opened(notebook("", 0)))
    assert added["operation"]["op"] == "add"
    assert added["operation"]["source"].endswith("\na")
    assert world.said[-1] == BESIDE


def test_a_loss_while_the_notebook_is_opened_is_no_news_to_the_user() -> None:
    world = World()
    world.follow("one")
    world.open("two", notebook("a", 1, w=1))
    assert (world.refused, world.text) == ([], "a")


def test_what_is_not_kept_is_left_to_the_next_tab() -> None:
    world = World()
    world.open("one", notebook("", 0))
    world.remote.leave({})
    assert world.store.texts == {}
    world.change(1, typed(0, "a"))
    world.remote.leave({})
    after = World(world.store)
    after.remote.take_left()
    assert after.text == "a"
    (adopt,) = after.open("two", notebook("", 0))
    assert adopt["do"] == "adopt"


def test_what_the_worker_never_took_is_left_too() -> None:
    """It was busy, or away. The next tab hands it on, though the worker's copy lacks nothing that was told."""
    world = World()
    world.open("one", notebook("", 1, w1=1))
    world.remote.leave({"a": "typed"})
    after = World(world.store)
    after.remote.take_left()
    (adopt,) = after.open("one", notebook("", 1, w1=1))
    assert adopt["do"] == "adopt"
    assert adopt["whole"]["cells"][0]["source"] == "typed"
    assert world.text == "", "its own copy is the worker's"


def test_what_was_ordered_and_not_answered_is_left_too() -> None:
    """A cell that this tab added, with what was typed in it; the next worker has never heard of either."""
    world = World()
    world.open("one", notebook("", 1, w1=1))
    ordered = [*world.remote.cells, {**world.remote.cells[0], "id": "b"}]
    world.remote.leave({"b": "typed"}, ordered)
    after = World(world.store)
    after.remote.take_left()
    (adopt,) = after.open("one", notebook("", 1, w1=1))
    assert [(cell["id"], cell["source"]) for cell in adopt["whole"]["cells"]] == [("a", ""), ("b", "typed")]
    assert [cell["id"] for cell in world.remote.cells] == ["a"], "its own copy is the worker's"


def test_what_was_taken_and_not_handed_on_is_left_again() -> None:
    """The tab was closed before a worker was there."""
    world = World()
    world.open("one", notebook("", 0))
    world.remote.leave({"a": "typed"})
    brief = World(world.store)
    brief.remote.take_left()
    brief.remote.leave({})
    after = World(world.store)
    after.remote.take_left()
    assert after.text == "typed"


def test_a_tab_that_comes_back_takes_back_what_it_left() -> None:
    """Out of the back/forward cache it goes on by itself; unless another tab has begun with it."""
    world = World()
    world.open("one", notebook("", 0))
    world.remote.leave({"a": "typed"})
    world.open("one", notebook("typed", 1, w1=1))
    assert set(world.store.texts.values()) == {""}


def test_a_cell_for_this_tab_is_run_when_it_is_its_turn() -> None:
    world = World()
    world.open("one", notebook("", 0))
    for number, source in enumerate(("good", "bad")):
        told = {"kind": "notebook", "name": "hello", "what": "turn", "cell": "a", "source": source, "turn": number}
        world.line.on_notebook(told)
    assert [(each["turn"], each["well"]) for each in world.line.take()] == [(0, True), (1, False)]


def test_forgetting_edits_spares_what_else_is_held() -> None:
    line = Line()
    questions = Questions(line, lambda message: None)
    questions.ask({"do": "apply", "operation": edit(0)})
    questions.ask({"do": "apply", "operation": {"op": "undo"}})
    for cell in ("made", "there", "gone"):
        if cell != "gone":
            questions.ask({"do": "apply", "operation": {"op": "add", "id": cell}})
        questions.ask({"do": "apply", "operation": {**edit(0), "cell": cell}})
    questions.forget_edits(["a", "there"])
    questions.go()
    asked = [frame["operation"] for frame in line.take()]
    assert [each["op"] for each in asked] == ["undo", "add", "edit", "add"]
    assert asked[2]["cell"] == "made"
