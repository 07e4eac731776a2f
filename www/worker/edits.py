"""The last changes of each cell's text, so that who has an older version can be brought up to date. Pure.

As in @codemirror/collab with a central authority: a tab whose edit came too late pulls what it lacks, puts its own on
top of that, and says it again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from partyline import changes as text_changes
from partyline.changes import ChangesError
from shapes import MAX_SOURCE, Refused, is_unicode

MAX_UPDATES = 200
MAX_CHARACTERS = 1_000_000  # of all that the kept changes of a cell put in

Update = dict[str, Any]
"""``{"changes": ChangeSet, "author": tab or ""}``"""


def edited(changes: object, source: str) -> str:
    """A cell's text after changes that a tab sent. Raises Refused where they can't be made."""
    try:
        after = text_changes.apply(changes, source)  # type: ignore[arg-type]
        lines = text_changes.inserted(changes)  # type: ignore[arg-type]
    except ChangesError as error:
        raise Refused("bad_edit", f"This edit does not fit the cell's text. {error}") from None
    if not all(is_unicode(line) and "\n" not in line and "\r" not in line for line in lines):
        raise Refused("bad_edit", "A line of this edit holds a line break, or half a character.")
    if len(after) > MAX_SOURCE:
        raise Refused("too_long", f"A cell holds at most {MAX_SOURCE:,} characters. Split it into several.")
    return after


@dataclass
class _Kept:
    version: int = 0  # after the last one
    updates: deque[Update] = field(default_factory=deque)
    sizes: deque[int] = field(default_factory=deque)


class Edits:
    """Updates by cell."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def add(self, cell: str, version: int, update: Update) -> None:
        """This made the next version of the cell's text out of ``version``."""
        kept = self._kept.setdefault(cell, _Kept(version))
        if kept.version != version:
            kept = self._kept[cell] = _Kept(version)
        kept.version = version + 1
        kept.updates.append(update)
        kept.sizes.append(sum(map(len, text_changes.inserted(update["changes"]))))
        while len(kept.updates) > MAX_UPDATES or sum(kept.sizes) > MAX_CHARACTERS:
            kept.updates.popleft()
            kept.sizes.popleft()

    def forget(self, cell: str | None) -> None:
        """Forget those of a cell, or of all: its text was not changed, but is another one."""
        if cell is None:
            self._kept.clear()
        else:
            self._kept.pop(cell, None)

    def since(self, cell: str, version: int, now: int) -> list[Update] | None:
        """What leads from ``version`` to ``now``, oldest first; None where that is not known any more."""
        if version == now:
            return []
        kept = self._kept.get(cell)
        behind = now - version
        if kept is None or kept.version != now or not 0 < behind <= len(kept.updates):
            return None
        return list(kept.updates)[-behind:]
