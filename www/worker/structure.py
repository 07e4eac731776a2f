"""Does actions (history.py) to a notebook's cells: steps for all tabs come out, and what takes each action back. Pure.

A new cell's text has version 0, so whoever adds it can edit it at once. One that comes back has a version that no text
had before: a late edit of another text can never fit it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from edits import Edits
from history import Action, Change, Cut, Drop, Entry, Join, Place, Put, Replace
from partyline import changes as text_changes
from partyline.cells import Cells
from partyline.versions import joined
from shapes import Cell, Notebook, rested

if TYPE_CHECKING:
    from partyline.cells import Step

RUN = ("outputs", "count", "state", "duration")
"""What belongs to a cell's run. While one is under way, or waits, its kernel alone changes it."""


class Structure:
    """The cells of a notebook, and the steps that were done since ``drain``.

    ``edits`` keeps the changes of texts.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.cells = Cells(notebook)
        self.edits = Edits()
        self._version = max((cell["version"] for cell in self.cells.all), default=0)
        self._ids = {cell["id"] for cell in self.cells.all}  # all that there ever were
        self._steps: list[Step] = []

    def drain(self) -> list[Step]:
        """The steps since the last time."""
        steps, self._steps = self._steps, []
        return steps

    def step(self, step: Step) -> None:
        """Do a step."""
        self.cells.apply(step)
        self._steps.append(step)

    def text(self, cell: str, changes: text_changes.Changes, author: str = "") -> None:
        """Change a cell's text; the changes fit it."""
        version = self.cell(cell)["version"]
        self.step({"step": "text", "cell": cell, "version": version, "changes": changes, "author": author})
        self.edits.add(cell, version, {"changes": changes, "author": author})
        self._version = max(self._version, version + 1)

    def cell(self, cell_id: str) -> Cell:
        """A cell that is there."""
        cell = self.cells.get(cell_id)
        if cell is None:
            raise KeyError(cell_id)
        return cell

    def do(self, actions: Iterable[Action]) -> Entry:
        """Do these, in order; returns what takes them back."""
        back = [self._do(action) for action in actions]
        return back[::-1]

    def _do(self, action: Action) -> Action:
        match action:
            case Put(cell, after):
                return self._put(cell, after)
            case Drop(cell_id):
                before = self.cells.before(cell_id)
                cell = dict(self.cell(cell_id))
                self._drop(cell_id)
                return Put(cell, before)
            case Place(cell_id, after):
                before = self.cells.before(cell_id)
                self.step({"step": "place", "cell": cell_id, "after": after})
                return Place(cell_id, before)
            case Change(cell_id, fields):
                return self._change(cell_id, fields)
            case Join(cell_id, other, between):
                return self._join(cell_id, other, between)
            case Cut():
                return self._cut(action)
            case Replace(notebook):
                return self._replace(notebook)

    def _put(self, cell: Cell, after: str | None) -> Drop:
        version = 0
        if cell["id"] in self._ids:
            version = self._version = self._version + 1
        self._ids.add(cell["id"])
        self.step({"step": "put", "after": after, "cell": {**rested(cell), "version": version}})
        return Drop(cell["id"])

    def _drop(self, cell_id: str) -> None:
        self.step({"step": "drop", "cell": cell_id})
        self.edits.forget(cell_id)

    def _change(self, cell_id: str, fields: dict[str, object]) -> Change:
        cell = self.cell(cell_id)
        if cell["state"] in ("queued", "running"):
            fields = {name: value for name, value in fields.items() if name not in RUN}
        before = {name: cell[name] for name in fields}
        self.step({"step": "set", "cell": cell_id, "fields": dict(fields)})
        return Change(cell_id, before)

    def _join(self, cell_id: str, other: str, between: str) -> Cut:
        text, tail = self.cell(cell_id)["source"], dict(self.cell(other))
        self._drop(other)
        more = between + tail["source"]
        self.text(cell_id, text_changes.appending(text, more))
        return Cut(cell_id, text + more, len(text), tail)

    def _cut(self, action: Cut) -> Join:
        text = self.cell(action.cell)["source"]
        if text == action.joined:
            head, rest = action.head, action.tail["source"]
        else:
            head = _seam(action, text)
            rest = text[head:]
            head = len(text[:head].rstrip("\n"))
        self.text(action.cell, text_changes.cutting(text, head))
        self._put({**action.tail, "source": rest}, action.cell)
        return Join(action.cell, action.tail["id"], text[head : len(text) - len(rest)])

    def _replace(self, notebook: Notebook) -> Replace:
        before = self.cells.whole()
        self._version += 1
        cells = [{**rested(cell), **self._at_work(cell), "version": self._version} for cell in notebook["cells"]]
        self._ids.update(cell["id"] for cell in cells)
        kept = {name: before[name] for name in ("name", "lesson", "rev") if name in before}
        versions = joined(before["versions"], notebook["versions"])
        self.step({"step": "all", "notebook": {**notebook, "cells": cells, **kept, "versions": versions}})
        self.edits.forget(None)
        return Replace(before)

    def _at_work(self, cell: Cell) -> dict[str, object]:
        """What stays of a code cell's run when the notebook becomes another one, with this cell in its place."""
        here = self.cells.get(cell["id"])
        if here is None or here["state"] not in ("queued", "running") or cell["type"] != "code":
            return {}
        return {name: here[name] for name in RUN}


def _seam(action: Cut, text: str) -> int:
    """Where the joined text was put together, now that it was edited: at the start of a line."""
    was, now = action.joined.split("\n"), text.split("\n")
    line = action.joined.count("\n", 0, len(action.joined) - len(action.tail["source"]))
    place = len(now)
    for kept in SequenceMatcher(None, was, now).get_matching_blocks():
        if kept.a + kept.size > line:  # the first line that is still there, of those that came after the seam
            place = kept.b + max(0, line - kept.a)
            break
    return min(len("".join(each + "\n" for each in now[:place])), len(text))
