"""Who is on the line: how many sockets, from how many browsers. Ephemeral, so not in the log."""

from __future__ import annotations

from collections import Counter

from partyline import protocol


class Presence:
    """Counts open sockets, and the browsers that said hello on them; a browser may hold several."""

    def __init__(self) -> None:
        self.sockets = 0
        self._browsers: Counter[str] = Counter()

    @property
    def browsers(self) -> int:
        """How many distinct browsers are connected."""
        return len(self._browsers)

    def opened(self) -> None:
        """A socket was opened."""
        self.sockets += 1

    def said_hello(self, browser: str) -> None:
        """A socket said which browser it belongs to."""
        self._browsers[browser] += 1

    def closed(self, browser: str | None) -> None:
        """A socket was closed; ``browser`` as it said, None where it said none."""
        self.sockets -= 1
        if browser is not None:
            self._browsers[browser] -= 1
            if not self._browsers[browser]:
                del self._browsers[browser]

    def frame(self) -> str:
        """The ``presence`` frame as things stand."""
        return protocol.encode({"kind": protocol.PRESENCE, "sockets": self.sockets, "browsers": self.browsers})
