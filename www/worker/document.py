"""One open notebook, as the worker holds it: operations of tabs and facts of the kernel in, changes out. Pure.

    a tab's operation, or what the kernel did ──> a change, {"rev": 8, "steps": [...], "undo": 1, "redo": 0,
                                                             "writer": name}

The change goes to every tab that has the notebook open, whoever it came from; partyline/replica.py takes it in. What it
is made of, and what a notebook is, stands in partyline/cells.py. Operations:

    {"op": "add", "id": new, "after": id or null, "type": "code", "source": ""}     {"op": "delete", "cells": [ids]}
    {"op": "move", "cell": id, "after": id or null}      {"op": "split", "cell": id, "at": UTF-16 units, "id": new}
    {"op": "merge", "cells": [neighbours, in order]}     {"op": "type", "cell": id, "type": "markdown"}
    {"op": "edit", "cell": id, "version": n, "changes": ChangeSet, "author": tab}
    {"op": "clear", "cells": [ids] or null}              {"op": "undo"}     {"op": "redo"}     {"op": "reset"}

A refused operation changes nothing. Undo is for what changes the structure; texts have their editor's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edits import edited
from history import Action, Change, Cut, Drop, History, Join, Place, Put, Replace
from operations import Operation, fields_of_type, merged_fields
from partyline.cells import is_kept
from partyline.versions import covers
from shapes import MAX_CELLS, MAX_SOURCE, Cell, Notebook, Refused, checked, new_cell
from structure import RUN, Structure

if TYPE_CHECKING:
    from partyline.versions import Versions

Told = dict[str, Any]
"""A change, as JSON carries it."""


class Document:
    """A notebook that is open. All that changes it returns the change to be told, or None where nothing changed.

    ``edited`` is the number of the last change of what a file holds of it; whoever saves remembers it. ``writer`` is a
    name that no other document has, under which its changes are known (versions.py).
    """

    def __init__(self, notebook: Notebook, writer: str) -> None:
        self._writer = writer
        self._structure = Structure(notebook)
        self._history = History()
        self._operations: dict[str, Callable[[Operation], None]] = {
            "add": self._add,
            "delete": self._delete,
            "move": self._move,
            "split": self._split,
            "merge": self._merge,
            "type": self._type,
            "edit": self._edit,
            "clear": self._clear,
            "undo": lambda _: self._turn(redo=False),
            "redo": lambda _: self._turn(redo=True),
        }
        self._notebook["undo"] = self._notebook["redo"] = 0
        self.edited = self.rev

    @property
    def _notebook(self) -> Notebook:
        return self._structure.cells.notebook

    @property
    def rev(self) -> int:
        """The number of the last change."""
        rev: int = self._notebook["rev"]
        return rev

    @property
    def versions(self) -> Versions:
        """Which changes are in it. Not to be changed."""
        versions: Versions = self._notebook["versions"]
        return versions

    @property
    def cells(self) -> list[Cell]:
        """The cells, in order. Not to be changed."""
        return self._structure.cells.all

    def cell(self, cell_id: object) -> Cell:
        """A cell. Not to be changed. Raises Refused where there is none of this id."""
        cell = self._structure.cells.get(cell_id)
        if cell is None:
            raise Refused("no_cell", "This cell is not in the notebook any more.")
        return cell

    def whole(self) -> Notebook:
        """All of it, for a tab that comes late or has missed a change, and for the shelf. It is the caller's own."""
        return self._structure.cells.whole()

    def apply(self, operation: object, original: Notebook | None = None) -> Told | None:
        """Do what a tab wants. Raises Refused; where the code is ``stale``, the tab pulls and tries again.

        Args:
            operation: as above.
            original: what ``reset`` goes back to.
        """
        asked = Operation(operation, self.cell)
        if asked.name == "reset":
            self._reset(original)
        elif asked.name in self._operations:
            self._operations[asked.name](asked)
        else:
            raise Refused("bad_operation", f"There is no operation {asked.name[:40]!r}.")
        return self._told()

    def pull(self, cell_id: object, version: object) -> Told:
        """What a tab lacks that has this version of a cell's text: ``updates``, or the whole ``source`` where it is too
        far behind. Raises Refused where there is no such cell."""
        cell = self.cell(cell_id)
        now = cell["version"]
        updates = self._structure.edits.since(cell["id"], version, now) if isinstance(version, int) else None
        answer = {"cell": cell["id"], "version": now}
        return {**answer, "source": cell["source"]} if updates is None else {**answer, "updates": updates}

    def queued(self, cell_id: str) -> Told | None:
        """The kernel will run this cell. Raises Refused, as the others, where it is gone, or no code any more."""
        return self._set(cell_id, {"state": "queued"})

    def idle(self, cell_id: str) -> Told | None:
        """The kernel will not run this cell after all."""
        return self._set(cell_id, {"state": "idle"})

    def started(self, cell_id: str) -> Told | None:
        """The kernel runs this cell now; its outputs are gone. What comes, comes from here and is trusted."""
        return self._set(cell_id, {"state": "running", "outputs": [], "count": None, "duration": None})

    def output(self, cell_id: str, delta: dict[str, Any]) -> Told | None:
        """Outputs of the cell have changed, as ``Outputs.take`` tells: it runs, or has left something that does."""
        self._code(cell_id)
        self._structure.step({**delta, "step": "output", "cell": cell_id})
        return self._told()

    def finished(self, cell_id: str, state: str, count: int | None, duration: float | None) -> Told | None:
        """The run has ended, as ``done`` or ``error``, after so many seconds."""
        return self._set(cell_id, {"state": state, "count": count, "duration": duration})

    def adopt(self, kept: object) -> Told | None:
        """Take another copy, where it has all that is here and more: a tab's, of what an earlier worker did not save,
        or what another worker saved.

        Nothing of before can be undone then. Raises Refused where it is none.
        """
        notebook = checked(kept)
        if not covers(notebook["versions"], self.versions) or notebook["versions"] == self.versions:
            return None
        self._structure.do([Replace(notebook)])
        self._history.clear()
        self._notebook["rev"] = max(self.rev, notebook["rev"])
        return self._told(writer="")

    def bring_back(self, kept: object) -> Told | None:
        """Have the cells of an earlier copy again, in place of what is here; that can be undone."""
        self._replace(checked(kept))
        return self._told()

    @property
    def lesson(self) -> str:
        """The name of the lesson that it is a copy of, if it is one: its own, or the one that it had before."""
        return str(self._notebook.get("lesson", self._notebook["name"]))

    def rename(self, name: str) -> None:
        """It is another notebook from now on, of the same lesson. Whoever has it open is to be told."""
        self._notebook.update(lesson=self.lesson, name=name)

    def _told(self, writer: str | None = None) -> Told | None:
        """What was done since the last time, as one change; the writer is empty where it was somebody else."""
        writer = self._writer if writer is None else writer
        steps = self._structure.drain()
        if not steps:
            return None
        notebook = self._notebook
        notebook["rev"] += 1
        notebook["undo"], notebook["redo"] = self._history.undoable, self._history.redoable
        if any(map(is_kept, steps)):
            self.edited = self.rev
            if writer:
                notebook["versions"][writer] = self.rev
        undo, redo = notebook["undo"], notebook["redo"]
        return {"rev": self.rev, "steps": steps, "undo": undo, "redo": redo, "writer": writer}

    def _code(self, cell_id: str) -> Cell:
        cell = self.cell(cell_id)
        if cell["type"] != "code":
            raise Refused("no_code", "This is no code cell any more.")
        return cell

    def _set(self, cell_id: str, fields: dict[str, Any]) -> Told | None:
        cell = self._code(cell_id)
        fields = {name: value for name, value in fields.items() if cell[name] != value}
        if fields:
            self._structure.step({"step": "set", "cell": cell_id, "fields": fields})
        return self._told()

    def _do(self, actions: list[Action]) -> None:
        self._history.done(self._structure.do(actions))

    def _add(self, asked: Operation) -> None:
        cell = new_cell(asked.new_id(), asked.type(), asked.source())
        after = asked.after()
        self._check_room()
        self._do([Put(cell, after)])

    def _delete(self, asked: Operation) -> None:
        self._do([Drop(cell["id"]) for cell in asked.cells()])

    def _move(self, asked: Operation) -> None:
        cell_id, after = asked.cell()["id"], asked.after()
        if cell_id == after:
            raise Refused("bad_operation", "A cell can't stand after itself.")
        if self._structure.cells.before(cell_id) != after:
            self._do([Place(cell_id, after)])

    def _split(self, asked: Operation) -> None:
        cell, new_id = asked.cell(), asked.new_id()
        self._check_room()
        source, at = cell["source"], asked.offset()
        head, tail = source[:at].rstrip("\n"), source[at:].lstrip("\n")
        # as in Jupyter, what the cell put out stays below its last part, but for a run that goes on
        run = new_cell(new_id) if cell["state"] in ("running", "queued") else cell
        part = {**cell, "id": new_id, "source": tail, **{name: run[name] for name in RUN}}
        rest = {name: value for name, value in new_cell(new_id).items() if name in RUN} if run is cell else {}
        actions: list[Action] = [Cut(cell["id"], source, len(head), part)]
        self._do([*actions, Change(cell["id"], rest)] if rest else actions)

    def _merge(self, asked: Operation) -> None:
        cells = asked.cells()
        first, *others = cells
        place = self._structure.cells.place_of(first["id"])
        if not others or self.cells[place : place + len(cells)] != cells:
            raise Refused("not_neighbours", "Only neighbours can be merged, from top to bottom.")
        if sum(len(cell["source"]) + 2 for cell in cells) > MAX_SOURCE:
            raise Refused("too_long", f"A cell holds at most {MAX_SOURCE:,} characters. Merge fewer.")
        joins = [Join(first["id"], other["id"], "\n\n") for other in others]
        self._do([*joins, Change(first["id"], merged_fields(cells))])

    def _type(self, asked: Operation) -> None:
        cell, to = asked.cell(), asked.type()
        self._check_at_rest(cell)
        if cell["type"] != to:
            self._do([Change(cell["id"], fields_of_type(cell, to))])

    def _edit(self, asked: Operation) -> None:
        cell = asked.cell()
        if asked.version() != cell["version"]:
            raise Refused("stale", "The cell's text has changed meanwhile.")
        edited(asked.changes(), cell["source"])
        self._structure.text(cell["id"], asked.changes(), asked.author())

    def _clear(self, asked: Operation) -> None:
        """A cell that runs goes on, and so does what it puts out."""
        for cell in asked.cells_or_all(self.cells):
            if cell["outputs"] or cell["count"] is not None:
                state = cell["state"] if cell["state"] in ("queued", "running") else "idle"
                fields: dict[str, Any] = {"outputs": [], "count": None, "state": state, "duration": None}
                self._structure.step({"step": "set", "cell": cell["id"], "fields": fields})

    def _reset(self, original: Notebook | None) -> None:
        if original is None:
            raise Refused("no_original", "This notebook has no original that it could go back to.")
        self._replace(original)

    def _replace(self, notebook: Notebook) -> None:
        fresh = {name: notebook[name] for name in ("metadata", "minor", "extra", "cells")}
        self._do([Replace({**self._notebook, **fresh})])

    def _turn(self, redo: bool) -> None:
        entry = self._history.next(redo)
        if entry is None:
            raise Refused("nothing_to_undo", "There is nothing to do again." if redo else "There is nothing to undo.")
        for action in entry:
            if isinstance(action, Change) and "type" in action.fields:
                self._check_at_rest(self.cell(action.cell))
        self._history.turned(redo, self._structure.do(entry))

    def _check_room(self) -> None:
        if len(self.cells) >= MAX_CELLS:
            raise Refused("too_many_cells", f"A notebook holds at most {MAX_CELLS:,} cells. Begin another one.")

    def _check_at_rest(self, cell: Cell) -> None:
        if cell["state"] in ("queued", "running"):
            raise Refused("running", "This cell is running. Stop it first.")
