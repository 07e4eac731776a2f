"""The line over a real socket: subscribe, publish, resume, presence, and what is said wrongly."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
import websockets

from partyline import protocol
from tests.integration.client import connect
from tests.running import Server


def post_many(server: Server, topic: str, count: int, prefix: str = "e") -> None:
    for start in range(0, count, 500):
        batch = [{"data": number, "id": f"{prefix}-{number}"} for number in range(start, min(start + 500, count))]
        status, _ = server.post(topic, batch)
        assert status == 201
    server.settle()


async def tailed(server: Server) -> None:
    """Wait until the line stands at the log's end."""
    end = server.status()["seq"]
    while True:
        async with connect(server) as client:
            if (await client.hello(browser="looks"))["seq"] >= end:
                return


async def test_a_snapshot_then_live_events(server: Server) -> None:
    post_many(server, "room", 3)
    async with connect(server) as client:
        welcome = await client.hello(subscribe=["room"])
        assert welcome["epoch"] == server.status()["epoch"]
        assert welcome["resumed"] is False
        assert welcome["heartbeat"] == 15
        snapshot = await client.until("snapshot")
        assert snapshot.header["reason"] == "new"
        assert [event["data"] for event in snapshot.events] == [0, 1, 2]
        subscribed = await client.until("subscribed")
        assert subscribed.header["topics"] == ["room"]
        server.post("room", {"data": "live", "id": "live"})
        (event,) = await client.events(1)
        assert (event["data"], event["id"]) == ("live", "live")
        assert event["seq"] > subscribed.header["seq"] > snapshot.events[-1]["seq"]  # its own join lies between


async def test_a_topic_added_in_mid_flight_has_no_hole_between_history_and_live(server: Server) -> None:
    async def publish() -> None:
        for number in range(300):
            await asyncio.to_thread(server.post, "busy", {"data": number, "id": str(number)})

    publishing = asyncio.create_task(publish())
    async with connect(server) as client:
        await client.hello(subscribe=["other"])
        await asyncio.sleep(0)
        while server.status()["seq"] < 50:
            await asyncio.sleep(0.01)
        await client.send(kind="subscribe", topics=["busy"])
        snapshot = await client.until("snapshot")
        while snapshot.header["topics"][0][0] != "busy":
            snapshot = await client.until("snapshot")
        seen = [event["data"] for event in snapshot.events]
        while seen[-1] != 299:
            seen += [event["data"] for event in (await client.until("events")).events]
        assert seen == list(range(seen[0], 300))
    await publishing


async def test_wildcards_carry_all_below_and_new_topics_too(server: Server) -> None:
    server.post("host.cpu", {"data": 1})
    server.post("hosts", {"data": 1})
    server.settle()
    async with connect(server) as client:
        await client.hello(subscribe=["host.*"])
        snapshot = await client.until("snapshot")
        assert snapshot.header["topics"] == [["host.cpu", 1]]
        await client.until("subscribed")
        server.post("hosts", {"data": 2})
        server.post("host.disk.free", {"data": 3})
        (event,) = await client.events(1)
        assert (event["topic"], event["data"]) == ("host.disk.free", 3)


async def test_unsubscribed_topics_come_no_more(server: Server) -> None:
    async with connect(server) as client:
        await client.hello(subscribe=["a", "b"])
        await client.until("subscribed")
        await client.send(kind="unsubscribe", topics=["a"])
        await client.publish("b", "fence", 0)  # answered after the unsubscribe
        server.post("a", {"data": "unwanted"})
        server.post("b", {"data": "wanted"})
        events = await client.events(1)
        while events[-1]["data"] != "wanted":
            events += await client.events(1)
        assert {event["topic"] for event in events} == {"b"}


