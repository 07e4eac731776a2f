"""The feed ``host``: this machine's own figures, once a second.

- ``host.cpu``: ``{"percent"}`` of all cores since the last event, 0 to 100, and ``{"cores"}``
- ``host.memory``: ``{"percent", "used", "total"}``, in bytes
- ``host.network``: ``{"received", "sent"}``, in bytes a second over all interfaces
"""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncGenerator

import psutil

from .declare import Emit
from .ticks import ticks


async def host() -> AsyncGenerator[Emit, None]:
    """Yield the figures for ever. Several processes on a machine give a second's events the same id."""
    name = socket.gethostname()
    seconds = ticks(1)
    await anext(seconds)
    psutil.cpu_percent()  # the first call has nothing to compare with
    traffic, at = psutil.net_io_counters(), time.monotonic()
    async for second in seconds:
        event_id = f"{name}-{second}"
        yield Emit("host.cpu", {"percent": psutil.cpu_percent(), "cores": psutil.cpu_count()}, event_id)
        memory = psutil.virtual_memory()
        used = memory.total - memory.available
        yield Emit("host.memory", {"percent": memory.percent, "used": used, "total": memory.total}, event_id)
        before, then = traffic, at
        traffic, at = psutil.net_io_counters(), time.monotonic()
        yield Emit(
            "host.network",
            {
                "received": round((traffic.bytes_recv - before.bytes_recv) / (at - then)),
                "sent": round((traffic.bytes_sent - before.bytes_sent) / (at - then)),
            },
            event_id,
        )
