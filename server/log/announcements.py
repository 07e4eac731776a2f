"""What the server processes on one log last told each other. Pure: the clock is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from . import ANNOUNCED_SECONDS

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Announcements:
    """Texts by server, with the time when they were last renewed; what was not renewed is gone."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._texts: dict[str, tuple[float, str]] = {}
        self._version = 0

    @property
    def version(self) -> int:
        """Another number whenever ``texts`` is different."""
        self._forget()
        return self._version

    def texts(self) -> dict[str, str]:
        """The texts as things stand."""
        self._forget()
        return {server: text for server, (_, text) in self._texts.items()}

    def take(self, server: str, text: str) -> None:
        """A server told its text; an empty one withdraws it."""
        self.replace({**self._texts, server: (self._now(), text)})

    def replace(self, texts: Mapping[str, tuple[float, str]]) -> None:
        """All texts as they stand elsewhere, each with the time of its renewal."""
        before = self.texts()
        self._texts = {server: (time, text) for server, (time, text) in texts.items() if text}
        if self.texts() != before:
            self._version += 1

    def _forget(self) -> None:
        now = self._now()
        # what is of a time to come was told before the clock was set back; who still lives tells it again soon
        gone = [server for server, (time, _) in self._texts.items() if abs(now - time) >= ANNOUNCED_SECONDS]
        for server in gone:
            del self._texts[server]
        self._version += bool(gone)


def check_name(server: str) -> str:
    """A server's name, if it is one; raises ValueError where it is not."""
    if not _NAME.fullmatch(server):
        raise ValueError(f"{server!r} cannot name a server; use 1 to 100 letters, digits, - and _")
    return server
