"""The consoles of SharedWorkers in Chromium, which Playwright does not show."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from playwright import async_api as playwright

from .driver import Line


class WorkerConsoles:
    """What SharedWorkers say, from the DevTools protocol's Target domain.

    What was said is kept by origin: which context a worker belongs to is not told, so browsers for the same server
    share one list.
    """

    def __init__(self) -> None:
        self._lines: dict[str, list[Line]] = {}
        self._origins: dict[str, str] = {}  # by session
        self._sessions: dict[str, str] = {}  # by target
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, url: str) -> list[Line]:
        """The list for a server, which grows with what its workers say from now on."""
        return self._lines.setdefault(url, [])

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
                for method, parameters in (
                    ("Target.detachFromTarget", {"sessionId": session}),
                    ("Target.closeTarget", {"targetId": target}),
                ):
                    with contextlib.suppress(playwright.Error):  # it has ended by itself
                        await self._session.send(method, parameters)

    def _received(self, event: dict[str, Any]) -> None:
        lines = self._lines.get(self._origins.get(event["sessionId"], ""))
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
