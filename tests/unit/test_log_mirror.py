"""A server's copy of a stream: what it tells to be gone, and what it takes when something fails."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from server.log import Event, LogError
from server.log.address import Address
from server.log.connection import Connection
from server.log.mirror import Mirror
from server.log.retention import Retention
from server.log.stream import StreamState
from server.log.tail import Tail
from server.rules import PerTopic

WHOLE = StreamState("abcd", last_seq=10, messages=10, whole=True, duplicate_seconds=120.0)


def event(seq: int, topic: str = "room") -> Event:
    return Event(seq, topic, float(seq), str(seq), "1")


@asynccontextmanager
async def opened(
    state: StreamState = WHOLE, retention: Retention | None = None, now: Callable[[], float] = lambda: 100.0
) -> AsyncIterator[Mirror]:
    mirror = Mirror(state, retention or Retention(PerTopic(1000), PerTopic(0)), now)
    yield mirror
    mirror.close()


async def pruned(mirror: Mirror) -> dict[str, int]:
    return {info.topic: info.pruned for info in await mirror.topics()}


def message(seq: int, consumer_seq: int, pending: int) -> Msg:
    """As an ordered consumer sends it: NATS' ADR-15."""
    reply = f"$JS.ACK.events.c.1.{seq}.{consumer_seq}.{seq}000000000.{pending}"
    return Msg(Client(), "events.room", reply, f'["{seq}",""]\n1'.encode())


async def test_messages_that_came_after_the_load_do_not_stand_in_for_removed_ones() -> None:
    """Two were removed while the copy was loaded, and two new ones came together with the load's last."""
    address = Address.parse("nats://localhost/events")
    async with opened(retention=Retention(PerTopic(1000), PerTopic(5)), now=lambda: 6.0) as mirror:
        tail = Tail(Connection(address), address, mirror, 120.0, lambda: None)
        seqs = [1, 2, 3, 4, 7, 8, 9, 10, 11, 12]
        messages = [(1.0, message(seq, number + 1, 9 - number)) for number, seq in enumerate(seqs)]
        await tail._take(messages[:4])
        await tail._take(messages[4:])
        assert [each.seq for each in await mirror.read(0, 100)] == seqs
        assert await pruned(mirror) == {"room": 10}
        mirror._now = lambda: 8.0
        await mirror.prune()
        assert [each.seq for each in await mirror.read(0, 1)] == [3]
        assert await pruned(mirror) == {"room": 10}, "what was told to be gone stays so"


@pytest.mark.parametrize("removed", [0, 1])
async def test_a_load_with_nothing_missing_tells_of_no_gap(removed: int) -> None:
    state = dataclasses.replace(WHOLE, messages=10 - removed, whole=not removed)
    async with opened(state) as mirror:
        await mirror.take([event(seq) for seq in range(1 + removed, 12)], 10 - removed, 11)
        assert await pruned(mirror) == {"room": removed}


async def test_what_could_not_be_told_to_be_gone_stays() -> None:
    async with opened(retention=Retention(PerTopic(1000), PerTopic(5)), now=lambda: 13.5) as mirror:
        await mirror.take([], 10, 10)
        await mirror.take([event(11), event(12)], 0, 12)
        mirror._now = lambda: 16.5
        mirror.store.execute("CREATE TRIGGER full BEFORE UPDATE ON topics BEGIN SELECT RAISE(ABORT, 'full'); END")
        with pytest.raises(LogError, match="full"):
            await mirror.prune()
        assert [each.seq for each in await mirror.read(0, 10)] == [11, 12]
        mirror.store.execute("DROP TRIGGER full")
        await mirror.prune()
        assert [each.seq for each in await mirror.read(0, 10)] == [12]
        assert await pruned(mirror) == {"room": 11}
