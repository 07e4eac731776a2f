"""What the tests ask of a browser, whichever it is. One back end an engine: Chromium, Firefox and WebKitGTK.

    engine ──browser(url)──> Browser: a profile of its own, so its own SharedWorker ──open(path)──> Page: a tab

Every tab is in view, as if each had a window of its own, until ``background`` hides it: then it is hidden in earnest,
with ``document.visibilityState``, slow timers and all. What an engine cannot do stands in ``Engine``'s flags, and a
back end that is asked for it all the same raises ``DriverError``.

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

DEADLINE = 120.0
POLL_SECONDS = 0.05

# null while it is not there
TAKES_FOCUS = "(e => e && (e.isContentEditable || e.tabIndex >= 0))(document.querySelector('[data-testid=%s]'))"

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

    def type(self, test_id: str, text: str) -> None:
        """Type into an element, as a user does, who presses what takes no focus by itself; a line break is Enter."""
        takes = wait(
            lambda: self.evaluate(TAKES_FOCUS % test_id), lambda seen: seen is not None, f"{self!r}: {test_id}"
        )
        if not takes:
            self.click(test_id)
        self._type(test_id, text)

    @abstractmethod
    def _type(self, test_id: str, text: str) -> None:
        """Type into an element that takes the focus."""

    @abstractmethod
    def press(self, *keys: str) -> None:
        """Press keys one after the other where the focus is: ``a``, ``Enter``, ``Shift+Enter``."""

    @abstractmethod
    def reload(self) -> None:
        """Load the page anew."""

    def go(self, path: str) -> None:
        """Go to another page of the same server, as by a link; ``back`` returns."""
        self.path = path
        self._navigate(path)

    @abstractmethod
    def _navigate(self, path: str) -> None:
        """Load a page of the browser's server."""

    @abstractmethod
    def back(self) -> None:
        """Go back in the history. The browser may have kept the page: then its ``pageshow`` event is ``persisted``."""

    @abstractmethod
    def background(self) -> None:
        """Hide the tab behind another; returns when its document knows. In Chromium the browser needs ``hides``."""

    @abstractmethod
    def foreground(self) -> None:
        """Bring a tab that ``background`` hid to the front again; returns when its document knows."""

    def freeze(self) -> None:
        """Freeze the tab, as a browser does with one long hidden: no task of it runs. It has to be hidden before."""
        raise DriverError(f"{self!r}: tabs of this engine cannot be frozen by a driver")

    def thaw(self) -> None:
        """End what ``freeze`` began; the tab is still hidden."""
        raise DriverError(f"{self!r}: tabs of this engine cannot be frozen by a driver")

    def prefer_dark(self, dark: bool) -> None:
        """Have the browser tell the page that its user likes it dark, or light, and that nothing moves."""
        raise DriverError(f"{self!r}: what users of this engine prefer cannot be set by a driver")

    def crash(self) -> None:
        """Kill the process that the tab lives in. What else lives in it, another tab or the worker, dies as well."""
        raise DriverError(f"{self!r}: a tab of this engine cannot crash and leave the driver alive")

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
        """What the worker knows of itself. One that was given up meanwhile does not answer, and the next is asked."""
        told: dict[str, Any] = wait(
            lambda: self.evaluate("window.partyline.diagnostics()"), bool, f"{self!r}: the worker to answer"
        )
        return told

    def wait_visibility(self, state: str) -> None:
        """Wait until the document says that it is visible, or hidden."""
        what = f"{self!r}: visibilityState={state}"
        wait(lambda: self.evaluate("document.visibilityState"), lambda seen: seen == state, what)

    def wait_line(self, state: str = "live") -> None:
        """Wait until the line is in this state."""
        wait(lambda: self.line, lambda seen: seen == state, f"{self!r}: data-line={state}")

    def wait_text(self, test_id: str, wanted: str | Callable[[str], bool]) -> str:
        """Wait until an element has this text, or one that the function accepts; returns it."""
        matches = wanted if callable(wanted) else (lambda seen: seen == wanted)
        return wait(lambda: self.text(test_id), matches, f"{self!r}: {test_id} to be {wanted!r}")


class Browser(ABC):
    """A browser with a profile of its own. ``worker_console`` is what its SharedWorkers said, where that can be had.

    ``notebook`` is the name of a notebook that no other test of this browser's has.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.notebook = "first-steps"
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
    """A kind of browser, and what it can do; ``test_engines.py`` asks each whether its flags are true.

    About the engine:
        extended_lifetime: a SharedWorker outlives a reload of the only tab.
        keeps_pages: the room waits in the back/forward cache when one goes on to another page.
        secure: ``http://127.0.0.1`` pages are a secure context, as they are unless the engine is told another address.
        has_locks: pages have Web Locks.
        has_jspi: WebAssembly may wait for a promise (JavaScript Promise Integration).
    About what its driver can do:
        can_freeze, can_crash: whether ``Page.freeze`` and ``Page.crash`` work.
        has_console: ``Page.console`` has all that a page says; else only what it says after its document is loaded.
        has_worker_console: ``Browser.worker_console`` has what SharedWorkers say; else it is empty.
    """

    name: str
    extended_lifetime = False
    keeps_pages = False
    secure = True
    has_locks = True
    has_jspi = True
    can_freeze = False
    can_crash = True
    has_console = True
    has_worker_console = False

    @abstractmethod
    def browser(self, url: str, *, hides: bool = False) -> Browser:
        """A new browser, in which a path such as ``/room`` is one of the server at ``url``.

        Tabs that shall be hidden or frozen need ``hides``: in Chromium that costs a process of its own.
        """

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
