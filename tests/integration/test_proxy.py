"""Behind a proxy: the documented nginx, for real; and what is believed of its headers, and of a client's."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from hypercorn.asyncio import serve
from hypercorn.config import Config

from server.assets import default_out, load_manifest
from server.config import Settings
from server.edge import Edge
from tests.running import Server, free_port

from .client import Client
from .nginx import Nginx, documented

EVIL = "https://evil.example"


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A server that has one proxy in front, and says a heartbeat often."""
    server = make_server(PROXIES="1", HEARTBEAT_MS="200")
    server.start()
    return server


@pytest.fixture
def nginx(server: Server, tmp_path: Path) -> Iterator[Nginx]:
    nginx = Nginx(tmp_path / "nginx", server.port)
    yield nginx
    nginx.close()
    complaints = [line for line in nginx.errors.splitlines() if "client intended to send too large body" not in line]
    assert [line for line in complaints if "[error]" in line] == []


def trust(nginx: Nginx) -> ssl.SSLContext:
    context = ssl.create_default_context()
    nginx.authority.configure_trust(context)
    return context


@pytest.fixture
def http(nginx: Nginx) -> Iterator[httpx.Client]:
    with httpx.Client(http2=True, base_url=nginx.url, verify=trust(nginx), timeout=20) as client:
        yield client


def test_pages_and_files_through_nginx(nginx: Nginx, http: httpx.Client) -> None:
    page = http.get("/room", headers={"Accept": "text/html"})
    assert (page.status_code, page.http_version) == (200, "HTTP/2")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    manifest = load_manifest(default_out())
    assert manifest is not None
    pyodide = manifest.packages["pyodide"]
    for name, file in pyodide.files.items():
        path = f"/assets/{pyodide.folder}/{name}"
        for coding, size in {"identity": file.bytes, "br": file.br, "gzip": file.gz}.items():
            answer = http.get(path, headers={"Accept-Encoding": coding})
            assert len(answer.content) == file.bytes
            assert int(answer.headers["Content-Length"]) == (file.bytes if size is None else size)
        again = http.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        part = http.get(path, headers={"Accept-Encoding": "identity", "Range": "bytes=5-9"})
        assert (part.status_code, len(part.content)) == (206, 5)
    redirect = httpx.get(nginx.plain_url + "/room")
    assert (redirect.status_code, redirect.headers["Location"]) == (301, "https://localhost/room")


def test_publishing_through_nginx(nginx: Nginx, http: httpx.Client) -> None:
    url = "/api/topics/room/events"
    ours = http.post(url, json={"data": 1}, headers={"Origin": nginx.url})
    assert (ours.status_code, ours.json()["seq"]) == (201, 1)
    forged = {"Origin": EVIL, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert http.post(url, json={"data": 1}, headers=forged).json()["error"]["code"] == "bad_origin"
    large = http.post(url, content=b'{"data": 1}'.ljust(Settings().max_body))
    assert large.status_code == 201
    with httpx.Client(base_url=nginx.url, verify=trust(nginx)) as plain:  # over HTTP/2, httpx sends all before it reads
        large = plain.post(url, content=b'{"data": 1}'.ljust(Settings().max_body + 1))
    assert (large.status_code, large.json()["error"]["code"]) == (413, "request_entity_too_large")


async def test_the_line_through_nginx(server: Server, nginx: Nginx) -> None:
    """A WebSocket opens, carries events at once, and is kept while nothing but heartbeats is said."""
    options: dict[str, Any] = {"ssl": trust(nginx)}
    async with websockets.connect(nginx.ws_url, origin=nginx.url, **options) as socket:  # type: ignore[arg-type]
        client = Client(socket)
        await client.hello(subscribe=["room"])
        await client.until("subscribed")
        server.post("room", {"data": "hello"})
        assert [event["data"] for event in await client.events(1)] == ["hello"]
        for _ in range(3):
            await client.until("heartbeat")
    for headers in ({}, {"X-Forwarded-Host": "evil.example"}):
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(nginx.ws_url, origin=EVIL, additional_headers=headers, **options)  # type: ignore[arg-type]
        assert caught.value.response.status_code == 403
    # the connection that nginx had for the refused one is not used for somebody else's
    async with httpx.AsyncClient(base_url=nginx.url, verify=options["ssl"]) as http:
        assert (await http.post("/api/topics/room/events", json={"data": 1})).status_code == 201
    assert "Traceback" not in server.log


def test_no_way_past_nginx(nginx: Nginx) -> None:
    """An upgrade to HTTP/2 in plain text would be a tunnel in which a client writes all headers itself."""
    asked = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"}
    with httpx.Client(base_url=nginx.url, verify=trust(nginx)) as http:
        assert http.get("/api/status", headers=asked).status_code == 200
        assert http.get("/api/status").http_version == "HTTP/1.1"


@asynccontextmanager
async def telling(proxies: int) -> AsyncIterator[int]:
    """A server that tells how the edge sees a request; yields its port."""

    async def tell(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        host = [value.decode() for name, value in scope["headers"] if name == b"host"]
        body = json.dumps({"client": scope["client"][0], "scheme": scope["scheme"], "host": host}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    config, end = Config(), asyncio.Event()
    port = free_port()
    config.bind = [f"127.0.0.1:{port}"]
    served = asyncio.create_task(serve(Edge(tell, proxies), config, shutdown_trigger=end.wait))  # type: ignore[arg-type]
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            break
    yield port
    end.set()
    await served


async def test_what_a_client_writes_into_the_headers_is_not_believed(tmp_path: Path) -> None:
    forged = {
        "X-Forwarded-For": "6.6.6.6, 7.7.7.7",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Host": "evil.example",
        "Remote-Addr": "8.8.8.8",
    }
    async with telling(1) as port:
        nginx = await asyncio.to_thread(Nginx, tmp_path / "nginx", port)
        try:
            async with httpx.AsyncClient(http2=True, verify=trust(nginx)) as http:
                for headers in ({}, forged):
                    seen = (await http.get(nginx.url, headers=headers)).json()
                    assert seen == {"client": "127.0.0.1", "scheme": "https", "host": [f"localhost:{nginx.port}"]}
        finally:
            nginx.close()
    async with telling(0) as port, httpx.AsyncClient() as http:
        seen = (await http.get(f"http://127.0.0.1:{port}", headers=forged)).json()
        assert seen == {"client": "127.0.0.1", "scheme": "http", "host": [f"127.0.0.1:{port}"]}


def test_with_no_proxy_a_forged_host_does_not_pass_the_origin_check(make_server: Callable[..., Server]) -> None:
    direct = make_server()
    direct.start()
    status, answer = direct.post("room", {"data": 1}, Origin=EVIL, **{"X-Forwarded-Host": "evil.example"})
    assert (status, answer["error"]["code"]) == (403, "bad_origin")


def test_the_documented_limits_fit_the_settings() -> None:
    """A proxy that takes less than Partyline is in its way, and so is one that waits less than a heartbeat."""
    settings = Settings()
    for block in (documented("nginx"), documented("caddy")):
        (size,) = re.findall(r"(?:client_max_body_size|max_size) (\d+)(?:m;|MiB)", block)
        assert int(size) << 20 == settings.max_body
    assert settings.heartbeat_ms < 60_000
    assert "proxy_read_timeout 60s" in documented("nginx")
    assert Config().keep_alive_timeout > 4, "the proxy's 4s must be the shorter"
