"""Feeds: sources of events that run inside the server.

A feed is an async generator of ``(topic, data, id)``; ``data`` is any JSON value. Where several processes run the same
feed on one log, the same id makes one event of theirs. The runner publishes what a feed yields, and starts one that
fails again, later each time.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..config import SettingsError
from ..log import Draft, EventLog, LogError
from .host import host

Feed = Callable[[], AsyncIterator[tuple[str, Any, str]]]

FEEDS: dict[str, Feed] = {"host": host}
MAX_BACKOFF_SECONDS = 60.0

logger = logging.getLogger("partyline.feeds")


def find(name: str) -> Feed:
    """The feed of this name. Raises SettingsError where there is none."""
    if name not in FEEDS:
        raise SettingsError(f"PARTYLINE_FEEDS names the feed {name!r}; there are: {', '.join(sorted(FEEDS))}.")
    return FEEDS[name]


async def run(name: str, log: EventLog) -> None:
    """Publish what the feed yields, until cancelled. A failure is told of, and the feed started again."""
    feed = find(name)
    failures = 0
    while True:
        try:
            async for topic, data, event_id in feed():
                text = json.dumps(data, allow_nan=False, separators=(",", ":"))
                await log.append([Draft(topic, event_id, text)])
                failures = 0
            return
        except LogError as error:
            logger.warning("the feed %s could not publish: %s", name, error)
        except Exception:
            logger.exception("the feed %s failed", name)
        failures += 1
        await asyncio.sleep(min(2.0**failures, MAX_BACKOFF_SECONDS))
