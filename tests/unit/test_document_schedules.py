"""Random schedules: tabs work on one notebook over slow ports that lose what they carry, while its cells run."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from document import Document, Told
from shapes import Refused, new_cell, new_notebook
from tests.unit.notebooks import TEXT, Tab, change, notebook, over_the_wire, saved

TYPES = st.sampled_from(["code", "markdown", "raw"])
PLACE = st.integers(0, 10)
OUTPUT = {"output_type": "stream", "name": "stdout", "text": "x" * 5}


class Schedule(RuleBasedStateMachine):
    """A worker's notebook, and tabs that follow it and change it."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count()
        self.document: Document = Document(notebook(), "w")
        self.tabs: list[Tab] = []
        self.on_the_way: list[tuple[Tab, Any]] = []
        self.tags: dict[str, Any] = {}

    @initialize(sources=st.lists(TEXT, max_size=4), count=st.integers(1, 3))
    def open(self, sources: list[str], count: int) -> None:
        cells = [new_cell(f"c{place}", "markdown", source) for place, source in enumerate(sources)]
        for cell in cells:
            cell["metadata"] = {"kept": cell["id"]}
            cell["extra"] = {"unknown": [cell["id"]]}
        self.original = {**new_notebook("hello", cells), "metadata": {"kept": True}, "extra": {"also": 1}}
        self.document = Document(over_the_wire(self.original), "w")
        for _ in range(count):
            self.late_tab()

    def tell(self, told: Told | None) -> None:
        for tab in self.tabs if told is not None else []:
            tab.tell("change", told)

    def attempt(self, operation: Any) -> None:
        try:
            self.tell(self.document.apply(operation, over_the_wire(self.original)))
        except Refused as refused:
            assert refused.code != "bad_edit", "an edit of the right version always fits"

    def tab(self, number: int) -> Tab:
        return self.tabs[number % len(self.tabs)]

    def say(self, tab: Tab, operation: Any) -> None:
        """A tab says it; it arrives later."""
        self.on_the_way.append((tab, over_the_wire(operation)))

    def cell_of(self, tab: Tab, place: int) -> Any:
        cells = tab.replica.cells
        return cells[place % len(cells)] if cells else new_cell("gone")

    @rule()
    def late_tab(self) -> None:
        if len(self.tabs) < 5:
            self.tabs.append(Tab())
            self.tabs[-1].tell("whole", self.document.whole())

    @rule(tab=PLACE, after=PLACE, cell_type=TYPES, source=TEXT)
    def add(self, tab: int, after: int, cell_type: str, source: str) -> None:
        it, new_id = self.tab(tab), f"n{next(self.numbers)}"
        follows = self.cell_of(it, after)["id"] if after else None
        self.say(it, {"op": "add", "id": new_id, "after": follows, "type": cell_type, "source": source})

    @rule(tab=PLACE, places=st.sets(PLACE, min_size=1, max_size=3))
    def delete(self, tab: int, places: set[int]) -> None:
        it = self.tab(tab)
        self.say(it, {"op": "delete", "cells": sorted({self.cell_of(it, place)["id"] for place in places})})

    @rule(tab=PLACE, cell=PLACE, after=PLACE)
    def move(self, tab: int, cell: int, after: int) -> None:
        it = self.tab(tab)
        follows = self.cell_of(it, after)["id"] if after else None
        self.say(it, {"op": "move", "cell": self.cell_of(it, cell)["id"], "after": follows})

    @rule(tab=PLACE, cell=PLACE, at=st.integers(0, 15))
    def split(self, tab: int, cell: int, at: int) -> None:
        it = self.tab(tab)
        self.say(it, {"op": "split", "cell": self.cell_of(it, cell)["id"], "at": at, "id": f"n{next(self.numbers)}"})

    @rule(tab=PLACE, first=PLACE, count=st.integers(2, 3))
    def merge(self, tab: int, first: int, count: int) -> None:
        cells = self.tab(tab).replica.cells
        self.say(self.tab(tab), {"op": "merge", "cells": [cell["id"] for cell in cells[first : first + count]]})

    @rule(tab=PLACE, cell=PLACE, cell_type=TYPES)
    def turn(self, tab: int, cell: int, cell_type: str) -> None:
        it = self.tab(tab)
        self.say(it, {"op": "type", "cell": self.cell_of(it, cell)["id"], "type": cell_type})

    @rule(tab=PLACE, name=st.sampled_from(["undo", "redo", "reset", "clear"]))
    def plain(self, tab: int, name: str) -> None:
        self.say(self.tab(tab), {"op": name, "cells": None})

    @rule(tab=PLACE, cell=PLACE, start=PLACE, length=PLACE, more=TEXT)
    def edit(self, tab: int, cell: int, start: int, length: int, more: str) -> None:
        it = self.tab(tab)
        shown = self.cell_of(it, cell)
        start = min(start, len(shown["source"]))
        end = min(start + length, len(shown["source"]))
        changes = change(shown["source"], start, end, more)
        author = f"tab{tab}"
        operation = {"op": "edit", "cell": shown["id"], "version": shown["version"], "changes": changes}
        self.say(it, {**operation, "author": author})

    @precondition(lambda self: self.on_the_way)
    @rule(which=PLACE)
    def arrive(self, which: int) -> None:
        """What tabs said arrives, in whatever order of the tabs, each tab's own in order."""
        tab, operation = self.on_the_way[which % len(self.on_the_way)]
        first = next(place for place, (whose, _) in enumerate(self.on_the_way) if whose is tab)
        _, operation = self.on_the_way.pop(first)
        self.attempt(operation)

    @rule(tab=PLACE, count=PLACE)
    def hear(self, tab: int, count: int) -> None:
        it = self.tab(tab)
        for _ in range(min(count, len(it.port))):
            it.hear()

    @rule(tab=PLACE)
    def lose(self, tab: int) -> None:
        """A change is lost, as to a frozen tab."""
        it = self.tab(tab)
        if it.port and it.port[0][0] == "change":
            it.port.popleft()

    @rule(tab=PLACE)
    def ask(self, tab: int) -> None:
        it = self.tab(tab)
        if it.replica.lacking and not it.asked:
            it.asked = True
            it.tell("whole", self.document.whole())

    @precondition(lambda self: self.document.cells)
    @rule(cell=PLACE, does=st.sampled_from(["queued", "idle", "started", "output", "done", "error"]))
    def kernel(self, cell: int, does: str) -> None:
        document = self.document
        it = document.cells[cell % len(document.cells)]
        if it["type"] != "code":
            with pytest.raises(Refused):
                document.queued(it["id"])
        elif does in ("queued", "idle") and it["state"] != "running":
            self.tell(document.queued(it["id"]) if does == "queued" else document.idle(it["id"]))
        elif does == "started":
            self.tell(document.started(it["id"]))
        elif does == "output" and it["state"] == "running":
            place = len(it["outputs"])
            parts: list[Any] = [{"at": place, "output": OUTPUT}]
            if place:
                parts = [{"at": place - 1, "keep": 2, "text": "more"}, *parts]
            self.tell(document.output(it["id"], {"length": place, "parts": parts}))
        elif does in ("done", "error") and it["state"] == "running":
            self.tell(document.finished(it["id"], does, cell, 0.1))

    def teardown(self) -> None:
        document = self.document
        for _, operation in self.on_the_way:
            self.attempt(operation)
        for tab in self.tabs:
            while tab.port:
                tab.hear()
            if tab.replica.lacking:
                tab.replica.whole(over_the_wire(document.whole()))
            if tab.replica.rev < document.rev:  # the last changes were lost, which only the next one could tell
                continue
            assert tab.replica.notebook == over_the_wire(document.whole())
        whole = document.whole()
        assert (whole["metadata"], whole["extra"]) == ({"kept": True}, {"also": 1})
        assert len({cell["id"] for cell in whole["cells"]}) == len(whole["cells"])
        for cell in whole["cells"]:
            if cell["id"].startswith("c"):
                assert cell["metadata"] == {"kept": cell["id"]}
                assert cell["extra"] == {"unknown": [cell["id"]]}
        self.undo_all()

    def undo_all(self) -> None:
        """All that can be undone can be done again, and leads to the same."""
        document = self.document
        for cell in list(document.cells):
            if cell["state"] in ("queued", "running"):
                document.idle(cell["id"])
        before, count = saved(document), document.whole()["undo"]
        for _ in range(count):
            document.apply({"op": "undo"})
        for _ in range(count):
            document.apply({"op": "redo"})
        assert saved(document) == before


