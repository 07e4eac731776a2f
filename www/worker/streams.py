"""Events for cells: read out of the bodies that came, and waiting for the loop that takes them."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partyline import protocol
from partyline.jsontext import is_deeper, loads
from partyline.protocol import MAX_DEPTH

if TYPE_CHECKING:
    from guard import Guard

MAX_WAITING = 10_000
"""How many events may wait for a loop that is slower than they come; the oldest go then, and it is said."""


@dataclass(frozen=True)
class Event:
    """One event, as it stands in the server's log.

    Args:
        topic: its topic, also where a pattern was asked for.
        seq: its place in the log; later ones have higher numbers, whatever their topic.
        time: when the server took it, in seconds since 1970, UTC.
        id: its name, given by its author; no two events of a topic have the same.
        data: what was published: what ``json.loads`` makes of it.
        by: who published it, as the server knows it: a browser's id, ``feed:host``, or empty where it is not known.

    Example:
        event = line.latest("room")
        print(event.seq, event.time, event.data["text"])
    """

    topic: str
    seq: int
    time: float
    id: str
    data: Any
    by: str = ""


def read(topic: str, body: str) -> list[Event]:
    """Events out of a body, the text of a JSON array; those that are nested too deep to be read are left out."""
    if is_deeper(body, MAX_DEPTH + 2):  # of the array, and of each event
        return []
    return [
        Event(topic, told["seq"], told["time"], told["id"], told["data"], told.get("by", "")) for told in loads(body)
    ]


class Stream:
    """The events of some patterns, from now on, in order, each once.

    ``asked`` is how many events cells had published when it was asked for.
    """

    def __init__(self, guard: Guard, patterns: frozenset[str], asked: int) -> None:
        self.patterns = patterns
        self.asked = asked
        self.dropped = 0
        self._guard = guard
        self._events: deque[Event] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._gap = False
        self._seqs: dict[str, int] = {}

    def take(self, topic: str, events: list[Event], reason: str, past: int) -> None:
        """These came; where there is a ``reason``, they are what the server keeps of the topic.

        That is the past, up to the seq ``past``, but where it stands for events that the line has missed: then it is
        said that some may lack.
        """
        if reason == protocol.RESET:  # another log, which counts anew
            self._seqs.pop(topic, None)
        if reason == protocol.GAP:
            self._gap = True
        elif reason and topic not in self._seqs:
            self._seqs[topic] = past
        last = self._seqs.get(topic, 0)
        fresh = [event for event in events if event.seq > last]
        if not fresh:
            return
        self._seqs[topic] = fresh[-1].seq
        self._events.extend(fresh)
        while len(self._events) > MAX_WAITING:
            self._events.popleft()
            self.dropped += 1
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def pop(self) -> Event | None:
        """The next event, if it is here."""
        with self._guard.shield:
            if self._gap:
                self._gap = False
                print("line: the line was away for so long that events may lack here.", file=sys.stderr)
            if self.dropped:
                dropped, self.dropped = self.dropped, 0
                print(
                    f"line: {dropped} events came faster than this loop takes them, and were dropped.", file=sys.stderr
                )
            return self._events.popleft() if self._events else None

    async def wait(self) -> Event:
        """The next event."""
        while True:
            event = self.pop()
            if event is not None:
                return event
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
