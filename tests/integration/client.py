"""A plain client of the line for tests: frames out, frames in, nothing clever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import websockets

from partyline import protocol
from server.identity import Identities
from tests.running import SECRET, Server

SECONDS = 20


@dataclass
class Frame:
    """A frame that came: its header and its bodies, parsed."""

    header: dict[str, Any]
    bodies: list[list[dict[str, Any]]]

    @property
    def kind(self) -> str:
        return str(self.header["kind"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events of all bodies, each with its topic, by seq."""
        pairs = zip(self.header["topics"], self.bodies, strict=True)
        return sorted(
            ({**event, "topic": topic} for (topic, _), body in pairs for event in body), key=lambda e: e["seq"]
        )


class Client:
    """One socket to the server."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def hello(
        self,
        *,
        browser: str = "b1",
        subscribe: Sequence[str] = (),
        resume: Sequence[str] = (),
        cursor: tuple[str, int] | None = None,
    ) -> dict[str, Any]:
        """Say hello as a browser, proven by a token under the servers' secret; returns the welcome."""
        told = {"epoch": cursor[0], "seq": cursor[1]} if cursor else None
        await self.send(
            kind="hello",
            protocol=protocol.VERSION,
            identity=Identities(SECRET).token(browser),
            cursor=told,
            resume=list(resume),
            subscribe=list(subscribe),
        )
        return (await self.until("welcome")).header

    async def frame(self) -> Frame:
        """The next frame."""
        text = await asyncio.wait_for(self.socket.recv(), SECONDS)
        assert isinstance(text, str)
        header, bodies = protocol.decode(text)
        if header["kind"] == protocol.HEARTBEAT:
            await self.send(kind=protocol.ALIVE)
        return Frame(header, [json.loads(body) for body in bodies])

    async def until(self, kind: str) -> Frame:
        """The next frame of a kind; others are passed over."""
        while True:
            frame = await self.frame()
            if frame.kind == kind:
                return frame

    async def presence(self, **wanted: Any) -> None:
        """Wait for a presence frame that tells these figures."""
        async with asyncio.timeout(SECONDS):
            while not wanted.items() <= (await self.until("presence")).header.items():
                pass

    async def publish(self, topic: str, event_id: str, data: Any) -> dict[str, Any]:
        """Publish, and wait for what becomes of it: the header of an ack or an error frame."""
        await self.send(kind="publish", topic=topic, id=event_id, data=data)
        while True:
            frame = await self.frame()
            if frame.kind in ("ack", "error") and frame.header.get("id") == event_id:
                return frame.header

    async def events(self, count: int) -> list[dict[str, Any]]:
        """The next ``count`` live events."""
        events: list[dict[str, Any]] = []
        while len(events) < count:
            events += (await self.until("events")).events
        return events


@asynccontextmanager
async def connect(server: Server, **options: Any) -> AsyncIterator[Client]:
    """A client that is connected and has said nothing yet."""
    async with websockets.connect(server.ws_url, max_size=None, **options) as socket:
        yield Client(socket)
