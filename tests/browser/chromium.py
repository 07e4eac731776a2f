"""Chromium, driven by Playwright.

Playwright runs in a thread with an event loop of its own: its sync API would leave a running loop behind in the
main thread, where pytest-asyncio starts loops for other tests. One process serves all tests; a browser is one of its
contexts, which is a storage partition of its own, SharedWorkers included.

In such a context Playwright keeps every tab in view, for good. A browser whose tabs shall be hidden is a process of its
own instead, in which Playwright changes nothing (``no_defaults``), and we tell which tab is in view.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from playwright import async_api as playwright

from .chromium_workers import WorkerConsoles
from .driver import Browser, DriverError, Engine, Line, Page
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
    f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1",
)
UNWANTED = ("--disable-back-forward-cache",)  # Playwright's, and not a user's
PATIENCE = 30.0  # for a single thing the browser is told; a page that is stuck must not hold up the tests

T = TypeVar("T")


class Chromium(Engine):
    """One headless process. Not ``secure``: pages are at ``http://partyline.test``, which is no secure context."""

    name = "chromium"
    extended_lifetime = True
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
        options: dict[str, Any] = {"locale": "en-GB", "ignore_https_errors": url.startswith("https")}
        context = self.run(self._process.new_context(**options))
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

    def close(self) -> None:
        """Close the context, and end the process."""
        try:
            self._engine.run(self.context.close())
        finally:
            if self._process is not None:
                self._process.end()


class ChromiumPage(Page):
    """A tab of a context."""

    def __init__(self, engine: Chromium, browser: ChromiumBrowser, page: playwright.Page, path: str) -> None:
        super().__init__(len(browser.pages) + 1, path)
        self._engine = engine
        self._browser = browser
        self._page = page
        self._cover: playwright.Page | None = None  # the tab that hides this one

    async def start(self) -> None:
        """Listen to what the page says. In Playwright's thread: adding a listener is a call to it, too."""
        page = self._page
        page.on("console", lambda message: self._say(message.type, f"{message.text} ({message.location['url']})"))
        page.on("pageerror", lambda error: self._say("pageerror", error.stack or error.message))
        page.on("crash", lambda _: self._say("crash", "the page crashed"))
        page.on("dialog", self._dismiss)
        self._devtools = await self._browser.context.new_cdp_session(page)
        if self._browser.hides:
            await self._show(True)

    async def _show(self, shown: bool) -> None:
        """Be in view although another tab is before this one, or not."""
        await self._devtools.send("Emulation.setFocusEmulationEnabled", {"enabled": shown})

    def _navigate(self, path: str) -> None:
        self._engine.run(self._page.goto(self._browser.url + path, wait_until="domcontentloaded"))

    def evaluate(self, expression: str) -> Any:
        """Through the debugger, so the page's policy does not matter."""
        return self._engine.run(self._page.evaluate(f"() => ({expression})"))

    def click(self, test_id: str) -> None:
        """A click of the mouse, once the element can be clicked on."""
        self._engine.run(self._click(test_id))

    async def _click(self, test_id: str) -> None:
        await self._to_front()
        await self._page.get_by_test_id(test_id).click()

    async def _to_front(self) -> None:
        if not self._browser.hides:
            await self._page.bring_to_front()  # a tab in the background draws once a second

    def type(self, test_id: str, text: str) -> None:
        """Into the element that has the focus, each line at once, as an input method does."""
        self._engine.run(self._type(test_id, text))

    async def _type(self, test_id: str, text: str) -> None:
        await self._to_front()
        await self._page.get_by_test_id(test_id).focus()
        for number, line in enumerate(text.split("\n")):
            if number:
                await self._page.keyboard.press("Enter")
            await self._page.keyboard.insert_text(line)

    def reload(self) -> None:
        """Load anew."""
        self._engine.run(self._page.reload(wait_until="domcontentloaded"))

    def back(self) -> None:
        """Back in the history. A page out of the cache has been loaded long ago, so that is not waited for."""
        self._engine.run(self._page.go_back(wait_until="commit"))

    def background(self) -> None:
        """An empty tab comes before it."""
        if not self._browser.hides:
            raise DriverError(f"{self!r} cannot be hidden: its browser was made without hides=True")
        self._engine.run(self._hide())
        self.wait_visibility("hidden")

    async def _hide(self) -> None:
        self._cover = await self._browser.context.new_page()
        await self._cover.bring_to_front()
        await self._show(False)

    def foreground(self) -> None:
        """The empty tab is closed."""
        self._engine.run(self._unhide())
        self.wait_visibility("visible")

    async def _unhide(self) -> None:
        if self._cover is not None:
            await self._cover.close()
        self._cover = None
        await self._page.bring_to_front()
        await self._show(True)

    def freeze(self) -> None:
        """By the Page Lifecycle's command of the DevTools protocol, which a tab in view does not follow."""
        self._engine.run(self._devtools.send("Page.setWebLifecycleState", {"state": "frozen"}))

    def thaw(self) -> None:
        """The same, back."""
        self._engine.run(self._devtools.send("Page.setWebLifecycleState", {"state": "active"}))

    def crash(self) -> None:
        """Kill the renderer."""
        self._engine.run(self._crash())

    async def _crash(self) -> None:
        async with self._page.expect_event("crash"):
            dying = asyncio.ensure_future(self._devtools.send("Page.crash"))  # nobody is left to answer it
        dying.cancel()
        with contextlib.suppress(asyncio.CancelledError, playwright.Error):
            await dying

    def close(self) -> None:
        """Close, with the events that a page gets then."""
        self._engine.run(self._page.close())

    def screenshot(self, path: Path) -> None:
        """The whole page, not only what is in view."""
        self._engine.run(self._page.screenshot(path=path, full_page=True))

    def _say(self, kind: str, text: str) -> None:
        self.console.append(Line(kind, text))

    async def _dismiss(self, dialog: playwright.Dialog) -> None:
        self._say("dialog", f"{dialog.type}: {dialog.message}")
        await dialog.dismiss()
