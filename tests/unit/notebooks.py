"""Notebooks for tests, tabs that follow one over slow ports, and random operations."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from hypothesis import strategies as st

from document import Document, Told
from partyline import changes as text_changes
from partyline.replica import Replica
from shapes import Notebook, new_cell, new_notebook

TEXT = st.text(alphabet="ab é漢😀\n", max_size=12)


def over_the_wire(value: Any) -> Any:
    """What a tab gets of it, or the worker: text that is JSON."""
    return json.loads(json.dumps(value))


def notebook(*sources: str, name: str = "hello") -> Notebook:
    """Code cells ``a``, ``b``, ... with these texts."""
    cells = [new_cell(chr(ord("a") + place), source=source) for place, source in enumerate(sources)]
    return new_notebook(name, cells)


def opened(*sources: str) -> Document:
    return Document(notebook(*sources), "w")


def texts(document: Document) -> list[str]:
    return [cell["source"] for cell in document.cells]


def ids(document: Document) -> str:
    """The ids of all cells, in order."""
    return " ".join(cell["id"] for cell in document.cells)


def saved(document: Document) -> Notebook:
    """What a file would hold of it: all but what is of this session alone."""
    cells = [
        {name: value for name, value in cell.items() if name not in ("state", "duration", "version")}
        for cell in document.whole()["cells"]
    ]
    whole = {name: value for name, value in document.whole().items() if name not in ("rev", "undo", "redo", "versions")}
    return {**whole, "cells": cells}


def change(source: str, start: int, end: int, more: str) -> list[Any]:
    """A ChangeSet that puts ``more`` in the place of characters, as CodeMirror would tell it."""
    size = text_changes.size
    parts: list[Any] = [size(source[:start]), [size(source[start:end]), *(more.split("\n") if more else [])]]
    return [*parts, size(source[end:])]


def edit(document: Document, cell_id: str, source: str, author: str = "tab") -> Told | None:
    """Make the cell's text this one."""
    cell = document.cell(cell_id)
    changes = change(cell["source"], 0, len(cell["source"]), source)
    return document.apply(
        {"op": "edit", "cell": cell_id, "version": cell["version"], "changes": changes, "author": author}
    )


class Tab:
    """A tab with its replica, and what is on its way to it."""

    def __init__(self) -> None:
        self.replica = Replica()
        self.port: deque[tuple[str, Any]] = deque()
        self.asked = False

    def tell(self, kind: str, value: Any) -> None:
        self.port.append((kind, over_the_wire(value)))

    def hear(self) -> None:
        """The oldest of what is on its way arrives."""
        kind, value = self.port.popleft()
        if kind == "whole":
            self.asked = False
            self.replica.whole(value)
        else:
            self.replica.take(value)


class Storage:
    """localStorage, as www/js/worker.js offers it."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def kept(self, key: str) -> str | None:
        """What stands under a key."""
        return self.texts.get(key)

    def keep(self, key: str, text: str) -> None:
        """Put a text there."""
        self.texts[key] = text
