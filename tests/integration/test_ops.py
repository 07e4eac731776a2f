"""Operating: health, metrics and logs of a real server."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.app import create_app
from server.config import Settings
from tests.integration.client import SECONDS, connect
from tests.running import ROOT, Server

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(server: Server, **headers: str) -> Samples:
    """All samples by name and labels, but for the process's name."""
    text = httpx.get(f"{server.url}/metrics", headers=headers).raise_for_status().text
    return {
        (sample.name, frozenset((key, value) for key, value in sample.labels.items() if key != "process")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"partyline_{name}", frozenset(labels.items())]


def log_lines(server: Server, logger: str, count: int) -> list[dict[str, object]]:
    """The first lines of a logger; waits until there are so many."""
    deadline = time.monotonic() + SECONDS
    while True:
        lines = [line for line in map(json.loads, server.log.splitlines()) if line["logger"] == logger]
        if len(lines) >= count or time.monotonic() > deadline:
            assert len(lines) == count
            return lines
        time.sleep(0.02)


def test_a_server_that_serves_is_healthy_and_no_cache_keeps_that(server: Server) -> None:
    server.post("room", {"data": 1})
    answer = httpx.get(f"{server.url}/healthz")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert (body["status"], body["log"]["writable"]) == ("ok", True)
    server.settle()
    assert httpx.get(f"{server.url}/healthz").json()["log"]["lag"] == 0


def test_a_log_that_is_gone_makes_it_ill_and_where_it_lay_is_not_told(server: Server) -> None:
    server.post("room", {"data": 1})
    for name in ("events.db", "events.db-wal"):
        (server.folder / name).write_bytes(b"")
    index = server.folder / "events.db-shm"
    with index.open("r+b") as file:  # cleared in place: the server has it mapped into its memory
        file.write(bytes(index.stat().st_size))
    answer = httpx.get(f"{server.url}/healthz")
    assert answer.status_code == 503
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["error"]["code"] == "log_failed"
    assert str(server.folder) not in answer.text
    samples = scrape(server)
    assert value(samples, "log_up") == 0
    assert ("partyline_log_seq", frozenset()) not in samples
    assert "events.db could not be read" in server.log


def test_a_log_that_takes_nothing_is_told_and_that_it_takes_again(server: Server) -> None:
    database = sqlite3.connect(server.folder / "events.db")
    database.execute("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(FAIL, 'no room'); END")
    status, answer = server.post("room", {"data": 1})
    assert (status, answer["error"]["code"]) == (503, "log_failed")
    assert server.get("/healthz")["log"]["writable"] is False
    database.execute("DROP TRIGGER full")
    database.close()
    assert server.post("room", {"data": 1})[0] == 201
    assert server.get("/healthz")["log"]["writable"] is True


async def test_a_server_that_is_about_to_end_says_so(tmp_path: Path) -> None:
    app = create_app(Settings(log="memory://", feeds=(), secret="of the tests"))
    async with app.test_app() as running:
        client = running.test_client()
        assert (await client.get("/healthz")).status_code == 200
        app.extensions["partyline.ops"].stopping = True
        answer = await client.get("/healthz")
        assert (answer.status_code, (await answer.get_json())["error"]["code"]) == (503, "shutting_down")


async def test_what_happens_is_counted(server: Server) -> None:
    async with connect(server) as client, connect(server) as other:
        await client.hello(browser="a", subscribe=["room"])
        await other.hello(browser="b", subscribe=["room"])
        for each in (client, other):
            await each.until("subscribed")
        for event_id in ("é1", "2", "2"):
            await client.publish("room", event_id, "ü")
        server.post("room", [{"data": 1, "id": "h1"}, {"data": 1, "id": "h2"}])
        server.post("room", {"no": "data"})
        await client.send(kind="dance")
        await client.until("error")
        await other.events(4)
        samples = scrape(server)
        while value(samples, "deliveries_total") < 8:
            samples = await asyncio.to_thread(scrape, server)
    assert value(samples, "connections") == 2
    assert value(samples, "browsers") == 2
    assert value(samples, "connections_opened_total") == 2
    assert value(samples, "deliveries_total") == 8
    assert value(samples, "messages_received_total") == 6
    assert value(samples, "received_bytes_total") > 6 * 20
    assert value(samples, "messages_sent_total") > 8
    assert value(samples, "sent_bytes_total") > value(samples, "messages_sent_total") * 20
    assert value(samples, "events_appended_total", source="socket") == 2
    assert value(samples, "events_duplicate_total", source="socket") == 1
    assert value(samples, "events_appended_total", source="http") == 2
    assert value(samples, "events_appended_total", source="server") == 2  # two joins
    assert value(samples, "append_seconds_count") == 6
    assert value(samples, "refusals_total", channel="http", code="no_data") == 1
    assert value(samples, "refusals_total", channel="socket", code="unknown_kind") == 1
    assert value(samples, "snapshots_sent_total", reason="new") == 2
    assert value(samples, "window_events_sum") == 6
    assert value(samples, "flush_seconds_count") == value(samples, "window_events_count") >= 1
    assert value(samples, "log_up") == 1
    assert value(samples, "log_seq") == value(samples, "tail_seq") == 6
    assert value(samples, "buffer_bytes") > 100
    assert value(samples, "http_requests_total", method="POST", status="400") == 1
    deadline = time.monotonic() + SECONDS
    while value(samples, "connections") and time.monotonic() < deadline:
        samples = await asyncio.to_thread(scrape, server)
    assert value(samples, "connections_closed_total", reason="client") == 2
    assert value(samples, "deliveries_total") == 8


def test_every_metric_is_documented_and_every_documented_one_is_there(server: Server) -> None:
    server.post("room", {"no": "data"})
    text = httpx.get(f"{server.url}/metrics").text
    told = set()
    for family in text_string_to_metric_families(text):
        told.add(f"{family.name}_total" if family.type == "counter" else family.name)
        assert family.documentation, family.name
    documented = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/how-to/operate.md").read_text(), re.MULTILINE)
    assert {name for name in told if name.startswith("partyline")} == set(documented)
    assert {name.split("_")[0] for name in told} == {"partyline", "process", "python"}


def test_the_metrics_need_the_token_where_there_is_one(make_server: Callable[..., Server]) -> None:
    server = make_server(TOKEN="s3cret-word")
    server.start()
    answer = httpx.get(f"{server.url}/metrics")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert value(scrape(server, Authorization="Bearer s3cret-word"), "log_up") == 1
    assert httpx.get(f"{server.url}/healthz").status_code == 200


async def test_each_request_and_each_socket_is_told_in_json(make_server: Callable[..., Server]) -> None:
    server = make_server(LOG_FORMAT="json")
    server.start()
    before = len(log_lines(server, "partyline.access", 1))  # the question whether it is up
    server.post("room", {"data": 1})
    async with httpx.AsyncClient(base_url=server.url) as http:
        for path in ("/nothing%0A%1B[31m", "/css/partyline.css", "/healthz"):
            await http.get(path)
    async with connect(server) as client:
        await client.hello(browser="b1")
    async with connect(server) as client:
        await client.send(kind="hello", protocol=99)
        await client.socket.wait_closed()
    posted, missing = (await asyncio.to_thread(log_lines, server, "partyline.access", before + 2))[before:]
    assert (posted["level"], posted["method"], posted["path"]) == ("info", "POST", "/api/topics/room/events")
    assert (posted["status"], posted["remote"]) == (201, "127.0.0.1")
    assert int(str(posted["bytes"])) > 20
    assert 0 < float(str(posted["duration_ms"])) < 10_000
    assert (missing["level"], missing["status"], missing["code"]) == ("warning", 404, "not_found")
    assert missing["path"] == "/nothing\n\x1b[31m"
    assert "/nothing\\n\\x1b[31m" in str(missing["message"])
    lines = await asyncio.to_thread(log_lines, server, "partyline.line", 5)
    assert all(line["remote"] == "127.0.0.1" for line in lines if "is open" in str(line["message"]))
    went, wrong = (line for line in lines if "duration_ms" in line)
    assert (went["browser"], went["reason"], went["received"], "code" in went) == ("b1", "client", 1, False)
    assert int(str(went["sent"])) >= 1
    assert (wrong["reason"], wrong["code"], wrong["received"], wrong["sent"]) == ("version", 4001, 1, 1)
    server.stop()
    told = [json.loads(line) for line in server.log.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in told)
    assert any("Running on" in line["message"] for line in told)  # Hypercorn's own


def test_of_files_nothing_is_told_until_it_is_asked_for(make_server: Callable[..., Server]) -> None:
    server = make_server(LOG_LEVEL="debug")
    server.start()
    httpx.get(f"{server.url}/css/partyline.css")
    assert re.search(r"DEBUG partyline.access < GET /css/partyline.css: 200 \d+ bytes in", server.log)
    quiet = make_server(LOG_LEVEL="warning")
    quiet.start()
    quiet.post("room", {"data": 1})
    quiet.post("room", {"no": "data"})
    assert "/api/topics/room/events: 400" in quiet.log
    assert quiet.log.count("partyline") == 1


async def test_no_secret_reaches_a_log(make_server: Callable[..., Server]) -> None:
    for form in ("text", "json"):
        server = make_server(TOKEN="s3cret-word", LOG_FORMAT=form, LOG_LEVEL="debug")
        server.start()
        for authorization in ("Bearer s3cret-word", "Bearer s3cret-wrong"):
            headers = {"Authorization": authorization, "Cookie": "session=s3cret-cookie"}
            async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
                for path in ("/api/topics/room/events", "/metrics", "/room", "/nothing"):
                    await http.get(f"{path}?token=s3cret-query")
                    await http.post(f"{path}?token=s3cret-query", content=b"s3cret-body")
            async with connect(server, additional_headers=headers) as client:
                await client.hello()
                await client.send(kind="nonsense", secret="s3cret-frame")
                await client.until("error")
        assert "not this server's token" in server.log
        assert "s3cret" not in server.log


@pytest.mark.parametrize("request_line", ["POST /nothing", "PUT /api/status", "POST /api/topics//events"])
def test_a_body_that_nobody_wants_does_not_spoil_the_connection(server: Server, request_line: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as connection:
        connection.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n".encode())
        server.status()  # by then the head has been seen
        connection.sendall(b"hello")
        answer = connection.recv(100)
        assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 308")), answer
        connection.sendall(b"GET /api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        rest = b""
        while more := connection.recv(4096):
            rest += more
    assert b'"sockets"' in rest