async def test_publish_is_acknowledged_and_idempotent(server: Server) -> None:
    async with connect(server) as client:
        await client.hello()
        ack = await client.publish("room", "p1", {"text": "hi", "author": "fox"})
        assert (ack["duplicate"], ack["epoch"]) == (False, server.status()["epoch"])
        again = await client.publish("room", "p1", {"text": "hi", "author": "fox"})
        assert (again["seq"], again["duplicate"]) == (ack["seq"], True)
    assert [event["data"] for event in server.history("room")] == [{"text": "hi", "author": "fox"}]


async def test_a_flood_of_publishes_is_answered_in_order(server: Server) -> None:
    async with connect(server) as client:
        await client.hello()
        for number in range(1000):
            await client.send(kind="publish", topic="room", id=str(number), data=number)
        acknowledged = [(await client.until("ack")).header["id"] for _ in range(1000)]
    assert acknowledged == [str(number) for number in range(1000)]
    assert [event["data"] for event in server.history("room")] == list(range(1000))


async def test_resume_gives_exactly_what_is_missing(server: Server) -> None:
    post_many(server, "room", 2500)
    epoch = server.status()["epoch"]
    async with connect(server) as client:
        welcome = await client.hello(resume=["room"], cursor=(epoch, 100))
        assert welcome["resumed"] is True
        assert [event["seq"] for event in await client.events(2400)] == list(range(101, 2501))
        server.post("room", {"data": "live"})
        assert [event["data"] for event in await client.events(1)] == ["live"]


@pytest.mark.parametrize("cursor", [("another", 5), (None, 10**9)])
async def test_a_cursor_of_another_log_gets_a_reset(server: Server, cursor: tuple[str | None, int]) -> None:
    post_many(server, "room", 3)
    async with connect(server) as client:
        told = (cursor[0] or server.status()["epoch"], cursor[1])
        welcome = await client.hello(resume=["room"], cursor=told)
        assert welcome["resumed"] is False
        snapshot = await client.until("snapshot")
        assert snapshot.header["reason"] == "reset"
        assert [event["seq"] for event in snapshot.events] == [1, 2, 3]


async def test_who_was_away_too_long_is_told_of_the_gap(make_server: Callable[..., Server]) -> None:
    server = make_server(REPLAY="100", SNAPSHOT="10")
    server.start()
    post_many(server, "room", 500)
    epoch = server.status()["epoch"]
    async with connect(server) as client:
        await client.hello(resume=["room"], cursor=(epoch, 100))
        snapshot = await client.until("snapshot")
        assert snapshot.header["reason"] == "gap"
        assert [event["seq"] for event in snapshot.events] == list(range(491, 501))
        server.post("room", {"data": "live"})
        assert [event["data"] for event in await client.events(1)] == ["live"]


async def test_what_retention_removed_is_a_gap_and_other_topics_have_none(make_server: Callable[..., Server]) -> None:
    server = make_server(RETENTION="100")
    server.start()
    server.post("quiet", {"data": "before"})
    post_many(server, "busy", 500)
    server.post("quiet", {"data": "after"})
    server.settle()
    epoch = server.status()["epoch"]
    await tailed(server)
    async with connect(server) as client:
        await client.hello(resume=["busy", "quiet"], cursor=(epoch, 1))
        snapshot = await client.until("snapshot")
        assert (snapshot.header["topics"][0][0], snapshot.header["reason"]) == ("busy", "gap")
        assert [(event["topic"], event["data"]) for event in await client.events(1)] == [("quiet", "after")]


