"""What undoes a notebook's structural changes, and does them again. Pure.

An *action* changes the cells; doing one gives the action that takes it back (structure.py does them). An *entry* is
what takes back one operation. Texts that were typed since are not undone by it, and not lost: the
editor has its own undo.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shapes import Cell, Notebook

MAX_ENTRIES = 100
MAX_CHARACTERS = 20_000_000  # of all that is kept for undoing, as JSON; the newest entry always stays


@dataclass(frozen=True)
class Put:
    """A cell comes in, after another one or first."""

    cell: Cell
    after: str | None


@dataclass(frozen=True)
class Drop:
    """A cell goes."""

    cell: str


@dataclass(frozen=True)
class Place:
    """A cell goes to another place."""

    cell: str
    after: str | None


@dataclass(frozen=True)
class Change:
    """Fields of a cell become these."""

    cell: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Join:
    """The text of ``other`` goes to the end of ``cell``'s, with ``between`` in between; ``other`` goes."""

    cell: str
    other: str
    between: str


@dataclass(frozen=True)
class Cut:
    """The text of ``cell``, which was ``joined``, ends after ``head``; what follows goes to a new cell after it.

    ``tail`` is that cell, its text as it was before the two were joined.
    """

    cell: str
    joined: str
    head: int
    tail: Cell


@dataclass(frozen=True)
class Replace:
    """The whole notebook becomes another one, under its own name."""

    notebook: Notebook


Action = Put | Drop | Place | Change | Join | Cut | Replace
Entry = list[Action]


@dataclass
class _Stack:
    entries: list[Entry] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def push(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.sizes.append(sum(len(json.dumps(vars(action))) for action in entry))
        while len(self.entries) > MAX_ENTRIES or (len(self.entries) > 1 and sum(self.sizes) > MAX_CHARACTERS):
            del self.entries[0], self.sizes[0]

    def pop(self) -> Entry:
        self.sizes.pop()
        return self.entries.pop()


class History:
    """Two stacks of entries: what can be undone, and what was undone and can be done again."""

    def __init__(self) -> None:
        self._undo = _Stack()
        self._redo = _Stack()

    @property
    def undoable(self) -> int:
        """How many operations can be undone."""
        return len(self._undo.entries)

    @property
    def redoable(self) -> int:
        """How many can be done again."""
        return len(self._redo.entries)

    def done(self, entry: Entry) -> None:
        """An operation was done; the entry takes it back. What was undone before can't be done again."""
        self._undo.push(entry)
        self._redo = _Stack()

    def next(self, redo: bool) -> Entry | None:
        """What undoes the last operation, or with ``redo`` does it again; None where there is nothing."""
        entries = (self._redo if redo else self._undo).entries
        return entries[-1] if entries else None

    def turned(self, redo: bool, entry: Entry) -> None:
        """What ``next`` told was done; ``entry`` takes that back."""
        taken, given = (self._redo, self._undo) if redo else (self._undo, self._redo)
        taken.pop()
        given.push(entry)

    def clear(self) -> None:
        """Forget everything: the notebook is another one."""
        self._undo, self._redo = _Stack(), _Stack()
