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
from collections.abc import AsyncIterator, Awaitable, Coroutine, Generator, Iterator
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
    """What ``publish`` returns. ``id`` is the event's own; awaited, it gives the event's ``seq``.

    Example:
        sent = line.publish("room", {"text": "hello"})
        print(sent)  # <on its way: …>
        seq = await sent  # waits until the server has it in its log
    """

    def __init__(self, event_id: str, done: asyncio.Future[int]) -> None:
        self.id = event_id
        self._done = done

    def __await__(self) -> Generator[Any, None, int]:
        """Wait until the event is in the server's log, and give its seq.

        Raises:
            LineError: the server refuses the event; the message says why.
        """
        return asyncio.shield(self._done).__await__()

    def __repr__(self) -> str:
        if not self._done.done():
            return f"<on its way: {self.id}>"
        return (
            f"<refused: {self._done.exception()}>" if self._done.exception() else f"<sent: seq {self._done.result()}>"
        )


class Line:
    """The live line that all tabs of this browser share: cells read its events, and publish on it.

    A topic is a name of words joined by dots, such as ``host.cpu``; a pattern ``host.*`` takes all topics below
    ``host``. Cells use the worker's one connection. A topic that nobody listened to yet is asked of the server, and let
    go some seconds after the last cell is done with it.

    Example:
        from partyline import line

        print(line.latest("host.cpu"))
    """

    def __init__(self, live: LiveData) -> None:
        self._live = live

    def events(self, *topics: str) -> AsyncIterator[Event]:
        """The events of these topics or patterns from now on, for ``async for``. It has no end of its own.

        All comes in order, each event once. What cells of this browser published before the call does not come. Where
        more than 10,000 wait for a loop that is slower than they come, the oldest are dropped, and the cell says so; it
        also says where the line was away for so long that events may lack.

        Args:
            topics: one or more topics or patterns.

        Raises:
            ValueError: no topic is named, or a name is none.
            LineError: this browser listens to as many topics as it may.

        Example:
            async for event in line.events("host.cpu", "room"):
                print(event.topic, event.data)
        """
        return self._events(Listening(self._live, _patterns(topics)))

    async def _events(self, listening: Listening) -> AsyncIterator[Event]:
        with listening as stream:
            while True:
                yield await stream.wait()

    def stream(self, *topics: str) -> Iterator[Event]:
        """The same as ``events``, for a plain ``for`` loop. While it waits, all else goes on: the line, tabs, Stop.

        Args:
            topics: one or more topics or patterns.

        Raises:
            ValueError: no topic is named, or a name is none.
            LineError: this browser listens to as many topics as it may; or it cannot suspend Python (WebKit): use
                ``events`` there.

        Example:
            for event in line.stream("host.cpu"):
                print(event.data["percent"], "%")
                if event.data["percent"] > 90:
                    break
        """
        return self._stream(Listening(self._live, _patterns(topics)))

    def _stream(self, listening: Listening) -> Iterator[Event]:
        with listening as stream:
            while True:
                event = stream.pop()
                yield self._wait(stream.wait()) if event is None else event

    def next(self, topic: str) -> Coroutine[Any, Any, Event]:
        """Wait for the next event of a topic or pattern, however long that takes.

        What cells of this browser published before the call is not it, even where it comes only now. To hear your own
        event, call first, publish, and await then.

        Args:
            topic: a topic or pattern.

        Raises:
            ValueError: the name is no topic.
            LineError: this browser listens to as many topics as it may.

        Example:
            event = await line.next("clock")
            coming = line.next("echo")
            line.publish("echo", 1)
            mine = await coming
        """
        return self._next(Listening(self._live, _patterns((topic,))))

    async def _next(self, listening: Listening) -> Event:
        with listening as stream:
            return await stream.wait()

    def latest(self, topic: str) -> Event | None:
        """The newest event of a topic or pattern; None where there is none yet.

        Args:
            topic: a topic or pattern.

        Raises:
            ValueError: the name is no topic.
            LineError: as for ``history``.

        Example:
            event = line.latest("host.cpu")
            if event is not None:
                print(event.data["percent"], "%")
        """
        events = self.history(topic, last=1)
        return events[-1] if events else None

    def history(self, topic: str, last: int = 100) -> list[Event]:
        """The last events of a topic or pattern, oldest first: as many as are kept here.

        A topic that is new to this browser comes with its last 200 events, or as many as the server gives a newcomer
        (``PARTYLINE_SNAPSHOT``). While somebody here listens to it, its last 500 at least are kept, unless they are
        larger than 4 MB together. What another tab or cell listens to is here at once. Else it is asked of the server,
        for at most 10 seconds.

        Args:
            topic: a topic or pattern.
            last: how many events, of all topics of a pattern together.

        Raises:
            ValueError: the name is no topic.
            LineError: the past did not come in time, since the line is down; or it is not here, and the browser cannot
                suspend Python (WebKit) to wait for it.

        Example:
            figures = [event.data["percent"] for event in line.history("host.cpu", last=60)]
            print(sum(figures) / len(figures))
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
        """Publish an event to all who listen to a topic, in every browser; do not wait for the server, or ``await`` it.

        What is published while the line is down is sent when it is back, once. Where more than 1,000 events wait to be
        sent, the cell waits until there is room again.

        Args:
            topic: a topic; letters, digits, ``_`` and ``-``, in words joined by dots.
            data: anything that JSON can tell: a dict, a list, a text, a number, a bool, None.

        Returns:
            What gives the event's ``seq``, its place in the server's log, where it is awaited.

        Raises:
            ValueError: the name is no topic, or the data is nested too deep, or holds NaN or an infinity.
            TypeError: JSON has no way to tell the data: a set, an object of one's own.
            LineError: the event is too large; or too many wait, in a browser that cannot suspend Python (WebKit), where
                each is best awaited. What the server itself refuses is raised where the event is awaited.

        Example:
            line.publish("room", {"text": "hello from Python", "author": "me"})
            seq = await line.publish("sensor.desk", {"celsius": 21.5})
        """
        if not is_topic(topic):
            raise ValueError(f"{topic!r} is no topic: use letters, digits, _ and -, in words joined by dots")
        if nests_deeper(data, MAX_DEPTH):
            raise ValueError(f"an event's data may hold at most {MAX_DEPTH} lists and dicts inside each other")
        data = loads(protocol.encode({"kind": "data", "data": data}))["data"]  # as it is now; raises where JSON can't
        return Sent(*self._live.publish(topic, data))

    def topics(self) -> list[str]:
        """The topics and patterns that this browser listens to, for its tabs and its cells.

        Example:
            print(line.topics())  # ['host.*', 'room']
        """
        return list(self._live.session.diagnostics()["topics"])

    def tabs(self) -> int:
        """How many tabs are open in this browser, this one among them.

        Example:
            print(line.tabs(), "tabs share this Python")
        """
        return int(self._live.session.diagnostics()["tabs"])

    def status(self) -> dict[str, Any]:
        """How the line is, in a dict.

        Among it: ``state`` (``connecting``, ``live``, ``offline`` or ``failed``), ``epoch`` and ``seq`` (the log, and
        how far this browser has read it), ``tabs``, ``topics``, ``sockets_opened`` (1 where the connection never
        broke), ``gaps``, ``duplicates``, and ``outbox`` (how much waits to be sent).

        Example:
            status = line.status()
            print(status["state"], "at", status["seq"])
        """
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
