"""A tab of Chromium, as Playwright and the DevTools protocol have it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright import async_api as playwright

from .driver import DriverError, Line, Page

if TYPE_CHECKING:
    from .chromium import Chromium, ChromiumBrowser


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

    def _type(self, test_id: str, text: str) -> None:
        """Into the element that has the focus, each line at once, as an input method does."""
        self._engine.run(self._insert(test_id, text))

    async def _insert(self, test_id: str, text: str) -> None:
        await self._to_front()
        await self._page.get_by_test_id(test_id).focus()
        for number, line in enumerate(text.split("\n")):
            if number:
                await self._page.keyboard.press("Enter")
            if line:  # an Enter at the end may lead to another page, which answers to no more of it
                await self._page.keyboard.insert_text(line)

    def press(self, *keys: str) -> None:
        """On the keyboard."""
        self._engine.run(self._press(keys))

    async def _press(self, keys: tuple[str, ...]) -> None:
        await self._to_front()
        for key in keys:
            await self._page.keyboard.press(key)

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

    def prefer_dark(self, dark: bool) -> None:
        """By Playwright."""
        self._engine.run(self._page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce"))

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
