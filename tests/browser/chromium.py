"""Chromium, driven by Playwright.

Playwright runs in a thread with an event loop of its own: its sync API would leave a running loop behind in the
main thread, where pytest-asyncio starts loops for other tests. One process serves all tests; a browser is one of its
contexts, which is a storage partition of its own, SharedWorkers included.

In such a context Playwright keeps every tab in view, for good. A browser whose tabs shall be hidden is a process of its
own instead, in which Playwright changes nothing (``no_defaults``), and we tell which tab is in view.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from playwright import async_api as playwright

from .chromium_page import ChromiumPage
from .chromium_workers import WorkerConsoles
from .driver import Browser, DriverError, Engine, Line
from .process import Process

PLAIN_HOST = "partyline.test"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",  # Playwright's way of it does not reach SharedWorkers
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
)
UNWANTED = ("--disable-back-forward-cache",)  # Playwright's, and not a user's
PATIENCE = 120.0  # for a single thing the browser is told; a page that is stuck must not hold up the tests

T = TypeVar("T")


class Chromium(Engine):
    """One headless process. Not ``secure``: pages are at ``http://partyline.test``, which is no secure context."""

    name = "chromium"
    extended_lifetime = True
    keeps_pages = True
    can_freeze = True
    has_worker_console = True

    def __init__(self, executable: str, *, secure: bool = True) -> None:
        self.secure = self.has_locks = secure
        self._executable = executable
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="playwright", daemon=True)
        self._thread.start()
        self._playwright = self.run(playwright.async_playwright().start())
        launch = self._playwright.chromium.launch(
            executable_path=executable, args=list(FLAGS), ignore_default_args=list(UNWANTED)
        )
        self._process = self.run(launch)
        self.workers = WorkerConsoles()
        self.run(self.workers.start(self._process))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Have Playwright's thread do something, and wait for it."""

        async def bounded() -> T:
            async with asyncio.timeout(PATIENCE):
                return await coroutine

        try:
            return asyncio.run_coroutine_threadsafe(bounded(), self._loop).result()
        except TimeoutError:
            raise DriverError(f"Chromium did not answer within {PATIENCE:.0f} s") from None
        except playwright.Error as error:
            raise DriverError(error.message) from None

    def browser(self, url: str, *, hides: bool = False) -> ChromiumBrowser:
        """A new context, or a new process."""
        if not self.secure:
            url = url.replace("127.0.0.1", PLAIN_HOST)
        if hides:
            return self._own_process(url)
        context = self.run(self._process.new_context(locale="en-GB"))
        context.set_default_timeout(1000 * PATIENCE)
        return ChromiumBrowser(self, url, context, self.workers.of(url))

    def _own_process(self, url: str) -> ChromiumBrowser:
        command = [self._executable, "--headless", "--remote-debugging-port=0", "--user-data-dir={folder}", *FLAGS]
        process = Process([*command, "about:blank"])
        try:
            port = process.wait_for_port("DevToolsActivePort")
            connect = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
            browser = self.run(connect)
            workers = WorkerConsoles()
            self.run(workers.start(browser))
        except BaseException:
            process.end()
            raise
        browser.contexts[0].set_default_timeout(1000 * PATIENCE)
        return ChromiumBrowser(self, url, browser.contexts[0], workers.of(url), process)

    def close(self) -> None:
        """End the process, and the thread."""
        self.run(self._process.close())
        self.run(self._playwright.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


class ChromiumBrowser(Browser):
    """A context of the process, or a process of its own."""

    def __init__(
        self,
        engine: Chromium,
        url: str,
        context: playwright.BrowserContext,
        console: list[Line],
        process: Process | None = None,
    ) -> None:
        super().__init__(url)
        self.worker_console = console
        self.context = context
        self.hides = process is not None
        self._engine = engine
        self._process = process

    def open(self, path: str) -> ChromiumPage:
        """A new tab."""
        page = ChromiumPage(self._engine, self, self._engine.run(self.context.new_page()), path)
        self.pages.append(page)
        self._engine.run(page.start())
        page.go(path)
        return page

    def limit_storage(self, size: int | None) -> None:
        """Through the DevTools protocol, by any of the tabs."""
        self._engine.run(self._limit_storage(size))

    async def _limit_storage(self, size: int | None) -> None:
        session = await self.context.new_cdp_session(self.context.pages[0])
        limit = {} if size is None else {"quotaSize": size}
        await session.send("Storage.overrideQuotaForOrigin", {"origin": self.url, **limit})

    def end_workers(self) -> None:
        """Through the DevTools protocol: extended ones live on for half a minute."""
        self._engine.run(self._engine.workers.end(self.url))

    def close(self) -> None:
        """Close the context, and end the process."""
        try:
            self._engine.run(self.context.close())
        finally:
            if self._process is not None:
                self._process.end()
