"""For whoever runs the server: ``/healthz``, is it well, and ``/metrics``, its figures for Prometheus.

Both are made anew at each request, and kept by no cache. What ails the server is told in a word; its log says more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from quart import Blueprint, Response, ResponseReturnValue, request

from .auth import Publishers
from .checks import InputError
from .exporter import CONTENT_TYPE, Exporter
from .line import Line
from .log import LogError

LOG_SECONDS = 2.0
"""A log that says nothing for so long does not answer."""

logger = logging.getLogger("partyline.ops")


class Ops:
    """The routes. ``stopping`` is set when the server is about to end."""

    def __init__(self, line: Line, publishers: Publishers) -> None:
        self.line = line
        self._publishers = publishers
        self.stopping = False
        self._exporter = Exporter(line)

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with an app."""
        routes = Blueprint("ops", __name__)
        add: Callable[..., None] = routes.add_url_rule
        add("/healthz", "health", self.health)
        add("/metrics", "metrics", self.metrics)
        routes.after_request(_keep_nowhere)
        return routes

    async def health(self) -> ResponseReturnValue:
        """200 where the server serves and its log can be read; 503 with the reason otherwise."""
        if self.stopping:
            raise InputError("shutting_down", "The server is shutting down.", 503)
        seq = await self._last_seq()
        if seq is None:
            raise InputError("log_failed", "The event log does not answer; the server's log says why.", 503)
        position = self.line.fanout.position
        return {
            "status": "ok",
            "log": {"writable": not self.line.metrics.append_failing, "lag": max(0, seq - position)},
        }

    async def metrics(self) -> ResponseReturnValue:
        """All figures as text; where a token is set, for its bearer alone."""
        self._publishers.check_token(request, "The metrics need")
        self._exporter.log_seq = await self._last_seq()
        return Response(self._exporter.text(), content_type=CONTENT_TYPE)

    async def _last_seq(self) -> int | None:
        """The log's last seq; None where it does not tell."""
        try:
            async with asyncio.timeout(LOG_SECONDS):
                return await self.line.log.last_seq()
        except LogError as error:
            logger.error("= the log does not answer: %s", error)
        except TimeoutError:
            logger.error("= the log has said nothing for %g seconds", LOG_SECONDS)
        return None


async def _keep_nowhere(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
