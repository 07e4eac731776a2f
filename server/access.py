"""The access log: one line for each HTTP request, written by the app itself. An ASGI layer around all else.

In flow ASGI's messages, untouched, out come a line and a count for each request. It is written just before the last
byte is handed over, so who has read the answer finds its line. A path is shown without its query, and no header is
shown at all: tokens and cookies stand there.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol

from .logs import fields
from .metrics import Metrics

REFUSAL = "partyline.refusal"
"""Under this name of the ASGI scope the error handlers leave what they answered."""

QUIET = ("/assets/", "/css/", "/js/", "/py/", "/worker/", "/favicon.ico", "/healthz", "/metrics")
"""What is asked for all day: its lines are of level debug."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MAX_PATH = 100

logger = logging.getLogger("partyline.access")


class Asgi(Protocol):
    """An ASGI app, or what stands around one."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Access:
    """``app``, with a line in the log and a count for each HTTP request."""

    def __init__(self, app: Asgi, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One connection to the app. WebSockets tell of themselves (connection.py)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, self._metrics)

        async def watched(message: Any) -> None:
            exchange.sends(message)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            exchange.end()


class Exchange:
    """One request and what was answered."""

    def __init__(self, scope: Any, metrics: Metrics) -> None:
        self._scope = scope
        self._metrics = metrics
        self._started = time.monotonic()
        self._status = 0
        self._length: int | None = None
        self._bytes = 0
        self._told = False

    def sends(self, message: Any) -> None:
        """The app is about to send this."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            length = dict(message["headers"]).get(b"content-length")
            self._length = int(length) if length is not None else None
        elif message["type"] == "http.response.body":
            self._bytes += len(message.get("body", b""))
            if self._bytes == self._length or not message.get("more_body", False):
                self.end()

    def end(self) -> None:
        """All is sent, or never will be."""
        if self._told:
            return
        self._told = True
        seconds = time.monotonic() - self._started
        method = self._scope["method"]
        self._metrics.http.observe(method if method in METHODS else "other", self._status, seconds)
        level = self._level()
        if not logger.isEnabledFor(level):
            return
        path = shortened(self._scope["path"])
        client = self._scope.get("client")
        extra = fields(
            method=method,
            path=path,
            status=self._status,
            code=self._refusal[0],
            bytes=self._bytes,
            duration_ms=round(seconds * 1000, 3),
            remote=client[0] if client else None,
        )
        said = self._refusal[1] or f"{self._bytes} bytes in {seconds * 1000:.1f} ms"
        logger.log(level, "< %s %s: %s %s", method, path, self._status or "cut off after", said, extra=extra)

    @property
    def _refusal(self) -> tuple[str | None, str | None]:
        refusal: tuple[str | None, str | None] = self._scope.get(REFUSAL, (None, None))
        return refusal

    def _level(self) -> int:
        if self._refusal[0] is not None:
            return logging.WARNING
        return logging.DEBUG if self._scope["path"].startswith(QUIET) else logging.INFO


def shortened(path: str) -> str:
    """A path no longer than fits a line."""
    return path if len(path) <= MAX_PATH else f"{path[: MAX_PATH - 4]}…"
