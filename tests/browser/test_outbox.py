"""What was typed outlives tabs and worker: it is sent once, in order, when the server is back."""

from __future__ import annotations

from collections.abc import Callable

from tests.running import Server

from . import room
from .driver import Browser, wait

NewBrowser = Callable[[str], Browser]


def test_typed_while_the_server_is_away_then_all_is_closed(server: Server, browser: Browser) -> None:
    """All tabs are closed and the worker ends; a tab of the next day sends what was typed, and shows it."""
    pages = [browser.open("/room") for _ in range(2)]
    for page in pages:
        page.wait_line()
    room.say(pages[0], "sent at once")
    room.wait_sent(pages[0])
    before = pages[0].diagnostics()["generation"]
    server.kill()
    typed = [f"typed while the server is away {number}" for number in range(12)]
    for number, text in enumerate(typed):
        room.say(pages[number % 2], text)
        wait(pages[0].diagnostics, lambda told: told["outbox"] == number + 1, "the worker to have it")  # noqa: B023
    pages[1].wait_text("room-pending", "12 on the way…")
    for page in pages:
        page.close()
    browser.end_workers()

    server.start()
    page = browser.open("/room")
    page.wait_line()
    assert page.diagnostics()["generation"] != before
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["sent at once", *typed]
    room.wait_listed(page, room.logged(server))
    assert page.errors == []
    assert [line.text for line in browser.worker_console if "outbox" in line.text] == []
