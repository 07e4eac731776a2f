"""kill -9 under load: what was acknowledged is there once, in order, and clients go on from their cursor."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import websockets

from tests.integration.client import Client, connect
from tests.running import Server

KILLS = 5
PUBLISHERS = 4


class Publisher:
    """Publishes one after the other, each until it is acknowledged, through every crash; remembers what was."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.acknowledged: dict[str, int] = {}
        self.stopping = False

    async def run(self) -> None:
        number = 0
        while not self.stopping:
            with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with connect(self.server) as client:
                    await client.hello(browser=self.name)
                    while not self.stopping:
                        event_id = f"{self.name}-{number}"
                        answer = await client.publish("room", event_id, number)
                        assert answer["kind"] == "ack", answer
                        self.acknowledged[event_id] = answer["seq"]
                        number += 1
            await asyncio.sleep(0.02)


class Reader:
    """Follows a topic through every crash by its cursor alone; remembers what it saw."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.seen: list[tuple[int, str]] = []
        self.cursor: tuple[str, int] | None = None
        self.stopping = False

    async def run(self) -> None:
        while not self.stopping:
            with contextlib.suppress(OSError, websockets.WebSocketException, TimeoutError):
                async with connect(self.server) as client:
                    await self._follow(client)
            await asyncio.sleep(0.02)

    async def _follow(self, client: Client) -> None:
        topics = ["room"]
        new = self.cursor is None
        welcome = await client.hello(
            browser="reader", cursor=self.cursor, subscribe=topics if new else [], resume=[] if new else topics
        )
        assert new or welcome["resumed"]
        while not self.stopping:
            frame = await client.frame()
            header: dict[str, Any] = frame.header
            if frame.kind in ("events", "snapshot"):
                self.seen += [(event["seq"], event["id"]) for event in frame.events]
            if frame.kind in ("events", "subscribed", "heartbeat"):
                self.cursor = (welcome["epoch"], header["seq"])


async def test_no_acknowledged_event_is_lost_or_doubled_by_kill_9(server: Server) -> None:
    publishers = [Publisher(server, f"p{number}") for number in range(PUBLISHERS)]
    reader = Reader(server)
    tasks = [asyncio.create_task(each.run()) for each in [*publishers, reader]]
    for kill in range(KILLS):
        wanted = (kill + 1) * 100
        while sum(len(publisher.acknowledged) for publisher in publishers) < wanted:
            await asyncio.sleep(0.005)
        server.kill()
        await asyncio.to_thread(server.start)
    for publisher in publishers:
        publisher.stopping = True
    await asyncio.gather(*tasks[:-1])
    history = server.history("room")
    while not reader.seen or reader.seen[-1][0] < history[-1]["seq"]:
        await asyncio.sleep(0.01)
    reader.stopping = True
    tasks[-1].cancel()

    places = {event["id"]: event["seq"] for event in history}
    assert len(places) == len(history), "an id stands twice"
    for publisher in publishers:
        for event_id, seq in publisher.acknowledged.items():
            assert places[event_id] == seq, "an acknowledged event is missing, or moved"
        own = [event["data"] for event in history if event["id"].startswith(f"{publisher.name}-")]
        assert own == list(range(len(own))), "the publisher's order was lost"
    assert reader.seen == [(event["seq"], event["id"]) for event in history], "the reader missed or doubled something"
