"""However many tabs, one socket: counted by the server, not by us."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, wait
from .proxy import Proxy

NewBrowser = Callable[[str], Browser]


def wait_counts(server: Server, sockets: int, browsers: int, seconds: float = 60) -> None:
    """Wait until the server counts so many."""

    def counts() -> tuple[int, int]:
        status = server.status()
        return status["sockets"], status["browsers"]

    wanted = (sockets, browsers)
    wait(counts, lambda seen: seen == wanted, f"{sockets} sockets and {browsers} browsers at the server", seconds)


@pytest.mark.plain_http
def test_five_tabs_one_socket(server: Server, new_browser: NewBrowser) -> None:
    """5 tabs are one socket and one browser; a second browser is the second of both; messages reach every tab."""
    browser = new_browser(server.url)
    tabs = [browser.open("/room") for _ in range(5)]
    for tab in tabs:
        tab.wait_line()
        tab.wait_text("room-count", "1")
        tab.wait_text("room-status", "open")
    wait_counts(server, 1, 1)
    assert tabs[0].diagnostics()["tabs"] == 5

    other = new_browser(server.url).open("/room")
    other.wait_line()
    wait_counts(server, 2, 2)
    for page in (*tabs, other):
        page.wait_text("room-count", "2")
    assert len({page.text("room-id") for page in tabs}) == 1
    assert other.text("room-id") != tabs[0].text("room-id")

    room.say(tabs[1], "from the first browser")
    room.say(other, "from the second")
    tabs[4].click("room-send")
    wait(lambda: len(room.logged(server)), lambda count: count == 3, "three messages in the log")
    for page in (*tabs, other):
        room.wait_listed(page, room.logged(server))
        room.wait_sent(page)
        assert page.errors == []
    assert tabs[0].diagnostics()["sockets_opened"] == 1


@pytest.mark.plain_http
@pytest.mark.alone(why="a frozen line is not to be taken for dead", HEARTBEAT_MS="60000")
def test_a_late_tab_gets_its_list_from_the_worker(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """It shows what the first shows while the line is frozen, and no request is made for it but the page's files."""
    room.fill(server, [f"before {number}" for number in range(30)])
    browser = new_browser(proxy.url)
    first = browser.open("/room")
    room.wait_listed(first, room.logged(server))
    room.say(first, "live")
    wait(lambda: len(room.logged(server)), lambda count: count == 31, "the live message in the log")
    room.wait_listed(first, room.logged(server))

    asked = len(proxy.requests)
    proxy.freeze()
    late = browser.open("/room")
    late.wait_line()
    room.wait_listed(late, room.items(first))
    assert [path for path in proxy.requests[asked:] if path.startswith(("/api", "/ws", "/worker/boot.json"))] == []
    assert late.evaluate("performance.getEntriesByType('resource').filter(e => e.name.includes('/api')).length") == 0
    proxy.thaw()
    assert late.diagnostics()["sockets_opened"] == 1
    wait_counts(server, 1, 1)

    room.say(late, "from the late tab")
    wait(lambda: len(room.logged(server)), lambda count: count == 32, "its own message in the log")
    for page in (first, late):
        room.wait_listed(page, room.logged(server))


def test_the_count_falls_when_the_last_tab_is_closed(server: Server, new_browser: NewBrowser) -> None:
    """A tab's leaving keeps the socket, the last one's ends it after the grace; another browser is told."""
    browser, other = new_browser(server.url), new_browser(server.url)
    tabs = [browser.open("/room"), browser.open("/")]
    witness = other.open("/room")
    for page in (*tabs, witness):
        page.wait_line()
    witness.wait_text("room-count", "2")
    tabs[0].close()
    tabs[1].wait_text("tabs-count", "1")
    wait_counts(server, 2, 2)
    tabs[1].close()
    wait_counts(server, 1, 1)
    witness.wait_text("room-count", "1")


def test_a_tab_opened_after_all_were_closed(server: Server, new_browser: NewBrowser) -> None:
    """The worker may live on without a socket: the next tab brings the line back, with what was missed."""
    browser = new_browser(server.url)
    first = browser.open("/room")
    first.wait_line()
    room.say(first, "while there")
    room.wait_sent(first)
    first.close()
    wait_counts(server, 0, 0)
    room.fill(server, ["while away 1", "while away 2"])
    second = browser.open("/room")
    second.wait_line()
    room.wait_listed(second, room.logged(server))
    wait_counts(server, 1, 1)
