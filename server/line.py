"""The WebSocket endpoint ``/ws``, and what all connections of this process share.

Who may come in is decided here: pages of our origin or a named one, and no more sockets of one address than are
allowed. Who they are is settled here too: the browser of the cookie, or a new one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart import Quart, ResponseReturnValue, Websocket, websocket
from quart.asgi import ASGIWebsocketConnection

from partyline import protocol

from . import wire
from .attendance import Attendance
from .auth import origin_allowed
from .config import Settings
from .connection import Connection, Shared
from .fanout import Fanout
from .identity import COOKIE, Identities
from .limits import Buckets
from .log import EventLog
from .peer import Close, Say
from .replay import Replay

MAX_QUEUED = 8
"""How many messages of one connection may wait to be looked at."""

RETURN_SECONDS = 0.5
RETURN_SECONDS_EACH = 0.001
"""Over how long clients should come back after a goodbye, and how much longer for each of them."""

logger = logging.getLogger("partyline.line")


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
        self.identities = identities
        self.log = self.metrics.metered(log, "socket")
        self.addresses = Buckets(settings.address_rate, time.monotonic)
        self.attendance = Attendance(
            self.metrics.metered(log, "server"), identities, self.addresses, heartbeat_ms=settings.heartbeat_ms
        )
        self.attendance.on_told = self._tell_presence
        self.build: Callable[[], str] = str  # set by who knows
        self.connections: set[Connection] = set()
        self._shared = Shared(
            settings=settings,
            log=self.log,
            fanout=fanout,
            replay=Replay(log, settings, self.metrics),
            identities=identities,
            addresses=self.addresses,
            attendance=self.attendance,
            build=lambda: self.build(),
        )
        self._sockets_of: Counter[str] = Counter()

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

    def reset(self) -> None:
        """The log began anew: have every browser come back, to be told what that means for its topics."""
        for connection in list(self.connections):
            connection.do(Close(protocol.CLOSE_RESTART, "the log began anew"))

    def _tell_presence(self) -> None:
        for connection in self.connections:
            connection.tell_presence()

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
        await self._serve(Connection(self._shared, socket, browser, keeps_cookie=keeps_cookie, address=address))
        return None

    async def _serve(self, connection: Connection) -> None:
        self.connections.add(connection)
        self.fanout.listeners.add(connection)
        self.attendance.roster.sockets += 1
        self._sockets_of[connection.address] += 1
        self.attendance.changed()
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
            self.attendance.roster.sockets -= 1
            self._sockets_of[connection.address] -= 1
            if not self._sockets_of[connection.address]:
                del self._sockets_of[connection.address]
            if connection.entry is not None:
                self.attendance.roster.discard(connection.entry)
            self.attendance.changed()
            self.metrics.closed[connection.ended] += 1
            self.metrics.past.add(connection.traffic)
            connection.log_closed()
