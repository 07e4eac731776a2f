"""Random requests to the HTTP API of a real server, held against its own OpenAPI document.

No answer may be one that the document does not know, by status, code, headers or schema; none may be a fault.
``PARTYLINE_FUZZ=50`` makes fifty times as many (``make soak``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from server.api import DEFAULT_LIMIT, MAX_BATCH, MAX_LIMIT
from server.openapi import document
from tests.running import Server

TIMES = int(os.environ.get("PARTYLINE_FUZZ", "1"))
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}

SPEC = document(max_batch=MAX_BATCH, max_limit=MAX_LIMIT, default_limit=DEFAULT_LIMIT)
api = schemathesis.openapi.from_dict(SPEC)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of them. At the end it has said of no request that it failed, and it answers still."""
    server = Server(tmp_path_factory.mktemp("fuzzed"), LOG_LEVEL="warning")
    server.start()
    server.post("room", [{"data": number} for number in range(10)])
    yield server
    try:
        assert server.status()["sockets"] == 0
        assert "Traceback" not in server.log
        assert "internal_error" not in server.log
    finally:
        server.kill()


@pytest.fixture(scope="module")
def client(fuzzed: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fuzzed.url, timeout=20) as client:
        yield client


@api.parametrize()
@settings(max_examples=100 * TIMES, **QUIET)
def test_every_answer_is_as_the_document_says(case: schemathesis.Case, fuzzed: Server) -> None:
    case.call_and_validate(base_url=fuzzed.url, timeout=20)


EVENTS = "/api/topics/{topic}/events"
KNOWN_ANSWERS: list[tuple[str, str, int, dict[str, Any]]] = [
    ("/api/topics", "GET", 200, {}),
    (EVENTS, "GET", 200, {"path_parameters": {"topic": "room"}}),
    (EVENTS, "GET", 400, {"path_parameters": {"topic": "room"}, "query": {"limit": 1001}}),
    (EVENTS, "GET", 404, {"path_parameters": {"topic": "room/x"}}),
    (EVENTS, "POST", 201, {"path_parameters": {"topic": "room"}, "body": {"data": 1, "id": "a"}}),
    (EVENTS, "POST", 200, {"path_parameters": {"topic": "room"}, "body": {"data": 1, "id": "a"}}),
    (EVENTS, "POST", 201, {"path_parameters": {"topic": "room"}, "body": [{"data": 1}, {"data": 2}]}),
    (EVENTS, "POST", 404, {"path_parameters": {"topic": "room/x"}, "body": {"data": 1}}),
    (EVENTS, "POST", 413, {"path_parameters": {"topic": "room"}, "body": {"data": "x" * 300_000}}),
    (EVENTS, "POST", 413, {"path_parameters": {"topic": "room"}, "body": {"data": "x" * 5_000_000}}),
    (
        EVENTS,
        "POST",
        403,
        {"path_parameters": {"topic": "room"}, "body": {}, "headers": {"Origin": "http://x.example"}},
    ),
]


@pytest.mark.parametrize(("path", "method", "status", "parts"), KNOWN_ANSWERS)
def test_known_answers_are_as_the_document_says(
    fuzzed: Server, path: str, method: str, status: int, parts: dict[str, Any]
) -> None:
    media_type = {"media_type": "application/json"} if "body" in parts else {}
    case = api[path][method].Case(**parts, **media_type)
    answer = case.call(base_url=fuzzed.url, timeout=20)
    assert answer.status_code == status
    case.validate_response(answer)


@pytest.mark.parametrize(("path", "method"), [(EVENTS, "POST"), ("/metrics", "GET")])
def test_without_the_token_the_answer_is_as_the_document_says(
    make_server: Callable[..., Server], path: str, method: str
) -> None:
    server = make_server(TOKEN="s3cret-word")
    server.start()
    body = {"body": {"data": 1}, "media_type": "application/json"} if method == "POST" else {}
    case = api[path][method].Case(path_parameters={"topic": "room"} if method == "POST" else {}, **body)
    answer = case.call(base_url=server.url, timeout=20)
    assert answer.status_code == 401
    case.validate_response(answer)


