"""The room's messages: who reads older ones is told of new ones, and the field to write in is always in view."""

from __future__ import annotations

import pytest

from tests.running import Server

from .driver import Browser, Page, wait

pytestmark = pytest.mark.engines("chromium", why="the page's own Python, the same everywhere")

LIST = "document.querySelector('[data-testid=room-list]')"
AT_END = f"{LIST}.scrollHeight - {LIST}.scrollTop - {LIST}.clientHeight < 40"


def say(server: Server, page: Page, *texts: str) -> None:
    """Have somebody else say this, and wait until it is shown."""
    server.post("room", [{"data": {"text": text, "author": "me"}} for text in texts])
    wait(lambda: page.text("room-list"), lambda seen: texts[-1] in seen, texts[-1])


def test_who_reads_older_messages_is_told_of_new_ones(server: Server, browser: Browser) -> None:
    page = browser.open("/room")
    page.wait_line()
    say(server, page, *[f"old-{number}" for number in range(60)])
    assert page.evaluate(AT_END)
    assert page.text("room-new") == ""
    page.evaluate(f"{LIST}.scrollTop = 0")
    say(server, page, "new-1", "new-2")
    page.wait_text("room-new", "2 new messages ↓")
    assert page.evaluate(f"{LIST}.scrollTop") == 0
    page.click("room-new")
    page.wait_text("room-new", "")
    assert page.evaluate(AT_END)
    say(server, page, "new-3")
    assert page.evaluate(AT_END)
    page.evaluate(f"{LIST}.scrollTop = 0")
    page.type("room-text", "mine\n")
    wait(lambda: page.text("room-list"), lambda seen: "mine" in seen, "my message")
    wait(lambda: page.evaluate(AT_END), bool, "the end, where one's own message is")
    assert page.text("room-new") == ""
    assert page.errors == []
