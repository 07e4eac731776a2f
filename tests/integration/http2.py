"""A client of HTTP/2 that reads only when told to, and can open a WebSocket over it (RFC 8441), for tests."""

from __future__ import annotations

import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.settings
from wsproto.connection import Connection as WebSocket
from wsproto.connection import ConnectionType
from wsproto.events import Event, Message

SECONDS = 20

Headers = dict[str, str]


class Http2:
    """One connection to localhost. ``statuses`` and ``bodies`` are what came so far, by stream."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        self.statuses: dict[int, int] = {}
        self.bodies: dict[int, bytearray] = {}
        self.ended: set[int] = set()
        self.window = True  # whether what was read is told, so that more is sent
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._socket = context.wrap_socket(plain, server_hostname="localhost")
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._flush()

    def __enter__(self) -> Http2:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def takes_websockets(self) -> bool:
        """Whether the server says that it does (RFC 8441, section 3)."""
        return bool(self._h2.remote_settings.enable_connect_protocol)

    def request(self, path: str, method: str = "GET", *, end: bool = True, **headers: str) -> int:
        """Send a request; returns its stream. ``protocol="websocket"`` is the pseudo-header."""
        stream = self._h2.get_next_available_stream_id()
        pseudo = {":method": method, ":scheme": "https", ":authority": "localhost", ":path": path}
        if "protocol" in headers:
            pseudo[":protocol"] = headers.pop("protocol")
        self._h2.send_headers(stream, [*pseudo.items(), *headers.items()], end_stream=end)
        self.bodies[stream] = bytearray()
        self._flush()
        return stream

    def send(self, stream: int, data: bytes) -> None:
        """Send a part of a request's body, as the server takes it."""
        while data:
            size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if size == 0:
                self.read()
                continue
            self._h2.send_data(stream, data[:size])
            self._flush()
            data = data[size:]

    def read(self) -> None:
        """Wait for something to come, and take it."""
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server hung up")
        for event in self._h2.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.statuses[event.stream_id] = int(dict(event.headers)[":status"])
                case h2.events.DataReceived():
                    self.bodies[event.stream_id] += event.data
                    if self.window:
                        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case h2.events.StreamEnded() | h2.events.StreamReset():
                    self.ended.add(event.stream_id)
        self._flush()

    def _flush(self) -> None:
        self._socket.sendall(self._h2.data_to_send())


class Http2Socket:
    """A WebSocket on a stream of its own; other streams may live beside it."""

    def __init__(self, connection: Http2, path: str, **headers: str) -> None:
        self.connection = connection
        told = {"sec-websocket-version": "13", "protocol": "websocket", **headers}
        self.stream = connection.request(path, "CONNECT", end=False, **told)
        self._frames = WebSocket(ConnectionType.CLIENT)
        while self.stream not in connection.statuses:
            connection.read()

    @property
    def status(self) -> int:
        """200 where it is open; else why not."""
        return self.connection.statuses[self.stream]

    def send(self, event: Event) -> None:
        """Send a message."""
        self.connection.send(self.stream, self._frames.send(event))

    def receive(self) -> str:
        """The next message's text."""
        text = ""
        while True:
            body = self.connection.bodies[self.stream]
            if body:
                self._frames.receive_data(bytes(body))
                body.clear()
            for event in self._frames.events():
                if isinstance(event, Message):
                    text += str(event.data)
                    if event.message_finished:
                        return text
            self.connection.read()
