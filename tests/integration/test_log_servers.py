"""Several server processes on one log, seen from outside: real Hypercorn, real NATS, real sockets."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
import websockets

from partyline import protocol
from tests.integration.client import connect
from tests.integration.persistent import Publisher, Reader, until_seen
from tests.integration.test_log_jetstream import by_hand
from tests.nats import Nats
from tests.running import Server

POSTS = 60


@pytest.fixture
def two_servers(make_server: Callable[..., Server], own_nats: Nats, stream: str) -> list[Server]:
    """Two servers, as on two machines, on one JetStream."""
    # no heartbeat, so that nothing is noticed just because of one
    servers = [make_server(LOG=own_nats.url(stream), HEARTBEAT_MS="600000") for _ in range(2)]
    for server in servers:
        server.start()
    return servers


@pytest.fixture(params=["two servers on JetStream", "two workers on SQLite"])
def several(request: pytest.FixtureRequest, make_server: Callable[..., Server]) -> list[Server]:
    """The servers whose sockets must all see the same."""
    if "JetStream" in request.param:
        servers: list[Server] = request.getfixturevalue("two_servers")
        return servers
    server = make_server()
    server.hypercorn = ("--workers", "2")
    server.start()
    return [server]


async def test_what_is_posted_anywhere_is_seen_everywhere_in_one_order_once(several: list[Server]) -> None:
    readers = [Reader([several[number % len(several)]]) for number in range(8)]
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    while not all(reader.cursor for reader in readers):
        await asyncio.sleep(0.01)

    def post(number: int) -> int:
        status, answer = several[number % len(several)].post("room", {"data": number, "id": str(number // 2)})
        assert status in (200, 201)
        return int(answer["seq"])

    seqs = await asyncio.gather(*(asyncio.to_thread(post, number) for number in range(POSTS)))
    assert all(seqs[number] == seqs[number + 1] for number in range(0, POSTS, 2)), "an id got two places"
    for server in several:
        history = server.history("room")
        assert len(history) == POSTS // 2
        await until_seen(readers, history)
    for task in tasks:
        task.cancel()


async def test_a_killed_servers_clients_go_on_at_the_other(two_servers: list[Server]) -> None:
    publishers = [Publisher(two_servers, f"p{number}") for number in range(3)]
    readers = [Reader(two_servers), Reader(two_servers[::-1])]
    reading = [asyncio.create_task(reader.run()) for reader in readers]
    publishing = [asyncio.create_task(publisher.run()) for publisher in publishers]
    for kill in range(4):
        wanted = sum(len(publisher.acknowledged) for publisher in publishers) + 60
        while sum(len(publisher.acknowledged) for publisher in publishers) < wanted:
            assert not any(task.done() for task in reading), "a cursor was not taken up"
            await asyncio.sleep(0.005)
        two_servers[kill % 2].kill()
        await asyncio.to_thread(two_servers[kill % 2].start)
    for publisher in publishers:
        publisher.stopping = True
    await asyncio.gather(*publishing)
    history = two_servers[0].history("room")
    assert two_servers[1].history("room") == history
    await until_seen(readers, history)
    assert all(reader.sockets > 1 for reader in readers)
    places = {event["id"]: event["seq"] for event in history}
    assert len(places) == len(history)
    for publisher in publishers:
        assert {event_id: places.get(event_id) for event_id in publisher.acknowledged} == publisher.acknowledged
    for task in reading:
        task.cancel()


async def test_while_nats_is_away_readers_keep_what_they_have_and_all_recovers(
    two_servers: list[Server], own_nats: Nats
) -> None:
    server, other = two_servers
    server.post("room", {"data": 1, "id": "a"})
    async with connect(server) as client:
        await client.hello(subscribe=["room"])
        assert [event["id"] for event in (await client.until("snapshot")).events] == ["a"]
        await client.until("subscribed")
        own_nats.stop()
        request = urllib.request.Request(
            f"{server.url}/api/topics/room/events",
            data=b'{"data": 2, "id": "b"}',
            headers={"Content-Type": "text/json"},
        )
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError) as caught:
                await asyncio.to_thread(urllib.request.urlopen, request, timeout=20)
            assert caught.value.code == 503
            assert int(caught.value.headers["Retry-After"]) > 0
            assert json.load(caught.value)["error"]["code"] == "log_failed"
        refused = await client.publish("room", "c", 3)
        assert (refused["kind"], refused["code"], refused["retry"]) == ("error", "log_failed", True)
        assert [event["id"] for event in server.history("room")] == ["a"]
        async with connect(server) as late:
            await late.hello(subscribe=["room"])
            assert [event["id"] for event in (await late.until("snapshot")).events] == ["a"]
        await asyncio.to_thread(own_nats.start)
        while (await asyncio.to_thread(other.post, "room", {"data": 2, "id": "b"}))[0] == 503:
            await asyncio.sleep(0.05)
        while (await client.publish("room", "c", 3))["kind"] == "error":
            await asyncio.sleep(0.05)
    for each in two_servers:
        assert sorted(event["id"] for event in each.history("room")) == ["a", "b", "c"]
        assert "Traceback" not in each.log


async def test_a_stream_that_is_made_anew_sends_the_sockets_away_to_be_reset(
    two_servers: list[Server], own_nats: Nats, stream: str
) -> None:
    server, other = two_servers
    server.post("room", {"data": 1, "id": "a"})
    async with connect(server) as client:
        before = await client.hello(subscribe=["room"])
        await client.until("subscribed")
        async with by_hand(own_nats) as js:
            await js.delete_stream(stream)
        with pytest.raises(websockets.ConnectionClosed) as caught:
            while True:
                await client.frame()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == protocol.CLOSE_RESTART
    while (await asyncio.to_thread(other.post, "room", {"data": 2, "id": "b"}))[0] == 503:
        await asyncio.sleep(0.05)
    async with connect(server) as client:
        welcome = await client.hello(cursor=(before["epoch"], 1), resume=["room"])
        assert not welcome["resumed"]
        assert welcome["epoch"] == other.status()["epoch"] != before["epoch"]
        snapshot = await client.until("snapshot")
        assert snapshot.header["reason"] == "reset"


async def test_an_event_too_large_for_nats_is_refused_for_good(
    make_server: Callable[..., Server], own_nats: Nats, stream: str
) -> None:
    own_nats.stop()
    config = own_nats.folder / "small.conf"
    config.write_text("max_payload: 10000\n")
    own_nats.command += ["-c", str(config)]
    await asyncio.to_thread(own_nats.start)
    server = make_server(LOG=own_nats.url(stream))
    server.start()
    status, answer = await asyncio.to_thread(server.post, "room", {"data": "x" * 10_000})
    assert (status, answer["error"]["code"]) == (413, "too_large")
    async with connect(server) as client:
        await client.hello()
        answer = await client.publish("room", "a", "x" * 10_000)
        assert (answer["kind"], answer["code"], answer["retry"]) == ("error", "too_large", False)
        assert (await client.publish("room", "b", "x"))["kind"] == "ack"


def test_no_nats_at_the_start_is_told(make_server: Callable[..., Server]) -> None:
    server = make_server(LOG="nats://me:secret@127.0.0.1:1/room")
    assert server.spawn().wait(timeout=60) != 0
    assert "partyline: NATS at nats://127.0.0.1:1 cannot be used" in server.log
    assert "secret" not in server.log
    assert "Traceback" not in server.log
