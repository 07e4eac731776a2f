"""How many events a second each topic brought lately. Pure: the clock is an argument."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 10.0


class Rates:
    """Counts in, rates out, over the last ``WINDOW_SECONDS``. ``now`` gives seconds of any monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts: dict[str, deque[tuple[float, int]]] = {}

    def add(self, topic: str, count: int) -> None:
        """``count`` events of ``topic`` have just come."""
        counts = self._counts.setdefault(topic, deque())
        counts.append((self._now(), count))
        self._forget(counts)

    def rate(self, topic: str) -> float:
        """Events a second; 0 for a topic that is not known."""
        counts = self._counts.get(topic)
        if counts is None:
            return 0.0
        self._forget(counts)
        if not counts:
            del self._counts[topic]
        return sum(count for _, count in counts) / WINDOW_SECONDS

    def _forget(self, counts: deque[tuple[float, int]]) -> None:
        oldest = self._now() - WINDOW_SECONDS
        while counts and counts[0][0] <= oldest:
            counts.popleft()
