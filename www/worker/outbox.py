"""What was published and is not acknowledged yet, in order. Sent again after each reconnect. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_LETTERS = 1_000


@dataclass
class Letter:
    """A publish on its way: its topic, its frame's text, the port that wants to know, and when it may be sent again."""

    id: str
    topic: str
    frame: str
    port: int
    retry_at: float | None = None


class Outbox:
    """Letters by id, oldest first; at most ``MAX_LETTERS``."""

    def __init__(self) -> None:
        self._letters: dict[str, Letter] = {}

    def __len__(self) -> int:
        return len(self._letters)

    def __iter__(self) -> Iterator[Letter]:
        return iter(self._letters.values())

    @property
    def full(self) -> bool:
        """Whether no more is taken until something is acknowledged."""
        return len(self._letters) >= MAX_LETTERS

    def add(self, letter: Letter) -> None:
        """Keep a letter; the same id again changes nothing but who wants to know."""
        kept = self._letters.setdefault(letter.id, letter)
        kept.port = letter.port

    def get(self, event_id: object) -> Letter | None:
        """The letter of this id, or None."""
        return self._letters.get(event_id) if isinstance(event_id, str) else None

    def remove(self, event_id: str) -> None:
        """The letter has arrived, or can never arrive."""
        self._letters.pop(event_id, None)

    def due(self, now: float) -> list[Letter]:
        """Letters that were put off until a time that has come; they are put off no more."""
        due = [letter for letter in self if letter.retry_at is not None and letter.retry_at <= now]
        for letter in due:
            letter.retry_at = None
        return due

    def next_due(self) -> float | None:
        """When the next one that was put off is due; None where there is none."""
        return min((letter.retry_at for letter in self if letter.retry_at is not None), default=None)
