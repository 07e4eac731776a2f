"""The frames of the line: what a message looks like, on the WebSocket and between worker and tabs.

A frame is text: a header, which is a JSON object on one line with a ``kind``, and after it as many body
lines as the header names topics::

    {"kind": "events", "epoch": "9f2c", "seq": 42, "topics": [["room", 1], ["host.cpu", 2]]}
    [{"seq": 40, "time": 1767225600.5, "id": "a1", "data": {"text": "hello", "author": "fox"}}]
    [{"seq": 41, ...}, {"seq": 42, ...}]

JSON text need never hold a bare line break (RFC 8259, section 7), and ours never does, so splitting at line
breaks is safe, and who relays a frame reads its header alone and passes the bodies on unread.

``seq`` in a header says: with this frame you have all of your topics' events up to here. One frame carries
one whole window of the log, so a cursor that takes the header's ``seq`` never skips an event.
"""

import json

from .jsontext import is_deeper, loads

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Iterable
    from typing import Any

    Header = dict[str, Any]

VERSION = 1

# client -> server
HELLO = "hello"
SUBSCRIBE = "subscribe"
UNSUBSCRIBE = "unsubscribe"
PUBLISH = "publish"
ALIVE = "alive"
TABS = "tabs"  # also worker -> all tabs
CLIENT_KINDS = (HELLO, SUBSCRIBE, UNSUBSCRIBE, PUBLISH, ALIVE, TABS)

# server -> client
WELCOME = "welcome"
SNAPSHOT = "snapshot"
SUBSCRIBED = "subscribed"
EVENTS = "events"
ACK = "ack"
ERROR = "error"
PRESENCE = "presence"
HEARTBEAT = "heartbeat"
GOODBYE = "goodbye"
SERVER_KINDS = (WELCOME, SNAPSHOT, SUBSCRIBED, EVENTS, ACK, ERROR, PRESENCE, HEARTBEAT, GOODBYE)

# tab -> worker, over the tab's port; besides hello, subscribe, unsubscribe and publish
ASK = "ask"
PING = "ping"  # the worker says it too, to a tab that it has not heard of for long
PONG = "pong"  # the answer, of either
FAULT = "fault"
BYE = "bye"
NOTEBOOK = "notebook"  # the worker says it too
TAB_KINDS = (HELLO, SUBSCRIBE, UNSUBSCRIBE, PUBLISH, ASK, PING, PONG, FAULT, BYE, NOTEBOOK)

# worker -> tab, over the tab's port; besides events, snapshot, ack, error, ping and pong
BOOTING = "booting"
FAILED = "failed"
JOINED = "joined"
ANSWER = "answer"
HOLD = "hold"

# worker -> all tabs, over the channel, each in a relay envelope; besides what comes from the server
RELAY = "relay"
LINE = "line"
OUTBOX = "outbox"  # how much of what this browser published waits for the server

# what a tab's follower puts in where an era ends
CLEARED = "cleared"

# why a snapshot came
NEW = "new"  # the topic is new to this connection, or to this tab
GAP = "gap"  # events between were lost to this connection: it was too slow, or away too long
RESET = "reset"  # the log is another one

# WebSocket close codes (RFC 6455, section 7.4.1, and IANA's registry; 4000-4999 are for applications)
CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_INTERNAL = 1011
CLOSE_RESTART = 1012
CLOSE_SILENT = 4000
CLOSE_VERSION = 4001
FINAL_CLOSE_CODES = (CLOSE_POLICY, CLOSE_VERSION)

MAX_ID_LENGTH = 200
MAX_PATTERNS = 200  # topics and patterns that one connection may hold; the welcome tells it too
MAX_DEPTH = 64  # arrays and objects inside each other, in a header


class ProtocolError(ValueError):
    """A frame that breaks the protocol. ``code`` is for programs, ``message`` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def encode(header: "Header", bodies: "Iterable[str]" = ()) -> str:
    """A frame's text. ``bodies`` are JSON texts without line breaks, one for each of the header's topics."""
    return "\n".join([json.dumps(header)] + list(bodies))


def decode(text: str) -> "tuple[Header, list[str]]":
    """A frame's header, parsed, and its bodies, as the texts they are.

    Raises ProtocolError where the header is not a JSON object with a ``kind`` of text, or is nested too deep.
    """
    lines = text.split("\n")
    return decode_header(lines[0]), lines[1:]


def decode_header(line: str) -> "Header":
    """The header of a frame from its first line. Raises ProtocolError as ``decode`` does."""
    if is_deeper(line, MAX_DEPTH):
        raise ProtocolError("too_deep", f"The frame is nested deeper than {MAX_DEPTH} levels.")
    try:
        header = loads(line)
    except ValueError:
        raise ProtocolError("not_json", "The frame's first line is not JSON.")
    if not isinstance(header, dict):
        raise ProtocolError("not_object", "The frame is JSON, but not an object.")
    if not isinstance(header.get("kind"), str):
        raise ProtocolError("no_kind", 'The frame has no "kind" of text.')
    return header


def envelope(number: int, era: int, epoch: str, worker: str, frame: str) -> str:
    """A frame wrapped for the channel: ``number`` counts what this ``worker`` broadcasts, so a tab sees a hole."""
    header = {"kind": RELAY, "n": number, "era": era, "epoch": epoch, "worker": worker}
    return json.dumps(header) + "\n" + frame


def is_id(value: object) -> bool:
    """Whether ``value`` may be an event's id: text of 1 to 200 printable characters."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID_LENGTH:
        return False
    for character in value:
        code = ord(character)
        if code < 32 or 127 <= code < 160 or 0xD800 <= code <= 0xDFFF:
            return False
    return True
