"""Feeds: sources of events that run inside the server, its own and the user's.

What a user's file needs is ``feed`` and, for several topics, ``Emit``: ``from server.feeds import Emit, feed``. The
rest is the server's: ``find`` the feeds that the settings name, and ``Feeds`` to run them all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from ..log import EventLog
from .declare import Emit, Source, feed
from .load import find
from .runner import Runner
from .turn import Turn, lock_path

__all__ = ["Emit", "Feeds", "Source", "feed", "find"]

CLOSE_SECONDS = 5.0

logger = logging.getLogger("partyline.feeds")


class Feeds:
    """All feeds of this process, each in a task of its own.

    Args:
        sources: what ``find`` found.
        log: where their events go; it must be open from ``start`` to ``close``.
        url: the log's URL, which says where the processes that share it agree on who runs a user's feeds.
        max_bytes: how large an event's data may be.
    """

    def __init__(self, sources: Sequence[Source], log: EventLog, *, url: str, max_bytes: int) -> None:
        turns: dict[Path | None, Turn] = {None: Turn(None)}
        for source in sources:
            if source.file is not None and source.file not in turns:
                turns[source.file] = Turn(lock_path(url, source.file))
        self._turns = turns.values()
        self._runners = [Runner(source, log, turn=turns[source.file], max_bytes=max_bytes) for source in sources]
        self._tasks: dict[asyncio.Task[Any], Runner] = {}

    def status(self) -> list[dict[str, Any]]:
        """How each feed is doing, in the order of the settings."""
        return [runner.status() for runner in self._runners]

    def start(self) -> None:
        """Start them all, in the running event loop."""
        self._tasks = {asyncio.create_task(runner.run()): runner for runner in self._runners}

    def standing(
        self, task: asyncio.Task[Any] | None, frames: Sequence[FrameType]
    ) -> tuple[tuple[str, ...], FrameType | None]:
        """Whose code the event loop runs: the feeds' names, and where in their own code it stands. Any thread may ask.

        ``frames`` is what it runs, innermost first, ``task`` the current one. What a feed has started by itself, a task
        or a callback, is known by its file, which several feeds may share.
        """
        runner = self._tasks.get(task) if task is not None else None
        if runner is not None:
            frame = runner.standing(frames)
            return ((runner.source.name,), frame) if frame is not None else ((), None)
        for frame in frames:
            file = frame.f_code.co_filename
            names = tuple(runner.source.name for runner in self._runners if str(runner.source.file) == file)
            if names:
                return names, frame
        return (), None

    def blocked(self, name: str, seconds: float, at: str) -> None:
        """The feed of this name has held up the event loop for so long, ``at`` a place in its code."""
        for runner in self._runners:
            if runner.source.name == name:
                runner.blocked += 1
                runner.blocked_seconds, runner.blocked_at = round(seconds, 1), at

    async def close(self) -> None:
        """End them all. One that does not let itself be cancelled is named and left behind."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
            for task in stuck:
                logger.error(
                    "the feed %s does not end: it catches asyncio.CancelledError", self._tasks[task].source.name
                )
        for turn in self._turns:
            turn.release()
