"""The HTTP API and the files, as a client sees them."""

from __future__ import annotations

import json
from collections.abc import Callable

import brotli
import httpx
import pytest
import websockets

from server.assets import default_out, load_manifest
from tests.running import Server


@pytest.fixture
def http(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=20)


def test_publish_once_and_again(http: httpx.Client) -> None:
    first = http.post("/api/topics/room/events", json={"data": {"text": "hi"}, "id": "a"})
    assert first.status_code == 201
    assert set(first.json()) == {"seq", "epoch", "id"}
    again = http.post("/api/topics/room/events", json={"data": {"text": "hi"}, "id": "a"})
    assert again.status_code == 200
    assert again.json() == first.json()


def test_publish_without_an_id_gets_one(http: httpx.Client) -> None:
    answer = http.post("/api/topics/room/events", json={"data": None})
    assert answer.status_code == 201
    assert len(answer.json()["id"]) >= 16


def test_a_batch_keeps_its_order(http: httpx.Client) -> None:
    answer = http.post("/api/topics/room/events", json=[{"data": number, "id": str(number)} for number in range(5)])
    assert answer.status_code == 201
    assert [each["seq"] for each in answer.json()] == [1, 2, 3, 4, 5]
    again = http.post("/api/topics/room/events", json=[{"data": 4, "id": "4"}, {"data": 5, "id": "5"}])
    assert again.status_code == 201
    assert [each["seq"] for each in again.json()] == [5, 6]


def test_history_by_pages(http: httpx.Client) -> None:
    http.post("/api/topics/room/events", json=[{"data": {"n": number}} for number in range(5)])
    http.post("/api/topics/other/events", json={"data": 1})
    page = http.get("/api/topics/room/events", params={"after": 1, "limit": 3}).json()
    assert [event["data"] for event in page["events"]] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert page["more"] is True
    assert set(page["events"][0]) == {"seq", "topic", "time", "id", "by", "data"}
    rest = http.get("/api/topics/room/events", params={"after": 4}).json()
    assert [event["seq"] for event in rest["events"]] == [5]
    assert rest["more"] is False
    none = [http.get("/api/topics/room/events", params={"after": after, "limit": 0}).json() for after in (4, 5)]
    assert [(page["events"], page["more"]) for page in none] == [([], True), ([], False)]
    assert rest["epoch"] == http.get("/api/status").json()["epoch"]
    assert http.get("/api/topics/nothing/events").json()["events"] == []


def test_topics_and_status(http: httpx.Client) -> None:
    http.post("/api/topics/room/events", json=[{"data": 1}, {"data": 2}])
    (topic,) = http.get("/api/topics").json()["topics"]
    assert (topic["topic"], topic["last_seq"], topic["count"]) == ("room", 2, 2)
    status = http.get("/api/status").json()
    assert set(status) == {"epoch", "seq", "sockets", "browsers", "topics", "version", "feeds"}
    assert (status["seq"], status["sockets"], status["browsers"], status["topics"]) == (2, 0, 0, 1)


