"""The WebSocket endpoint: the shell around ``peer``.

Each connection has two tasks. The reader hands what the socket says to the peer and queues the effects; the sender
carries them out in order, and between them sends the fan-out's next windows. One sender means one order: a snapshot
is taken at the place in the stream where it is sent, so nothing falls between a topic's history and its live events.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Sequence

from hypercorn.typing import ASGIReceiveCallable
from quart import Quart, ResponseReturnValue, Websocket, websocket
from quart.asgi import ASGIWebsocketConnection

from partyline import __version__, protocol
from partyline.topics import any_matches

from . import peer
from .auth import origin_allowed
from .config import Settings
from .fanout import PAGE, Fanout, Window, encode_snapshot
from .log import EventLog, LogBusyError, LogError, Receipt, TopicInfo
from .logs import fields
from .metrics import Traffic, size
from .peer import Append, Close, Effect, Peer, Say, Start, Subscribe, Unsubscribe
from .presence import Presence

MAX_IN_HAND = 64
"""How many frames of one connection may wait for their answer; past that its socket is not read."""

MAX_QUEUED = 8
"""How many messages of one connection may wait to be looked at."""

HELLO_SECONDS = 10.0
"""A socket that has not said hello by then is closed."""

SEND_SECONDS = 30.0
"""A client that takes nothing for so long is given up; it will come back and resume."""

RETURN_SECONDS = 0.5
RETURN_SECONDS_EACH = 0.001
"""Over how long clients should come back after a goodbye, and how much longer for each of them."""

PRESENCE_DELAY = 0.1
"""Joins and leaves within this many seconds are told as one."""

ENDINGS = {
    protocol.CLOSE_RESTART: "restart",
    protocol.CLOSE_SILENT: "no_hello",
    protocol.CLOSE_VERSION: "version",
    protocol.CLOSE_POLICY: "policy",
}
"""Why a connection ended, by the code that we closed it with; besides, "client", "slow" and "failed"."""

logger = logging.getLogger("partyline.line")


class BoundedConnection(ASGIWebsocketConnection):
    """Quart's, with a bounded queue: a client that floods us waits in its own socket, not in our memory.

    A message of more than ``max_frame`` characters is cut to one more, which the peer will find too large.
    """

    max_frame = 0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.queue = asyncio.Queue(maxsize=MAX_QUEUED)

    async def handle_messages(self, receive: ASGIReceiveCallable) -> None:
        """Queue what comes until the socket is closed."""
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            if event["type"] == "websocket.receive":
                text = event.get("text")
                message = text if text is not None else event.get("bytes") or b""
                await self.queue.put(message[: self.max_frame + 1])


class Line:
    """All connections of this process, and what they stand on."""

    def __init__(self, settings: Settings, log: EventLog, fanout: Fanout) -> None:
        self.settings = settings
        self.log = log
        self.fanout = fanout
        self.metrics = fanout.metrics
        self.presence = Presence()
        self.connections: set[Connection] = set()
        self._telling: asyncio.TimerHandle | None = None

    def register(self, app: Quart) -> None:
        """Add the endpoint ``/ws`` to the app."""
        limits = {"max_frame": self.settings.max_frame}
        app.asgi_websocket_class = type("Connection", (BoundedConnection,), limits)
        app.add_websocket("/ws", "line", self._endpoint)

    def shut_down(self) -> None:
        """Tell every browser that the server goes, and close."""
        within = RETURN_SECONDS + RETURN_SECONDS_EACH * len(self.connections)
        goodbye = protocol.encode({"kind": protocol.GOODBYE, "within": round(within, 3)})
        for connection in list(self.connections):
            connection.do(Say(goodbye))
            connection.do(Close(protocol.CLOSE_RESTART, "the server is shutting down"))

    def presence_changed(self) -> None:
        """Tell everybody the new counts, soon."""
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(PRESENCE_DELAY, self._tell_presence)

    def _tell_presence(self) -> None:
        self._telling = None
        for connection in self.connections:
            connection.presence_due = True
            connection.wake.set()

    async def _endpoint(self) -> ResponseReturnValue | None:
        origin = websocket.headers.get("Origin")
        if not origin_allowed(origin, websocket.host, self.settings.origins):
            logger.warning("< refused a socket from the origin %.100r", origin)
            self.metrics.refusals["socket", "bad_origin"] += 1
            message = "Pages of this origin may not connect. PARTYLINE_ORIGINS names those that may."
            return {"error": {"code": "bad_origin", "message": message}}, 403
        await websocket.accept()
        connection = Connection(self, websocket._get_current_object())  # type: ignore[attr-defined]
        self.connections.add(connection)
        self.fanout.listeners.add(connection.wake)
        self.presence.opened()
        self.presence_changed()
        connection.log_opened()
        try:
            await connection.run()
        except Exception:
            connection.ended = "failed"
            logger.exception("= the connection of %s failed", connection.browser)
            await websocket.close(protocol.CLOSE_INTERNAL, "the server failed at this; its log says why")
        finally:
            self.connections.discard(connection)
            self.fanout.listeners.discard(connection.wake)
            self.presence.closed(connection.browser)
            self.presence_changed()
            self.metrics.closed[connection.ended] += 1
            self.metrics.past.add(connection.traffic)
            connection.log_closed()
        return None


class Connection:
    """One socket. ``position`` is the seq up to which it has been sent all that is in its ``patterns``."""

    def __init__(self, line: Line, socket: Websocket) -> None:
        self.line = line
        self.socket = socket
        self.wake = asyncio.Event()
        self.browser: str | None = None
        self.patterns: frozenset[str] = frozenset()
        self.position = 0
        self.presence_due = False
        self.ended = "client"
        self._close_code: int | None = None
        self.traffic = Traffic()
        self._number = 0
        self._peer = Peer(max_frame=line.settings.max_frame)
        self._effects: deque[tuple[Effect, bool]] = deque()
        self._in_hand = asyncio.Semaphore(MAX_IN_HAND)
        self._open = True
        self._opened_at = self._sent_at = asyncio.get_running_loop().time()

    @property
    def lag(self) -> int:
        """How many windows it has not been sent yet."""
        return self.line.fanout.next_number - self._number if self.browser is not None else 0

    def log_opened(self) -> None:
        """A line in the log."""
        remote = self._remote()
        logger.info("< a socket of %s is open", remote, extra=fields(remote=remote))

    def log_closed(self) -> None:
        """A line in the log, with what it was and why it ended."""
        traffic, seconds = self.traffic, asyncio.get_running_loop().time() - self._opened_at
        extra = fields(
            remote=self._remote(),
            browser=self.browser,
            reason=self.ended,
            code=self._close_code,
            duration_ms=round(seconds * 1000, 3),
            received=traffic.received,
            received_bytes=traffic.received_bytes,
            sent=traffic.sent,
            sent_bytes=traffic.sent_bytes,
        )
        logger.info(
            "= the socket of %s is closed (%s) after %.1f s, %d messages from it and %d to it",
            self.browser or self._remote(), self.ended, seconds, traffic.received, traffic.sent, extra=extra,
        )  # fmt: skip

    def _remote(self) -> str | None:
        client = self.socket.scope.get("client")
        return client[0] if client else None

    def do(self, effect: Effect, *, in_hand: bool = False) -> None:
        """Queue an effect for the sender; ``in_hand`` where it answers a frame of the client's."""
        self._effects.append((effect, in_hand))
        self.wake.set()

    async def run(self) -> None:
        """Serve the connection until it is closed; the server cancels it when the client goes."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            await self._send()
            reader.cancel()

    # the reader

    async def _read(self) -> None:
        while True:
            message: str | bytes = await self.socket.receive()
            self.traffic.received += 1
            self.traffic.received_bytes += size(message)
            for effect in self._peer.receive(message):
                await self._in_hand.acquire()
                if isinstance(effect, Append):
                    self._append(effect)
                else:
                    self.do(effect, in_hand=True)

    def _append(self, effect: Append) -> None:
        draft = effect.draft

        def answered(future: asyncio.Future[list[Receipt]]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is not None:
                self.do(Say(peer.refusal("log_failed", str(error), draft.id, retry=True)), in_hand=True)
                return
            receipt = future.result()[0]
            text = peer.ack(self.line.log.epoch, draft.topic, draft.id, receipt.seq, receipt.duplicate)
            self.do(Say(text), in_hand=True)

        try:
            asyncio.ensure_future(self.line.log.append([draft])).add_done_callback(answered)
        except LogBusyError as error:
            self.do(Say(peer.refusal("busy", str(error), draft.id, retry=True)), in_hand=True)

    # the sender

    async def _send(self) -> None:
        period = self.line.settings.heartbeat_ms / 1000
        while self._open:
            self.wake.clear()
            try:
                while self._effects and self._open:
                    effect, in_hand = self._effects.popleft()
                    await self._carry_out(effect)
                    if in_hand:
                        self._in_hand.release()
                await self._send_windows()
                if self.presence_due and self.browser is not None and self._open:
                    self.presence_due = False
                    await self._send_text(self.line.presence.frame())
                if self._open:
                    await self._wait(period)
            except LogError as error:
                logger.error("= the connection of %s ends: %s", self.browser, error)
                await self._close(protocol.CLOSE_RESTART, "the log could not be read")
            except TimeoutError:
                logger.warning("= %s takes nothing any more and is given up", self.browser)
                self.ended = "slow"
                return

    async def _wait(self, period: float) -> None:
        """Wait for something to do; say a heartbeat, or give up on a hello, when its time has come."""
        now = asyncio.get_running_loop().time
        due = self._sent_at + period if self.browser is not None else self._opened_at + HELLO_SECONDS
        if not self.wake.is_set() and due > now():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self.wake.wait()
        if due > now():
            return
        if self.browser is None:
            await self._close(protocol.CLOSE_SILENT, "no hello came in time")
        else:
            await self._say({"kind": protocol.HEARTBEAT, "seq": self.position})

    async def _send_text(self, text: str) -> None:
        """Send a frame. Raises TimeoutError where the client takes nothing."""
        async with asyncio.timeout(SEND_SECONDS):
            await self.socket.send(text)
        self.traffic.sent += 1
        self.traffic.sent_bytes += size(text)
        self._sent_at = asyncio.get_running_loop().time()

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Say(text):
                if text.startswith('{"kind": "error"'):
                    self.line.metrics.refusals["socket", json.loads(text)["code"]] += 1
                    logger.warning("> %s %.300s", self.browser or "a new connection", text)
                await self._send_text(text)
            case Start():
                await self._start(effect)
            case Subscribe(patterns):
                await self._subscribe(patterns, protocol.NEW)
            case Unsubscribe(patterns):
                self.patterns -= patterns
            case Close(code, reason):
                await self._close(code, reason)

    async def _close(self, code: int, reason: str) -> None:
        self._open = False
        self.ended, self._close_code = ENDINGS[code], code
        await self.socket.close(code, reason)

    async def _say(self, header: protocol.Header) -> None:
        await self._send_text(protocol.encode(header))

    async def _start(self, start: Start) -> None:
        line = self.line
        resumed = start.cursor is not None and start.cursor[0] == line.log.epoch
        resumed = resumed and start.cursor is not None and start.cursor[1] <= await line.log.last_seq()
        if resumed and start.cursor is not None:
            while line.fanout.position < start.cursor[1]:  # it was served by a process whose tail is ahead of ours
                await self.wake.wait()
                self.wake.clear()
        self.browser = start.browser
        line.presence.said_hello(start.browser)
        self.presence_due = True
        line.presence_changed()
        self.position, self._number = line.fanout.position, line.fanout.next_number
        await self._say(self._welcome(resumed))
        if resumed and start.cursor is not None:
            self.patterns = start.resume
            until, self.position = self.position, start.cursor[1]
            await self._catch_up(until, self._number)
        elif start.resume:
            await self._subscribe(start.resume, protocol.NEW if start.cursor is None else protocol.RESET)
        if start.subscribe:
            await self._subscribe(start.subscribe, protocol.NEW)

    def _welcome(self, resumed: bool) -> protocol.Header:
        settings = self.line.settings
        return {
            "kind": protocol.WELCOME,
            "protocol": protocol.VERSION,
            "version": __version__,
            "epoch": self.line.log.epoch,
            "seq": self.position,
            "resumed": resumed,
            "heartbeat": settings.heartbeat_ms / 1000,
            "limits": {"frame": settings.max_frame, "topics": peer.MAX_PATTERNS},
        }

    async def _subscribe(self, patterns: frozenset[str], reason: str) -> None:
        """Send snapshots as things stand at our position; live events follow from there."""
        topics = {info.topic for info in await self._matching(patterns)}
        topics |= {pattern for pattern in patterns if not pattern.endswith(".*")}
        await self._send_snapshots(sorted(topics), self.position, reason)
        self.patterns |= patterns
        await self._say({"kind": protocol.SUBSCRIBED, "topics": sorted(patterns), "seq": self.position})

    async def _send_snapshots(self, topics: Sequence[str], until: int, reason: str) -> None:
        for topic in topics:
            events = await self.line.log.latest(topic, self.line.settings.snapshot, until)
            await self._send_text(encode_snapshot(self.line.log.epoch, until, topic, events, reason))
            self.line.metrics.snapshots[reason] += 1

    async def _send_windows(self) -> None:
        fanout = self.line.fanout
        while self.browser is not None and self._number < fanout.next_number and self._open:
            window = fanout.window(self._number)
            if window is None:  # too far behind for the buffer
                await self._catch_up(fanout.position, fanout.next_number)
                continue
            message = window.message(self.patterns)
            if message is not None:
                await self._send_text(message)
                self.traffic.deliveries += window.count(message)
            self.position = window.seq
            self._number += 1
            if self._effects:
                return  # answers go between windows

    async def _catch_up(self, until: int, number: int) -> None:
        """Send from the log what lies between our position and ``until``; go on with the window ``number`` then.

        Topics whose events are gone from the log, or too many, get a snapshot that says so. It is sent first, while
        the client's cursor is still the old one: should the socket die in between, the gap will be told again.
        """
        log, settings = self.line.log, self.line.settings
        infos = [info for info in await self._matching(self.patterns) if info.last_seq > self.position]
        kept = [info.topic for info in infos if info.pruned <= self.position]
        lost = [info.topic for info in infos if info.pruned > self.position]
        if kept and await log.count(self.position, kept, settings.replay + 1) > settings.replay:
            lost, kept = lost + kept, []
        while True:
            if lost:
                logger.warning("= %s is too far behind in %d topics and gets snapshots", self.browser, len(lost))
                await self._send_snapshots(lost, until, protocol.GAP)
            events = await log.read(self.position, PAGE, kept, until) if kept else []
            # while the client took the last page, retention may have removed what this one should hold
            gone = {info.topic for info in await self._matching(self.patterns) if info.pruned > self.position}
            lost = [topic for topic in kept if topic in gone]
            kept = [topic for topic in kept if topic not in gone]
            if lost:
                continue
            if not events:
                break
            self.position = events[-1].seq
            window = Window(log.epoch, self.position, events)
            message = window.message(self.patterns)
            if message is not None:
                await self._send_text(message)
                self.traffic.deliveries += window.count(message)
        self.position, self._number = until, number

    async def _matching(self, patterns: frozenset[str]) -> list[TopicInfo]:
        return [info for info in await self.line.log.topics() if any_matches(patterns, info.topic)]
