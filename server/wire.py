"""What we ask of Hypercorn beyond ASGI, in this one place; another ASGI server does without.

- No compression (RFC 7692). Hypercorn takes every browser's offer, compresses each message anew for each connection,
  and keeps some 300 KB of zlib's state for each: what was encoded once would be compressed a thousand times.
- A frame that many are sent is made once. A server's frames are not masked (RFC 6455, section 5.1), so without
  compression they are the same bytes for everybody.
- Such a frame goes to a socket that takes it without a task of its own being woken.
"""

from __future__ import annotations

import inspect
import struct
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.protocol.events import Data
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from quart import Websocket
from wsproto.connection import ConnectionState

MAX_BUFFERED = 65_536
"""How many bytes may wait in a transport for more to be put there without waiting."""


class LineSocket(Websocket):
    """Quart's Websocket, that knows Hypercorn's stream below it, where there is one."""

    stream: WSStream | None = None


def stream_of(send: Any) -> WSStream | None:
    """The Hypercorn stream behind an ASGI ``send``; None where it is somebody else's."""
    stream = getattr(inspect.unwrap(send), "__self__", None)
    return stream if isinstance(stream, WSStream) else None


def decline_compression(stream: WSStream) -> None:
    """Answer the handshake as if the client had not offered compression. Call it before the socket is accepted."""
    stream.handshake.extensions = None


def text_frame(text: str) -> bytes:
    """A whole text message as a server sends it: one frame, not masked, not compressed (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


class Outlet:
    """Where a connection's frames go; made once the socket is accepted."""

    def __init__(self, socket: LineSocket) -> None:
        self._socket = socket
        self._stream = socket.stream
        self._server = _server_of(socket.stream) if socket.stream is not None else None

    def offer(self, frame: bytes) -> bool:
        """Send a frame of ``text_frame``'s if that can be done at once; returns whether it was."""
        server = self._server
        if server is None or not self._is_open() or server.send_lock.locked():
            return False
        transport = server.writer.transport
        if transport.is_closing() or transport.get_write_buffer_size() > MAX_BUFFERED:
            return False
        transport.write(frame)
        return True

    async def send(self, frame: bytes) -> None:
        """Send a frame of ``text_frame``'s; waits while the socket takes no more."""
        if self._stream is None:
            await self._socket.send(_payload(frame).decode())
        elif self._is_open():
            await self._stream.send(Data(stream_id=self._stream.stream_id, data=frame))

    def abort(self) -> None:
        """Cut the connection without a word: its other side takes nothing any more."""
        if self._server is not None:
            self._server.writer.transport.abort()

    def _is_open(self) -> bool:
        stream = self._stream
        return (
            stream is not None
            and stream.state is ASGIWebsocketState.CONNECTED
            and stream.connection.state is ConnectionState.OPEN
        )


def _server_of(stream: WSStream) -> TCPServer | None:
    """Hypercorn's end of the TCP connection; None for one that is shared with others (HTTP/2)."""
    protocol = getattr(stream.send, "__self__", None)
    server = getattr(protocol.send, "__self__", None) if isinstance(protocol, H11Protocol) else None
    return server if isinstance(server, TCPServer) else None


def _payload(frame: bytes) -> bytes:
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]
