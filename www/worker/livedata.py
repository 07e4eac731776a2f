"""What cells listen to and publish, between them and the session. The hub's side of ``line.py``.

Cells share the worker's one socket: a topic that no tab wants yet is asked of the server, and let go some seconds after
the last cell has done with it.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from partyline import protocol
from partyline.topics import any_matches
from streams import Event, Stream, read

if TYPE_CHECKING:
    from effects import Effect
    from guard import Guard
    from session import Session


FINAL = ("failed", "retired")
"""The states of the line in which nothing will be sent any more."""

ROOM_SECONDS = 0.02
"""How often it is looked whether a full outbox has room again."""

FULL = (
    "Too much waits to be sent already, and this browser cannot suspend Python (JSPI) to let it go: use "
    "await line.publish(…) in a loop."
)
DOWN = "line: the line is down, and too much waits to be sent: this cell goes on when it is back."

MAX_PUBLISHED = 10_000
"""Of so many events that cells published is known when that was."""


class LineError(Exception):
    """The line cannot do what was asked; the message says why, and what to do.

    Example:
        from partyline import LineError, line

        try:
            await line.publish("room", {"text": "hello"})
        except LineError as error:
            print("Refused:", error)
    """


class LiveData:
    """The streams of all cells, and what they have published. ``do`` carries out the session's effects."""

    def __init__(self, session: Session, guard: Guard, do: Callable[[list[Effect]], None]) -> None:
        self.session = session
        self.guard = guard
        self._do = do
        self._streams: list[Stream] = []
        self._wanted: Counter[str] = Counter()
        self._sent: dict[str, asyncio.Future[int]] = {}
        self._published: dict[str, int] = {}  # by id: how many there were before
        self.published = 0  # how many events cells have published

    # from the shell

    def hear(self, bodies: list[tuple[str, str]], reason: str) -> None:
        """Events came from the server, or what it keeps of some topics, for a ``reason``."""
        for topic, body in bodies:
            streams = [stream for stream in self._streams if any_matches(stream.patterns, topic)]
            for stream in streams:
                self._give(stream, topic, read(topic, body), reason)  # anew, for a cell may change what it gets

    def told(self, text: str) -> None:
        """The session answered what a cell has published."""
        header, _ = protocol.decode(text)
        done = self._sent.pop(header.get("id", ""), None)
        if done is None or done.done():
            return
        if header["kind"] == protocol.ACK:
            done.set_result(header["seq"])
        else:
            done.set_exception(LineError(header["message"]))
            done.exception()  # who does not await it does not want to know

    # between cells and hub

    def listen(self, stream: Stream) -> None:
        """Begin a stream; what came before that does not count, nor what cells published before it was asked for."""
        with self.guard.shield:
            self._streams.append(stream)
            before = self._wanted.copy()
            self._wanted.update(stream.patterns)
            for pattern in stream.patterns:
                for topic, body in self.session.kept(pattern) or ():
                    self._give(stream, topic, read(topic, body), protocol.NEW)
            refusal = self.guard.hub(self._want)
            if refusal:
                self._wanted = before
                self._streams.remove(stream)
        if refusal:
            raise LineError(refusal)

    def leave(self, stream: Stream) -> None:
        """The stream has ended."""
        with self.guard.shield:
            if stream in self._streams:
                self._streams.remove(stream)
                self._wanted.subtract(stream.patterns)
                self._wanted = +self._wanted
                self.guard.hub(self._want)

    def publish(self, topic: str, data: object) -> tuple[str, asyncio.Future[int]]:
        """Send an event; returns its id, and what will be its seq, or why the server refused it.

        Where too much waits to be sent, the cell does, too. Raises LineError where the event cannot be sent at all.
        """
        while True:
            with self.guard.shield:  # else another cell might take the room that there is
                if not self._must_wait():
                    event_id, done = self._publish(topic, data)
                    break
            if self.session.state != "live":
                print(DOWN, file=sys.stderr)
            self.guard.wait(self._room())
        refusal = done.exception() if done.done() else None  # it is not on its way at all then
        if refusal is not None:
            raise refusal
        return event_id, done

    def _publish(self, topic: str, data: object) -> tuple[str, asyncio.Future[int]]:
        event_id = secrets.token_hex(12)
        self._published[event_id] = self.published
        self.published += 1
        if len(self._published) > MAX_PUBLISHED:
            del self._published[next(iter(self._published))]
        done = self._sent[event_id] = asyncio.get_running_loop().create_future()
        self.guard.hub(lambda: self._do(self.session.cells_publish(event_id, topic, data)))
        return event_id, done

    def _must_wait(self) -> bool:
        """Whether there is no room, and there may be some soon. Raises LineError where nobody can wait for it."""
        if not self.session.outbox_full or self.session.state in FINAL:
            return False
        if self.guard.can_suspend:
            return True
        if self.session.state == "live":
            raise LineError(FULL)
        return False

    async def _room(self) -> None:
        while self.session.outbox_full and self.session.state not in FINAL:
            await asyncio.sleep(ROOM_SECONDS)

    def _give(self, stream: Stream, topic: str, events: list[Event], reason: str) -> None:
        """Events for a stream, but for what cells published before it was asked for: that may come only now.

        What they published since may be among what the server keeps already; there the past ends.
        """
        place = {event.seq: self._published[event.id] for event in events if event.id in self._published}
        since = [seq for seq, number in place.items() if number >= stream.asked]
        past = since[0] - 1 if since else events[-1].seq if events else 0
        wanted = [event for event in events if place.get(event.seq, stream.asked) >= stream.asked]
        stream.take(topic, wanted, reason, past)

    def _want(self) -> str:
        effects, refusal = self.session.cells_want(frozenset(self._wanted), time.monotonic())
        self._do(effects)
        return refusal


class Listening:
    """A stream for as long as a ``with`` lasts. It counts as asked for when this is made."""

    def __init__(self, live: LiveData, patterns: frozenset[str]) -> None:
        self._live = live
        self._stream = Stream(live.guard, patterns, live.published)

    def __enter__(self) -> Stream:
        try:
            self._live.listen(self._stream)
        except BaseException:  # a stop that comes as the shield ends, too: then nobody calls __exit__
            self._live.leave(self._stream)
            raise
        return self._stream

    def __exit__(self, *_: object) -> None:
        self._live.leave(self._stream)
