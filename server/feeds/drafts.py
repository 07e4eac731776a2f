"""What a feed yields, checked: a value in, a ``Draft`` for the log or a FeedError out. Pure."""

from __future__ import annotations

import json
import secrets
from typing import Any

from partyline.protocol import MAX_DEPTH, MAX_ID_LENGTH, is_id
from partyline.topics import is_topic

from ..checks import InputError, bad_topic_message, parse_json
from ..log import Draft
from .declare import Emit, Source


class FeedError(ValueError):
    """What a feed yielded cannot be an event; the message says why."""


def make_draft(source: Source, value: Any, max_bytes: int) -> Draft:
    """The draft of a value that ``source`` yielded; it gets an id where it has none."""
    if not isinstance(value, Emit):
        if source.topic is None:
            raise FeedError(
                f"it yielded a value ({type(value).__name__}) without a topic: "
                'yield Emit("a.topic", value), or put the topic into @feed("a.topic").'
            )
        value = Emit(source.topic, value)
    if not is_topic(value.topic):
        raise FeedError(bad_topic_message(value.topic))
    event_id = value.id if value.id is not None else secrets.token_hex(12)
    if not isinstance(event_id, str) or not is_id(event_id):
        raise FeedError(f"{event_id!r:.60} is no id: it takes text of 1 to {MAX_ID_LENGTH} printable characters.")
    return Draft(value.topic, event_id, _json(value.data, max_bytes), by=f"feed:{source.name}")


def _json(data: Any, max_bytes: int) -> str:
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        size = len(text.encode())
        if text.count("[") + text.count("{") > MAX_DEPTH:
            parse_json(text, "The value")
    except UnicodeEncodeError:
        raise FeedError("it yielded text with half a surrogate pair in it, which is no text.") from None
    except InputError as error:
        raise FeedError(error.message) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise FeedError(f"it yielded what JSON cannot hold: {error}.") from None
    if size > max_bytes:
        raise FeedError(f"it yielded {size} bytes of JSON; an event's data has at most {max_bytes}.")
    return text
