"""Who is on the line: sockets, browsers, their tabs and topics, in this process and in the others on the same log.

Pure: what connections tell comes in, counts and a roster come out. A process tells the others its roster as JSON
(``Roster.to_text``), and merges theirs (``Everybody``)::

    {"sockets": 3, "unlisted": 0, "browsers": {"9f2c…": {"tabs": 5, "topics": ["room"], "visit": "a1-7"}}}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from partyline import protocol

MAX_LISTED = 1_000
"""How many browsers a roster names; of further ones only the number is told."""

MAX_TOPICS_TEXT = 400_000
"""How many characters of topics a roster names, so that it stays below NATS' usual limit of a million bytes."""

MAX_SUBSCRIBERS = 50
"""How many patterns the ``presence`` frame counts subscribers of, the most wanted ones."""


@dataclass(eq=False)
class Entry:
    """A socket on which a browser said hello."""

    browser: str
    tabs: int = 1
    patterns: Collection[str] = ()


@dataclass
class Person:
    """A browser, over all its sockets. ``visit`` names its stay, from its join to its leave."""

    tabs: int = 0
    topics: set[str] = field(default_factory=set)
    visit: str = ""


class Roster:
    """The sockets of this process."""

    def __init__(self) -> None:
        self.sockets = 0
        self.visits: dict[str, str] = {}  # of a browser here, set by who tells joins
        self._entries: set[Entry] = set()

    def add(self, entry: Entry) -> None:
        """A browser said hello on a socket."""
        self._entries.add(entry)

    def discard(self, entry: Entry) -> None:
        """That socket is closed."""
        self._entries.discard(entry)

    def people(self) -> dict[str, Person]:
        """The browsers by id."""
        people: dict[str, Person] = {}
        for entry in self._entries:
            person = people.setdefault(entry.browser, Person(visit=self.visits.get(entry.browser, "")))
            person.tabs += entry.tabs
            person.topics.update(entry.patterns)
        return people

    def to_text(self) -> str:
        """What the other processes are told."""
        people = self.people()
        listed = sorted(people)[:MAX_LISTED]
        browsers: dict[str, dict[str, Any]] = {}
        room = MAX_TOPICS_TEXT
        for browser in sorted(listed, key=lambda browser: len(people[browser].topics)):  # who wants most comes last
            person = people[browser]
            room -= sum(len(topic) + 4 for topic in person.topics)  # with quotes, comma and space
            topics = sorted(person.topics) if room >= 0 else []
            browsers[browser] = {"tabs": person.tabs, "topics": topics, "visit": person.visit}
        unlisted = len(people) - len(listed)
        return json.dumps({"sockets": self.sockets, "unlisted": unlisted, "browsers": browsers})


class Everybody:
    """All processes' rosters as one. ``others`` are theirs, as they told them."""

    def __init__(self, own: Roster, others: Collection[str] = ()) -> None:
        self.sockets = own.sockets
        self.people = own.people()
        self._unlisted = 0
        for text in others:
            self._merge(text)

    @property
    def browsers(self) -> int:
        """How many distinct browsers there are; those of other processes past MAX_LISTED are taken as distinct."""
        return len(self.people) + self._unlisted

    @property
    def complete(self) -> bool:
        """Whether all browsers of the other processes are listed."""
        return not self._unlisted

    @property
    def tabs(self) -> int:
        """How many tabs they have in all, as far as they are listed."""
        return sum(person.tabs for person in self.people.values())

    def subscribers(self) -> dict[str, int]:
        """How many browsers each pattern has, the most wanted ones first."""
        counts = Counter(topic for person in self.people.values() for topic in person.topics)
        return dict(counts.most_common(MAX_SUBSCRIBERS))

    def frame(self) -> str:
        """The ``presence`` frame."""
        header = {
            "kind": protocol.PRESENCE,
            "sockets": self.sockets,
            "browsers": self.browsers,
            "tabs": self.tabs,
            "subscribers": self.subscribers(),
        }
        return protocol.encode(header)

    def _merge(self, text: str) -> None:
        """Add a roster; text that is none is passed over: a stranger's on NATS, or another version's."""
        try:
            roster: Any = json.loads(text)
            sockets, unlisted = int(roster["sockets"]), int(roster["unlisted"])
            people = [
                (str(browser), Person(int(told["tabs"]), {str(topic) for topic in told["topics"]}, str(told["visit"])))
                for browser, told in roster["browsers"].items()
            ]
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return
        self.sockets += sockets
        self._unlisted += unlisted
        for browser, told in people:
            person = self.people.setdefault(browser, Person())
            person.tabs += told.tabs
            person.topics |= told.topics
            person.visit = person.visit or told.visit
