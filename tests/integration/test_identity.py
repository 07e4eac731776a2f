"""Who is who on the line, and who may do what: cookies, tokens, floods; each refused as docs/protocol.md says."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sqlite3
from collections.abc import Callable

import httpx
import pytest
import websockets

from partyline import protocol
from server.identity import COOKIE, Identities
from tests.integration.client import SECONDS, connect
from tests.running import SECRET, Server


@pytest.fixture
def browser(server: Server) -> httpx.Client:
    """A browser as far as cookies go, on the server's pages."""
    return httpx.Client(base_url=server.url)


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await asyncio.to_thread(wanted):
            await asyncio.sleep(0.02)


def test_a_page_gives_a_browser_an_id_and_keeps_it(browser: httpx.Client) -> None:
    page = browser.get("/room")
    (told,) = re.findall(r'data-browser="([^"]+)"', page.text)
    assert Identities(SECRET).browser_of(browser.cookies[COOKIE]) == told
    assert {"HttpOnly", "SameSite=Lax"} <= set(page.headers["Set-Cookie"].split("; "))
    assert browser.cookies[COOKIE] not in page.text
    assert told in browser.get("/").text
    assert "private" in page.headers["Cache-Control"]


async def test_the_socket_knows_the_browser_by_its_cookie(server: Server, browser: httpx.Client) -> None:
    await asyncio.to_thread(browser.get, "/")
    header = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    async with connect(server, additional_headers=header) as client:
        await client.send(kind="hello", protocol=1, subscribe=["room"])
        welcome = (await client.until("welcome")).header
        assert welcome["browser"] == Identities(SECRET).browser_of(browser.cookies[COOKIE])
        assert "identity" not in welcome
        await client.until("subscribed")
        await client.publish("room", "a", {"text": "hi", "author": "somebody else"})
    (event,) = server.history("room")
    assert event["by"] == welcome["browser"]


async def test_who_has_no_cookie_is_given_a_token_and_stays_who_it_is(server: Server) -> None:
    async with connect(server) as client:
        await client.send(kind="hello", protocol=1)
        first = (await client.until("welcome")).header
    async with connect(server) as client:
        await client.send(kind="hello", protocol=1, identity=first["identity"])
        again = (await client.until("welcome")).header
    assert again["browser"] == first["browser"]
    async with connect(server) as client:
        await client.send(kind="hello", protocol=1)
        assert (await client.until("welcome")).header["browser"] != first["browser"]


async def test_a_stolen_id_is_refused_for_good(server: Server) -> None:
    victim = Identities(SECRET).new()
    async with connect(server) as thief:
        await thief.send(kind="hello", protocol=1, browser=victim)
        assert (await thief.until("error")).header["code"] == "not_yours"
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await thief.frame()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == protocol.CLOSE_POLICY


@pytest.mark.parametrize("token", ["nonsense", "b1.AAAA", Identities("another secret").token("b1"), 5, "", "\ud800.A"])
async def test_a_forged_identity_is_refused(server: Server, token: object) -> None:
    async with connect(server) as thief:
        await thief.send(kind="hello", protocol=1, identity=token)
        assert (await thief.until("error")).header["code"] == "bad_identity"
        assert (await thief.hello())["browser"] == "b1"  # it may try again, as who it is


async def test_a_forged_cookie_is_no_identity(server: Server) -> None:
    header = {"Cookie": f"{COOKIE}={Identities('another secret').token('b1')}"}
    async with connect(server, additional_headers=header) as client:
        await client.send(kind="hello", protocol=1)
        assert (await client.until("welcome")).header["browser"] != "b1"


def test_what_is_published_over_http_bears_the_browser_of_the_cookie_or_nobody(
    server: Server, browser: httpx.Client
) -> None:
    browser.get("/")
    browser.post("/api/topics/room/events", json={"data": 1}).raise_for_status()
    server.post("room", {"data": 2})
    assert [event["by"] for event in server.history("room")] == [
        Identities(SECRET).browser_of(browser.cookies[COOKIE]),
        "",
    ]


# the teacher


