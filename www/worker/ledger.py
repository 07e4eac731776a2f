"""What the outbox's database has still to be told, and whether this worker may tell it. Pure.

    keep, discard ──> what waits ──take──> one batch on its way ──done──> on the disk
                          ^                       └──failed──> waits again

One batch is on its way at a time; what comes meanwhile waits, and is the next. So a burst costs few transactions, and a
letter that is acknowledged before its turn came costs none.

**Claims.** Each worker claims the outbox for its generation as it starts. A batch is written only if no higher
generation has claimed it since, which the same transaction reads; transactions that write to one store never overlap.
So once a generation has read the outbox, no earlier one edits it. Workers of one generation (a tab each, say) share it:
an id counts once, so what two of them send is one event.

**Failure.** A batch is written whole or not at all, so one put that finds no room would keep the deletes back that make
room. Therefore deletes alone are tried next, then all again; and if that fails too, nothing until something changes.
"""

from __future__ import annotations

from collections.abc import Iterable

from outbox import Record

Batch = dict[str, Record | None]
"""By id: the record to be put, or None where it is to be deleted."""


class Ledger:
    """The books of one generation; ``stored`` are the ids that it found."""

    def __init__(self, generation: int, stored: Iterable[str] = ()) -> None:
        self.generation = generation
        self.superseded_by: int | None = None
        self.failing = False  # the last batch could not be written
        self._stored = set(stored)  # those that may be on the disk
        self._waiting: Batch = {}
        self._out: Batch | None = None
        self._deletes_only = False
        self._stuck = False  # nothing is tried until something new waits

    def keep(self, event_id: str, record: Record) -> None:
        """A letter is to be put on the disk."""
        self._waiting.pop(event_id, None)  # a dict keeps a key's first place
        self._waiting[event_id] = record
        self._stuck = False

    def discard(self, event_id: str) -> None:
        """A letter is to be there no more."""
        self._waiting.pop(event_id, None)
        if event_id in self._stored:
            self._waiting[event_id] = None
        self._stuck = False

    def take(self) -> Batch | None:
        """The next batch to be written, if there is one and none is on its way. Call ``done`` or ``failed`` for it."""
        if self._out is not None or self._stuck or self.superseded_by is not None:
            return None
        batch = {
            event_id: record for event_id, record in self._waiting.items() if record is None or not self._deletes_only
        }
        if not batch:
            return None
        for event_id in batch:
            del self._waiting[event_id]
        self._stored |= batch.keys()
        self._out = batch
        return batch

    def admit(self, claimed: int) -> bool:
        """Whether the batch may be written, where this is the highest generation that has claimed the outbox."""
        if claimed <= self.generation:
            return True
        self.superseded_by = claimed
        return False

    def done(self) -> None:
        """The batch is on the disk."""
        if self._out is None:
            raise RuntimeError("no batch is on its way")
        self._stored -= {event_id for event_id, record in self._out.items() if record is None}
        self._out = None
        self.failing = self._deletes_only and bool(self._waiting)
        self._deletes_only = False

    def failed(self) -> None:
        """Nothing of the batch is on the disk."""
        if self._out is None:
            raise RuntimeError("no batch is on its way")
        had_puts = any(record is not None for record in self._out.values())
        self._waiting = {**self._out, **self._waiting}
        self._out = None
        self.failing = True
        self._deletes_only = had_puts and None in self._waiting.values()
        self._stuck = not self._deletes_only
