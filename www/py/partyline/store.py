"""The events of some topics as a tab shows them: in order, each once, the last ``limit`` of each.

Frames come from two sides, a snapshot over the tab's own port and live frames over the channel, in either
order, and may overlap. The store takes each event once, by its sequence number.
"""

from .jsontext import loads
from .protocol import EVENTS, GAP, SNAPSHOT
from .topics import any_matches

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Iterable, Sequence
    from typing import Any

    Event = dict[str, Any]


class Store:
    """Frames in, lists of events out.

    ``patterns`` are the topics wanted, with wildcards; bodies of other topics are not even parsed.
    ``gaps`` counts the snapshots between whose events and those known before some may be missing; ``after_gap`` has the
    seqs of the events that such a hole stands before. ``duplicates`` counts the events that came twice. ``clears``
    counts how often all was forgotten.
    """

    def __init__(self, patterns: "Iterable[str]", limit: int = 500) -> None:
        self.patterns = list(patterns)
        self.limit = limit
        self.gaps = 0
        self.after_gap: "set[int]" = set()
        self.duplicates = 0
        self.clears = 0
        self._events: "dict[str, list[Event]]" = {}
        self._seqs: "dict[str, int]" = {}
        self._snapshots: "dict[str, int]" = {}  # the seq of each topic's last snapshot
        self._holes: "set[str]" = set()  # topics whose next event stands after a hole
        self._taken: "dict[str, list[int]]" = {}
        self._revisions: "dict[str, int]" = {}

    def clear(self) -> None:
        """Forget all events: the log is another one, and its sequence numbers start anew."""
        self._events = {}
        self._seqs = {}
        self._snapshots = {}
        self._holes = set()
        self._taken = {}
        self.after_gap = set()
        self._revisions = {}
        self.clears += 1

    def topics(self) -> "list[str]":
        """The topics that are known, sorted."""
        return sorted(self._events)

    def events(self, topic: str) -> "list[Event]":
        """The kept events of a topic, oldest first; none where the topic is not known. Not to be changed."""
        return self._events.get(topic, [])

    def latest(self, topic: str) -> "Event | None":
        """The newest event of a topic, or None."""
        events = self._events.get(topic)
        return events[-1] if events else None

    def revision(self, topic: str) -> int:
        """Grows where more of a topic has changed than that newer events came: older ones came after them."""
        return self._revisions.get(topic, 0)

    def taken(self, topic: str) -> "tuple[int, int, int]":
        """The seqs of the first and last event taken of a topic, and how many there were; as the log must have it."""
        first, last, count = self._taken.get(topic, (0, 0, 0))
        return first, last, count

    def take(self, header: "Event", bodies: "Sequence[str]") -> "list[str]":
        """Take in an ``events`` or ``snapshot`` frame; returns the topics that changed.

        A snapshot holds the last events of a topic up to the header's ``seq``. What was known before them stays where
        the two overlap, else there may be a hole between. Events are added where they are newer than the topic's last.
        """
        changed = []
        for index, (topic, _) in enumerate(header["topics"]):
            if not any_matches(self.patterns, topic):
                continue
            events = loads(bodies[index])
            if header["kind"] == SNAPSHOT:
                if self._replace(topic, header["seq"], events, header.get("reason") == GAP):
                    changed.append(topic)
            elif header["kind"] == EVENTS and self._add(topic, events):
                changed.append(topic)
        return changed

    def _replace(self, topic: str, seq: int, events: "list[Event]", gap: bool) -> bool:
        if seq < self._snapshots.get(topic, 0):
            return False  # a newer one has overtaken it, and holds what is known now
        self._snapshots[topic] = seq
        known = self._events.get(topic, [])
        before = [event for event in known if event["seq"] <= seq]
        first = events[0]["seq"] if events else seq + 1
        if before and before[-1]["seq"] >= first:
            before = [event for event in before if event["seq"] < first]
        else:
            if (before or gap) and len(events) < self.limit:  # else no more would be shown without the hole
                self.gaps += 1
                self._holes.add(topic)
            before = []
        kept: "list[Event]" = []
        for event in before + events + [event for event in known if event["seq"] > seq]:
            if not kept or event["seq"] > kept[-1]["seq"]:
                kept.append(event)
            else:
                self.duplicates += 1  # the worker keeps bodies unread, and two may overlap after a cut catch-up
        if known:
            old = [event["seq"] for event in kept if event["seq"] <= known[-1]["seq"]]
            if old != [event["seq"] for event in known[len(known) - len(old) :]]:
                self._revisions[topic] = self.revision(topic) + 1
        self._mark(topic, kept)
        self._count(topic, kept)
        self._events[topic] = kept[-self.limit :]
        self._seqs[topic] = max(seq, self._seqs.get(topic, 0), kept[-1]["seq"] if kept else 0)
        return True

    def _add(self, topic: str, events: "list[Event]") -> bool:
        last = self._seqs.get(topic, 0)
        fresh = [event for event in events if event["seq"] > last]
        self.duplicates += len(events) - len(fresh)
        if not fresh:
            return False
        self._mark(topic, fresh)
        self._count(topic, fresh)
        self._events[topic] = (self._events.get(topic, []) + fresh)[-self.limit :]
        self._seqs[topic] = fresh[-1]["seq"]
        return True

    def _count(self, topic: str, events: "list[Event]") -> None:
        if not events:
            return
        if topic not in self._taken:
            self._taken[topic] = [events[0]["seq"], 0, 0]
        taken = self._taken[topic]
        taken[2] += len([event for event in events if event["seq"] > taken[1]])
        taken[1] = max(taken[1], events[-1]["seq"])

    def _mark(self, topic: str, events: "list[Event]") -> None:
        if topic in self._holes and events:
            self._holes.remove(topic)
            self.after_gap.add(events[0]["seq"])
