"""Who is who, as the pages show it: names that are proven and names that are not; a teacher who signs in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, Page, wait

NewBrowser = Callable[[str], Browser]

WHO = """[...document.querySelectorAll('[data-testid=room-list] li')].map(item =>
    [item.querySelector('.text').textContent, !!item.querySelector('.unproven'), item.classList.contains('mine')])"""


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_a_name_that_is_not_proven_says_so(server: Server, new_browser: NewBrowser) -> None:
    """By HTTP, under one's own name and under another's: the room tells which is which, in every browser."""
    one, two = new_browser(server.url), new_browser(server.url)
    speaker, listener = one.open("/room"), two.open("/room")
    for page in (speaker, listener):
        page.wait_line()
    name = speaker.text("room-id")
    assert listener.text("room-id") != name
    room.say(speaker, "as myself")
    room.wait_sent(speaker)
    server.post("room", {"data": {"text": "as somebody", "author": name}})
    impostor = (
        "fetch('/api/topics/room/events', {method: 'POST', body: JSON.stringify({data: BODY})}).then(a => a.status)"
    )
    body = f'{{"text": "in the name of another", "author": "{name}"}}'
    assert listener.evaluate(impostor.replace("BODY", body)) == 201
    for page, mine in ((speaker, "as myself"), (listener, "in the name of another")):
        room.wait_listed(page, room.logged(server))
        assert page.evaluate(WHO) == [
            [text, unproven, text == mine]
            for text, unproven in (("as myself", False), ("as somebody", True), ("in the name of another", True))
        ]


@pytest.mark.engines("chromium", "firefox", why="the same Python everywhere, and slow to start in WebKitGTK")
def test_a_browser_keeps_its_name_over_reloads_and_no_script_can_read_why(
    server: Server, new_browser: NewBrowser
) -> None:
    browser = new_browser(server.url)
    page = browser.open("/room")
    page.wait_line()
    name = page.text("room-id")
    assert page.evaluate("document.cookie") == ""
    page.reload()
    page.wait_line()
    assert page.text("room-id") == name
    second = browser.open("/room")
    second.wait_line()
    assert second.text("room-id") == name


@pytest.mark.engines("chromium", why="it is the server that is tested")
def test_a_teacher_signs_in_and_out(make_server: Callable[..., Server], new_browser: NewBrowser) -> None:
    server = make_server(TOKEN="a token of sixteen")
    server.start()
    page = new_browser(server.url).open("/sign-in")
    page.type("token", "a guess")
    page.click("sign-in")
    wait(lambda: heading(page, ".sign-in .notice"), lambda seen: "not this server" in seen, "the refusal")
    page.type("token", "a token of sixteen")
    page.click("sign-in")
    page.wait_line()  # the home page
    publish = "fetch('/api/topics/room/events', {method: 'POST', body: '{\"data\": 1}'}).then(a => a.status)"
    assert page.evaluate(publish) == 201
    assert "Teacher" in heading(page, "nav")
    page.evaluate("document.querySelector('nav a[href=\"/sign-in\"]').click()")
    wait(lambda: heading(page, "h1"), lambda seen: seen == "You are signed in", "the page that says so")
    page.click("sign-out")
    wait(lambda: heading(page, "h1"), lambda seen: seen == "Sign in as the teacher", "the form")
    assert page.evaluate(publish) == 401


def heading(page: Page, selector: str) -> str:
    """The text of the first element that a selector finds, empty for none."""
    return str(page.evaluate(f"document.querySelector('{selector}')?.textContent ?? ''")).strip()
