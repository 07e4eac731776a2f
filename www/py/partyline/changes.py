"""Changes of a text as CodeMirror 6 tells them: the JSON of a ChangeSet, applied and made.

It covers the whole text, from its start: a number keeps so much, ``[3]`` deletes 3, ``[3, "a", "b"]`` puts the lines
``a`` and ``b`` in their place. Lengths are in UTF-16 code units, as JavaScript counts: an emoji is two.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Changes = list[Any]


class ChangesError(ValueError):
    """What is no ChangeSet, or one of another text."""


def size(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text) + (len([character for character in text if character > "\uffff"]) if _is_wide(text) else 0)


def apply(changes: "Changes", text: str) -> str:
    """The text after the changes. Raises ChangesError where they do not fit it."""
    wide = _is_wide(text)
    done = []
    at = 0
    for length, lines in _parts(changes):
        end = _skip(text, at, length) if wide else at + length
        if end > len(text):
            raise ChangesError(f"The changes go on after the text's end, {size(text)}.")
        done.append(text[at:end] if lines is None else "\n".join(lines))
        at = end
    if at != len(text):
        raise ChangesError(f"The changes end before the text's end, {size(text)}.")
    return "".join(done)


def inserted(changes: "Changes") -> "list[str]":
    """All lines that the changes bring. Raises ChangesError where they are none."""
    return [line for _, lines in _parts(changes) for line in lines or []]


def appending(text: str, more: str) -> "Changes":
    """The changes that put ``more`` after ``text``."""
    return _kept(text) + [[0] + more.split("\n")]


def cutting(text: str, length: int) -> "Changes":
    """The changes that leave the first ``length`` characters of ``text``."""
    return _kept(text[:length]) + [[size(text[length:])]]


def _kept(text: str) -> "Changes":
    return [size(text)] if text else []


def _parts(changes: "Any") -> "list[tuple[int, list[str] | None]]":
    if not isinstance(changes, list):
        raise ChangesError("Changes are an array.")
    parts = []
    for part in changes:
        lines = None
        if isinstance(part, list) and part:
            length, lines = part[0], part[1:]
        else:
            length = part
        if isinstance(length, bool) or not isinstance(length, int) or length < 0:
            raise ChangesError("A part of the changes has no length.")
        for line in lines or []:
            if not isinstance(line, str):
                raise ChangesError("A part of the changes puts in what is no text.")
        parts.append((length, lines))
    return parts


def _is_wide(text: str) -> bool:
    """Whether there are characters of two units: beyond the Basic Multilingual Plane."""
    return bool(text) and max(text) > "\uffff"


def _skip(text: str, at: int, units: int) -> int:
    while units > 0:
        if at == len(text):
            return at + 1
        units -= 2 if text[at] > "\uffff" else 1
        at += 1
    if units:
        raise ChangesError("The changes part the two halves of a character.")
    return at
