"""Which bytes answer a request for a file: its encoding, and its range. Pure.

In flow header texts as they came, which may be anything; out come a coding's name (RFC 9110, section 12.5.3) and the
bounds of a range (section 14). What a client asks for in a way that the RFC does not know is passed over, as it says.
"""

from __future__ import annotations

import re
from collections.abc import Collection

IDENTITY = "identity"

CODINGS = ("br", "gzip", IDENTITY)
"""By preference, where the client has none: the smallest first."""

_CODING = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*)"')
_DIGITS = 18
_UNLISTED = 0.0001  # below the least that a client can say, 0.001


class RangeError(ValueError):
    """None of the bytes that a range asks for are there (RFC 9110, section 15.5.17)."""


def choose_coding(accepted: str | None, available: Collection[str]) -> str:
    """The coding to answer with, of those ``available`` and identity, for an ``Accept-Encoding``.

    Without the header it is identity, which everybody understands; so it is where nothing that there is would be
    acceptable: the RFC leaves the choice between that and an error, and an answer is of more use.
    """
    if accepted is None:
        return IDENTITY
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        match = _CODING.fullmatch(part.strip(" \t"))
        if match is not None:
            weights[match[1].removeprefix("x-")] = float(match[2] or 1)  # x-gzip is gzip: section 8.4.1.3
    anything = weights.get("*")
    best, most = IDENTITY, 0.0
    for coding in CODINGS:
        unlisted = _UNLISTED if coding == IDENTITY else 0.0
        weight = weights.get(coding, unlisted if anything is None else anything)
        if weight > most and (coding == IDENTITY or coding in available):
            best, most = coding, weight
    return best


def parse_range(text: str | None, size: int) -> tuple[int, int] | None:
    """The first byte and the one after the last that a ``Range`` asks for; None where all are to be sent.

    That is so where there is no such header, where it is malformed, and where it asks for several ranges, which a
    server need not serve. Raises RangeError where it asks for bytes that are not there.
    """
    match = _RANGE.fullmatch(text) if text is not None else None
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        last_bytes = _number(match[2])
        if last_bytes == 0:
            raise RangeError("the last 0 bytes")
        return (max(0, size - last_bytes), size) if size else None  # nothing has no range to name in an answer
    first = _number(match[1])
    if match[2] and _number(match[2]) < first:
        return None
    if first >= size:
        raise RangeError(f"from byte {first} on")
    return first, min(_number(match[2]) + 1, size) if match[2] else size


def is_unchanged(if_range: str | None, etag: str) -> bool:
    """Whether an ``If-Range`` lets the range be served: there is none, or it is this entity tag, compared strongly.

    A date never is: our answers carry none that it could be taken from (RFC 9110, section 13.1.5).
    """
    match = _ENTITY_TAG.fullmatch(if_range.strip(" \t")) if if_range is not None else None
    return if_range is None or (match is not None and match[1] == etag)


def _number(digits: str) -> int:
    """A number of any length; all that no file can have are as good as each other."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _DIGITS else 10**_DIGITS
