"""A number for each topic: ``100000, host.*=3600, room=500``. Pure.

The default comes first, then ``pattern=value``. The most specific pattern wins: the topic itself, then the longest
``prefix.*``. Values are whole numbers, or for ages durations: ``90s``, ``15m``, ``12h``, ``7d``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class PerTopic:
    """The rule. ``rules`` are pairs of a pattern and its value, no pattern twice."""

    default: int
    rules: tuple[tuple[str, int], ...] = ()

    def of(self, topic: str) -> int:
        """The value for a topic."""
        fitting = [(len(pattern), value) for pattern, value in self.rules if _matches(pattern, topic)]
        exact = [value for pattern, value in self.rules if pattern == topic]
        return exact[0] if exact else max(fitting)[1] if fitting else self.default

    @property
    def largest(self) -> int:
        """The largest value that any topic can have."""
        return max(self.default, *(value for _, value in self.rules)) if self.rules else self.default

    def __str__(self) -> str:
        return ", ".join([str(self.default), *(f"{pattern}={value}" for pattern, value in self.rules)])


def parse(text: str, read: Callable[[str], int]) -> PerTopic:
    """The rule that a text tells; ``read`` reads one value. Raises ValueError, which says what was wrong."""
    from partyline.topics import is_pattern  # not at the top: who imports the settings sets the path to it afterwards

    first, *others = text.split(",")
    rules: dict[str, int] = {}
    for other in others:
        pattern, equals, value = (part.strip() for part in other.partition("="))
        if not equals:
            raise ValueError(f"{other.strip()!r} is not of the form topic=value")
        if not is_pattern(pattern):
            raise ValueError(f"{pattern!r} is neither a topic nor a pattern such as host.*")
        if pattern in rules:
            raise ValueError(f"{pattern} is there twice")
        rules[pattern] = read(value)
    return PerTopic(read(first.strip()), tuple(rules.items()))


def read_count(text: str) -> int:
    """A whole number of at least 1."""
    return _read(text, least=1)


def read_number(text: str) -> int:
    """A whole number of at least 0."""
    return _read(text, least=0)


def _read(text: str, *, least: int) -> int:
    if not _is_number(text) or int(text) < least:
        raise ValueError(f"{text!r} is not a whole number of at least {least}")
    return int(text)


def read_duration(text: str) -> int:
    """A duration in seconds: a whole number and a unit, s, m, h or d; or 0.

    A number without a unit is refused: taken for seconds, it would remove all that somebody meant to keep for days.
    """
    if text == "0":
        return 0
    if text[-1:] not in _UNITS or not _is_number(text[:-1]):
        raise ValueError(f"{text!r} is not a duration such as 0, 90s, 15m, 12h or 7d")
    return int(text[:-1]) * _UNITS[text[-1]]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _matches(pattern: str, topic: str) -> bool:
    return pattern.endswith(".*") and topic.startswith(pattern[:-1])
