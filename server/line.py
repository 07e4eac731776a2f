"""The WebSocket endpoint ``/ws``, and what all connections of this process share.

Who may come in is decided here: pages of our origin or a named one, and no more sockets of one address than are
allowed. Who they are is settled here too: the browser of the cookie, or a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter
from typing import cast

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart import Quart, ResponseReturnValue, Websocket, websocket
from quart.asgi import ASGIWebsocketConnection

from partyline import protocol

from . import wire
from .auth import origin_allowed
from .config import Settings
from .connection import Connection
from .fanout import Fanout
from .identity import COOKIE, Identities
from .limits import Buckets
from .log import Draft, EventLog, LogError
from .peer import Close, Say
from .presence import Entry, Everybody, Roster
from .replay import Replay
from .visits import TOPIC, Visits

MAX_QUEUED = 8
"""How many messages of one connection may wait to be looked at."""

RETURN_SECONDS = 0.5
RETURN_SECONDS_EACH = 0.001
"""Over how long clients should come back after a goodbye, and how much longer for each of them."""

PRESENCE_DELAY = 0.1
"""Joins and leaves within this many seconds are told as one."""

PRESENCE_DELAY_EACH = 0.0005
"""And for each connection so much more: telling everybody costs the more the more there are."""

MAX_UNTOLD = 10_000
"""How many joins and leaves may wait for a log that fails."""

MAX_TOLD = 1_000
"""How many of them are told at once."""

RECALL_SECONDS = 1.0
"""How long to wait until the log, which could not be read, is asked again who was here."""

RENEW_SECONDS = 5.0
"""How often the other processes are told who is here, though nothing has changed."""

logger = logging.getLogger("partyline.line")


def presence_delay(connections: int) -> float:
    """How long joins and leaves are collected; never so long that the other processes take us for gone."""
    return min(PRESENCE_DELAY + PRESENCE_DELAY_EACH * connections, RENEW_SECONDS)


class BoundedConnection(ASGIWebsocketConnection):
    """Quart's, with a bounded queue: a client that floods us waits in its own socket, not in our memory.

    A message of more than ``max_frame`` characters is cut to one more, which the peer will find too large.
    """

    max_frame = 0

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.queue = asyncio.Queue(maxsize=MAX_QUEUED)

    def _create_websocket_from_scope(self, send: ASGISendCallable) -> Websocket:
        socket = cast(wire.LineSocket, super()._create_websocket_from_scope(send))
        socket.stream = wire.stream_of(send)
        if socket.stream is not None:
            wire.decline_compression(socket.stream)
        return socket

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

    def __init__(self, settings: Settings, log: EventLog, fanout: Fanout, identities: Identities) -> None:
        self.settings = settings
        self.fanout = fanout
        self.metrics = fanout.metrics
        self.log = self.metrics.metered(log, "socket")
        self._own_log = self.metrics.metered(log, "server")
        self.identities = identities
        self.replay = Replay(log, settings, self.metrics)
        self.addresses = Buckets(settings.address_rate, time.monotonic)
        self.connections: set[Connection] = set()
        self.roster = Roster()
        self.presence_frame = wire.text_frame(self.everybody().frame())
        self._server = secrets.token_hex(4)
        self._visits = Visits(self._server, identities.seal)
        self._untold: list[Draft] = []  # joins and leaves that the log has not taken
        self._elsewhere: dict[str, str] = {}  # the visits of browsers on other processes
        self._sockets_of: Counter[str] = Counter()
        self._presence_changed = asyncio.Event()
        self._own_changed = True

    def register(self, app: Quart) -> None:
        """Add the endpoint to the app."""
        limits = {"max_frame": self.settings.max_frame}
        app.asgi_websocket_class = type("LineConnection", (BoundedConnection,), limits)
        app.websocket_class = wire.LineSocket
        app.add_websocket("/ws", "line", self._endpoint)

    def shut_down(self) -> None:
        """Tell every browser that the server goes, and close."""
        within = RETURN_SECONDS + RETURN_SECONDS_EACH * len(self.connections)
        goodbye = protocol.encode({"kind": protocol.GOODBYE, "within": round(within, 3)})
        for connection in list(self.connections):
            connection.do(Say(goodbye))
            connection.do(Close(protocol.CLOSE_RESTART, "the server is shutting down"))

    async def close(self) -> None:
        """Tell the other processes that nobody is here any more."""
        with contextlib.suppress(LogError):  # they find out by themselves, a little later
            await self.log.announce(self._server, "")

    def reset(self) -> None:
        """The log began anew: have every browser come back, to be told what that means for its topics."""
        for connection in list(self.connections):
            connection.do(Close(protocol.CLOSE_RESTART, "the log began anew"))

    # presence

    def everybody(self) -> Everybody:
        """Who is on the line, in all processes."""
        others = [text for server, text in self.log.announced().items() if server != self._server]
        return Everybody(self.roster, others)

    async def join(self, entry: Entry, address: str) -> int:
        """A browser has said hello on a socket. Returns the seq of the event that says so, 0 where there is none.

        The event, and the leave that will follow it, are counted as what its ``address`` publishes.
        """
        if not self._visits.of(entry.browser) and entry.browser not in self._elsewhere:
            await asyncio.sleep(self.addresses.of(address).take(2))
        self.roster.add(entry)
        self.presence_changed()
        draft = self._visits.join(entry.browser, self._elsewhere.get(entry.browser, ""))
        self.roster.visits[entry.browser] = self._visits.of(entry.browser)
        if draft is None:
            return 0
        try:
            (receipt,) = await self._own_log.append([draft])
        except LogError as error:
            logger.warning("= that %s joined could not be told, and will be: %s", entry.browser, error)
            self._tell_later([draft])
            return 0
        return receipt.seq

    def presence_changed(self) -> None:
        """Who is on this process' sockets has changed: tell everybody, soon."""
        self._own_changed = True
        self._presence_changed.set()

    def others_changed(self) -> None:
        """Another process has told who is on its sockets: tell everybody here, soon."""
        self._presence_changed.set()

    async def run_presence(self) -> None:
        """Tell connections, the other processes and the log who is on the line, until cancelled."""
        now = asyncio.get_running_loop().time
        patience = 2.5 * self.settings.heartbeat_ms / 1000
        await self._recall(patience)
        told = 0.0
        while True:
            await self._wait_for_change(1.0 if self._visits.waiting else RENEW_SECONDS)
            try:
                if self._own_changed or now() - told >= RENEW_SECONDS:
                    told, self._own_changed = now(), False
                    await self.log.announce(self._server, self.roster.to_text())
                await self._tell_presence(now())
            except LogError as error:
                logger.warning("= presence could not be told: %s", error)
            except Exception:
                logger.exception("= presence could not be told")

    async def _recall(self, patience: float) -> None:
        """Read who was here when the server ended."""
        while True:
            try:
                events = await self.log.latest(TOPIC, 1_000)
            except LogError as error:
                logger.warning("= who was here could not be read, and is asked again: %s", error)
                await asyncio.sleep(RECALL_SECONDS)
            else:
                self._visits.recall(events, asyncio.get_running_loop().time(), patience)
                return

    async def _wait_for_change(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._presence_changed.wait()
        except TimeoutError:
            return
        await asyncio.sleep(presence_delay(len(self.connections)))
        self._presence_changed.clear()

    async def _tell_presence(self, now: float) -> None:
        everybody = self.everybody()
        frame = wire.text_frame(everybody.frame())
        if frame != self.presence_frame:
            self.presence_frame = frame
        for connection in self.connections:
            connection.tell_presence()
        here = self.roster.people()
        self._elsewhere = {name: person.visit for name, person in everybody.people.items() if name not in here}
        self._tell_later(self._visits.look(everybody.people, now, here=here.keys(), complete=everybody.complete))
        self.roster.visits = {browser: self._visits.of(browser) for browser in here}
        drafts = self._untold[:MAX_TOLD]
        if drafts:
            await self._own_log.append(drafts)
            del self._untold[: len(drafts)]

    def _tell_later(self, drafts: list[Draft]) -> None:
        """Keep joins and leaves until the log has taken them; their ids are idempotent, so each is told once."""
        room = MAX_UNTOLD - len(self._untold)
        self._untold += drafts[:room]
        if len(drafts) > room:
            logger.error("= %d joins and leaves will never be told: the log fails for too long", len(drafts) - room)

    # the endpoint

    async def _endpoint(self) -> ResponseReturnValue | None:
        origin = websocket.headers.get("Origin")
        secure = websocket.scheme == "wss"
        if not origin_allowed(origin, websocket.host, self.settings.origins, secure=secure):
            logger.warning("< refused a socket from the origin %.100r", origin)
            self.metrics.refusals["socket", "bad_origin"] += 1
            message = "Pages of this origin may not connect. PARTYLINE_ORIGINS names those that may."
            return {"error": {"code": "bad_origin", "message": message}}, 403
        address = websocket.remote_addr or ""
        if self._sockets_of[address] >= self.settings.sockets_per_address:
            logger.warning("< refused a socket from %s, which has %d", address, self._sockets_of[address])
            self.metrics.refusals["socket", "too_many_sockets"] += 1
            message = f"This address has {self._sockets_of[address]} sockets open; no more are taken from one address."
            return {"error": {"code": "too_many_sockets", "message": message}}, 429, {"Retry-After": "10"}
        browser = self.identities.browser_of(websocket.cookies.get(COOKIE))
        keeps_cookie = browser is not None
        if browser is None:
            browser = self.identities.new()
            cookie = self.identities.cookie(browser, secure=secure)
            await websocket.accept({"Set-Cookie": cookie})
        else:
            await websocket.accept()
        socket = cast(wire.LineSocket, websocket._get_current_object())  # type: ignore[attr-defined]
        await self._serve(Connection(self, socket, browser, keeps_cookie=keeps_cookie, address=address))
        return None

    async def _serve(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.fanout.listeners.add(connection)
        self.roster.sockets += 1
        self._sockets_of[connection.address] += 1
        self.presence_changed()
        connection.log_opened()
        try:
            await connection.run()
        except Exception:
            connection.ended = "failed"
            logger.exception("= the connection of %s failed", connection.name)
            await connection.hang_up(protocol.CLOSE_INTERNAL, "the server failed at this; its log says why")
        finally:
            self.connections.discard(connection)
            self.fanout.listeners.discard(connection)
            self.roster.sockets -= 1
            self._sockets_of[connection.address] -= 1
            if not self._sockets_of[connection.address]:
                del self._sockets_of[connection.address]
            if connection.entry is not None:
                self.roster.discard(connection.entry)
            self.presence_changed()
            self.metrics.closed[connection.ended] += 1
            self.metrics.past.add(connection.traffic)
            connection.log_closed()
