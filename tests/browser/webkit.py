"""WebKitGTK's MiniBrowser, driven by Selenium, on a display of its own that nobody sees (Xvfb).

A browser is a process with a driver of its own, in automation mode, where nothing is stored on disk; a tab is a window
of it, so that all are in view. The first window stays empty: with the last one the session would end.

WebKitGTK tells drivers nothing of consoles. Each document is listened to from when it is first asked something, so what
it says before is not known (``has_console``), nor is what a worker says. A page that crashes ends the whole session,
and one that shows a dialog holds it up, so dialogs are noted and not shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import WebKitGTK as Driver
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

from .driver import Browser, DriverError, Engine, Line
from .process import Process
from .webdriver import PATIENCE, WebDriverPage, evaluation, value

# Selenium fetches drivers, and tells its makers, only where it is given no driver's path; it shall not in any case
os.environ.update(SE_OFFLINE="true", SE_AVOID_STATS="true")

# without its last stage of compilation JavaScriptCore starts Python with half the work: 6 s of a processor, not 12
ENVIRONMENT = {"JSC_useOMGJIT": "0"}
WINDOW = (0, 0, 1000, 800)
SCREEN = ("-screen", "0", "1280x1024x24", "-nolisten", "tcp")

LISTEN = """(() => {
    if (window.heard) return;
    const heard = window.heard = [], say = (kind, ...said) => void heard.push([kind, said.map(String).join(" ")]);
    addEventListener("error", event => say("pageerror", event.message, event.error?.stack));
    addEventListener("unhandledrejection", event => say("pageerror", event.reason, event.reason?.stack));
    for (const [name, kind] of [["error", "error"], ["warn", "warning"], ["log", "log"], ["info", "info"]]) {
        const plain = console[name];
        console[name] = (...said) => { say(kind, ...said); plain.apply(console, said); };
    }
    for (const name of ["alert", "confirm", "prompt"])
        window[name] = message => { say("dialog", `${name}: ${message}`); return name === "confirm" ? false : null; };
})()"""
HEARD = "window.heard?.splice(0) ?? []"

T = TypeVar("T")


class WebKit(Engine):
    """The display, and the path of the driver."""

    name = "webkit"
    has_jspi = False
    can_crash = False
    has_console = False

    def __init__(self, driver: str, xvfb: str) -> None:
        self._driver = driver
        # the shell hands Xvfb's choice of a display, which it tells on a descriptor, to a file
        self._screen = Process(["sh", "-c", 'exec "$0" "$@" 3>{folder}/display', xvfb, "-displayfd", "3", *SCREEN])
        try:
            self._display = f":{self._screen.wait_for_port('display')}"
        except BaseException:
            self._screen.end()
            raise

    def browser(self, url: str, *, hides: bool = False) -> WebKitBrowser:
        """A new process."""
        return WebKitBrowser(url, self._driver, self._display)

    def close(self) -> None:
        """End the display."""
        self._screen.end()


class WebKitBrowser(Browser):
    """A MiniBrowser, and the driver that started it."""

    def __init__(self, url: str, driver: str, display: str) -> None:
        super().__init__(url)
        options = Options()
        options.accept_insecure_certs = True
        service = Service(driver, env={**os.environ, **ENVIRONMENT, "DISPLAY": display})
        self.driver = self.run(lambda: Driver(options, service))
        # a driver that hangs must not hold up the tests
        remote = self.driver.command_executor
        assert isinstance(remote, RemoteConnection)
        remote.client_config.timeout = 2 * PATIENCE
        self._first = self._current = self.run(lambda: self.driver.current_window_handle)
        self.driver.set_script_timeout(PATIENCE)
        self.driver.set_page_load_timeout(PATIENCE)

    def run(self, call: Callable[[], T]) -> T:
        """Have the driver do something."""
        try:
            return call()
        except (WebDriverException, HTTPError) as error:
            raise DriverError(f"{type(error).__name__}: {error}") from None

    def turn_to(self, handle: str) -> None:
        """Have the driver's next commands go to a window."""
        if handle != self._current:
            self._current = ""
            self.run(lambda: self.driver.switch_to.window(handle))
            self._current = handle

    def open(self, path: str) -> WebKitPage:
        """A new window."""
        self.turn_to(self._first)
        self.run(lambda: self.driver.switch_to.new_window("window"))
        self._current = self.run(lambda: self.driver.current_window_handle)
        page = WebKitPage(self, self._current, path)
        self.pages.append(page)
        page.go(path)
        return page

    def close(self) -> None:
        """End the process, and its driver."""
        self.run(self.driver.quit)


class WebKitPage(WebDriverPage):
    """A window of the process."""

    stale = StaleElementReferenceException

    def __init__(self, browser: WebKitBrowser, handle: str, path: str) -> None:
        super().__init__(len(browser.pages) + 1, path)
        self._browser = browser
        self._handle = handle

    def evaluate(self, expression: str) -> Any:
        """Through the automation session, so the page's policy does not matter."""
        body = evaluation(f"({LISTEN}, {expression})")
        return value(self._run(lambda driver: driver.execute_async_script(body)))

    @property
    def errors(self) -> list[Line]:
        """With what was said since it was asked last."""
        self._hear()
        return super().errors

    def reload(self) -> None:
        """Load anew."""
        self._hear()
        self._run(lambda driver: driver.refresh())

    def _navigate(self, path: str) -> None:
        self._run(lambda driver: driver.get(self._browser.url + path))

    def back(self) -> None:
        """Back in the history."""
        self._hear()
        self._run(lambda driver: driver.back())

    def background(self) -> None:
        """Its window is made an icon: there is no tab bar in which another could come before it."""
        self._run(lambda driver: driver.minimize_window())
        self.wait_visibility("hidden")

    def foreground(self) -> None:
        """Its window is given back its place."""
        self._run(lambda driver: driver.set_window_rect(*WINDOW))
        self.wait_visibility("visible")

    def close(self) -> None:
        """Close the window."""
        self._run(lambda driver: driver.close())

    def screenshot(self, path: Path) -> None:
        """What is in view."""
        self._hear()
        path.write_bytes(self._run(lambda driver: driver.get_screenshot_as_png()))

    def _hear(self) -> None:
        self.console += [Line(kind, text) for kind, text in self.evaluate(HEARD)]

    def _focused(self, driver: Driver) -> Any:
        return driver.switch_to.active_element

    def _run(self, call: Callable[[Driver], T]) -> T:
        self._browser.turn_to(self._handle)
        return self._browser.run(lambda: call(self._browser.driver))
