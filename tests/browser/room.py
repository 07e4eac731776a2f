"""The room as the tests see it: what a tab shows, what the server's log holds, and messages that flow meanwhile."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any

from tests.running import Server

from .driver import Page, wait

MAX_SHOWN = 200  # a tab shows this many of the last messages

_ITEMS = """[...document.querySelectorAll('[data-testid="room-list"] > li')]
    .map(item => [Number(item.dataset.seq), item.querySelector('.text').textContent])"""

# Notes each state of the line, each message that is added to the list, and the list where it is not in order
_WATCH = """(() => {
    const html = document.documentElement, list = document.querySelector('[data-testid="room-list"]');
    const watched = window.watched = {states: [html.dataset.line], added: [], disorder: []};
    const seqs = () => [...list.children].map(item => Number(item.dataset.seq));
    new MutationObserver(() => watched.states.push(html.dataset.line))
        .observe(html, {attributes: true, attributeFilter: ['data-line']});
    new MutationObserver(records => {
        for (const record of records)
            for (const item of record.addedNodes)
                watched.added.push([Number(item.dataset.seq), item.querySelector('.text').textContent]);
        if (seqs().some((seq, at, all) => at && seq <= all[at - 1])) watched.disorder.push(seqs());
    }).observe(list, {childList: true});
})()"""

Item = tuple[int, str]


def items(page: Page) -> list[Item]:
    """The messages that a tab shows: seq and text, in the page's order."""
    return [(seq, text) for seq, text in page.evaluate(_ITEMS)]


def say(page: Page, text: str) -> None:
    """Type a message in a tab, and send it."""
    page.type("room-text", text)
    page.click("room-send")


def wait_sent(page: Page) -> None:
    """Wait until all that the tab's browser has sent is acknowledged, and the tab shows it."""
    # asked over the port that the messages took, so the answer counts them; what is drawn may be a frame behind
    wait(lambda: page.diagnostics()["outbox"], lambda count: count == 0, f"{page!r}: all messages to be acknowledged")
    page.wait_text("room-pending", "")


def logged(server: Server) -> list[Item]:
    """The messages that the server's log holds."""
    return [(event["seq"], event["data"]["text"]) for event in server.history("room")]


def fill(server: Server, texts: Iterable[str]) -> None:
    """Publish messages over HTTP, in one batch."""
    status, answer = server.post("room", [{"data": {"text": text, "author": "http"}} for text in texts])
    assert status == 201, answer


def wait_listed(page: Page, wanted: list[Item]) -> None:
    """Wait until a tab shows just these messages: the last ``MAX_SHOWN`` of them."""
    wanted = wanted[-MAX_SHOWN:]
    wait(lambda: difference(items(page), wanted), lambda seen: not seen, f"{page!r} to show {len(wanted)} messages")


def difference(shown: list[Item], wanted: list[Item]) -> str:
    """How two lists differ, in a few words; empty if they do not."""
    if shown == wanted:
        return ""
    counts = Counter(shown)
    missing = [item for item in wanted if item not in counts]
    extra = [item for item in counts if item not in wanted]
    twice = [item for item, count in counts.items() if count > 1]
    parts = {"missing": missing, "not in the log": extra, "twice": twice}
    told = [f"{len(found)} {name}: {found[:5]}" for name, found in parts.items() if found]
    return "; ".join(told) or "in another order"


def watch(page: Page) -> None:
    """From now on, note the line's states, what is added to the list, and whether it is in order."""
    page.evaluate(_WATCH)


def states(page: Page) -> list[str]:
    """The line's states since ``watch``, the one at that time included."""
    seen: list[str] = page.evaluate("window.watched.states")
    return seen


def added(page: Page) -> list[Item]:
    """The messages added to the list since ``watch``, whether or not they still stand there."""
    return [(seq, text) for seq, text in page.evaluate("window.watched.added")]


def disorder(page: Page) -> list[list[int]]:
    """The lists shown since ``watch`` that were not in order, or held a message twice."""
    seen: list[list[int]] = page.evaluate("window.watched.disorder")
    return seen


class Publisher(threading.Thread):
    """Publishes to the room over HTTP until stopped; tries again, with the same id, what was not acknowledged.

    ``acknowledged`` has the seq of each id that the server answered for.
    """

    PAUSE = 0.1  # seconds; a tab that is away for the longest backoff misses less than it shows, so skips none

    def __init__(self, server: Server) -> None:
        super().__init__(name="publisher", daemon=True)
        self.acknowledged: dict[str, int] = {}
        self._server = server
        self._stopping = threading.Event()

    def run(self) -> None:
        """The thread."""
        while not self._stopping.wait(self.PAUSE):
            number = len(self.acknowledged) + 1
            event_id = f"publisher-{number}"
            event = {"id": event_id, "data": {"text": f"published {number}", "author": "publisher"}}
            answer = self._post(event)
            if answer is not None:
                self.acknowledged[event_id] = answer["seq"]

    def stop(self) -> None:
        """End, and wait for that."""
        self._stopping.set()
        self.join(timeout=30)

    def _post(self, event: dict[str, Any]) -> dict[str, Any] | None:
        try:
            status, answer = self._server.post("room", event)
        except (OSError, HTTPException, ValueError):  # the server is away, or died while it answered
            return None
        return answer if status in (200, 201) else None
