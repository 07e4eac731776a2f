"""What may be in a notebook: the limits, the names of its cells, and how text is held. Pure.

The text of a cell is held as CodeMirror holds it, so that both count the same: lines end with ``\\n`` alone (it reads
``\\r\\n`` and ``\\r`` as that), and no half of a surrogate pair stands alone, since no file could hold that.
"""

from __future__ import annotations

import re
from typing import Any

from partyline.changes import size

TYPES = ("code", "markdown", "raw")
STATES = ("idle", "queued", "running", "error", "done")

MAX_CELLS = 2_000
MAX_SOURCE = 1_000_000
"""Characters of a cell's text."""

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # nbformat 4.5's cell_id; JEP 62
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,60}")  # of a notebook, as the server has it
_BREAKS = re.compile(r"\r\n?")

Cell = dict[str, Any]
Notebook = dict[str, Any]


class Refused(ValueError):
    """What is not done, and changed nothing. ``code`` is for programs, ``message`` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def is_cell_id(value: object) -> bool:
    """Whether a cell may have this id, by nbformat 4.5."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def plain(text: str) -> str:
    """A text as cells hold it."""
    if "\r" in text:
        text = _BREAKS.sub("\n", text)
    return text if is_unicode(text) else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_unicode(text: str) -> bool:
    """Whether no lone surrogate is in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def characters(text: str, units: int) -> int:
    """How many whole characters the first ``units`` UTF-16 code units of a text are; the editor counts in these."""
    units = max(0, units)
    if size(text) == len(text):
        return min(units, len(text))
    raw = text.encode("utf-16-le", "surrogatepass")[: units * 2]
    count = len(raw.decode("utf-16-le", "surrogatepass"))
    return count if size(text[:count]) <= units else count - 1


def new_cell(cell_id: str, cell_type: str = "code", source: str = "") -> Cell:
    """A cell as partyline/cells.py tells, at rest."""
    return {
        "id": cell_id,
        "type": cell_type,
        "source": source,
        "version": 0,
        "outputs": [],
        "count": None,
        "metadata": {},
        "extra": {},
        "state": "idle",
        "duration": None,
    }


def new_notebook(name: str, cells: list[Cell], title: str = "") -> Notebook:
    """A notebook as partyline/cells.py tells; its metadata say what runs it, so that Jupyter need not ask."""
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "name": name,
        "title": title,
        "rev": 0,
        "metadata": {"kernelspec": kernelspec, "language_info": {"name": "python"}},
        "minor": 5,
        "extra": {},
        "cells": cells,
        "undo": 0,
        "redo": 0,
        "versions": {},
    }


def checked(notebook: object) -> Notebook:
    """A whole notebook that comes from a tab, with its cells at rest. Raises Refused where it is none of ours."""
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise Refused("bad_notebook", "What this tab has kept is no notebook.")
    fields = {"name": str, "title": str, "rev": int, "metadata": dict, "minor": int, "extra": dict}
    cells, versions = notebook["cells"], notebook.get("versions", {})  # those that were kept before there were any
    if not isinstance(versions, dict) or not all(isinstance(rev, int) for rev in versions.values()):
        raise Refused("bad_notebook", "What this tab has kept does not say which changes are in it.")
    if len(cells) > MAX_CELLS or not _has(notebook, fields) or not all(map(_is_cell, cells)):
        raise Refused("bad_notebook", "What this tab has kept is no notebook that this page could have made.")
    if len({cell["id"] for cell in cells}) < len(cells):
        raise Refused("bad_notebook", "What this tab has kept has two cells of one id.")
    kept = new_notebook(notebook["name"], [rested(cell) for cell in cells])
    lesson = notebook.get("lesson")
    of_lesson = {"lesson": lesson} if isinstance(lesson, str) and _NAME.fullmatch(lesson) else {}
    return {**kept, **{name: notebook[name] for name in fields}, "versions": versions, **of_lesson}


def rested(cell: Cell) -> Cell:
    """The cell, as it is where no kernel runs it any more."""
    return {**cell, "state": "idle"} if cell["state"] in ("queued", "running") else dict(cell)


def _is_cell(cell: object) -> bool:
    fields = {"type": str, "source": str, "version": int, "outputs": list, "metadata": dict, "extra": dict}
    return (
        isinstance(cell, dict)
        and _has(cell, fields)
        and is_cell_id(cell.get("id"))
        and cell["type"] in TYPES
        and cell.get("state") in STATES
        and isinstance(cell.get("count"), int | None)
        and isinstance(cell.get("duration"), int | float | None)
        and all(isinstance(output, dict) for output in cell["outputs"])
        and len(cell["source"]) <= MAX_SOURCE
        and cell["source"] == plain(cell["source"])
    )


def _has(value: dict[str, Any], fields: dict[str, type]) -> bool:
    return all(isinstance(value.get(name), kind) for name, kind in fields.items())