@pytest.fixture
def guarded(make_server: Callable[..., Server]) -> Server:
    server = make_server(TOKEN="the secret token")
    server.start()
    return server


def test_a_teacher_signs_in_publishes_and_signs_out(guarded: Server) -> None:
    with httpx.Client(base_url=guarded.url) as teacher:
        publish = {"url": "/api/topics/room/events", "json": {"data": "x"}}
        assert teacher.post(**publish).status_code == 401
        assert "Sign in" in teacher.get("/").text
        refused = teacher.post("/sign-in", data={"token": "a guess"})
        assert refused.status_code == 401
        assert "not this server" in refused.text
        assert teacher.post(**publish).status_code == 401
        signed = teacher.post("/sign-in", data={"token": "the secret token"})
        assert signed.status_code == 303
        assert {"HttpOnly", "SameSite=Lax"} <= set(signed.headers["Set-Cookie"].split("; "))
        assert teacher.post(**publish).status_code == 201
        assert "Teacher" in teacher.get("/").text
        foreign = teacher.post(**publish, headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert teacher.post("/sign-out", headers={"Origin": "https://evil.example"}).status_code == 403
        assert teacher.post("/sign-out").status_code == 303
        assert teacher.post(**publish).status_code == 401
    assert "the secret token" not in guarded.log
    assert "a guess" not in guarded.log


def test_another_token_signs_everybody_out(guarded: Server) -> None:
    with httpx.Client(base_url=guarded.url) as teacher:
        teacher.post("/sign-in", data={"token": "the secret token"})
        guarded.stop()
        guarded.settings["TOKEN"] = "another token"
        guarded.start()
        assert teacher.post("/api/topics/room/events", json={"data": "x"}).status_code == 401


def test_guessing_is_slowed(guarded: Server) -> None:
    with httpx.Client(base_url=guarded.url) as guesser:
        answers = [guesser.post("/sign-in", data={"token": f"guess {number}"}) for number in range(10)]
        assert [answer.status_code for answer in answers][:2] == [401, 401]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) >= 1
        bearer = {"Authorization": "Bearer another guess"}
        answer = guesser.post("/api/topics/room/events", json={"data": 1}, headers=bearer)
        assert answer.status_code == 429
        assert answer.json()["error"]["code"] == "too_many"
        # nor is a right one told from a wrong one now
        right = {"Authorization": "Bearer the secret token"}
        for path in ("/api/presence", "/metrics"):
            assert guesser.get(path, headers=right).status_code == 429


def test_without_a_token_there_is_nothing_to_sign_in_with(server: Server, browser: httpx.Client) -> None:
    assert browser.get("/sign-in").status_code == 404
    assert browser.post("/sign-in", data={"token": ""}).status_code == 404
    assert "Sign in" not in browser.get("/").text


# floods


