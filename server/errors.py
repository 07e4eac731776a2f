"""Errors as they are answered: JSON for programs, a page for people; each is counted, and told in the log.

In flow exceptions, out come responses ``{"error": {"code", "message"}}`` with the right HTTP status.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
from collections.abc import Mapping

from quart import Quart, Response, has_request_context, request, websocket
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from .access import REFUSAL, shortened
from .body import LingeringBody
from .checks import InputError
from .log import LogBusyError, LogError, LogTooLargeError
from .metrics import Metrics
from .pages import Site

logger = logging.getLogger("partyline.errors")

_MESSAGES = {
    404: "There is nothing at {path}.",
    405: "{path} does not take {method}.",
    412: "{path} is no longer the one that If-Match names.",
    413: "The body is larger than the server takes.",
    416: "{path} has no such range of bytes; Content-Range says how many there are.",
    500: "The server failed at this; its log says why.",
}


class Errors:
    """The handlers. ``site`` makes the page that a person is shown, ``metrics`` counts."""

    def __init__(self, site: Site, metrics: Metrics) -> None:
        self._site = site
        self._metrics = metrics

    def register(self, app: Quart) -> None:
        """Have the app answer all errors with these."""
        app.register_error_handler(InputError, self._input)
        app.register_error_handler(LogBusyError, self._busy)
        app.register_error_handler(LogTooLargeError, self._too_large)
        app.register_error_handler(LogError, self._log_failed)
        app.register_error_handler(HTTPException, self._http)
        app.register_error_handler(Exception, self._crash)

    async def _input(self, error: InputError) -> Response:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        if error.retry_after is not None:
            headers["Retry-After"] = str(math.ceil(error.retry_after))
        return self._answer(error.code, error.message, error.status, headers)

    async def _busy(self, error: LogBusyError) -> Response:
        return self._answer("busy", str(error), 503, {"Retry-After": "1"})

    async def _too_large(self, error: LogTooLargeError) -> Response:
        return self._answer("too_large", str(error), 413)

    async def _log_failed(self, error: LogError) -> Response:
        return self._answer("log_failed", str(error), 503, {"Retry-After": "5"})

    async def _http(self, error: HTTPException) -> Response:
        if isinstance(error, RequestEntityTooLarge) and isinstance(request.body, LingeringBody):
            await request.body.linger()
        else:
            await _take_body()
        status = error.code or 500
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Content-Range", "Location")}
        if 300 <= status < 400:  # werkzeug raises its redirects
            return Response(b"", status, headers)
        method, path = _where()
        name = (error.name or "error").lower().replace(" ", "_")
        message = _MESSAGES.get(status, error.description or name).format(method=method, path=path)
        return self._answer(name, message, status, headers)

    async def _crash(self, error: Exception) -> Response:
        logger.error("the server failed", exc_info=error)
        return self._answer("internal_error", _MESSAGES[500], 500)

    def _answer(self, code: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        method, path = _where()
        if has_request_context():
            self._metrics.refusals["http", code] += 1
            request.scope[REFUSAL] = (code, message)  # type: ignore[literal-required]
        else:
            self._metrics.refusals["socket", code] += 1
            logger.warning("< %s %s: %d %s", method, path, status, message)
        if has_request_context() and _wants_page() and not path.startswith("/api/"):
            return self._site.render("error", status, headers, code=status, message=message)
        body = json.dumps({"error": {"code": code, "message": message}})
        return Response(body, status, dict(headers or {}), content_type="application/json")


async def _take_body() -> None:
    """Read what nobody has read: a connection whose body was left unread cannot be used again."""
    if has_request_context():
        with contextlib.suppress(HTTPException):  # too large, or too slow: then the connection ends with the answer
            await request.get_data()


def _where() -> tuple[str, str]:
    """The method and the path that were asked for, no longer than fits a line."""
    method = request.method if has_request_context() else "a socket for"
    path = request.path if has_request_context() else websocket.path
    return method, shortened(path)


def _wants_page() -> bool:
    """Whether a person's browser asks. Who takes anything, as programs do, gets the first: JSON."""
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
