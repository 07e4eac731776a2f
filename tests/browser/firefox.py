"""Firefox, driven by Marionette, and by WebDriver BiDi for what Marionette has not: consoles, windows, profiles.

One headless process serves all tests. A browser is one of its containers (a user context), which has cookies, storage,
BroadcastChannels and SharedWorkers of its own; a tab is a window in it, so that all are in view.
"""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from marionette_driver.errors import MarionetteException, StaleElementException
from marionette_driver.geckoinstance import DesktopInstance, GeckoInstance
from marionette_driver.marionette import Marionette

from .bidi import BiDi
from .driver import Browser, DriverError, Engine, Line
from .process import Process
from .webdriver import PATIENCE, WebDriverPage, evaluation, value

PREFERENCES = {
    **GeckoInstance.required_prefs,  # no telemetry, no updates, nothing that asks somebody's server
    **DesktopInstance.desktop_prefs,
    "marionette.port": 0,
    "dom.ipc.processCount.webIsolated": 16,  # else the fifth tab of a site shares a process, and a crash, with another
}
COMMAND = ("--headless", "--marionette", "--remote-allow-system-access", "--remote-debugging-port", "0", "--no-remote")
EVENTS = ("log.entryAdded", "browsingContext.userPromptOpened")
PROCESS = "return gBrowser.selectedBrowser.browsingContext.currentWindowGlobal.osPid"
KINDS = {"warn": "warning"}  # what Chromium calls them

T = TypeVar("T")


class Firefox(Engine):
    """One headless process."""

    name = "firefox"

    def __init__(self, executable: str) -> None:
        preferences = "".join(
            f"user_pref({json.dumps(each)}, {json.dumps(PREFERENCES[each])});\n" for each in PREFERENCES
        )
        command = [executable, *COMMAND, "--profile", "{folder}", "about:blank"]
        self._process = Process(command, {"user.js": preferences})
        self.pages: dict[str, FirefoxPage] = {}
        try:
            port = self._process.wait_for_port("MarionetteActivePort")
            self.marionette = Marionette("127.0.0.1", port, socket_timeout=3 * PATIENCE)
            self.marionette.start_session(
                {"acceptInsecureCerts": True, "webSocketUrl": True, "pageLoadStrategy": "eager"}
            )
            self.marionette.timeout.script = self.marionette.timeout.page_load = PATIENCE
            self.bidi = BiDi(self.marionette.session_capabilities["webSocketUrl"], self._heard)
            self.bidi.send("session.subscribe", events=list(EVENTS))
        except BaseException:
            self._process.end()
            raise

    def run(self, call: Callable[[], T]) -> T:
        """Have Marionette do something."""
        try:
            return call()
        except (MarionetteException, OSError) as error:
            raise DriverError(f"{type(error).__name__}: {error}") from None

    def browser(self, url: str, *, hides: bool = False) -> FirefoxBrowser:
        """A new container."""
        return FirefoxBrowser(self, url, self.bidi.send("browser.createUserContext")["userContext"])

    def close(self) -> None:
        """End the process."""
        self.bidi.close()
        self._process.end()

    def _heard(self, method: str, said: dict[str, Any]) -> None:
        page = self.pages.get(said.get("context") or said.get("source", {}).get("context") or "")
        if page is None:
            return
        if method == "browsingContext.userPromptOpened":
            page.console.append(Line("dialog", f"{said['type']}: {said.get('message')}"))
            return
        kind = said.get("method") or ("pageerror" if said["level"] == "error" else said["level"])
        frames = (said.get("stackTrace") or {}).get("callFrames", [])
        places = [f"\n  at {frame['functionName']} {frame['url']}:{frame['lineNumber']}" for frame in frames]
        page.console.append(Line(KINDS.get(kind, kind), f"{said['text']}{''.join(places)}"))


class FirefoxBrowser(Browser):
    """A container of the process."""

    def __init__(self, engine: Firefox, url: str, context: str) -> None:
        super().__init__(url)
        self._engine = engine
        self._context = context

    def open(self, path: str) -> FirefoxPage:
        """A new window."""
        handle = self._engine.bidi.send("browsingContext.create", type="window", userContext=self._context)["context"]
        page = FirefoxPage(self._engine, self, handle, path)
        self.pages.append(page)
        self._engine.pages[handle] = page
        page.go(path)
        return page

    @property
    def context(self) -> str:
        """The container's id."""
        return self._context

    def close(self) -> None:
        """Close the container, its tabs and all that it has stored."""
        for handle in [each for each, page in self._engine.pages.items() if page in self.pages]:
            del self._engine.pages[handle]
        self._engine.bidi.send("browser.removeUserContext", userContext=self._context)


class FirefoxPage(WebDriverPage):
    """A window of a container, with one tab."""

    stale = StaleElementException

    def __init__(self, engine: Firefox, browser: FirefoxBrowser, handle: str, path: str) -> None:
        super().__init__(len(browser.pages) + 1, path)
        self._engine = engine
        self._browser = browser
        self._handle = handle
        self._cover: str | None = None  # the tab that hides this one
        self._crashed = False

    def evaluate(self, expression: str) -> Any:
        """In a sandbox that shares the page's globals; the page's policy does not matter there."""
        body = evaluation(expression)
        return value(self._run(lambda marionette: marionette.execute_async_script(body, sandbox=None)))

    def reload(self) -> None:
        """Load anew."""
        self._run(lambda marionette: marionette.refresh())

    def _navigate(self, path: str) -> None:
        self._run(lambda marionette: marionette.navigate(self._browser.url + path))

    def back(self) -> None:
        """Back in the history."""
        self._run(lambda marionette: marionette.go_back())

    def background(self) -> None:
        """Another tab in the same window comes before it."""
        self._cover = self._engine.bidi.send(
            "browsingContext.create", type="tab", referenceContext=self._handle, userContext=self._browser.context
        )["context"]
        self.wait_visibility("hidden")

    def foreground(self) -> None:
        """The other tab is closed."""
        self._engine.bidi.send("browsingContext.activate", context=self._handle)
        if self._cover is not None:
            self._engine.bidi.send("browsingContext.close", context=self._cover)
        self._cover = None
        self.wait_visibility("visible")

    def crash(self) -> None:
        """Kill the content process. Firefox shows a page of its own in the tab then, which is not to be driven."""
        with self._tab().using_context("chrome"):
            process = self._engine.run(lambda: self._engine.marionette.execute_script(PROCESS))
        os.kill(process, signal.SIGKILL)
        self._crashed = True
        self.console.append(Line("crash", "the page crashed"))

    def close(self) -> None:
        """Close the window."""
        self._engine.bidi.send("browsingContext.close", context=self._handle)

    def screenshot(self, path: Path) -> None:
        """The whole page, not only what is in view."""
        path.write_bytes(base64.b64decode(self._run(lambda marionette: marionette.screenshot())))

    def _focused(self, driver: Marionette) -> Any:
        return driver.get_active_element()

    def _run(self, call: Callable[[Marionette], T]) -> T:
        marionette = self._tab()
        return self._engine.run(lambda: call(marionette))

    def _tab(self) -> Marionette:
        """Marionette, turned to this tab."""
        if self._crashed:
            raise DriverError(f"{self!r} has crashed")
        self._engine.run(lambda: self._engine.marionette.switch_to_window(self._handle, focus=False))
        return self._engine.marionette
