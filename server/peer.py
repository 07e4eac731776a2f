"""One connection's protocol. Pure: messages in, effects out; no socket, no clock, no log.

    new ──hello──> ready ──(anything but hello)──> ready
     └──hello of another version──> closed

``Peer.receive`` takes what the socket said and returns what to do: ``Say`` a text, ``Start`` the stream,
``Append`` to the log, ``Subscribe``, ``Unsubscribe``, ``Close``. The shell (connection.py) carries it out in that
order. A frame that is wrong gets an error frame, and the connection goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from partyline import protocol
from partyline.topics import is_pattern

from .checks import InputError, bad_topic_message, make_draft, parse_json
from .log import Draft

MAX_TABS = 1_000
"""How many tabs a browser may say it has."""


@dataclass(frozen=True)
class Say:
    """Send this frame."""

    text: str


@dataclass(frozen=True)
class Start:
    """The client said hello: welcome it, bring ``resume`` up to date from ``cursor``, subscribe to ``subscribe``."""

    browser: str
    cursor: tuple[str, int] | None
    resume: frozenset[str]
    subscribe: frozenset[str]
    tabs: int


@dataclass(frozen=True)
class Subscribe:
    """Send snapshots of these, and their events from now on."""

    patterns: frozenset[str]


@dataclass(frozen=True)
class Unsubscribe:
    """Send these no more."""

    patterns: frozenset[str]


@dataclass(frozen=True)
class Append:
    """Append to the log, then say ``Peer.ack`` or ``Peer.refusal``."""

    draft: Draft


@dataclass(frozen=True)
class Tabs:
    """The browser has so many tabs."""

    count: int


@dataclass(frozen=True)
class Close:
    """Close the socket."""

    code: int
    reason: str


Effect = Say | Start | Subscribe | Unsubscribe | Append | Tabs | Close


class Peer:
    """The state of one connection: whether it said hello, and what it is subscribed to.

    Args:
        browser: the public id of the browser behind it, as its cookie proved, or a new one.
        max_frame: the largest frame it may send, in bytes.
        browser_of: tells which browser a token proves; None for one that proves none.
    """

    def __init__(self, browser: str, *, max_frame: int, browser_of: Callable[[str], str | None]) -> None:
        self.browser = browser
        self.max_frame = max_frame
        self._browser_of = browser_of
        self.ready = False
        self.patterns: frozenset[str] = frozenset()

    def receive(self, message: str | bytes) -> list[Effect]:
        """Take what came over the socket; returns the effects, to be carried out in their order."""
        reference: object = None
        try:
            frame = self._parse(message)
            reference = frame.get("id")
            kind = frame.get("kind")
            if not isinstance(kind, str):
                raise InputError("no_kind", 'The frame has no "kind" of text.')
            if kind == protocol.HELLO:
                return self._hello(frame)
            if kind not in protocol.CLIENT_KINDS:
                raise InputError("unknown_kind", f"{kind[:40]!r} is no kind of frame that the server takes.")
            if not self.ready:
                raise InputError("hello_first", f"A {kind} frame came before the hello frame.")
            if kind == protocol.PUBLISH:
                return [Append(self._draft(frame))]
            if kind == protocol.ALIVE:
                return []
            if kind == protocol.TABS:
                return [Tabs(_tabs(frame.get("count")))]
            patterns = _patterns(frame, "topics")
            if kind == protocol.UNSUBSCRIBE:
                self.patterns -= patterns
                return [Unsubscribe(patterns)]
            self._subscribe(patterns)
            return [Subscribe(patterns)]
        except InputError as error:
            return [Say(refusal(error.code, error.message, reference))]

    def _parse(self, message: str | bytes) -> dict[str, Any]:
        if isinstance(message, bytes):
            raise InputError("not_text", "The frame is binary; the line speaks text.")
        size = len(message) if message.isascii() else len(message.encode(errors="surrogatepass"))
        if size > self.max_frame:
            raise InputError("too_large", f"The frame is larger than the {self.max_frame} bytes that are taken.")
        frame = parse_json(message, "The frame")
        if not isinstance(frame, dict):
            raise InputError("not_object", "The frame is JSON, but not an object.")
        return frame

    def _hello(self, frame: dict[str, Any]) -> list[Effect]:
        if self.ready:
            raise InputError("hello_twice", "The connection has said hello before.")
        if frame.get("protocol") != protocol.VERSION:
            message = (
                f"The server speaks version {protocol.VERSION} of the protocol, not {str(frame.get('protocol'))[:20]}. "
                "Reload the page."
            )
            return [Say(refusal("wrong_version", message)), Close(protocol.CLOSE_VERSION, "wrong protocol version")]
        identity, claimed = frame.get("identity"), frame.get("browser")
        if identity is not None:
            proven = self._browser_of(identity) if isinstance(identity, str) else None
            if proven is None:
                raise InputError("bad_identity", "The hello's identity is not one that this server has given.")
            self.browser = proven
        if claimed is not None and claimed != self.browser:
            message = "The hello names a browser that this connection has not proven to be."
            return [Say(refusal("not_yours", message)), Close(protocol.CLOSE_POLICY, "not your browser id")]
        start = Start(
            self.browser,
            _cursor(frame),
            _patterns(frame, "resume"),
            _patterns(frame, "subscribe"),
            _tabs(frame.get("tabs", 1)),
        )
        self._subscribe(start.resume | start.subscribe)
        self.ready = True
        return [start]

    def _subscribe(self, patterns: frozenset[str]) -> None:
        if len(self.patterns | patterns) > protocol.MAX_PATTERNS:
            raise InputError("too_many_topics", f"A connection takes at most {protocol.MAX_PATTERNS} topics.")
        self.patterns |= patterns

    def _draft(self, frame: dict[str, Any]) -> Draft:
        if frame.get("id") is None:
            raise InputError("bad_id", 'A publish frame needs an "id", made by its author.')
        if "data" not in frame:
            raise InputError("no_data", 'A publish frame needs "data".')
        return make_draft(frame.get("topic"), frame["id"], frame["data"], by=self.browser)


def ack(epoch: str, topic: str, event_id: str, seq: int, duplicate: bool) -> str:
    """The frame that says an event is in the log for good."""
    return protocol.encode(
        {"kind": protocol.ACK, "id": event_id, "topic": topic, "seq": seq, "epoch": epoch, "duplicate": duplicate}
    )


def refusal(code: str, message: str, reference: object = None, *, retry: bool = False) -> str:
    """An error frame. ``reference`` is the id of the frame refused, ``retry`` says the same may do later."""
    frame: dict[str, Any] = {"kind": protocol.ERROR, "code": code, "message": message, "retry": retry}
    if isinstance(reference, str) and protocol.is_id(reference):
        frame["id"] = reference
    return protocol.encode(frame)


def _patterns(frame: dict[str, Any], key: str) -> frozenset[str]:
    patterns = frame.get(key, [])
    if not isinstance(patterns, list):
        raise InputError("bad_topic", f'"{key}" must be an array of topics.')
    for pattern in patterns:
        if not is_pattern(pattern):
            raise InputError("bad_topic", bad_topic_message(pattern))
    return frozenset(patterns)


def _tabs(count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_TABS:
        raise InputError("bad_count", f"The number of tabs must be a whole number from 0 to {MAX_TABS}.")
    return count


def _cursor(frame: dict[str, Any]) -> tuple[str, int] | None:
    cursor = frame.get("cursor")
    if cursor is None:
        return None
    if isinstance(cursor, dict):
        epoch, seq = cursor.get("epoch"), cursor.get("seq")
        if isinstance(epoch, str) and isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < 2**63:
            return epoch, seq
    raise InputError("bad_cursor", '"cursor" must be null or {"epoch": text, "seq": whole number}.')