Schedule.TestCase.settings = settings(max_examples=300, stateful_step_count=40)
TestSchedules = Schedule.TestCase


@given(st.lists(TEXT, min_size=1, max_size=4), st.data())
@settings(max_examples=300)
def test_undo_restores_exactly(sources: list[str], data: st.DataObject) -> None:
    document = Document(notebook(*sources), "w")
    states = []
    for number in range(data.draw(st.integers(1, 8))):
        ids = [cell["id"] for cell in document.cells]
        cell = data.draw(st.sampled_from(ids or ["none"]))
        place = data.draw(PLACE)
        operation = data.draw(
            st.sampled_from(
                [
                    {"op": "add", "id": f"n{number}", "after": None, "type": "markdown", "source": "new"},
                    {"op": "delete", "cells": [cell]},
                    {"op": "move", "cell": cell, "after": (ids or ["none"])[place % max(1, len(ids))]},
                    {"op": "split", "cell": cell, "at": place, "id": f"n{number}"},
                    {"op": "merge", "cells": ids[place % 3 : place % 3 + 3]},
                    {"op": "type", "cell": cell, "type": "raw"},
                    {"op": "reset"},
                ]
            )
        )
        before = saved(document)
        try:
            told = document.apply(operation, notebook("original"))
        except Refused:
            assert saved(document) == before
            continue
        if told is not None:
            states.append(before)
    for state in reversed(states):
        document.apply({"op": "undo"})
        assert saved(document) == state
    assert document.whole()["undo"] == 0
