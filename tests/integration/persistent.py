"""Clients that persist through every crash, as a browser's session does: a publisher and a reader."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from typing import Any

import websockets

from tests.integration.client import Client, connect
from tests.running import Server

TROUBLE = (OSError, websockets.WebSocketException, TimeoutError)


class Publisher:
    """Publishes one after the other, each until it is acknowledged, at one server after the other.

    Remembers in ``acknowledged`` the seq of each id.
    """

    def __init__(self, servers: Sequence[Server], name: str) -> None:
        self.servers = itertools.cycle(servers)
        self.name = name
        self.acknowledged: dict[str, int] = {}
        self.stopping = False

    async def run(self) -> None:
        number = 0
        while not self.stopping:
            with contextlib.suppress(*TROUBLE):
                async with connect(next(self.servers)) as client:
                    await client.hello(browser=self.name)
                    while not self.stopping:
                        event_id = f"{self.name}-{number}"
                        answer = await client.publish("room", event_id, number)
                        if answer["kind"] == "error" and answer["retry"]:
                            await asyncio.sleep(0.05)
                            continue
                        assert answer["kind"] == "ack", answer
                        self.acknowledged[event_id] = answer["seq"]
                        number += 1
            await asyncio.sleep(0.02)


class Reader:
    """Follows a topic by its cursor alone, at one server after the other; remembers what it saw, in ``seen``."""

    def __init__(self, servers: Sequence[Server], topic: str = "room") -> None:
        self.servers = itertools.cycle(servers)
        self.topic = topic
        self.seen: list[tuple[int, str]] = []
        self.cursor: tuple[str, int] | None = None
        self.sockets = 0

    async def run(self) -> None:
        while True:
            with contextlib.suppress(*TROUBLE):
                async with connect(next(self.servers)) as client:
                    await self._follow(client)
            await asyncio.sleep(0.02)

    async def _follow(self, client: Client) -> None:
        topics = [self.topic]
        new = self.cursor is None
        welcome = await client.hello(
            browser="reader", cursor=self.cursor, subscribe=topics if new else [], resume=[] if new else topics
        )
        assert new or welcome["resumed"]
        self.sockets += 1
        while True:
            frame = await client.frame()
            header: dict[str, Any] = frame.header
            if frame.kind in ("events", "snapshot"):
                self.seen += [(event["seq"], event["id"]) for event in frame.events]
            if frame.kind in ("events", "subscribed", "heartbeat"):
                self.cursor = (welcome["epoch"], header["seq"])


async def until_seen(readers: Sequence[Reader], history: Sequence[dict[str, Any]]) -> None:
    """Wait until all readers have seen the last of a history, then see that they saw all of it, in order, once."""
    expected = [(event["seq"], event["id"]) for event in history]
    for reader in readers:
        while not reader.seen or reader.seen[-1][0] < expected[-1][0]:
            await asyncio.sleep(0.01)
        assert reader.seen == expected, "the reader missed or doubled something"
