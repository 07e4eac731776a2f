"""What becomes of what tabs publish: checked, kept, sent, acknowledged or refused, and told to the tab. Pure.

    a tab publishes ──> outbox, and sent while the line is live ──ack, or refusal for good──> the tab is told
                          ^                └──refused for now, line lost──┘ (sent again)

The session says when the line is live and what the server answers; out come its effects (effects.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from effects import Broadcast, Discard, Effect, Keep, Send, Tell
from outbox import MAX_AGE, Letter, Outbox
from partyline import protocol
from partyline.protocol import ProtocolError
from partyline.topics import is_topic
from tabs import Tabs

if TYPE_CHECKING:
    from partyline.protocol import Header

CELLS = 0
"""The port of what cells publish, and of what an earlier worker left to be sent."""

RETRY_SECONDS = 1.0
"""What the server refused for now is sent again after so long."""


class Publishing:
    """The outbox and its answers.

    ``live`` is whether the server takes frames, ``frame_limit`` how many bytes at once, 0 while that is not known;
    ``trouble`` why nothing that is published can be kept, empty where it can.

    Args:
        tabs: those that are here, for whom to tell.
        broadcast: makes the effect that tells all tabs.
        letters: what an earlier worker left to be sent, in order; they are kept already.
        trouble: as above, at the start.
    """

    def __init__(
        self, tabs: Tabs, broadcast: Callable[[str], Broadcast], letters: Iterable[Letter], trouble: str
    ) -> None:
        self.live = False
        self.frame_limit = 0
        self.trouble = trouble
        self._tabs = tabs
        self._broadcast = broadcast
        self._outbox = Outbox(letters)
        self._notices = [_not_kept(trouble)] if trouble else []  # for the next tab that says hello
        self._told: int | None = 0  # how much waits, as all tabs were told; None where they were told differently

    def __len__(self) -> int:
        """How many are not acknowledged yet."""
        return len(self._outbox)

    @property
    def full(self) -> bool:
        """Whether no more is taken until the server has taken some."""
        return self._outbox.full

    def publish(self, port: int, header: Header) -> list[Effect]:
        """A tab publishes: its id, topic and data."""
        event_id = header.get("id")
        try:
            letter = self._letter(port, event_id, header.get("topic"), header.get("data"))
        except ProtocolError as error:
            return [_refusal(port, error.code, error.message, event_id)]
        effects: list[Effect] = [Keep(letter, sent=self.live)] if self._outbox.add(letter) else []
        return [*effects, Send(letter.frame)] if self.live else [*effects, *self.tell()]

    def send_all(self) -> list[Effect]:
        """The server welcomed us, and told its limits: send what waits, but for what it would never take."""
        effects: list[Effect] = []
        for letter in [letter for letter in self._outbox if len(letter.frame) > self.frame_limit]:
            effects.append(self._remove(letter))
            if letter.port in self._tabs or letter.port == CELLS:
                effects.append(_refusal(letter.port, "too_large", self._too_large, letter.id))
        return effects + [Send(letter.frame) for letter in self._outbox] + self.tell()

    def acknowledged(self, header: Header, text: str) -> list[Effect]:
        """The server has taken the event of this id."""
        letter = self._outbox.get(header["id"])
        return [] if letter is None else self._settle(letter, text)

    def refused(self, header: Header, text: str, now: float) -> list[Effect] | None:
        """The server refused an event, for now or for good; None where it speaks of none that is here."""
        letter = self._outbox.get(header.get("id"))
        if letter is None:
            return None
        if header.get("retry"):
            letter.retry_at = now + RETRY_SECONDS
            return []
        return self._settle(letter, text)

    def tell(self) -> list[Effect]:
        """Tell all tabs how much waits, where that is news: while the line is live, only that nothing does."""
        count = len(self._outbox)
        if count == self._told or (self.live and count):
            return []
        self._told = count
        return [self._broadcast(protocol.encode({"kind": protocol.OUTBOX, "count": count}))]

    def joined(self, port: int) -> list[Effect]:
        """A tab was just told how much waits: tell it what could be told to nobody before, too."""
        if self._told != len(self._outbox):
            self._told = None
        notices, self._notices = self._notices, []
        return [Tell(port, _notice(message)) for message in notices]

    def home_failed(self, why: str) -> list[Effect]:
        """What is published cannot be kept beyond this worker's life; with an empty text: it is again."""
        self.trouble = why
        if not why:
            return []
        return self._notify(_not_kept(why))

    def expired(self, count: int) -> list[Effect]:
        """So many letters of an earlier worker were too old, and will not be sent."""
        what = "A message that" if count == 1 else f"{count} messages that"
        return self._notify(f"{what} could not be sent for {MAX_AGE / 86_400:.0f} days will not be sent any more.")

    def next_due(self) -> float | None:
        """When ``tick`` has something to send; None for never."""
        return self._outbox.next_due() if self.live else None

    def tick(self, now: float) -> list[Effect]:
        """Time went by: send again what was refused for now."""
        return [Send(letter.frame) for letter in self._outbox.due(now)] if self.live else []

    def _letter(self, port: int, event_id: object, topic: object, data: object) -> Letter:
        """A letter of what a tab gave. Raises ProtocolError where it is not to be sent."""
        if not isinstance(event_id, str) or not protocol.is_id(event_id):
            raise ProtocolError("bad_id", "A publish needs an id.")
        if not isinstance(topic, str) or not is_topic(topic):
            message = "A publish needs a topic of letters, digits, _ and -, in words joined by dots."
            raise ProtocolError("bad_topic", message)
        try:
            json.dumps(data, allow_nan=False)
        except ValueError:
            raise ProtocolError(
                "bad_number", "A publish holds a number that JSON cannot tell: NaN or infinite."
            ) from None
        waiting = self._outbox.get(event_id)
        if waiting is not None and waiting.topic != topic:  # an answer names the id alone, and would be taken for both
            raise ProtocolError(
                "bad_id", f"An event of this id waits to be sent to {waiting.topic}; give each its own."
            )
        if waiting is None and self.full:
            then = "it will do in a moment" if self.live else "it will do when the line is back"
            raise ProtocolError("outbox_full", f"Too much waits to be sent; {then}.")
        frame = protocol.encode({"kind": protocol.PUBLISH, "id": event_id, "topic": topic, "data": data})
        if self.frame_limit and len(frame) > self.frame_limit:
            raise ProtocolError("too_large", self._too_large)
        return Letter(event_id, topic, frame, port)

    @property
    def _too_large(self) -> str:
        return f"The server takes at most {self.frame_limit} bytes at once."

    def _settle(self, letter: Letter, answer: str) -> list[Effect]:
        """The server has taken a letter, or refused it for good: tell who wants to know."""
        effects: list[Effect] = [self._remove(letter)]
        if letter.port in self._tabs or letter.port == CELLS:
            effects.append(Tell(letter.port, answer))
        return effects + self.tell()

    def _remove(self, letter: Letter) -> Discard:
        self._outbox.remove(letter.id)
        return Discard(letter.id)

    def _notify(self, message: str) -> list[Effect]:
        """Tell all tabs; where there is none, the next one."""
        if not self._tabs:
            self._notices.append(message)
            return []
        return [self._broadcast(_notice(message))]


def _refusal(port: int, code: str, message: str, event_id: object) -> Tell:
    frame: Header = {"kind": protocol.ERROR, "code": code, "message": message}
    if protocol.is_id(event_id):
        frame["id"] = event_id
    return Tell(port, protocol.encode(frame))


def _not_kept(why: str) -> str:
    return f"What you send now may be lost if you close all tabs before it is sent: {why}"


def _notice(message: str) -> str:
    return protocol.encode({"kind": protocol.ERROR, "code": "outbox", "message": message})
