"""``from partyline import line``: the live line, for cells.

    for event in line.stream("host.cpu"):          # a plain loop; the world turns meanwhile
        print(event.data["percent"])

    async for event in line.events("room"):        # the same, with await
        line.publish("echo", event.data)

    line.latest("host.cpu"); line.history("room", last=10); await line.next("clock")

Topics are words joined by dots; a pattern ``host.*`` takes all below ``host``. Cells share the worker's one socket:
a topic that no tab wants yet is asked of the server, and let go some seconds after the last cell has done with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from typing import Any

from livedata import LineError, Listening, LiveData
from partyline import protocol
from partyline.jsontext import loads, nests_deeper
from partyline.protocol import MAX_DEPTH
from partyline.topics import is_pattern, is_topic
from streams import Event, read

ANSWER_SECONDS = 10.0
"""So long ``latest`` and ``history`` wait for a topic's past."""


class Sent:
    """What ``publish`` returns: the event's ``id``; awaited, its ``seq``, once it is in the server's log."""

    def __init__(self, event_id: str, done: asyncio.Future[int]) -> None:
        self.id = event_id
        self._done = done

    def __await__(self) -> Generator[Any, None, int]:
        """Wait for the server. Raises LineError where it refuses the event."""
        return asyncio.shield(self._done).__await__()

    def __repr__(self) -> str:
        if not self._done.done():
            return f"<on its way: {self.id}>"
        return (
            f"<refused: {self._done.exception()}>" if self._done.exception() else f"<sent: seq {self._done.result()}>"
        )


class Line:
    """The live line that all tabs of this browser share."""

    def __init__(self, live: LiveData) -> None:
        self._live = live

    def events(self, *topics: str) -> AsyncIterator[Event]:
        """The events of these topics or patterns from now on: ``async for event in line.events("room"): …``."""
        return self._events(_patterns(topics))

    async def _events(self, patterns: frozenset[str]) -> AsyncIterator[Event]:
        with Listening(self._live, patterns) as stream:
            while True:
                yield await stream.wait()

    def stream(self, *topics: str) -> Iterator[Event]:
        """The same for a plain loop: ``for event in line.stream("host.cpu"): …``. Everything else goes on meanwhile.

        Raises LineError where the browser cannot suspend Python; use ``events`` there.
        """
        return self._stream(_patterns(topics))

    def _stream(self, patterns: frozenset[str]) -> Iterator[Event]:
        with Listening(self._live, patterns) as stream:
            while True:
                event = stream.pop()
                yield self._wait(stream.wait()) if event is None else event

    async def next(self, topic: str) -> Event:
        """The next event of a topic or pattern."""
        with Listening(self._live, _patterns((topic,))) as stream:
            return await stream.wait()

    def latest(self, topic: str) -> Event | None:
        """The newest event of a topic or pattern; None where there is none."""
        events = self.history(topic, last=1)
        return events[-1] if events else None

    def history(self, topic: str, last: int = 100) -> list[Event]:
        """The last events of a topic or pattern, oldest first: as many as the worker keeps, 500 a topic at least.

        Raises LineError where the past is not here in time: the line is down, or the browser cannot wait for it.
        """
        (pattern,) = _patterns((topic,))
        with Listening(self._live, frozenset({pattern})):
            bodies = self._live.session.kept(pattern)
            if bodies is None:
                bodies = self._wait(self._past(pattern))
            events = [event for name, body in bodies for event in read(name, body)]
        events.sort(key=lambda event: event.seq)
        return events[-last:] if last > 0 else []

    async def _past(self, pattern: str) -> list[tuple[str, str]]:
        until = time.monotonic() + ANSWER_SECONDS
        while (bodies := self._live.session.kept(pattern)) is None:
            left = until - time.monotonic()
            if left <= 0:
                raise LineError(
                    f"What {pattern} was did not come within {ANSWER_SECONDS:.0f} s: {self.status()['state']}."
                )
            await asyncio.sleep(min(left, 0.05))
        return bodies

    def publish(self, topic: str, data: Any) -> Sent:
        """Publish an event; ``data`` is anything that JSON can tell. Awaited, it gives the event's seq in the log.

        What is published while the line is down is sent when it is back. Raises ValueError or TypeError for what cannot
        be published.
        """
        if not is_topic(topic):
            raise ValueError(f"{topic!r} is no topic: use letters, digits, _ and -, in words joined by dots")
        if nests_deeper(data, MAX_DEPTH):
            raise ValueError(f"an event's data may hold at most {MAX_DEPTH} lists and dicts inside each other")
        data = loads(protocol.encode({"kind": "data", "data": data}))["data"]  # as it is now; raises where JSON can't
        return Sent(*self._live.publish(topic, data))

    def topics(self) -> list[str]:
        """The topics that this browser listens to, patterns among them."""
        return list(self._live.session.diagnostics()["topics"])

    def tabs(self) -> int:
        """How many tabs are open in this browser."""
        return int(self._live.session.diagnostics()["tabs"])

    def status(self) -> dict[str, Any]:
        """How the line is: its ``state``, ``epoch``, ``seq``, ``tabs``, ``sockets_opened`` and more."""
        return self._live.session.diagnostics()

    def __repr__(self) -> str:
        return f"<line: {self._live.session.state}, {self.tabs()} tabs>"

    def _wait(self, awaitable: Awaitable[Any]) -> Any:
        if not self._live.guard.can_suspend:
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            raise LineError("This browser cannot suspend Python (JSPI), so a plain loop cannot wait: use await.")
        return self._live.guard.wait(awaitable)


def _patterns(topics: tuple[str, ...]) -> frozenset[str]:
    if not topics:
        raise ValueError("name a topic, as in line.events('room')")
    for topic in topics:
        if not is_pattern(topic):
            raise ValueError(
                f"{topic!r} is no topic: use letters, digits, _ and -, in words joined by dots, .* at the end"
            )
    return frozenset(topics)
