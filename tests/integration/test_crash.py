"""kill -9 under load: what was acknowledged is there once, in order, and clients go on from their cursor."""

from __future__ import annotations

import asyncio
import os

from tests.integration.persistent import Publisher, Reader, until_seen
from tests.running import Server

KILLS = int(os.environ.get("KILLS", "20"))
"""``make soak`` sets more."""

PUBLISHERS = 4
EVENTS_BETWEEN = 25


async def test_no_acknowledged_event_is_lost_or_doubled_by_kill_9(server: Server) -> None:
    publishers = [Publisher([server], f"p{number}") for number in range(PUBLISHERS)]
    reader = Reader([server])
    tasks = [asyncio.create_task(each.run()) for each in [reader, *publishers]]
    for _ in range(KILLS):
        wanted = sum(len(publisher.acknowledged) for publisher in publishers) + EVENTS_BETWEEN
        while sum(len(publisher.acknowledged) for publisher in publishers) < wanted:
            assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
            await asyncio.sleep(0.005)
        server.kill()
        await asyncio.to_thread(server.start)
    for publisher in publishers:
        publisher.stopping = True
    await asyncio.gather(*tasks[1:])
    history = server.history("room")
    await until_seen([reader], history)
    tasks[0].cancel()

    places = {event["id"]: event["seq"] for event in history}
    assert len(places) == len(history), "an id stands twice"
    for publisher in publishers:
        for event_id, seq in publisher.acknowledged.items():
            assert places[event_id] == seq, "an acknowledged event is missing, or moved"
        own = [event["data"] for event in history if event["id"].startswith(f"{publisher.name}-")]
        assert own == list(range(len(own))), "the publisher's order was lost"
