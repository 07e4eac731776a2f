"""The tabs that said hello, by port: what each wants, whether it is seen, and whether it is still there. Pure.

A tab's end is told by its goodbye, by its port's close event where the engine has one, by its Web Lock where there are
locks; where there is nothing of all that, a tab that has said nothing for long is asked, and then counts as gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partyline import protocol
from partyline.protocol import ProtocolError
from partyline.topics import is_pattern

if TYPE_CHECKING:
    from partyline.protocol import Header

HIDDEN_SECONDS = 2.0
"""How often at most a hidden tab is told what came."""

QUIET_SECONDS = 20.0
"""A tab without a lock that has said nothing for so long is asked whether it is there."""

ANSWER_SECONDS = 25.0
"""So long it has to answer; in the background, timers run as rarely as once a minute, but messages arrive."""

DEAF_SECONDS = 1.0
"""A worker that is so late to look for an answer may not have heard it: a cell held all up, say."""


@dataclass
class Tab:
    """A tab that said hello on a port.

    ``told`` is the number of the last broadcast that it knows of; up to ``seq`` in the log of this ``era`` it has all
    of its topics, None where it has not: for hidden tabs alone, which do not follow the channel.
    """

    id: str
    page: str
    patterns: set[str] = field(default_factory=set)
    visible: bool = True
    locked: bool = False
    heard_at: float = 0.0
    asked_at: float | None = None
    told: int = 0
    era: int = 0
    seq: int | None = None


@dataclass(frozen=True)
class Hello:
    """What a tab said at first. Up to ``seq`` in the log ``epoch`` it has all of ``patterns``; an empty epoch where it
    has not."""

    tab: Tab
    browser: str
    patterns: set[str]
    epoch: str
    seq: int

    @classmethod
    def read(cls, header: Header, now: float) -> Hello:
        """Raises ProtocolError where it is none."""
        if header.get("protocol") != protocol.VERSION:
            raise ProtocolError("wrong_version", "This page is of another version than its worker. Reload it.")
        browser, name = header.get("browser"), header.get("tab")
        if not isinstance(browser, str) or not protocol.is_id(browser):
            raise ProtocolError("bad_browser", "A tab's hello needs the browser's id, as its page was told.")
        if not isinstance(name, str) or not protocol.is_id(name):  # two without one would take each other's place
            raise ProtocolError("bad_tab", "A tab's hello needs the tab's id.")
        tab = Tab(
            name,
            str(header.get("page")),
            visible=bool(header.get("visible", True)),
            locked=bool(header.get("locked")),
            heard_at=now,
        )
        return cls(tab, browser, patterns_of(header), *_cursor(header))


class Tabs:
    """Tabs by port, in the order in which they came."""

    def __init__(self) -> None:
        self._tabs: dict[int, Tab] = {}

    def __len__(self) -> int:
        return len(self._tabs)

    def __contains__(self, port: int) -> bool:
        return port in self._tabs

    def get(self, port: int) -> Tab | None:
        """The tab on this port, or None."""
        return self._tabs.get(port)

    def __iter__(self) -> Iterator[int]:
        """Their ports."""
        return iter(self._tabs)

    def join(self, port: int, tab: Tab) -> list[int]:
        """A tab said hello. On whatever other port it did before, it is there no more: returns those."""
        others = [number for number, each in self._tabs.items() if each.id == tab.id and number != port]
        for other in others:
            del self._tabs[other]
        self._tabs[port] = tab
        return others

    def leave(self, port: int) -> bool:
        """A tab is gone; says whether it was there."""
        return self._tabs.pop(port, None) is not None

    def wanted(self) -> set[str]:
        """The patterns of all tabs."""
        return set().union(*(tab.patterns for tab in self._tabs.values()))

    def hidden(self) -> Iterator[tuple[int, Tab]]:
        """The tabs that nobody sees."""
        return ((port, tab) for port, tab in self._tabs.items() if not tab.visible)

    def heard(self, port: int, now: float) -> None:
        """The tab on this port, if there is one, said something."""
        tab = self._tabs.get(port)
        if tab is not None:
            tab.heard_at, tab.asked_at = now, None

    def quiet(self, now: float) -> list[int]:
        """Ports of tabs that must be asked whether they are there; they count as asked from now on.

        They are asked again where their answer was due while this worker could not hear it.
        """
        quiet = [port for port, tab in self._tabs.items() if self._must_be_asked(tab, now)]
        for port in quiet:
            self._tabs[port].asked_at = now
        return quiet

    def gone(self, now: float) -> list[int]:
        """Ports of tabs that were asked, and did not answer. Call ``quiet`` before: it asks some again."""
        return [port for port, tab in self._tabs.items() if tab.asked_at is not None and self._due(tab) <= now]

    def next_due(self) -> float | None:
        """When ``quiet`` or ``gone`` has something to tell; None for never."""
        return min((self._due(tab) for tab in self._tabs.values() if not tab.locked), default=None)

    def _must_be_asked(self, tab: Tab, now: float) -> bool:
        if tab.asked_at is None:
            return self._due(tab) <= now
        return now - self._due(tab) > DEAF_SECONDS

    def _due(self, tab: Tab) -> float:
        if tab.locked:
            return float("inf")
        return tab.heard_at + QUIET_SECONDS if tab.asked_at is None else tab.asked_at + ANSWER_SECONDS


def patterns_of(header: Header) -> set[str]:
    """The topics and patterns that a frame names. Raises ProtocolError where they are none."""
    patterns: Iterable[Any] = header.get("topics", [])
    if not isinstance(patterns, list) or not all(is_pattern(pattern) for pattern in patterns):
        raise ProtocolError("bad_topic", f"{json.dumps(patterns)[:60]} is no array of topics.")
    return set(patterns)


def _cursor(header: Header) -> tuple[str, int]:
    cursor = header.get("cursor")
    if cursor is None:
        return "", 0
    epoch, seq = (cursor.get("epoch"), cursor.get("seq")) if isinstance(cursor, dict) else (None, None)
    if not isinstance(epoch, str) or not isinstance(seq, int):
        raise ProtocolError("bad_cursor", f"{json.dumps(cursor)[:60]} is no cursor.")
    return epoch, seq