# any JSON, with what JSON allows and Python's json makes of it: huge and odd numbers, half surrogate pairs
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**400)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
)
any_json = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
deep = st.integers(1, 100_000).map(lambda depth: "[" * depth + "]" * depth)
numbers = st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,6})?", fullmatch=True)
long_numbers = st.integers(4000, 5000).map(lambda digits: "9" * digits)
literals = deep | numbers | long_numbers | any_json.map(json.dumps)
drafts = st.builds(
    lambda data, event_id, extra: f'{{{extra}"data": {data}{event_id}}}',
    literals,
    st.just("") | any_json.map(lambda value: f', "id": {json.dumps(value)}'),
    st.just("") | literals.map(lambda value: f'"other": {value}, '),
)
batches = st.lists(drafts | literals, max_size=5).map(lambda texts: f"[{','.join(texts)}]")
bodies = (drafts | batches | literals | st.text()).map(lambda text: text.encode(errors="surrogatepass")) | st.binary()

KNOWN = {
    status: set(response["content"]["application/json"]["schema"]["properties"]["error"]["properties"]["code"]["enum"])
    for status, response in SPEC["paths"]["/api/topics/{topic}/events"]["post"]["responses"].items()
    if int(status) >= 400
}


@settings(max_examples=300 * TIMES, **QUIET)
@given(body=bodies)
@example(body=b'{"data": 1e999}')
@example(body=b'{"data": "\\ud800"}')
@example(body=b'{"data": "\xff"}')
@example(body=b"\xff\xfe")
@example(body=b"[" * 200_000)
@example(body=b'{"data": 1, "data": 2, "id": 3}')
def test_any_body_is_taken_or_refused_as_documented(fuzzed: Server, client: httpx.Client, body: bytes) -> None:
    before = fuzzed.status()["seq"]
    answer = client.post("/api/topics/fuzz/events", content=body)
    if answer.status_code in (200, 201):
        receipts = answer.json() if isinstance(answer.json(), list) else [answer.json()]
        taken = client.get("/api/topics/fuzz/events", params={"after": receipts[-1]["seq"] - 1}).json()
        event = taken["events"][0]
        assert event["id"] == receipts[-1]["id"]
        sent = json.loads(body)
        sent = sent[-1] if isinstance(sent, list) else sent
        if answer.status_code == 201 and receipts[-1]["seq"] > before:
            assert same(event["data"], sent["data"])
    else:
        assert answer.json()["error"]["code"] in KNOWN[str(answer.status_code)]
        assert fuzzed.status()["seq"] == before, "of a body that is refused, nothing is taken"


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are; ``1 == True == 1.0`` is Python's, not JSON's."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


words = st.sampled_from(["api", "topics", "room", "events", "status", "metrics", "..", ".", "", "*", "x" * 5000])
escapes = st.binary(max_size=6).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
targets = st.lists(words | escapes | st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)), max_size=7)
printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=30)
header_names = st.sampled_from(
    [
        *(
            "Accept",
            "Accept-Encoding",
            "Accept-Language",
            "Authorization",
            "Content-Encoding",
            "Content-Type",
            "Cookie",
        ),
        *("Forwarded", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "Origin", "Range", "Referer"),
        *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
    ]
)


@settings(max_examples=150 * TIMES, **QUIET)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"]),
    target=targets.map(lambda parts: "/" + "/".join(parts)),
    headers=st.dictionaries(header_names, printable, max_size=4),
)
def test_any_path_and_any_header_get_an_answer_that_is_no_fault(
    fuzzed: Server, client: httpx.Client, method: str, target: str, headers: dict[str, str]
) -> None:
    request = client.build_request(method, "/", headers=headers, extensions={"target": target.encode()})
    answer = client.send(request)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400 and method != "HEAD" and answer.headers["Content-Type"] == "application/json":
        assert set(answer.json()["error"]) == {"code", "message"}
