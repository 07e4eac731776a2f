"""The topics that tabs want, and the last events of each. Pure.

A subscription is reference-counted over the tabs: it is there from the first tab that wants its pattern until a time
of grace after the last one has gone. It is *established* once the session's cursor speaks for it: when the server has
said ``subscribed``, or when a tab has brought the cursor from an earlier worker. It is *filled* once its history is
here, for late tabs; only ``subscribed`` says that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partyline import protocol
from partyline.ring import Ring
from partyline.topics import any_matches, matches

if TYPE_CHECKING:
    from partyline.protocol import Header

GRACE = 10.0
RING_EVENTS = 500
RING_BYTES = 4_000_000


@dataclass
class Subscription:
    """A pattern some tab wants, or wanted until lately: then ``leave_at`` says until when it is kept.

    ``since`` is the seq after which all its events have come, where it is established.
    """

    since: int | None = None
    filled: bool = False
    leave_at: float | None = None

    @property
    def established(self) -> bool:
        """Whether the session's cursor speaks for it."""
        return self.since is not None


class Subscriptions:
    """Patterns in, what to ask of the server out; frames in, snapshots for late tabs out."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}
        self._rings: dict[str, Ring] = {}

    def patterns(self, *, established: bool | None = None, filled: bool | None = None) -> list[str]:
        """All patterns, or those that are, or are not, established or filled; sorted."""
        return sorted(
            name
            for name, each in self._subscriptions.items()
            if established in (None, each.established) and filled in (None, each.filled)
        )

    def complete(self, seq: int | None) -> list[str]:
        """The patterns of which a tab that has all up to ``seq``, or nothing, has all once it is told what is kept."""
        return sorted(
            name
            for name, each in self._subscriptions.items()
            if each.filled or (seq is not None and each.since is not None and each.since <= seq)
        )

    def add(self, patterns: Collection[str]) -> list[str]:
        """A tab wants these; returns those that are new, to be asked of the server."""
        new = sorted(name for name in set(patterns) if name not in self._subscriptions)
        for name in patterns:
            self._subscriptions.setdefault(name, Subscription()).leave_at = None
        return new

    def release(self, wanted: Collection[str], now: float) -> None:
        """These alone are wanted by tabs now; the others stay for a time of grace."""
        for name, subscription in self._subscriptions.items():
            if name not in wanted and subscription.leave_at is None:
                subscription.leave_at = now + GRACE

    def expire(self, now: float, keep: Collection[str] = ()) -> list[str]:
        """Forget those whose grace is over, and their events; returns them, for the server to send no more.

        Those of ``keep`` stay in any case.
        """
        leaving = {
            name: each.leave_at
            for name, each in self._subscriptions.items()
            if each.leave_at is not None and name not in keep
        }
        gone = sorted(name for name, leave_at in leaving.items() if leave_at <= now)
        for name in gone:
            del self._subscriptions[name]
        if gone:
            self._rings = {
                topic: ring for topic, ring in self._rings.items() if any_matches(self._subscriptions, topic)
            }
        return gone

    def next_expiry(self) -> float | None:
        """When ``expire`` has something to do; None for never."""
        return min((each.leave_at for each in self._subscriptions.values() if each.leave_at is not None), default=None)

    def establish(self, patterns: Collection[str], seq: int) -> None:
        """The server says that their history up to ``seq`` has been sent."""
        for name in patterns:
            if name in self._subscriptions:
                subscription = self._subscriptions[name]
                subscription.filled = True
                subscription.since = seq if subscription.since is None else subscription.since

    def adopt(self, patterns: Collection[str], seq: int) -> None:
        """A tab has all of them up to ``seq``, from an earlier worker: they shall go on from there."""
        for name in patterns:
            if name in self._subscriptions:
                since = self._subscriptions[name].since
                self._subscriptions[name].since = seq if since is None else min(since, seq)

    def forget(self) -> None:
        """The log is another one: forget all events, and that anything was established."""
        self._rings.clear()
        for subscription in self._subscriptions.values():
            subscription.since = None
            subscription.filled = False

    def take(self, header: Header, bodies: Sequence[str]) -> None:
        """Keep the bodies of an ``events`` or ``snapshot`` frame, unread.

        Raises ValueError, and keeps nothing, where there are not as many bodies as topics.
        """
        if len(bodies) != len(header["topics"]):
            raise ValueError(f"{len(bodies)} bodies for {len(header['topics'])} topics")
        for (topic, count), body in zip(header["topics"], bodies, strict=True):
            if header["kind"] == protocol.SNAPSHOT:
                self._replace(topic, count, body, header)
            else:
                if topic not in self._rings:
                    self._rings[topic] = Ring(RING_EVENTS, RING_BYTES, self._since(topic, header["seq"]))
                self._rings[topic].append(count, body, header["seq"])

    def _replace(self, topic: str, count: int, body: str, header: Header) -> None:
        since = header["seq"]  # who has not all up to there may miss what came before the snapshot's first event
        if header["reason"] != protocol.GAP:
            ring = self._rings.get(topic)
            if ring is not None and ring.count >= count:
                return  # it holds the same and more
            since = ring.since if ring is not None else self._since(topic, since)
        self._rings[topic] = Ring(RING_EVENTS, RING_BYTES, since)
        self._rings[topic].append(count, body, header["seq"])

    def _since(self, topic: str, seq: int) -> int:
        """Since when all of a topic has come, that has come up to ``seq`` only now."""
        sinces = [each.since for name, each in self._subscriptions.items() if matches(name, topic)]
        return min((since for since in sinces if since is not None), default=seq)

    def kept(self, patterns: Collection[str]) -> list[tuple[str, Ring]]:
        """The rings of all topics that these patterns carry, by topic.

        Those of patterns about to be established too: who joins after their snapshot was broadcast has it from here.
        """
        return [(topic, self._rings[topic]) for topic in sorted(self._rings) if any_matches(patterns, topic)]

    def socket_lost(self) -> None:
        """What came for patterns that were not established yet will come anew."""
        ready = self.patterns(established=True)
        self._rings = {topic: ring for topic, ring in self._rings.items() if any_matches(ready, topic)}