async def test_what_retention_removed_before_it_was_sent_is_a_gap_for_those_who_listen(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(RETENTION="100, busy=10", SNAPSHOT="5")
    server.start()
    async with connect(server) as client, connect(server) as other:
        await client.hello(subscribe=["busy", "quiet"])
        await other.hello(subscribe=["quiet"])
        for each in (client, other):
            await each.until("subscribed")
        server.post("busy", [{"data": number} for number in range(50)])
        server.post("quiet", {"data": "after"})
        frames = [await client.frame()]
        while frames[-1].kind != "events" or frames[-1].events[-1]["data"] != "after":
            frames.append(await client.frame())
        snapshots = [frame for frame in frames if frame.kind == "snapshot"]
        assert [frame.header["reason"] for frame in snapshots] == ["gap"]
        assert [event["data"] for event in snapshots[0].events] == [45, 46, 47, 48, 49]
        assert [event["data"] for event in (await other.until("events")).events] == ["after"]


def narrow_socket(server: Server) -> socket.socket:
    """A connection that takes little at once, so that the server soon has to wait for its client."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    narrow.connect(("127.0.0.1", server.port))
    return narrow


async def test_who_reads_slowly_is_told_of_the_gap_and_goes_on(make_server: Callable[..., Server]) -> None:
    server = make_server(BUFFER_BYTES="100000", REPLAY="50", SNAPSHOT="5")
    server.start()
    async with connect(server, sock=narrow_socket(server), compression=None) as client:
        await client.hello(subscribe=["room"])
        await client.until("subscribed")
        text = "x" * 100_000
        for number in range(300):  # 30 MB: more than the server's side of the socket takes
            await asyncio.to_thread(server.post, "room", {"data": {"n": number, "text": text}})
        seen: list[int] = []
        gaps = 0
        while not seen or seen[-1] != 299:
            frame = await client.frame()
            if frame.kind == "snapshot":
                assert frame.header["reason"] == "gap"
                gaps += 1
                seen = [event["data"]["n"] for event in frame.events]
            elif frame.kind == "events":
                seen += [event["data"]["n"] for event in frame.events]
        assert gaps >= 1
        assert seen == list(range(seen[0], 300))


async def test_the_server_speaks_when_idle_and_tells_its_place(make_server: Callable[..., Server]) -> None:
    server = make_server(HEARTBEAT_MS="500")
    server.start()
    async with connect(server) as client:
        assert (await client.hello(subscribe=["room"]))["heartbeat"] == 0.5
        await client.until("heartbeat")
        _, posted = server.post("other", {"data": 1})
        while (await client.until("heartbeat")).header["seq"] != posted["seq"]:
            pass


async def test_the_server_speaks_to_who_wants_other_topics_than_what_is_going_on(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(HEARTBEAT_MS="500")
    server.start()
    stop = asyncio.Event()

    async def others() -> None:
        while not stop.is_set():
            await asyncio.to_thread(server.post, "other", {"data": 1})

    going_on = asyncio.create_task(others())
    async with connect(server) as client:
        await client.hello(subscribe=["room"])
        for _ in range(3):
            await client.until("heartbeat")
    stop.set()
    await going_on


async def test_what_is_pruned_while_it_catches_up_is_told_as_a_gap(make_server: Callable[..., Server]) -> None:
    server = make_server(RETENTION="200", SNAPSHOT="5")
    server.start()
    text = "x" * 100_000
    server.post("room", {"data": {"n": 0}})
    for number in range(1, 181):
        await asyncio.to_thread(server.post, "room", {"data": {"n": number, "text": text}})
    async with connect(server, sock=narrow_socket(server), compression=None) as client:
        await client.hello(resume=["room"], cursor=(server.status()["epoch"], 1))
        for number in range(181, 681):  # while it is sent what it missed
            await asyncio.to_thread(server.post, "room", {"data": {"n": number, "text": text}})
        seen, gaps = [0], 0
        while seen[-1] < 680:
            frame = await client.frame()
            if frame.kind == "snapshot":
                assert frame.header["reason"] == "gap"
                gaps += 1
                seen = [event["data"]["n"] for event in frame.events]
            elif frame.kind == "events":
                new = [event["data"]["n"] for event in frame.events]
                assert new[0] == seen[-1] + 1, "a gap was not told"
                seen += new
    assert gaps >= 1
    assert seen == list(range(seen[0], 681))


BAD_FRAMES: list[tuple[str | bytes, str]] = [
    ("nonsense", "not_json"),
    ("", "not_json"),
    (b"\x00\xff", "not_text"),
    (b"", "not_text"),
    ("[]", "not_object"),
    ('{"kind": "dance"}', "unknown_kind"),
    ('{"kind": "publish", "id": "a", "data": 1}', "no_topic"),
    (json.dumps({"kind": "publish", "id": "a", "topic": "t" * 10_000, "data": 1}), "bad_topic"),
    (json.dumps({"kind": "publish", "id": "a", "topic": "ünï/çødé", "data": 1}), "bad_topic"),
    ('{"kind": "publish", "id": "a", "topic": "x", "data": ' + "[" * 10_000 + "]" * 10_000 + "}", "too_deep"),
    ('{"kind": "publish", "id": "a", "topic": "x", "data": "' + "x" * 300_000 + '"}', "too_large"),
]


async def test_a_bad_frame_gets_an_error_and_a_line_in_the_log_and_harms_nobody(server: Server) -> None:
    async with connect(server) as bad, connect(server) as good:
        await bad.hello(browser="bad", subscribe=["room"])
        await good.hello(browser="good", subscribe=["room"])
        await good.until("subscribed")
        for message, code in BAD_FRAMES:
            lines = server.log.count("\n")
            await bad.socket.send(message)
            assert (await bad.until("error")).header["code"] == code
            assert server.log.count("\n") == lines + 1
        ack = await bad.publish("room", "still-here", "ok")
        assert ack["kind"] == "ack"
        assert [event["id"] for event in await good.events(1)] == ["still-here"]
    assert len(server.history("room")) == 1
    assert "Traceback" not in server.log


async def test_another_version_is_told_so_and_closed_for_good(server: Server) -> None:
    async with connect(server) as client:
        await client.send(kind="hello", protocol=99, browser="b")
        assert (await client.until("error")).header["code"] == "wrong_version"
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await client.frame()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == protocol.CLOSE_VERSION


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_page_of_another_origin_may_not_connect(server: Server, origin: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with connect(server, origin=origin):
            pass
    assert caught.value.response.status_code == 403
    assert json.loads(caught.value.response.body)["error"]["code"] == "bad_origin"
    assert server.status()["sockets"] == 0


async def test_origins_that_are_named_may_connect(make_server: Callable[..., Server]) -> None:
    server = make_server(ORIGINS="https://friend.example")
    server.start()
    async with connect(server, origin="https://friend.example") as client:
        assert (await client.hello())["protocol"] == 1
    async with connect(server, origin=server.url) as client:
        assert (await client.hello())["protocol"] == 1


@pytest.mark.parametrize("workers", ["0", "1", "2"])
async def test_a_server_that_ends_says_goodbye(make_server: Callable[..., Server], workers: str) -> None:
    server = make_server()
    server.hypercorn = ("--workers", workers)
    server.start()
    async with connect(server) as client:
        await client.hello()
        stopping = asyncio.create_task(asyncio.to_thread(server.stop))
        goodbye = await client.until("goodbye")
        assert 0.5 < goodbye.header["within"] < 1
        with pytest.raises(websockets.ConnectionClosed) as caught:
            while True:
                await client.frame()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == protocol.CLOSE_RESTART
        await stopping
    assert "Traceback" not in server.log


async def test_two_workers_on_one_database_show_the_same(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.hypercorn = ("--workers", "2")
    server.start()
    clients: list[Any] = []
    async with (
        connect(server) as c1,
        connect(server) as c2,
        connect(server) as c3,
        connect(server) as c4,
        connect(server) as c5,
        connect(server) as c6,
    ):
        clients = [c1, c2, c3, c4, c5, c6]
        for client in clients:
            await client.hello(subscribe=["room"])
            await client.until("subscribed")
        post_many(server, "room", 50)
        await clients[0].send(kind="publish", topic="room", id="last", data="last")
        for client in clients:
            events = await client.events(51)
            assert [event["data"] for event in events] == [*range(50), "last"]
            assert [event["seq"] for event in events] == [event["seq"] for event in server.history("room")]
