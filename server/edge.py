"""What stands between Hypercorn and the app: who asks, at which address, for which path.

In flows an ASGI scope, as the last hop made it; out comes the client's own. Behind proxies their ``X-Forwarded-*``
headers say what that was, but only those that our own proxies wrote are believed. A request target that is neither
a path nor an HTTP address (RFC 9112, section 3.2), which Quart would stumble over, is answered 400 right here.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from .pages import SECURITY_HEADERS

Scope = Any  # a dict for each kind of connection; what Hypercorn's and Quart's types for it share is not much
App = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[None]]], Awaitable[None]]

_HOST = re.compile(r"(?:[\w.~%-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_SECURE = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}

logger = logging.getLogger("partyline.edge")


class Edge:
    """The app, with its scopes put right. ``proxies`` is how many of ours stand in front; 0: believe no header."""

    def __init__(self, app: App, proxies: int) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(
        self, scope: Scope, receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[None]]
    ) -> None:
        """Serve a connection, as ASGI has it."""
        if scope["type"] in _SECURE:
            path = target_path(scope["path"])
            if path is None:
                await _refuse(scope, send, "bad_target", "The request's target is neither a path nor an HTTP address.")
                return
            if self._proxies and scope["http_version"] == "2" and scope["scheme"] in ("http", "ws"):
                # what a client gets that had a proxy pass its "Upgrade: h2c" on: no proxy sees the headers it writes
                await _refuse(scope, send, "past_proxy", "HTTP/2 without TLS is not served behind a proxy.")
                return
            scope = {**scope, "path": path, **(seen_by_proxies(scope, self._proxies) if self._proxies else {})}
            if scope["type"] == "websocket":
                send = _refusing(send, scope["http_version"])
        await self._app(scope, receive, send)


def target_path(target: str) -> str | None:
    """The path of a request target; None where it has none."""
    if target.startswith("/"):
        return target
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return parts.path or "/" if parts.scheme in ("http", "https") and parts.netloc else None


def seen_by_proxies(scope: Scope, proxies: int) -> dict[str, Any]:
    """What of a scope was otherwise at the outermost of our proxies, from what they say of it.

    Each appends the address that it was called from to ``X-Forwarded-For``, so the one we want is that many places
    from the end, whatever the client wrote before. Of the scheme and the host many say it once, replacing what
    was there; then fewer places are filled, and the first is the outermost proxy's.
    """
    seen: dict[str, Any] = {}
    addresses = _values(scope["headers"], b"x-forwarded-for")
    if len(addresses) >= proxies:
        address = _address(addresses[-proxies])
        if address is not None:
            seen["client"] = (address, 0)
    schemes = _values(scope["headers"], b"x-forwarded-proto")[-proxies:]
    if schemes and schemes[0].lower() in ("http", "https"):
        seen["scheme"] = _SECURE[scope["type"]][schemes[0].lower()]
    hosts = _values(scope["headers"], b"x-forwarded-host")[-proxies:]
    if hosts and _HOST.fullmatch(hosts[0]):
        kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
        seen["headers"] = [*kept, (b"host", hosts[0].encode())]
    return seen


def _values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    """All values of a header that is a list, however many lines it has (RFC 9110, section 5.3)."""
    lines = [value.decode("latin-1") for name, value in headers if name.lower() == wanted]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]


def _address(text: str) -> str | None:
    """The IP address in a text that may have brackets and a port around it; None where it is none."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _refusing(send: Callable[..., Awaitable[None]], http_version: str) -> Callable[..., Awaitable[None]]:
    """``send`` of a WebSocket; where it is answered by an error instead, that gets the headers that it must have.

    Hypercorn ends the connection then, and cannot take another request on it: a proxy that keeps connections must be
    told, or its next request, of another client's, fails. HTTP/2 has no such header (RFC 9113, section 8.2.2).
    """
    added = {**SECURITY_HEADERS, **({"Connection": "close"} if http_version < "2" else {})}
    lines = [(name.lower().encode(), value.encode()) for name, value in added.items()]

    async def send_refusal(message: Any) -> None:
        if message["type"] == "websocket.http.response.start":
            message = {**message, "headers": [*message["headers"], *lines]}
        await send(message)

    send_refusal.__wrapped__ = send  # type: ignore[attr-defined]  # for who looks for the server below (wire.py)
    return send_refusal


async def _refuse(scope: Scope, send: Callable[..., Awaitable[None]], code: str, message: str) -> None:
    """Answer 400; a WebSocket is closed before it was accepted, which the server turns into a 403."""
    logger.warning("< refused %.100r: %s", scope["path"], message)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **SECURITY_HEADERS}
    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 400, "headers": lines})
    await send({"type": "http.response.body", "body": body, "more_body": False})
