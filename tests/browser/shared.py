"""One server and one browser for many tests of an engine, one after the other, so that Python starts once for them all.

Each test begins with one tab open, which keeps the worker alive, and has a notebook's name of its own
(``Browser.notebook``); what it left in the log and on the shelf is there still. After a test that failed, or a tab that
does not close, all is made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.running import Server

from .driver import Browser, DriverError, Engine, Page, wait

KEEPER = "/room"


class Shared:
    """What the tests of one engine share. ``make_folder`` makes a new folder for a server."""

    def __init__(self, engine: Engine, make_folder: Callable[[], Path]) -> None:
        self._engine = engine
        self._make_folder = make_folder
        self._settings: dict[str, str] = {}
        self._server: Server | None = None
        self._browser: Browser | None = None
        self._keeper: Page | None = None
        self._tests = 0

    def server(self, settings: dict[str, str]) -> Server:
        """The server, started anew where the last test wanted other settings."""
        if settings != self._settings:
            self.close()
        if self._server is None:
            self._settings = settings
            self._server = Server(self._make_folder(), **settings)  # type: ignore[arg-type]
            self._server.start()
        return self._server

    def begin(self) -> Browser:
        """The browser, for a test."""
        if self._browser is None:
            self._browser = self._open()
        self._tests += 1
        self._browser.notebook = f"test{self._tests}"
        return self._browser

    def _open(self) -> Browser:
        assert self._server is not None
        browser = self._engine.browser(self._server.url)
        try:
            self._keeper = browser.open(KEEPER)
            self._keeper.wait_line()
        except BaseException:
            browser.close()
            raise
        return browser

    def end(self, *, failed: bool) -> None:
        """The test is over: close its tabs."""
        clean = False
        try:
            clean = not failed and self._close_tabs()
        finally:
            if not clean:
                self.close()

    def close(self) -> None:
        """End the browser and the server."""
        browser, server = self._browser, self._server
        self._browser = self._server = self._keeper = None
        try:
            if browser is not None:
                browser.close()
        except DriverError as error:
            print(f"A browser that tests shared did not close: {error}")
        finally:
            if server is not None:
                server.kill()

    def _close_tabs(self) -> bool:
        """Whether all but the keeper are closed now."""
        assert self._browser is not None
        keeper = self._keeper
        assert keeper is not None
        try:
            for page in self._browser.pages:
                if page is not keeper:
                    page.close()
        except DriverError:
            return False
        self._browser.pages[:] = [keeper]
        wait(lambda: keeper.diagnostics()["tabs"], lambda count: count == 1, "the worker to know of one tab")
        return True
