"""Scopes put right: which of a proxy's headers are believed, and which request targets are taken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.edge import Edge, seen_by_proxies, target_path


def scope(*headers: tuple[str, str], kind: str = "http") -> dict[str, Any]:
    """A connection from a proxy at 10.0.0.1 that called us as ``inner:8000``."""
    lines = [("Host", "inner:8000"), *headers]
    return {
        "type": kind,
        "path": "/",
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "client": ("10.0.0.1", 4242),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines],
    }


def client(proxies: int, *values: str) -> str | None:
    """The client's address, from ``X-Forwarded-For`` lines; None where it stays the proxy's."""
    seen = seen_by_proxies(scope(*(("X-Forwarded-For", value) for value in values)), proxies)
    return str(seen["client"][0]) if "client" in seen else None


@pytest.mark.parametrize(
    ("proxies", "values", "expected"),
    [
        (1, ["1.2.3.4"], "1.2.3.4"),
        (1, ["6.6.6.6, 1.2.3.4"], "1.2.3.4"),  # the client wrote the first itself
        (1, ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        (2, ["6.6.6.6, 1.2.3.4,10.0.0.2"], "1.2.3.4"),
        (2, ["1.2.3.4"], None),  # it came past one of the proxies
        (1, ["1.2.3.4:5678"], "1.2.3.4"),
        (1, ["2001:DB8::1"], "2001:db8::1"),
        (1, ["[2001:db8::1]:443"], "2001:db8::1"),
        (1, ["unknown"], None),
        (1, ["1.2.3.4, "], "1.2.3.4"),
        (1, [""], None),
        (1, [], None),
    ],
)
def test_the_address_that_the_outermost_proxy_saw(proxies: int, values: list[str], expected: str | None) -> None:
    assert client(proxies, *values) == expected


def test_scheme_and_host() -> None:
    headers = (("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "party.example:8443"))
    seen = seen_by_proxies(scope(*headers), 1)
    assert seen["scheme"] == "https"
    assert [value for name, value in seen["headers"] if name == b"host"] == [b"party.example:8443"]
    assert seen_by_proxies(scope(*headers, kind="websocket"), 1)["scheme"] == "wss"
    assert seen_by_proxies(scope(*headers), 2) == seen, "two proxies, and the outer one's word was passed on"
    twice = scope(
        ("X-Forwarded-Proto", "gopher, http, https"), ("X-Forwarded-Host", "evil.example, a.example, b.example")
    )
    assert seen_by_proxies(twice, 2)["scheme"] == "http"
    assert (b"host", b"a.example") in seen_by_proxies(twice, 2)["headers"]


@pytest.mark.parametrize("host", ["a b", "a/b", "a@b", "a:b", "a\r\nX-Y: z", "[::1", "é.example", "a:123456"])
def test_a_host_that_is_none_is_not_believed(host: str) -> None:
    assert "headers" not in seen_by_proxies(scope(("X-Forwarded-Host", host)), 1)
    assert "headers" in seen_by_proxies(scope(("X-Forwarded-Host", "[::1]:8000")), 1)


@given(st.lists(st.text(st.characters(codec="latin-1")), max_size=5), st.text(st.characters(codec="latin-1")))
def test_what_a_client_writes_changes_nothing_of_what_the_proxy_says(forged: list[str], last: str) -> None:
    lines = [("X-Forwarded-For", value) for value in forged]
    seen = seen_by_proxies(scope(*lines, ("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-Proto", last)), 1)
    assert seen["client"] == ("9.9.9.9", 0)
    assert seen.get("scheme") in (None, "http", "https")


async def passed_on(proxies: int, given: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The scopes that the app gets, and what is answered in its stead."""
    served, sent = [], []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        served.append(scope)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await Edge(app, proxies)(given, None, send)  # type: ignore[arg-type]
    return served, sent


async def test_with_no_proxy_no_header_is_believed() -> None:
    given = scope(("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"))
    assert await passed_on(0, given) == ([given], [])
    (seen,), _ = await passed_on(1, given)
    assert (seen["client"], seen["scheme"]) == (("6.6.6.6", 0), "https")
    assert given["client"][0] == "10.0.0.1", "the server's own scope is left as it was"


async def test_what_is_no_connection_passes() -> None:
    assert await passed_on(1, {"type": "lifespan"}) == ([{"type": "lifespan"}], [])


TARGETS = [
    ("/", "/"),
    ("/a//b/../c", "/a//b/../c"),
    ("//evil.example/", "//evil.example/"),
    ("http://a.example/b?c", "/b"),
    ("https://a.example", "/"),
    ("", None),
    ("*", None),
    ("#", None),
    ("a/b", None),
    ("file:///etc/passwd", None),
    ("http://[", None),
    ("http:/a", None),
    ("a.example:443", None),
]


@pytest.mark.parametrize(("target", "path"), TARGETS)
async def test_targets(target: str, path: str | None) -> None:
    assert target_path(target) == path
    served, sent = await passed_on(0, {**scope(), "path": target})
    assert [each["path"] for each in served] == ([] if path is None else [path])
    if path is None:
        start, body = sent
        assert (start["status"], b"bad_target" in body["body"]) == (400, True)
        assert (b"x-content-type-options", b"nosniff") in start["headers"]
        _, closed = await passed_on(0, {**scope(kind="websocket"), "path": target})
        assert closed == [{"type": "websocket.close", "code": 1000}]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_what_came_past_the_proxy_is_refused(kind: str) -> None:
    """HTTP/2 in plain text: a client's own, through a proxy that passed its upgrade on."""
    smuggled = {**scope(("X-Forwarded-For", "6.6.6.6"), kind=kind), "http_version": "2"}
    served, sent = await passed_on(1, smuggled)
    assert served == []
    assert sent[0].get("status", 1000) in (400, 1000)
    assert (await passed_on(0, smuggled))[0] == [smuggled]
    over_tls = {**smuggled, "scheme": "https" if kind == "http" else "wss"}
    assert len((await passed_on(1, over_tls))[0]) == 1


@pytest.mark.parametrize(("version", "closes"), [("1.1", True), ("2", False)])
async def test_a_refused_websocket_ends_its_connection(version: str, closes: bool) -> None:
    start = {"type": "websocket.http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]}
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await Edge(app, 0)({**scope(kind="websocket"), "http_version": version}, None, send)  # type: ignore[arg-type]
    headers = dict(sent[0]["headers"])
    assert (headers.get(b"connection") == b"close") is closes
    assert (headers[b"x-content-type-options"], headers[b"content-type"]) == (b"nosniff", b"text/plain")


@given(st.text())
def test_any_target_has_a_path_or_none(target: str) -> None:
    path = target_path(target)
    assert path is None or path.startswith("/")
