"""A tab's operation on a notebook, read field by field: each is checked before it is used. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from partyline.changes import size
from shapes import MAX_SOURCE, TYPES, Cell, Refused, characters, is_cell_id, plain

if TYPE_CHECKING:
    from partyline.changes import Changes

MAX_AUTHOR = 200


class Operation:
    """An operation as document.py lists them. All methods raise Refused where a field is not what it must be.

    Args:
        said: what the tab sent.
        cell: finds a cell by its id, or raises Refused.
    """

    def __init__(self, said: object, cell: Callable[[object], Cell]) -> None:
        name = said.get("op") if isinstance(said, dict) else None
        if not isinstance(said, dict) or not isinstance(name, str):
            raise Refused("bad_operation", 'An operation is an object whose "op" says what to do.')
        self.name = name
        self._said: dict[str, Any] = said
        self._cell = cell

    def cell(self) -> Cell:
        """The cell that it is about."""
        return self._cell(self._said.get("cell"))

    def cells(self) -> list[Cell]:
        """The cells that it is about, at least one, each once."""
        ids = self._said.get("cells")
        if not isinstance(ids, list) or not ids:
            raise Refused("bad_operation", f'"{self.name}" needs "cells", an array of ids.')
        found = [self._cell(cell_id) for cell_id in ids]
        if len({cell["id"] for cell in found}) < len(found):
            raise Refused("bad_operation", f'"{self.name}" names a cell twice.')
        return found

    def cells_or_all(self, everything: list[Cell]) -> list[Cell]:
        """The cells that it is about; null stands for all."""
        return list(everything) if self._said.get("cells") is None else self.cells()

    def after(self) -> str | None:
        """The cell after which another one is to stand; None for the first place."""
        after = self._said.get("after")
        return None if after is None else str(self._cell(after)["id"])

    def new_id(self) -> str:
        """The id for a new cell, which none has."""
        cell_id = self._said.get("id")
        if not isinstance(cell_id, str) or not is_cell_id(cell_id):
            raise Refused("bad_id", "A cell's id has 1 to 64 characters of A-Z a-z 0-9 _ -.")
        try:
            self._cell(cell_id)
        except Refused:
            return cell_id
        raise Refused("id_taken", "Another cell has this id.")

    def type(self) -> str:
        """The type of cell."""
        cell_type = self._said.get("type")
        if cell_type not in TYPES:
            raise Refused("bad_type", f"A cell is one of {', '.join(TYPES)}.")
        return str(cell_type)

    def source(self) -> str:
        """The text of a new cell; empty where none is given."""
        source = self._said.get("source", "")
        if not isinstance(source, str):
            raise Refused("bad_operation", "A cell's source is text.")
        if len(source) > MAX_SOURCE:
            raise Refused("too_long", f"A cell holds at most {MAX_SOURCE:,} characters.")
        return plain(source)

    def offset(self) -> int:
        """How many characters of the cell's text stand before ``at``, which counts UTF-16 units."""
        source, at = self.cell()["source"], self._said.get("at")
        if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= size(source):
            raise Refused("bad_offset", f"The cell can be split at 0 to {size(source)}.")
        return characters(source, at)

    def version(self) -> int:
        """The version of the cell's text that the tab has."""
        version = self._said.get("version")
        if not isinstance(version, int):
            raise Refused("bad_operation", "An edit needs the version of the text that it changes.")
        return version

    def changes(self) -> Changes:
        """The changes, as they came; ``edits.edited`` checks them."""
        changes: Changes = self._said.get("changes", [])
        return changes

    def author(self) -> str:
        """Which tab it is, so that it knows its own edits again."""
        author = self._said.get("author")
        if not isinstance(author, str) or len(author) > MAX_AUTHOR:
            raise Refused("bad_operation", "An edit needs its author, the tab's id.")
        return author


def fields_of_type(cell: Cell, to: str) -> dict[str, Any]:
    """What changes in a cell with its type: by nbformat outputs are for code alone, attachments for the others."""
    unfit = {"attachments", "outputs", "execution_count"} if to == "code" else set()
    fields: dict[str, Any] = {
        "type": to,
        "extra": {name: value for name, value in cell["extra"].items() if name not in unfit},
    }
    if cell["type"] == "code":
        fields |= {"outputs": [], "count": None, "state": "idle", "duration": None}
    return fields


def merged_fields(cells: list[Cell]) -> dict[str, Any]:
    """What changes in the first of merged cells: it has put nothing out as it is now; it has the attachments of all."""
    first = cells[0]
    attachments: dict[str, Any] = {}
    for cell in cells:
        attachments = {**cell["extra"].get("attachments", {}), **attachments}
    extra = (
        {**first["extra"], "attachments": attachments} if attachments and first["type"] != "code" else first["extra"]
    )
    return {"outputs": [], "count": None, "state": "idle", "duration": None, "extra": extra}
