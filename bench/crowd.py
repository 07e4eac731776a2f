"""Many WebSocket clients in one process that cost next to nothing: they count, and parse no frame.

    crowd = Crowd(port, 200, hello=text)
    crowd.count(marker, wanted)      # read until the marker was seen so often in all

What is measured is the server, so a client is a bare socket: one epoll loop, large reads, and a count of a marker's
bytes in what comes.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import time

READ = 1 << 18
ANSWER_EACH = 500


class Crowd:
    """``count`` open WebSockets to ``/ws``, which all have said ``hello`` (None for nothing)."""

    def __init__(self, port: int, count: int, *, hello: str | None, host: str = "127.0.0.1") -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: list[socket.socket] = []
        self._buffer = bytearray(READ)
        for number in range(count):
            self.sockets.append(_connect(host, port, hello))
            self.selector.register(self.sockets[-1], selectors.EVENT_READ, [0, b""])
            if number % ANSWER_EACH == ANSWER_EACH - 1:
                self.answer(0.0)

    def count(self, marker: bytes, wanted: int, *, seconds: float = 60.0) -> int:
        """Read until ``marker`` was seen ``wanted`` times over all sockets; returns how often it was."""
        seen = 0
        view = memoryview(self._buffer)
        keep = len(marker) - 1
        deadline = time.monotonic() + seconds
        while seen < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{seen} of {wanted} events came within {seconds} s")
            for key, _ in self.selector.select(1.0):
                size = key.fileobj.recv_into(view)  # type: ignore[union-attr]
                if size == 0:
                    raise ConnectionError("the server closed a socket")
                data = key.data[1] + bytes(view[:size])
                seen += data.count(marker)
                key.data[1] = data[-keep:] if not data.endswith(marker) else b""
        return seen

    def hold(self, seconds: float, pid: int) -> float:
        """Hold the sockets, answering each heartbeat; returns how many seconds of processor time ``pid`` took."""
        start = cpu_seconds(pid)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.answer(left)
        return cpu_seconds(pid) - start

    def answer(self, seconds: float) -> None:
        """Read what has come, waiting for so long at most, and answer the heartbeats in it."""
        alive = frame('{"kind": "alive"}')
        view = memoryview(self._buffer)
        for key, _ in self.selector.select(seconds):
            size = key.fileobj.recv_into(view)  # type: ignore[union-attr]
            if size == 0:
                raise ConnectionError("the server closed a socket")
            if b'"heartbeat"' in bytes(view[:size]):
                key.fileobj.send(alive)  # type: ignore[union-attr]

    def close(self) -> None:
        """Close all, without a word."""
        self.selector.close()
        for each in self.sockets:
            each.close()


def frame(text: str) -> bytes:
    """A client's text frame (RFC 6455, section 5.2), masked with zeros."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes([0x81, 0x80 | size])
    elif size < 65_536:
        head = bytes([0x81, 0x80 | 126]) + struct.pack("!H", size)
    else:
        head = bytes([0x81, 0x80 | 127]) + struct.pack("!Q", size)
    return head + bytes(4) + payload


def _connect(host: str, port: int, hello: str | None) -> socket.socket:
    each = socket.create_connection((host, port))
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    each.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        # as every browser asks
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        data = each.recv(1)
        if not data:
            raise ConnectionError(f"the server refused: {head!r}")
        head += data
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise ConnectionError(f"the server refused: {head.splitlines()[0]!r}")
    if hello is not None:
        each.sendall(frame(hello))
    each.setblocking(False)
    return each


def cpu_seconds(pid: int) -> float:
    """How much processor time a process has taken so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """How much memory a process holds (its resident set), in bytes."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
