"""What comes from outside, checked: JSON text in, values or an InputError out. Pure.

The limits that RFC 8259 (section 9) lets a parser set are set here: size, depth, no NaN or Infinity, and no lone
surrogates, which are no Unicode text (RFC 3629, section 3) and which no database or socket would take.
"""

from __future__ import annotations

import json
import secrets
from typing import Any, NoReturn

from partyline.protocol import MAX_DEPTH, MAX_ID_LENGTH, is_id
from partyline.topics import MAX_LENGTH, is_topic

from .log import Draft


class InputError(Exception):
    """Input that is refused. ``code`` is for programs, ``message`` for people, ``status`` for HTTP.

    ``retry_after`` says in how many seconds the same may do; None where it never will.
    """

    def __init__(self, code: str, message: str, status: int = 400, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after


def parse_json(text: str | bytes, what: str) -> Any:
    """The value of a JSON text. ``what`` names it in the InputError: "The body", "The frame"."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep(what) from None
    except UnicodeDecodeError:
        raise InputError("not_json", f"{what} is not JSON: it is not text in UTF-8.") from None
    except ValueError as error:
        raise InputError("not_json", f"{what} is not JSON: {error}.") from None
    if _brackets(text) > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep(what)
    return value


def make_draft(topic: object, event_id: object, data: Any, *, by: str = "") -> Draft:
    """A draft for the log. An ``event_id`` of None gets one made; ``data`` is a parsed JSON value.

    ``by`` is who publishes, as far as the server knows it.
    """
    if topic is None:
        raise InputError("no_topic", "The event has no topic.")
    if not is_topic(topic) or not isinstance(topic, str):
        raise InputError("bad_topic", bad_topic_message(topic))
    if event_id is None:
        event_id = secrets.token_hex(12)
    if not isinstance(event_id, str) or not is_id(event_id):
        raise InputError("bad_id", f"The event's id must be text of 1 to {MAX_ID_LENGTH} printable characters.")
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except UnicodeEncodeError:
        raise InputError("bad_text", "The event's data has half a surrogate pair in it, which is no text.") from None
    except ValueError:
        raise InputError("bad_number", "The event's data has a number too large for JSON's readers.") from None
    return Draft(topic, event_id, text, by)


def bad_topic_message(topic: object) -> str:
    """What to say of a topic, or a pattern, that is none; shows no more of it than fits a line."""
    shown = repr(topic)
    shown = shown if len(shown) <= 60 else f"{shown[:56]}…"
    return (
        f"{shown} is no topic: it takes 1 to {MAX_LENGTH} letters, digits, _ and -, in words joined by dots "
        "(to subscribe, it may end in .*)."
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _too_deep(what: str) -> InputError:
    return InputError("too_deep", f"{what} is nested deeper than {MAX_DEPTH} levels.")


def _brackets(text: str | bytes) -> int:
    """How deep the text can be nested at the most: the quick way to see that most need no closer look."""
    return text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")


def _depth(value: Any) -> int:
    """How many arrays and objects stand inside each other, counted without recursion."""
    depth = 0
    level = [value] if isinstance(value, dict | list) else []
    while level:
        depth += 1
        children = (child for each in level for child in (each.values() if isinstance(each, dict) else each))
        level = [child for child in children if isinstance(child, dict | list)]
    return depth
