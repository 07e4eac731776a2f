"""What was published and is not acknowledged yet, in order. Sent again after each reconnect. Pure.

Letters outlive the worker as records, which ``vault.py`` keeps in IndexedDB: what a record holds, in which order they
are sent, and which of them are too old, is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from partyline.protocol import decode, is_id
from partyline.topics import is_topic

MAX_LETTERS = 1_000
MAX_CHARACTERS = 16_000_000  # of all frames; a start reads them all
MAX_AGE = 30 * 24 * 3600.0  # seconds; longer than school holidays. What is older would surprise more than it helps

Record = dict[str, Any]


@dataclass
class Letter:
    """A publish on its way.

    ``frame`` is the text that is sent; ``port`` the tab that wants to know, 0 for none, as where an earlier worker took
    it; ``number`` its place in the order; ``retry_at`` when it may be sent again.
    """

    id: str
    topic: str
    frame: str
    port: int
    number: int = 0
    retry_at: float | None = None

    def record(self, time: float) -> Record:
        """What is kept of it: all but what only this worker knows. ``time`` is now, in seconds since 1970."""
        return {"id": self.id, "topic": self.topic, "frame": self.frame, "number": self.number, "time": time}


@dataclass(frozen=True)
class Found:
    """What an earlier worker left behind: ``letters`` to be sent, in their order, and ids of records to be removed:
    ``expired`` are too old, ``unreadable`` are none of ours."""

    letters: list[Letter]
    expired: list[str]
    unreadable: list[Any]


def read(records: Iterable[Record], now: float) -> Found:
    """Letters out of their records; ``now`` is in seconds since 1970."""
    found = Found([], [], [])
    for record in records:
        try:
            letter, time = _letter(record)
        except (AttributeError, KeyError, TypeError, ValueError):
            found.unreadable.append(record.get("id"))
            continue
        if now - time > MAX_AGE:
            found.expired.append(letter.id)
        else:
            found.letters.append(letter)
    found.letters.sort(key=lambda letter: letter.number)
    return found


def _letter(record: Record) -> tuple[Letter, float]:
    event_id, topic, frame = record["id"], record["topic"], record["frame"]
    header, _ = decode(frame)
    if not is_id(event_id) or not is_topic(topic) or (header.get("id"), header.get("topic")) != (event_id, topic):
        raise ValueError("no letter, or the frame is another one's")
    return Letter(event_id, topic, frame, port=0, number=int(record["number"])), float(record["time"])


class Outbox:
    """Letters by id, oldest first, at most ``MAX_LETTERS``; ``letters`` are those that an earlier worker left."""

    def __init__(self, letters: Iterable[Letter] = ()) -> None:
        self._letters = {letter.id: letter for letter in letters}
        self._number = max((letter.number for letter in self), default=0)
        self._characters = sum(len(letter.frame) for letter in self)

    def __len__(self) -> int:
        return len(self._letters)

    def __iter__(self) -> Iterator[Letter]:
        return iter(self._letters.values())

    @property
    def full(self) -> bool:
        """Whether no more is taken until something is acknowledged."""
        return len(self._letters) >= MAX_LETTERS or self._characters >= MAX_CHARACTERS

    def add(self, letter: Letter) -> bool:
        """Keep a letter, and say whether it is new; the same id again changes nothing but who wants to know."""
        kept = self._letters.setdefault(letter.id, letter)
        kept.port = letter.port
        if kept is not letter:
            return False
        self._number += 1
        letter.number = self._number
        self._characters += len(letter.frame)
        return True

    def get(self, event_id: object) -> Letter | None:
        """The letter of this id, or None."""
        return self._letters.get(event_id) if isinstance(event_id, str) else None

    def remove(self, event_id: str) -> None:
        """The letter has arrived, or can never arrive."""
        letter = self._letters.pop(event_id, None)
        if letter is not None:
            self._characters -= len(letter.frame)

    def due(self, now: float) -> list[Letter]:
        """Letters that were put off until a time that has come; they are put off no more."""
        due = [letter for letter in self if letter.retry_at is not None and letter.retry_at <= now]
        for letter in due:
            letter.retry_at = None
        return due

    def next_due(self) -> float | None:
        """When the next one that was put off is due; None where there is none."""
        return min((letter.retry_at for letter in self if letter.retry_at is not None), default=None)
