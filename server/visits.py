"""Joins and leaves as events of the topic ``presence``, for whoever wants to watch or read later who was here.

A *visit* is a browser's stay, over reloads, reconnects and changes of server: it begins when no process knows the
browser, and ends when none has seen it for a time of grace. Pure; all processes on a log run it, and since a visit's
join and leave have ids of their own, each stands in the log once, whoever tells it. No client can know these ids
before: it could publish something under them, and the join or leave would be taken for a duplicate::

    {"what": "join", "browser": "9f2c…", "visit": "a1b2-7"}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping

from .log import Draft, Event
from .presence import Person

TOPIC = "presence"
GRACE_SECONDS = 5.0
BY = "server"


class Visits:
    """The visits that are known.

    Args:
        server: names this process, for the names of visits that begin here.
        seal: makes of a text an id that servers alone can make (``Identities.seal``).
    """

    def __init__(self, server: str, seal: Callable[[str], str]) -> None:
        self._server = server
        self._seal = seal
        self._ours: set[str] = set()  # who was seen here last, and not elsewhere
        self._last = 0
        self._visits: dict[str, str] = {}
        self._gone_at: dict[str, float] = {}

    def recall(self, events: Iterable[Event], now: float, grace: float) -> None:
        """Read the topic's last events: who joined and never left is gone after ``grace`` seconds, if not back."""
        found: dict[str, str] = {}
        for event in events:
            told = json.loads(event.data)
            if event.by != BY or not isinstance(told, dict):
                continue  # anybody may publish to the topic; only servers' word counts
            if told["what"] == "join":
                found[told["browser"]] = told["visit"]
            elif found.get(told["browser"]) == told["visit"]:
                del found[told["browser"]]
        new = {browser: visit for browser, visit in found.items() if browser not in self._visits}
        self._visits.update(new)
        self._gone_at.update(dict.fromkeys(new, now + grace))

    def of(self, browser: str) -> str:
        """The name of a browser's visit; empty where none is known."""
        return self._visits.get(browser, "")

    @property
    def waiting(self) -> bool:
        """Whether somebody is missing, so that ``look`` must be called again though nothing changes."""
        return bool(self._gone_at)

    def join(self, browser: str, elsewhere: str) -> Draft | None:
        """A browser said hello here; ``elsewhere`` names its visit as another process told it, or is empty.

        Returns the join to be told; None where it was here already.
        """
        self._gone_at.pop(browser, None)
        if browser in self._visits:
            return None
        if elsewhere:
            self._visits[browser] = elsewhere
            return None
        self._last += 1
        self._visits[browser] = f"{self._server}-{self._last}"
        return self._draft("join", browser)

    def look(
        self, people: Mapping[str, Person], now: float, *, here: Collection[str], complete: bool = True
    ) -> list[Draft]:
        """Compare everybody who is on the line, by browser, with who was; returns leaves to be told.

        ``now`` is in seconds of any monotonic clock; ``here`` are those of this process. Where the other processes'
        are not ``complete``, who is missing may be theirs still: then each process tells its own leaves alone.
        """
        self._ours |= set(here)
        self._ours -= people.keys() - set(here)
        drafts: list[Draft] = []
        for browser, person in people.items():
            self._gone_at.pop(browser, None)
            if person.visit:
                self._visits.setdefault(browser, person.visit)
        for browser in self._visits.keys() - people.keys():
            if self._gone_at.setdefault(browser, now + GRACE_SECONDS) <= now:
                if complete or browser in self._ours:
                    drafts.append(self._draft("leave", browser))
                del self._visits[browser], self._gone_at[browser]
                self._ours.discard(browser)
        return drafts

    def _draft(self, what: str, browser: str) -> Draft:
        visit = self._visits[browser]
        data = json.dumps({"what": what, "browser": browser, "visit": visit})
        return Draft(TOPIC, self._seal(f"{visit}-{what}"), data, by=BY)
