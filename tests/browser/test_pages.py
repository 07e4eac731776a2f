"""The pages in normal use: the home page lives, nothing is complained of, and a wrong path has a page of its own."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, wait

NewBrowser = Callable[[str], Browser]


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_home_shows_the_line_and_the_host(make_server: Callable[..., Server], new_browser: NewBrowser) -> None:
    """``/`` becomes live, counts tabs, sockets and browsers, and the host's figures arrive and go on."""
    server = make_server(FEEDS="host")
    server.start()
    browser = new_browser(server.url)
    page = browser.open("/")
    page.wait_line()
    page.wait_text("line-state", "Live")
    for name in ("tabs-count", "sockets-count", "browsers-count"):
        page.wait_text(name, "1")
    page.wait_text("host-cpu", lambda text: text.endswith(" %"))
    page.wait_text("host-memory", lambda text: text.endswith(" GB"))
    page.wait_text("host-network", lambda text: "↓" in text)
    points = "document.querySelector('[data-testid=trend-cpu]').getAttribute('points').split(' ').length"
    wait(lambda: page.evaluate(points), lambda count: count >= 3, "three points in the processor's trend")
    marks = page.marks()
    assert marks["ui-ready"] < marks["line-live"]

    second = browser.open("/")
    second.wait_line()
    for each in (page, second):
        each.wait_text("tabs-count", "2")
        each.wait_text("sockets-count", "1")
    assert page.errors + second.errors + browser.worker_console[1:] == []


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_diagnostics(browser: Browser, server: Server) -> None:
    """``window.partyline.diagnostics()`` tells what the contract names, and truly."""
    room.fill(server, ["one", "two"])
    page = browser.open("/room")
    page.wait_line()
    room.wait_listed(page, room.logged(server))
    told = page.diagnostics()
    status = server.status()
    assert {name: told[name] for name in ("epoch", "seq", "tabs", "sockets_opened")} == {
        "epoch": status["epoch"],
        "seq": status["seq"],
        "tabs": 1,
        "sockets_opened": 1,
    }
    assert told["topics"] == ["room"]
    assert (told["gaps"], told["duplicates"], told["dropped"]) == (0, 0, 0)
    assert told["python"].startswith("3.")
    assert told["generation"]


def test_no_complaints_in_normal_use(browser: Browser, server: Server) -> None:
    """Neither page nor worker writes an error or a warning; all pages in one browser, messages sent and received."""
    home = browser.open("/")
    page = browser.open("/room")
    others = [browser.open(path) for path in ("/notebook", "/notebook/first-steps")]
    for each in (home, page, *others):
        each.wait_line()
    page.click("room-send")
    room.say(page, "typed")
    wait(lambda: len(room.items(page)), lambda count: count == 2, "two messages")
    home.wait_text("tabs-count", "4")
    page.reload()
    page.wait_line()
    wait(lambda: len(room.items(page)), lambda count: count == 2, "two messages after the reload")
    said = [line for each in (home, page, *others) for line in each.console] + browser.worker_console
    assert [line for line in said if line.is_error or line.kind == "warning"] == []


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_a_notebook_is_opened_by_its_name(browser: Browser, server: Server) -> None:
    """``/notebook`` asks for a name, and goes there; one that does not exist yet has one empty cell."""
    page = browser.open("/notebook")
    page.wait_line()
    page.type("new-name", "my_first-1")
    page.click("new-open")
    page.wait_text("notebook-title", "my_first-1")
    cells = "[...document.querySelectorAll('[data-testid=cell]')].map(cell => cell.dataset.state)"
    wait(lambda: page.evaluate(cells), lambda seen: seen == ["idle"], "one cell")


@pytest.mark.engines("chromium", why="it is the server that is tested")
@pytest.mark.parametrize("path", ["/nowhere", "/room/", "/py/nothing.py", "/%3Cscript%3E", "/notebook/a.b"])
def test_a_wrong_path_has_a_page(browser: Browser, server: Server, path: str) -> None:
    """404, in HTML where a browser asks, with a way home."""
    request = urllib.request.Request(server.url + path, headers={"Accept": "text/html,*/*;q=0.8"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    with caught.value as answer:
        assert answer.status == 404
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = browser.open(path)
    assert page.evaluate("document.querySelector('h1').textContent") == "404"
    assert page.evaluate("document.querySelector('main a').getAttribute('href')") == "/"
