"""What a connection is sent from the log itself, not from the fan-out's windows: snapshots, and what it missed.

Async generators of frames; the connection sends each before it asks for the next, so a slow client never has more
than one page of the log in our memory.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Sequence

from partyline import protocol
from partyline.topics import any_matches

from .config import Settings
from .fanout import PAGE, Frame, Window, encode_snapshot
from .log import EventLog, TopicInfo
from .metrics import Metrics
from .wire import text_frame

logger = logging.getLogger("partyline.replay")


class Replay:
    """Reads one log. ``settings`` say how much a newcomer is given, and how far behind one may be.

    ``metrics`` counts the snapshots by reason.
    """

    def __init__(self, log: EventLog, settings: Settings, metrics: Metrics) -> None:
        self._log = log
        self._settings = settings
        self._metrics = metrics

    async def first(self, patterns: Collection[str], until: int, reason: str) -> AsyncIterator[Frame]:
        """A snapshot of each topic of these patterns as things stand at ``until``; of plain topics, empty ones too."""
        topics = {info.topic for info in await self._matching(patterns)}
        topics |= {pattern for pattern in patterns if not pattern.endswith(".*")}
        async for frame in self._snapshots(sorted(topics), until, reason):
            yield frame

    async def missed(self, patterns: frozenset[str], after: int, until: int) -> AsyncIterator[tuple[int, Frame]]:
        """What of these patterns lies in ``after < seq <= until``: frames, each with the place reached by it.

        Topics whose events are gone from the log, or too many, get a snapshot that says so. It comes first, while
        the place is still the old one: should the socket die in between, the gap will be told again.
        """
        infos = [info for info in await self._matching(patterns) if info.last_seq > after]
        kept = [info.topic for info in infos if info.pruned <= after]
        lost = [info.topic for info in infos if info.pruned > after]
        if kept and await self._log.count(after, kept, self._settings.replay + 1) > self._settings.replay:
            lost, kept = lost + kept, []
        while True:
            if lost:
                logger.warning("= a connection is too far behind in %d topics and gets snapshots", len(lost))
                async for frame in self._snapshots(lost, until, protocol.GAP):
                    yield after, frame
            events = await self._log.read(after, PAGE, kept, until) if kept else []
            # while the client took the last page, retention may have removed what this one should hold
            gone = {info.topic for info in await self._matching(patterns) if info.pruned > after}
            lost = [topic for topic in kept if topic in gone]
            kept = [topic for topic in kept if topic not in gone]
            if lost:
                continue
            if not events:
                return
            after = events[-1].seq
            page = Window(self._log.epoch, after, events).frame(patterns)
            if page is not None:
                yield after, page

    async def _snapshots(self, topics: Sequence[str], until: int, reason: str) -> AsyncIterator[Frame]:
        for topic in topics:
            events = await self._log.latest(topic, self._settings.snapshot.of(topic), until)
            self._metrics.snapshots[reason] += 1
            yield Frame(text_frame(encode_snapshot(self._log.epoch, until, topic, events, reason)), 0)

    async def _matching(self, patterns: Collection[str]) -> list[TopicInfo]:
        return [info for info in await self._log.topics() if any_matches(patterns, info.topic)]
