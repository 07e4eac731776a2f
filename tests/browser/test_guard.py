"""Where a tab cannot start, or is given what it cannot show, it says so and goes on with the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, wait
from .proxy import Proxy

HINT = "document.querySelector('[data-testid=room-empty]').hidden"
pytestmark = pytest.mark.engines("chromium", why="the same Python and guard.js everywhere")

NewBrowser = Callable[[str], Browser]


@pytest.mark.parametrize("part", ["*/core.js", "*/micropython.mjs", "*/micropython.wasm", "/py/tab.py", "/py/room.py"])
def test_a_part_of_the_page_that_cannot_be_loaded_is_told(proxy: Proxy, new_browser: NewBrowser, part: str) -> None:
    proxy.fail(part, 503)
    page = new_browser(proxy.url).open("/room")
    page.wait_line("failed")
    page.wait_text("line-notice", lambda text: "eload" in text or "did not start" in text)
    proxy.mend()
    page.reload()
    page.wait_line()


def test_figures_that_are_none_do_not_stop_the_others(server: Server, browser: Browser) -> None:
    for data in (None, 5, [], {"percent": "much"}, {"percent": None}):
        server.post("host.cpu", {"data": data})
    page = browser.open("/")
    page.wait_line()
    wait(page.marks, lambda marks: "line-live" in marks, "the mark line-live")
    server.post("host.cpu", {"data": {"percent": 42.0, "cores": 2}})
    page.wait_text("host-cpu", "42 %")
    assert page.errors == []


def test_a_room_where_nobody_spoke_says_so_only_when_it_is_known(server: Server, browser: Browser) -> None:
    page = browser.open("/room")
    page.wait_line()
    wait(
        lambda: page.evaluate("document.querySelector('[data-testid=room-empty]').hidden"),
        lambda it: not it,
        "the hint",
    )
    room.say(page, "hello")
    wait(lambda: page.evaluate("document.querySelector('[data-testid=room-empty]').hidden"), bool, "no hint")
