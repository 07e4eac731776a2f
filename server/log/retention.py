"""What is kept of a topic: so many events, for so long. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..rules import PerTopic


@dataclass(frozen=True)
class Retention:
    """``count`` events of a topic are kept, for ``age`` seconds; an age of 0 is for ever."""

    count: PerTopic
    age: PerTopic

    def excess(self, topic: str, count: int) -> bool:
        """Whether ``count`` events are so many that some must go. A tenth more is let be, so that it costs little."""
        most = self.count.of(topic)
        return count > most + most // 10
