"""Two feeds of one's own: PARTYLINE_FEEDS=host,examples/my_feeds.py hypercorn server:app

Any async generator under @feed is a feed; what it yields is published and shows in every tab.
"""

import asyncio
import math
import random
import shutil
import time
from collections.abc import AsyncIterator

from server.feeds import Emit, feed


@feed("disk.free", every=1.0)
async def disk() -> AsyncIterator[dict[str, float]]:
    """The free space of the disk that the server stands on. Real, and once a second because of ``every``."""
    while True:
        usage = shutil.disk_usage(".")
        yield {"free": usage.free, "total": usage.total, "percent": round(100 * usage.free / usage.total, 2)}


@feed()
async def greenhouse() -> AsyncIterator[Emit]:
    """An invented greenhouse whose day takes two minutes: two topics, and a pace of its own."""
    humidity = 60.0
    while True:
        sun = max(0.0, math.sin(2 * math.pi * time.time() / 120))
        humidity += 0.05 * (80 - 30 * sun - humidity) + random.gauss(0, 0.1)
        yield Emit("greenhouse.temperature", {"celsius": round(14 + 12 * sun + random.gauss(0, 0.1), 2)})
        yield Emit("greenhouse.humidity", {"percent": round(humidity, 2)})
        await asyncio.sleep(0.5)
