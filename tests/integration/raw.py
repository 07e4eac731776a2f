"""HTTP/1.1 over a plain socket: requests that no client library would send, and answers as they stand on the wire."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its headers by their name in lower case, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


def ask(port: int, target: bytes, method: bytes = b"GET", **headers: str) -> Answer:
    """Ask for a request target exactly as given; ``If_Match="x"`` is a header. The connection ends with the answer."""
    told = {"Host": f"127.0.0.1:{port}", "Connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}".encode("latin-1") for name, value in told.items()]
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(b"\r\n".join([method + b" " + target + b" HTTP/1.1", *lines, b"", b""]))
        said = b""
        while chunk := connection.recv(1 << 16):
            said += chunk
    head, _, body = said.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in fields)
    return Answer(int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)
