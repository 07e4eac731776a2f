"""The feed ``host``: this machine's own figures, once a second.

- ``host.cpu``: ``{"percent"}`` of all cores since the last event, 0 to 100, and ``{"cores"}``
- ``host.memory``: ``{"percent", "used", "total"}``, in bytes
- ``host.network``: ``{"received", "sent"}``, in bytes a second over all interfaces
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import psutil

PERIOD_SECONDS = 1.0


async def host() -> AsyncIterator[tuple[str, Any, str]]:
    """Yield ``(topic, figures, id)`` for ever. Several processes on a machine give a second's events the same id."""
    name = socket.gethostname()
    psutil.cpu_percent()  # the first call has nothing to compare with
    traffic, at = psutil.net_io_counters(), time.monotonic()
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        second = f"{name}-{time.time():.0f}"
        yield "host.cpu", {"percent": psutil.cpu_percent(), "cores": psutil.cpu_count()}, second
        memory = psutil.virtual_memory()
        used = memory.total - memory.available
        yield "host.memory", {"percent": memory.percent, "used": used, "total": memory.total}, second
        before, then = traffic, at
        traffic, at = psutil.net_io_counters(), time.monotonic()
        yield (
            "host.network",
            {
                "received": round((traffic.bytes_recv - before.bytes_recv) / (at - then)),
                "sent": round((traffic.bytes_sent - before.bytes_sent) / (at - then)),
            },
            second,
        )
