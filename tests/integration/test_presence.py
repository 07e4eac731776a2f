"""Who is on the line: counts, joins and leaves, over sockets, browsers and server processes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from server.log.announcements import ANNOUNCED_SECONDS
from tests.integration.client import SECONDS, Client, connect
from tests.running import Server


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS + ANNOUNCED_SECONDS):
        while not await asyncio.to_thread(wanted):
            await asyncio.sleep(0.02)


def told(server: Server) -> list[tuple[str, str]]:
    """The joins and leaves that stand in the log."""
    return [(event["data"]["what"], event["data"]["browser"]) for event in server.history("presence")]


async def test_presence_counts_sockets_and_browsers(server: Server) -> None:
    async with connect(server) as one, connect(server) as two, connect(server) as three:
        await one.hello(browser="a")
        await two.hello(browser="a")
        await three.hello(browser="b")
        await one.presence(sockets=3, browsers=2)
        status = server.status()
        assert (status["sockets"], status["browsers"]) == (3, 2)
        await three.socket.close()
        await one.presence(sockets=2, browsers=1)
    deadline = asyncio.get_running_loop().time() + SECONDS
    while server.status()["sockets"] and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.02)
    assert server.status()["sockets"] == 0


async def test_who_dies_without_a_word_is_gone_after_the_heartbeats_time(make_server: Callable[..., Server]) -> None:
    server = make_server(HEARTBEAT_MS="400")
    server.start()
    async with connect(server) as alive, connect(server, ping_interval=None) as dead:
        await alive.hello(browser="alive")
        await dead.hello(browser="dead")
        await alive.presence(browsers=2)
        await alive.presence(browsers=1, sockets=1)  # the dead one has never answered
        goes_on = asyncio.create_task(alive.until("nothing"))  # it answers heartbeats meanwhile
        await until(lambda: [event["data"]["what"] for event in server.history("presence")][-1:] == ["leave"])
        goes_on.cancel()
        (left,) = [event["data"] for event in server.history("presence") if event["data"]["what"] == "leave"]
        assert left["browser"] == "dead"


async def test_presence_tells_tabs_and_subscribers(server: Server) -> None:
    async with connect(server) as one, connect(server) as two:
        await one.hello(browser="a", subscribe=["room"])
        await two.hello(browser="b", subscribe=["room", "host.*"])
        await two.send(kind="tabs", count=4)
        await one.presence(sockets=2, browsers=2, tabs=5, subscribers={"room": 2, "host.*": 1})
        await one.send(kind="tabs", count=-1)
        assert (await one.until("error")).header["code"] == "bad_count"


async def test_a_reload_is_neither_a_leave_nor_a_join(server: Server) -> None:
    for _ in range(3):
        async with connect(server) as client:
            await client.hello(browser="a")
    assert told(server) == [("join", "a")]
    await until(lambda: told(server) == [("join", "a"), ("leave", "a")])
    (join, leave) = server.history("presence")
    assert join["by"] == leave["by"] == "server"
    assert join["data"]["visit"] == leave["data"]["visit"]


async def test_ones_own_join_comes_before_ones_welcome(server: Server) -> None:
    async with connect(server) as client:
        welcome = await client.hello(browser="a", subscribe=["presence"])
        (snapshot,) = (await client.until("snapshot")).events
        assert snapshot["data"]["browser"] == "a"
        assert snapshot["seq"] <= welcome["seq"] == server.status()["seq"]


def sharing(server: Server, asked: int = 20) -> set[str]:
    """Which of a server's processes have connections, as far as metrics tell: one of them answers, so ask often."""
    found = set()
    for _ in range(asked):
        text = httpx.get(f"{server.url}/metrics").raise_for_status().text
        found |= set(re.findall(r'^partyline_connections\{process="([^"]+)"\} [1-9]', text, re.MULTILINE))
    return found


async def test_worker_processes_count_together(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.hypercorn = ("--workers", "2")
    server.start()
    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        while len(clients) < 8 or len(await asyncio.to_thread(sharing, server)) < 2:
            client = await stack.enter_async_context(connect(server))
            await client.hello(browser=f"b{len(clients)}", subscribe=["room"])
            clients.append(client)
        count = len(clients)
        for client in clients:
            await client.presence(sockets=count, browsers=count, tabs=count, subscribers={"room": count})
        more = [await stack.enter_async_context(connect(server)) for _ in range(4)]
        for client in more:
            await client.hello(browser="b0")
        for client in (*clients, *more):
            await client.presence(sockets=count + 4, browsers=count, tabs=count + 4)
        assert sorted(told(server)) == sorted(("join", f"b{number}") for number in range(count))
    await until(lambda: server.status()["sockets"] == 0)


@pytest.mark.slow
async def test_who_was_on_a_server_that_was_killed_has_left_unless_it_goes_on_with_another(
    make_server: Callable[..., Server],
) -> None:
    one = make_server()
    two = make_server(LOG=one.settings["LOG"])
    one.start()
    two.start()
    async with connect(one) as lost, connect(one) as moves, connect(two) as stays:
        await lost.hello(browser="lost")
        await moves.hello(browser="moves")
        await stays.hello(browser="stays")
        await stays.presence(browsers=3, sockets=3)
        one.kill()
        async with connect(two) as again:
            await again.hello(browser="moves")
            reading = [asyncio.create_task(each.until("nothing")) for each in (again, stays)]
            await until(lambda: ("leave", "lost") in told(two))
            await until(lambda: two.status()["browsers"] == 2)
            for each in reading:
                each.cancel()
        assert sorted(told(two)) == [("join", "lost"), ("join", "moves"), ("join", "stays"), ("leave", "lost")]


async def test_who_is_here_is_told_over_http_to_who_holds_the_token(make_server: Callable[..., Server]) -> None:
    server = make_server(TOKEN="secret")
    server.start()
    async with connect(server) as client:
        await client.hello(browser="a", subscribe=["room", "host.*"])
        await client.presence(browsers=1)
        address = f"{server.url}/api/presence"
        assert (await asyncio.to_thread(httpx.get, address)).status_code == 401
        answer = await asyncio.to_thread(httpx.get, address, headers={"Authorization": "Bearer secret"})
        (person,) = answer.json()["people"]
        visit: Any = person.pop("visit")
        assert visit == server.history("presence")[0]["data"]["visit"]
        assert person == {"browser": "a", "tabs": 1, "topics": ["host.*", "room"]}
