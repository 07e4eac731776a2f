"""A notebook as plain data, and the steps that change it: the same in the worker, which decides, and in its tabs.

The data, as JSON carries it::

    {"name": "hello", "title": "", "rev": 7, "metadata": {...}, "minor": 5, "extra": {...}, "cells": [cell, ...],
     "undo": 2, "redo": 0, "versions": {writer: rev}}

    {"id": "a1", "type": "code", "source": "1 + 1", "version": 3, "outputs": [...], "count": 1, "metadata": {...},
     "extra": {...}, "state": "done", "duration": 0.2}

``versions`` says which changes are in it (versions.py). One that got another name has ``lesson``, too: the name under
which the server has its original, if there is one. ``extra`` is what a file had beside all that (attachments are
there), ``version`` counts the changes of the cell's text, ``state``, ``duration`` and ``version`` are not saved. Steps:

    {"step": "put", "after": id or null, "cell": cell}        {"step": "place", "cell": id, "after": id or null}
    {"step": "drop", "cell": id}                              {"step": "set", "cell": id, "fields": {"type": ...}}
    {"step": "text", "cell": id, "version": before, "changes": ChangeSet, "author": tab or ""}
    {"step": "output", "cell": id, "length": n, "parts": [part, ...]}   where a part, of the output at a place, is
        {"at": i, "output": output} for all of it, or {"at": i, "keep": characters, "text": what follows these}
    {"step": "all", "notebook": notebook}

What a cell's fields hold is never changed in place, so steps and copies may share it with the data.
"""

from .changes import apply as apply_changes

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Cell = dict[str, Any]
    Notebook = dict[str, Any]
    Output = dict[str, Any]
    Step = dict[str, Any]

TAB = "%%tab"  # how a cell begins that runs in the tab's own Python
PASSING = ("state", "duration")  # fields of a cell that no file holds


def is_for_tab(source: str) -> bool:
    """Whether a cell's text is meant for the tab's own Python."""
    return source.lstrip().startswith(TAB)


def is_kept(step: "Step") -> bool:
    """Whether a step changes what a file holds of the notebook."""
    return step["step"] != "set" or any(name not in PASSING for name in step["fields"])


class Cells:
    """The cells of a notebook, in their order and by id; ``notebook`` is all of it."""

    def __init__(self, notebook: "Notebook") -> None:
        self._take(notebook)

    def _take(self, notebook: "Notebook") -> None:
        self.notebook = dict(notebook)
        self.notebook["cells"] = [dict(cell) for cell in notebook["cells"]]
        self.notebook["versions"] = dict(notebook.get("versions", {}))  # none in what an early build kept
        self._by_id = {cell["id"]: cell for cell in self.notebook["cells"]}

    @property
    def all(self) -> "list[Cell]":
        """All cells, in order. Not to be changed."""
        cells: "list[Cell]" = self.notebook["cells"]
        return cells

    def get(self, cell_id: object) -> "Cell | None":
        """The cell of this id, or None. Not to be changed."""
        return self._by_id.get(cell_id) if isinstance(cell_id, str) else None

    def place_of(self, cell_id: str) -> int:
        """How many cells stand before this one."""
        return self.all.index(self._by_id[cell_id])

    def before(self, cell_id: str) -> "str | None":
        """The id of the cell before this one; None for the first."""
        place = self.place_of(cell_id)
        return self.all[place - 1]["id"] if place else None

    def whole(self) -> "Notebook":
        """A copy, which later steps do not change."""
        notebook = dict(self.notebook)
        notebook["cells"] = [dict(cell) for cell in self.all]
        notebook["versions"] = dict(notebook["versions"])
        return notebook

    def apply(self, step: "Step") -> None:
        """Do one step. Raises KeyError, IndexError or ValueError where it does not fit."""
        kind = step["step"]
        if kind == "all":
            self._take(step["notebook"])
        elif kind == "put":
            cell = dict(step["cell"])
            self._by_id[cell["id"]] = cell
            self._insert(cell, step["after"])
        elif kind == "drop":
            self.all.remove(self._by_id.pop(step["cell"]))
        elif kind == "place":
            cell = self._by_id[step["cell"]]
            self.all.remove(cell)
            self._insert(cell, step["after"])
        elif kind == "set":
            self._by_id[step["cell"]].update(step["fields"])
        elif kind == "text":
            cell = self._by_id[step["cell"]]
            cell["source"] = apply_changes(step["changes"], cell["source"])
            cell["version"] = step["version"] + 1
        elif kind == "output":
            cell = self._by_id[step["cell"]]
            cell["outputs"] = changed(cell["outputs"], step)
        else:
            raise ValueError(f"There is no step {kind!r}.")

    def _insert(self, cell: "Cell", after: "str | None") -> None:
        self.all.insert(0 if after is None else self.place_of(after) + 1, cell)


def changed(outputs: "list[Output]", delta: "dict[str, Any]") -> "list[Output]":
    """A cell's outputs after what has changed of them: ``parts``, and their number, ``length``."""
    outputs = outputs[: delta["length"]]
    for part in delta["parts"]:
        at = part["at"]
        if at == len(outputs):
            outputs.append(part["output"])
        elif "output" in part:
            outputs[at] = part["output"]
        else:
            output = dict(outputs[at])
            output["text"] = output["text"][: part["keep"]] + part["text"]
            outputs[at] = output
    return outputs
