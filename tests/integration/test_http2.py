"""HTTP/2 and TLS: pages, large files, many at once, the API, WebSockets; and who does not read costs little."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import psutil
import pytest
import websockets
from wsproto.events import TextMessage

from partyline import protocol
from server.assets import default_out, load_manifest
from tests.running import Server

from .client import Client
from .http2 import Http2, Http2Socket

HELLO = {"kind": "hello", "protocol": protocol.VERSION, "cursor": None, "resume": []}


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A server with a certificate."""
    server = make_server()
    server.secure()
    server.start()
    return server


def large() -> tuple[str, int]:
    """The address of the largest file, and its size."""
    manifest = load_manifest(default_out())
    assert manifest is not None
    pyodide = manifest.packages["pyodide"]
    return f"/assets/{pyodide.folder}/pyodide.asm.wasm", pyodide.files["pyodide.asm.wasm"].bytes


async def test_pages_files_and_the_api_over_one_connection(server: Server) -> None:
    """Many at once, of all sizes: each is whole, and all came over HTTP/2."""
    manifest = load_manifest(default_out())
    assert manifest is not None
    wanted = {
        f"/assets/{package.folder}/{name}": file.bytes
        for package in manifest.packages.values()
        for name, file in package.files.items()
        if not name.startswith("LICENSE")
    }
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(http2=True, verify=server.trust(), base_url=server.url, limits=limits) as http:
        answers = await asyncio.gather(*(http.get(path, timeout=60) for path in [*wanted, "/", "/room", "/py/tab.py"]))
        assert {(each.status_code, each.http_version) for each in answers} == {(200, "HTTP/2")}
        assert {each.url.path: len(each.content) for each in answers if each.url.path in wanted} == wanted
        assert answers[0].headers["X-Content-Type-Options"] == "nosniff"
        posted = await http.post("/api/topics/room/events", json={"data": 1}, headers={"Origin": server.url})
        assert (posted.status_code, posted.json()["seq"]) == (201, 1)
        refused = await http.post(
            "/api/topics/room/events", json={"data": 1}, headers={"Origin": "https://evil.example"}
        )
        assert refused.status_code == 403
        head = await http.head(large()[0], headers={"Accept-Encoding": "identity"})
        assert (head.headers["Content-Length"], head.content) == (str(large()[1]), b"")
        part = await http.get(large()[0], headers={"Accept-Encoding": "identity", "Range": "bytes=-5"})
        assert (part.status_code, len(part.content)) == (206, 5)


async def test_a_websocket_over_tls(server: Server) -> None:
    """As most clients make one: HTTP/1.1 and an upgrade, ``wss://``."""
    async with websockets.connect(server.ws_url, ssl=server.trust(), origin=server.url) as socket:  # type: ignore[arg-type]
        client = Client(socket)
        await client.hello(subscribe=["room"])
        ack = await client.publish("room", "a", {"text": "secret"})
        assert not ack["duplicate"]
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(server.ws_url, ssl=server.trust(), origin="https://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403


def test_a_websocket_over_http2(server: Server) -> None:
    """As Chromium makes one where it has a connection already, since the server says that it may (RFC 8441)."""
    with Http2(server.port, server.trust()) as connection:
        connection.read()
        assert connection.takes_websockets
        line = Http2Socket(connection, "/ws", origin="https://localhost")
        assert line.status == 200
        line.send(TextMessage(json.dumps({**HELLO, "subscribe": ["room"]})))
        assert protocol.decode(line.receive())[0]["kind"] == "welcome"
        line.send(TextMessage(json.dumps({"kind": "publish", "topic": "room", "id": "a", "data": "x" * 200_000})))
        kinds = set()
        while not {"ack", "events"} <= kinds:
            kinds.add(protocol.decode(line.receive())[0]["kind"])
        beside = connection.request("/api/status")
        while beside not in connection.ended:
            connection.read()
        assert json.loads(connection.bodies[beside])["sockets"] == 1
        other = Http2Socket(connection, "/ws", origin="https://evil.example")
        assert other.status == 403


def test_streams_that_are_not_read_cost_a_chunk_each(server: Server) -> None:
    """20 times 9.6 MB on one connection whose window stays closed: the server holds but what is on its way."""
    path, size = large()
    streams = 20
    process = psutil.Process(server.spawned.pid)
    before = process.memory_info().rss
    with Http2(server.port, server.trust()) as idle, Http2(server.port, server.trust()) as other:
        idle.window = False
        asked = [idle.request(path) for _ in range(streams)]
        while len(idle.statuses) < streams:
            idle.read()
        beside = other.request(path)
        while beside not in other.ended:
            other.read()
        assert len(other.bodies[beside]) == size
        assert sum(len(idle.bodies[stream]) for stream in asked) < 100_000
        assert process.memory_info().rss - before < streams * size / 4


def test_a_websocket_that_is_not_read_costs_little(server: Server) -> None:
    """The line waits for such a client too, instead of keeping in memory all that it should get."""
    text = "x" * 100_000
    process = psutil.Process(server.spawned.pid)
    with Http2(server.port, server.trust()) as idle:
        line = Http2Socket(idle, "/ws")
        line.send(TextMessage(json.dumps({**HELLO, "subscribe": ["room"]})))
        while protocol.decode(line.receive())[0]["kind"] != "subscribed":
            pass
        idle.window = False
        for _ in range(30):  # what the log, and the fan-out's own buffer, come to in any case
            server.post("room", [{"data": text} for _ in range(10)])
        before = process.memory_info().rss
        for _ in range(90):
            server.post("room", [{"data": text} for _ in range(10)])
        assert process.memory_info().rss - before < 65_000_000, "less than the 90 MB that were said"


async def test_a_page_that_came_without_tls_is_none_of_ours(server: Server) -> None:
    plain = server.url.replace("https:", "http:")
    async with websockets.connect(server.ws_url, ssl=server.trust(), origin=websockets.Origin(server.url)):
        pass
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with websockets.connect(server.ws_url, ssl=server.trust(), origin=websockets.Origin(plain)):
            pass
    assert caught.value.response.status_code == 403
    assert server.post("room", {"data": 1}, Origin=server.url)[0] == 201
    assert server.post("room", {"data": 1}, Origin=plain)[0] == 403