DEEP = "[" * 10_000 + "]" * 10_000


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/topics/room/events", "nonsense", 400, "not_json"),
        ("POST", "/api/topics/room/events", "5", 400, "not_object"),
        ("POST", "/api/topics/room/events", "{}", 400, "no_data"),
        ("POST", "/api/topics/room/events", '{"data": NaN}', 400, "not_json"),
        ("POST", "/api/topics/room/events", '{"data": 1e999}', 400, "bad_number"),
        ("POST", "/api/topics/room/events", '{"data": "\\ud800"}', 400, "bad_text"),
        ("POST", "/api/topics/room/events", '{"data": ' + DEEP + "}", 400, "too_deep"),
        ("POST", "/api/topics/room/events", '{"data": 1, "id": ""}', 400, "bad_id"),
        ("POST", "/api/topics/room/events", "[]", 400, "bad_batch"),
        ("POST", "/api/topics/room/events", '[{"data": 1}, 2]', 400, "not_object"),
        ("POST", "/api/topics/room/events", '{"data": "' + "x" * 300_000 + '"}', 413, "too_large"),
        ("POST", "/api/topics/room/events", "x" * 5_000_000, 413, "request_entity_too_large"),
        ("POST", "/api/topics/r%20m/events", '{"data": 1}', 400, "bad_topic"),
        ("POST", "/api/topics/" + "t" * 10_000 + "/events", '{"data": 1}', 400, "bad_topic"),
        ("POST", "/api/topics//events", '{"data": 1}', 404, "not_found"),
        ("PUT", "/api/topics/room/events", "{}", 405, "method_not_allowed"),
        ("POST", "/api/status", "{}", 405, "method_not_allowed"),
        ("GET", "/api/topics/room/events?after=-1", None, 400, "bad_parameter"),
        ("GET", "/api/topics/room/events?after=9223372036854775808", None, 400, "bad_parameter"),
        ("GET", "/api/topics/room/events?limit=1001", None, 400, "bad_parameter"),
        ("GET", "/api/topics/r%20m/events", None, 400, "bad_topic"),
        ("GET", "/api/nothing", None, 404, "not_found"),
        ("GET", "/nothing", None, 404, "not_found"),
    ],
)
def test_bad_requests_get_a_clear_error_and_a_line_in_the_log(
    server: Server, http: httpx.Client, method: str, path: str, body: str | None, status: int, code: str
) -> None:
    lines = server.log.count("\n")
    answer = http.request(method, path, content=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert 10 < len(error["message"]) < 300
    assert server.log.count("\n") == lines + 1
    assert "Traceback" not in server.log
    assert http.get("/api/status").json()["seq"] == 0


def test_nothing_that_is_asked_for_can_forge_a_line_of_the_log(server: Server, http: httpx.Client) -> None:
    lines = server.log.count("\n")
    assert http.get("/x%0a2026-01-01 INFO partyline FORGED%1b[31m").status_code == 404
    assert server.log.count("\n") == lines + 1
    assert "\x1b" not in server.log


@pytest.mark.parametrize("origin", ["http://[", "//", "http://a b", "\x7f"])
def test_an_origin_that_is_none_is_refused(http: httpx.Client, origin: str) -> None:
    answer = http.post("/api/topics/room/events", json={"data": 1}, headers={"Origin": origin})
    assert answer.status_code == 403


def test_the_right_methods_are_named(http: httpx.Client) -> None:
    assert "POST" in http.put("/api/topics/room/events").headers["Allow"]


def test_publishing_from_another_origin_is_refused(server: Server, http: httpx.Client) -> None:
    url = "/api/topics/room/events"
    answer = http.post(url, json={"data": 1}, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_origin")
    assert http.post(url, json={"data": 1}, headers={"Origin": server.url}).status_code == 201


def test_a_token_is_needed_where_it_is_set(make_server: Callable[..., Server]) -> None:
    server = make_server(TOKEN="s3cret-word")
    server.start()
    assert server.post("room", {"data": 1})[0] == 401
    status, answer = server.post("room", {"data": 1}, Authorization="Bearer wrong")
    assert (status, answer["error"]["code"]) == (401, "bad_token")
    assert server.post("room", {"data": 1}, Authorization="Bearer s3cret-word")[0] == 201
    assert "s3cret" not in server.log


def test_pages_and_sources_are_asked_for_anew_and_answered_304(http: httpx.Client) -> None:
    for path, kind in [
        ("/py/tab.py", "text/x-python; charset=utf-8"),
        ("/css/partyline.css", "text/css; charset=utf-8"),
        ("/worker/boot.js", "text/javascript; charset=utf-8"),
        ("/py/partyline/protocol.py", "text/x-python; charset=utf-8"),
    ]:
        answer = http.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Cache-Control"] == "no-cache"
        again = http.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]


def test_pages_are_html_and_carry_security_headers(http: httpx.Client) -> None:
    for path in ("/", "/room", "/notebook", "/notebook/a", "/nothing"):
        answer = http.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == (404 if path == "/nothing" else 200)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "<html" in answer.text


def test_what_stands_in_a_path_is_escaped_in_the_error_page(http: httpx.Client) -> None:
    answer = http.get("/<script>alert(1)</script>", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_assets_are_compressed_typed_and_kept_for_good(http: httpx.Client) -> None:
    manifest = load_manifest(default_out())
    assert manifest is not None
    types = {"wasm": "application/wasm", "mjs": "text/javascript; charset=utf-8", "zip": "application/zip"}
    for name, file in manifest.packages["pyodide"].files.items():
        suffix = name.rpartition(".")[2]
        if suffix not in types:
            continue
        url = f"/assets/{manifest.packages['pyodide'].folder}/{name}"
        with http.stream("GET", url, headers={"Accept-Encoding": "br, gzip"}) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.headers["Content-Type"] == types[suffix]
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Vary"] == "Accept-Encoding"
        if file.br is not None:
            assert answer.headers["Content-Encoding"] == "br"
            assert len(body) == file.br
            body = brotli.decompress(body)
        plain = http.get(url, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert plain.content == body
        assert len(body) == file.bytes
        head = http.head(url, headers={"Accept-Encoding": "identity"})
        assert (head.status_code, head.content) == (200, b"")
        assert int(head.headers["Content-Length"]) == file.bytes


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../pyproject.toml",
        "/assets/..%2f..%2fpyproject.toml",
        "/css/../../pyproject.toml",
        "/css/..%2f..%2fpackage.json",
        "/py/..%2fworker%2fshell.py",
        "/py/%2fetc%2fpasswd",
        "/css/",
        "/css/%00",
        "/css/%00.css",
        "/assets/manifest.json",
        "/worker/0123456789ab.zip",
        "/worker/shell.py",
    ],
)
def test_nothing_else_is_served(server: Server, path: str) -> None:
    connection = httpx.Client(base_url=server.url, follow_redirects=True)  # // is led to /
    request = connection.build_request("GET", server.url)
    request.url = request.url.copy_with(raw_path=path.encode())
    answer = connection.send(request)
    assert answer.status_code == 404
    assert "Traceback" not in server.log


def test_the_worker_is_told_where_its_files_are(http: httpx.Client) -> None:
    config = http.get("/worker/boot.json").json()
    assert http.get(f"{config['pyodide']}pyodide.mjs").status_code == 200
    bundle = http.get(config["bundle"])
    assert bundle.headers["Content-Type"] == "application/zip"
    assert "immutable" in bundle.headers["Cache-Control"]
    assert config["bytes"] > 10_000_000
    page = http.get("/", headers={"Accept": "text/html"}).text
    assert f'data-build="{config["build"]}"' in page


async def test_a_socket_at_a_wrong_path_is_refused(server: Server) -> None:
    with pytest.raises(websockets.InvalidStatus) as caught:
        await websockets.connect(f"ws://127.0.0.1:{server.port}/nowhere")
    assert caught.value.response.status_code == 404
    assert json.loads(caught.value.response.body)["error"]["code"] == "not_found"
    assert "Traceback" not in server.log


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_too_much_hears_why_however_it_is_sent(server: Server, http: httpx.Client, chunked: bool) -> None:
    """An answer that comes while the client is still sending must not be lost with the connection."""
    body = b"x" * 20_000_000
    for _ in range(10):
        answer = http.post("/api/topics/room/events", content=iter([body]) if chunked else body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_entity_too_large")
    assert server.history("room") == []