async def test_a_flood_of_frames_is_read_no_faster_and_told_so_and_nothing_is_lost(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(RATE="200")
    server.start()
    async with connect(server) as client:
        welcome = await client.hello()
        assert welcome["limits"]["rate"] == 200
        for number in range(1000):
            await client.send(kind="publish", topic="room", id=str(number), data=number)
        assert (await client.until("error")).header["code"] == "slowed"
        last = await client.publish("room", "last", "last")
        assert last["kind"] == "ack"
    assert [event["data"] for event in server.history("room")] == [*range(1000), "last"]


def test_a_flood_over_http_is_refused(make_server: Callable[..., Server]) -> None:
    server = make_server(ADDRESS_RATE="10")
    server.start()
    answers = [httpx.post(f"{server.url}/api/topics/room/events", json=[{"data": number}] * 20) for number in range(5)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:2] == [201, 201]
    assert statuses[-1] == 429
    assert answers[-1].json()["error"]["code"] == "too_many"
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert len(server.history("room")) == 20 * statuses.count(201)


async def test_who_is_read_no_faster_is_not_taken_for_silent(make_server: Callable[..., Server]) -> None:
    server = make_server(ADDRESS_RATE="1", HEARTBEAT_MS="400")
    server.start()
    async with connect(server) as client:
        await client.hello()
        assert server.post("room", [{"data": number} for number in range(5)])[0] == 201  # into debt, for seconds
        assert (await client.publish("room", "late", 1))["kind"] == "ack"
    assert "is given up" not in server.log


async def test_joins_and_leaves_count_as_what_an_address_publishes(make_server: Callable[..., Server]) -> None:
    server = make_server(ADDRESS_RATE="1")
    server.start()
    async with contextlib.AsyncExitStack() as stack:
        for number in range(10):  # the first ones are let in at once, the others wait
            client = await stack.enter_async_context(connect(server))
            identity = Identities(SECRET).token(f"b{number}")
            await client.send(kind="hello", protocol=1, identity=identity)
        await until(lambda: server.post("room", {"data": 1})[0] == 429)
        assert len(server.history("presence")) < 10


async def test_nobody_can_publish_ahead_what_the_server_will_tell_of_another(server: Server) -> None:
    async with connect(server) as thief:
        await thief.hello(browser="thief", subscribe=["presence"])
        async with connect(server) as victim:
            await victim.hello(browser="victim")
            joined = {"browser": "thief"}
            while joined["browser"] != "victim":
                (joined,) = [event["data"] for event in await thief.events(1)]
            visit, number = joined["visit"], int(joined["visit"].rpartition("-")[2])
            await thief.publish("presence", f"{visit}-leave", "squatted")
            await thief.publish("presence", f"{visit.rpartition('-')[0]}-{number + 1}-join", "squatted")
        async with connect(server) as next_one:
            await next_one.hello(browser="next")
        told: set[tuple[str, str]] = set()
        async with asyncio.timeout(SECONDS):
            while not {("leave", "victim"), ("join", "next")} <= told:
                events = [event for event in await thief.events(1) if event["by"] == "server"]
                told |= {(event["data"]["what"], event["data"]["browser"]) for event in events}


async def test_one_address_holds_only_so_many_sockets(make_server: Callable[..., Server]) -> None:
    server = make_server(SOCKETS_PER_ADDRESS="2")
    server.start()
    async with connect(server) as one, connect(server) as two:
        await one.hello()
        await two.hello()
        with pytest.raises(websockets.InvalidStatus) as caught:
            async with connect(server):
                pass
        assert caught.value.response.status_code == 429
    await until(lambda: server.status()["sockets"] == 0)
    async with connect(server) as again:
        await again.hello()


async def test_who_takes_nothing_is_given_up_and_harms_nobody(make_server: Callable[..., Server]) -> None:
    server = make_server(HEARTBEAT_MS="1000")
    server.start()
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", server.port))
    async with connect(server, sock=stuck, compression=None, max_queue=1, ping_interval=None) as reads_nothing:
        await reads_nothing.hello(browser="stuck", subscribe=["room"])
        await reads_nothing.until("subscribed")
        text = "x" * 200_000
        for number in range(200):
            await asyncio.to_thread(server.post, "room", {"data": text, "id": str(number)})
        await until(lambda: server.status()["sockets"] == 0)
    assert len(server.history("room")) == 200
    assert "is given up" in server.log
    assert "Traceback" not in server.log


async def test_who_takes_nothing_is_closed_all_the_same_when_the_log_fails(server: Server) -> None:
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", server.port))
    async with connect(server, sock=stuck, compression=None, ping_interval=None, close_timeout=1) as reads_nothing:
        await reads_nothing.hello(browser="stuck", subscribe=["room"])
        await reads_nothing.presence(sockets=1, subscribers={"room": 1})  # after it nothing is left to be said
        reads_nothing.socket.transport.pause_reading()
        text = "x" * 200_000
        for _ in range(2):  # the second finds no room in the socket, and is put before it without waiting
            server.post("room", [{"data": text} for _ in range(10)])
        server.settle()
        with sqlite3.connect(server.folder / "events.db") as connection:
            connection.execute("ALTER TABLE events RENAME TO events_away")
        connection.close()
        await reads_nothing.send(kind="subscribe", topics=["other"])
        await until(lambda: server.status()["sockets"] == 0)
    assert "the connection of stuck ends" in server.log
