"""Events that flow while something else is tested, from HTTP and from tabs; and whether all arrived, once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.client import HTTPException
from typing import Any

from tests.running import Server

from . import room
from .driver import Page, wait

BATCH_SECONDS = 0.1

# Sends the form again and again, each time with another text; what was sent is counted
_SAY = """((name, pause) => {
    const field = document.querySelector('[data-testid="room-text"]');
    window.said = 0;
    window.saying = setInterval(() => {
        field.value = `${name} says ${window.said++}`;
        field.form.requestSubmit();
    }, pause);
})"""


class Flow(threading.Thread):
    """Publishes ``events`` a second over HTTP, and has tabs publish ``publishes`` a second, all to the room."""

    def __init__(self, server: Server, pages: list[Page], *, events: int, publishes: int) -> None:
        super().__init__(name="flow", daemon=True)
        self.acknowledged: dict[str, int] = {}
        self._server = server
        self._pages = pages
        self._batch = int(events * BATCH_SECONDS)
        self._pause = 1000 * len(pages) / publishes
        self._number = 0
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin."""
        super().start()
        for number, page in enumerate(self._pages):
            page.evaluate(f"{_SAY}('tab {number}', {self._pause})")

    def run(self) -> None:
        """The thread: a batch at a time, none of which is given up."""
        due = time.monotonic()
        while not self._stopping.is_set():
            self._publish([self._event() for _ in range(self._batch)])
            due += BATCH_SECONDS
            self._stopping.wait(max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End, and wait for that."""
        self._said = [page.evaluate("(clearInterval(window.saying), window.said)") for page in self._pages]
        self._stopping.set()
        self.join(timeout=60)

    def wait_more(self, pages: list[Page], count: int) -> None:
        """Wait until each tab has taken so many events more."""
        for page in pages:
            before = taken(page)
            wait(lambda: taken(page)[2], lambda now: now >= before[2] + count, f"{page!r} to take {count} more events")  # noqa: B023

    def check(self) -> None:
        """All that was acknowledged is in the log, once; each tab has taken all of it since its first, once."""
        assert len(self.acknowledged) == self._number, "not all that was published was acknowledged"
        events = self._server.history("room")
        seqs = {event["id"]: event["seq"] for event in events}
        lost = [(each, seq) for each, seq in self.acknowledged.items() if seqs.get(each) != seq]
        assert not lost, f"{len(lost)} acknowledged over HTTP, and not in the log with that seq: {lost[:10]}"
        texts = Counter(event["data"]["text"] for event in events)
        assert [text for text, count in texts.items() if count > 1] == []
        said = {f"tab {number} says {each}" for number, count in enumerate(self._said) for each in range(count)}
        assert said - set(texts) == set()
        for page in self._pages:
            self._check_tab(page, events)

    def _check_tab(self, page: Page, events: list[dict[str, Any]]) -> None:
        last = events[-1]["seq"]
        first, _, count = wait(lambda: taken(page), lambda seen: seen[1] == last, f"{page!r} to have the last event")
        assert count == len([event for event in events if event["seq"] >= first]), f"{page!r} lost events"
        assert page.diagnostics()["tab"]["gaps"] == 0
        room.wait_listed(page, room.logged(self._server))

    def _event(self) -> dict[str, Any]:
        self._number += 1
        return {"id": f"flow-{self._number}", "data": {"text": f"flow {self._number}", "author": "flow"}}

    def _publish(self, events: list[dict[str, Any]]) -> None:
        while True:
            try:
                status, answer = self._server.post("room", events)
            except (OSError, HTTPException, ValueError):  # the server is away
                status, answer = 0, None
            if status in (200, 201) and answer is not None:
                for event, place in zip(events, answer, strict=True):
                    self.acknowledged[event["id"]] = place["seq"]
                return
            time.sleep(BATCH_SECONDS)


def taken(page: Page) -> tuple[int, int, int]:
    """The first and last seq of the room's events that a tab has taken, and how many they were."""
    first, last, count = page.diagnostics()["tab"]["taken"].get("room", (0, 0, 0))
    return first, last, count
