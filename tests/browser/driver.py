"""What the tests ask of a browser, whichever it is. One back end an engine; ``chromium.py`` is the first.

    engine ──browser(url)──> Browser: a profile of its own, so its own SharedWorker ──open(path)──> Page: a tab

Tests wait by asking again and again (``wait``): the pages' Content-Security-Policy forbids what drivers put into
a page to wait there. Deadlines are generous; how long something took is never asserted.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar

DEADLINE = 60.0
POLL_SECONDS = 0.05

T = TypeVar("T")


class DriverError(Exception):
    """The browser did not do what it was told: the page was just navigating, the element is not there, it hangs."""


@dataclass(frozen=True)
class Line:
    """A line of a console. ``kind`` is the console's method, or ``pageerror``, ``dialog``, ``crash``."""

    kind: str
    text: str

    @property
    def is_error(self) -> bool:
        """Whether a page in normal use must not say this."""
        return self.kind in ("error", "assert", "pageerror", "dialog", "crash")


class Page(ABC):
    """One tab. ``number`` counts the browser's tabs from 1; ``console`` holds what it has said so far."""

    def __init__(self, number: int, path: str) -> None:
        self.number = number
        self.path = path
        self.console: list[Line] = []

    def __repr__(self) -> str:
        return f"tab {self.number} ({self.path})"

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as JSON has it; of a Promise, what it resolves to."""

    @abstractmethod
    def click(self, test_id: str) -> None:
        """Click on an element, as a user does."""

    @abstractmethod
    def type(self, test_id: str, text: str) -> None:
        """Type into an element, as a user does; a line break is the Enter key."""

    @abstractmethod
    def reload(self) -> None:
        """Load the page anew."""

    @abstractmethod
    def close(self) -> None:
        """Close the tab, as a user does."""

    @abstractmethod
    def screenshot(self, path: Path) -> None:
        """Save what the tab shows as a PNG file."""

    @property
    def errors(self) -> list[Line]:
        """The lines of the console that a page in normal use must not say."""
        return [line for line in self.console if line.is_error]

    @property
    def line(self) -> str:
        """``data-line``: booting, connecting, live, offline or failed."""
        return str(self.evaluate("document.documentElement.dataset.line"))

    def text(self, test_id: str) -> str:
        """The text of an element, as it is now; empty where it is hidden."""
        find = f"document.querySelector('[data-testid={test_id}]')"
        text = self.evaluate(f"(e => e === null ? null : e.hidden ? '' : e.textContent)({find})")
        if text is None:
            raise DriverError(f"{self!r} has no {test_id}")
        return str(text)

    def marks(self) -> dict[str, float]:
        """``performance.mark``s by name, with their time in milliseconds since the navigation."""
        entries = self.evaluate("performance.getEntriesByType('mark').map(m => [m.name, m.startTime])")
        return dict(entries)

    def diagnostics(self) -> dict[str, Any]:
        """What the worker knows of itself."""
        value: dict[str, Any] = self.evaluate("window.partyline.diagnostics()")
        return value

    def wait_line(self, state: str = "live") -> None:
        """Wait until the line is in this state."""
        wait(lambda: self.line, lambda seen: seen == state, f"{self!r}: data-line={state}")

    def wait_text(self, test_id: str, wanted: str | Callable[[str], bool]) -> str:
        """Wait until an element has this text, or one that the function accepts; returns it."""
        matches = wanted if callable(wanted) else (lambda seen: seen == wanted)
        return wait(lambda: self.text(test_id), matches, f"{self!r}: {test_id} to be {wanted!r}")


class Browser(ABC):
    """A browser with a profile of its own. ``worker_console`` is what its SharedWorkers said, where that can be had."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: list[Page] = []
        self.worker_console: list[Line] = []

    @abstractmethod
    def open(self, path: str) -> Page:
        """A new tab; returns when its document is loaded, which says nothing of the line."""

    def limit_storage(self, size: int | None) -> None:
        """Let the server's pages and workers store so many bytes from now on; None for as many as usual."""
        raise NotImplementedError(f"{type(self).__name__} cannot limit storage")

    def end_workers(self) -> None:  # noqa: B027
        """See to it that SharedWorkers with no tab end now; where nothing prolongs their life, they do."""

    @abstractmethod
    def close(self) -> None:
        """End the browser with all its tabs."""


class Engine(ABC):
    """A kind of browser. ``extended_lifetime``: whether a SharedWorker outlives a reload of the only tab.
    ``limits_storage``: whether ``Browser.limit_storage`` can be had."""

    extended_lifetime: bool
    limits_storage = False

    @abstractmethod
    def browser(self, url: str) -> Browser:
        """A new browser, in which a path such as ``/room`` is one of the server at ``url``."""

    @abstractmethod
    def close(self) -> None:
        """End the engine with all its browsers."""


def wait(probe: Callable[[], T], wanted: Callable[[T], bool], what: str, seconds: float = DEADLINE) -> T:
    """Ask ``probe`` until its value is ``wanted``; returns it. ``what`` says in the failure what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        seen: object
        try:
            value = seen = probe()
            if wanted(value):
                return value
        except (DriverError, OSError, HTTPException) as error:  # a page that navigates, a server that is away
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {seconds:.0f} s for {what}. Seen last: {seen!r}")
        time.sleep(POLL_SECONDS)
