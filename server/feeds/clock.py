"""The feed ``clock``: topic ``clock``, on each second, ``{"unix", "utc"}``: seconds since 1970, and ISO 8601."""

from __future__ import annotations

import datetime
from collections.abc import AsyncGenerator

from .declare import Emit
from .ticks import ticks


async def clock() -> AsyncGenerator[Emit, None]:
    """Yield the time for ever, as each second begins."""
    async for second in ticks(1):
        yield Emit("clock", telling(second), str(second))


def telling(second: int) -> dict[str, object]:
    """What is told of a second."""
    utc = datetime.datetime.fromtimestamp(second, datetime.UTC)
    return {"unix": second, "utc": f"{utc:%Y-%m-%dT%H:%M:%SZ}"}
