"""Chromium, driven by Playwright.

Playwright runs in a thread with an event loop of its own: its sync API would leave a running loop behind in the
main thread, where pytest-asyncio starts loops for other tests. One process serves all tests; a browser is one of its
contexts, which is a storage partition of its own, SharedWorkers included.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from playwright import async_api as playwright

from .driver import Browser, DriverError, Engine, Line, Page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30.0  # for a single thing the browser is told; a page that is stuck must not hold up the tests

T = TypeVar("T")


class Chromium(Engine):
    """One headless process."""

    extended_lifetime = True
    limits_storage = True

    def __init__(self, executable: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="playwright", daemon=True)
        self._thread.start()
        self._playwright = self.run(playwright.async_playwright().start())
        launch = self._playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        self._process = self.run(launch)
        self.workers = WorkerConsoles(self)
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

    def browser(self, url: str) -> ChromiumBrowser:
        """A new context."""
        return ChromiumBrowser(
            self,
            url,
            self.run(
                self._process.new_context(base_url=url, locale="en-GB", ignore_https_errors=url.startswith("https"))
            ),
        )

    def close(self) -> None:
        """End the process, and the thread."""
        self.run(self._process.close())
        self.run(self._playwright.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


class ChromiumBrowser(Browser):
    """A context of the process."""

    def __init__(self, engine: Chromium, url: str, context: playwright.BrowserContext) -> None:
        super().__init__(url)
        self._engine = engine
        self._context = context
        self.worker_console = engine.workers.lines.setdefault(url, self.worker_console)

    def open(self, path: str) -> ChromiumPage:
        """A new tab."""
        page = ChromiumPage(self._engine, self._engine.run(self._context.new_page()), len(self.pages) + 1, path)
        self.pages.append(page)
        self._engine.run(page.load())
        return page

    def limit_storage(self, size: int | None) -> None:
        """Through the DevTools protocol, by any of the tabs."""
        self._engine.run(self._limit_storage(size))

    async def _limit_storage(self, size: int | None) -> None:
        session = await self._context.new_cdp_session(self._context.pages[0])
        limit = {} if size is None else {"quotaSize": size}
        await session.send("Storage.overrideQuotaForOrigin", {"origin": self.url, **limit})

    def end_workers(self) -> None:
        """Through the DevTools protocol: extended ones live on for half a minute."""
        self._engine.run(self._engine.workers.end(self.url))

    def close(self) -> None:
        """Close the context."""
        self._engine.run(self._context.close())


class ChromiumPage(Page):
    """A tab of a context."""

    def __init__(self, engine: Chromium, page: playwright.Page, number: int, path: str) -> None:
        super().__init__(number, path)
        self._engine = engine
        self._page = page

    async def load(self) -> None:
        """Listen to what the page says, and go to its path. In Playwright's thread: a listener is a call to it, too."""
        page = self._page
        page.on("console", lambda message: self._say(message.type, f"{message.text} ({message.location['url']})"))
        page.on("pageerror", lambda error: self._say("pageerror", error.stack or error.message))
        page.on("crash", lambda _: self._say("crash", "the page crashed"))
        page.on("dialog", self._dismiss)
        await page.goto(self.path, wait_until="domcontentloaded")

    def evaluate(self, expression: str) -> Any:
        """Through the debugger, so the page's policy does not matter."""
        return self._engine.run(self._page.evaluate(expression))

    def click(self, test_id: str) -> None:
        """A click of the mouse, once the element can be clicked on."""
        self._engine.run(self._click(test_id))

    async def _click(self, test_id: str) -> None:
        await self._page.bring_to_front()  # a tab in the background draws once a second
        await self._page.get_by_test_id(test_id).click()

    def type(self, test_id: str, text: str) -> None:
        """Into the element that has the focus, each line at once, as an input method does."""
        self._engine.run(self._type(test_id, text))

    async def _type(self, test_id: str, text: str) -> None:
        await self._page.bring_to_front()
        await self._page.get_by_test_id(test_id).focus()
        for number, line in enumerate(text.split("\n")):
            if number:
                await self._page.keyboard.press("Enter")
            await self._page.keyboard.insert_text(line)

    def reload(self) -> None:
        """Load anew."""
        self._engine.run(self._page.reload(wait_until="domcontentloaded"))

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


class WorkerConsoles:
    """What SharedWorkers say. Playwright does not show them, so this asks the DevTools protocol, Target domain.

    ``lines`` has what was said, by origin: which context a worker belongs to is not told, so browsers for the same
    server share one list.
    """

    def __init__(self, engine: Chromium) -> None:
        self.lines: dict[str, list[Line]] = {}
        self._engine = engine
        self._origins: dict[str, str] = {}  # by session
        self._sessions: dict[str, str] = {}  # by target
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, process: playwright.Browser) -> None:
        """Attach to each SharedWorker that comes."""
        self._session = await process.new_browser_cdp_session()
        self._session.on("Target.targetCreated", self._created)
        self._session.on("Target.receivedMessageFromTarget", self._received)
        await self._session.send("Target.setDiscoverTargets", {"discover": True, "filter": [{"type": "shared_worker"}]})

    def _created(self, event: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._attach(event["targetInfo"]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attach(self, target: dict[str, Any]) -> None:
        parameters = {"targetId": target["targetId"], "flatten": False}
        try:
            session = (await self._session.send("Target.attachToTarget", parameters))["sessionId"]
            self._origins[session] = "/".join(target["url"].split("/")[:3])
            self._sessions[target["targetId"]] = session
            message = json.dumps({"id": 1, "method": "Runtime.enable"})
            await self._session.send("Target.sendMessageToTarget", {"sessionId": session, "message": message})
        except playwright.Error:
            return  # it is gone already

    async def end(self, origin: str) -> None:
        """End the workers of an origin. One that is attached to would leave its place to a successor of the same name
        that waits for a debugger."""
        for target, session in list(self._sessions.items()):
            if self._origins[session] == origin:
                del self._sessions[target]
                await self._session.send("Target.detachFromTarget", {"sessionId": session})
                await self._session.send("Target.closeTarget", {"targetId": target})

    def _received(self, event: dict[str, Any]) -> None:
        lines = self.lines.get(self._origins.get(event["sessionId"], ""))
        message = json.loads(event["message"])
        parameters = message.get("params", {})
        if lines is None:
            return
        if message.get("method") == "Runtime.consoleAPICalled":
            text = " ".join(str(each.get("value", each.get("description", "?"))) for each in parameters["args"])
            lines.append(Line(parameters["type"], text))
        elif message.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details["text"]
            lines.append(Line("pageerror", text))
