"""Ticks of the wall clock, which all processes share: what is derived from a tick alone is the same in each of them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

MAX_SLEEP_SECONDS = 1.0
"""No sleep is longer, so that a clock that is set while we sleep is noticed."""


async def ticks(
    rate: int,
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[int, None]:
    """Yield the number of each tick when it begins; tick n begins n/rate seconds after 1970.

    Ticks that went by while the reader was busy are left out. Where the clock is set back, ticks come again.
    """
    due = math.floor(now() * rate) + 1
    while True:
        while (left := due / rate - now()) > 0:
            if left > 1 / rate + MAX_SLEEP_SECONDS:  # the clock was set back
                due = math.floor(now() * rate) + 1
            else:
                await sleep(min(left, MAX_SLEEP_SECONDS))
        tick = max(due, math.floor(now() * rate))
        yield tick
        due = tick + 1
