"""What waits to be written in this process: bounded, in events and in bytes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from . import MAX_WAITING, MAX_WAITING_BYTES, Draft, LogBusyError


class Waiting:
    """How much waits. Drafts come in with ``enter``, and go out with ``leave`` when they are written or given up."""

    def __init__(self) -> None:
        self._events = 0
        self._bytes = 0

    def enter(self, drafts: Sequence[Draft]) -> None:
        """Count them in. Raises LogBusyError where they are too many; large ones alone are taken all the same."""
        size = _bytes(drafts)
        if self._events + len(drafts) > MAX_WAITING or (self._bytes and self._bytes + size > MAX_WAITING_BYTES):
            raise LogBusyError(f"{self._events} events wait to be written; try again in a moment.")
        self._events += len(drafts)
        self._bytes += size

    def leave(self, drafts: Sequence[Draft]) -> None:
        """They wait no more."""
        self._events -= len(drafts)
        self._bytes -= _bytes(drafts)


def _bytes(drafts: Sequence[Draft]) -> int:
    return sum(len(draft.data) for draft in drafts)
