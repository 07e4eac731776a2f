"""Over TLS, as ``hypercorn --certfile … --keyfile …`` serves it: HTTP/2, and the line live on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser

NewBrowser = Callable[[str], Browser]

PROTOCOLS = "performance.getEntriesByType('resource').map(entry => entry.nextHopProtocol)"


@pytest.mark.engines("chromium", why="it is the server that is tested")
def test_the_room_goes_live_over_https(make_server: Callable[..., Server], new_browser: NewBrowser) -> None:
    """The certificate's authority is not one that the browser knows; it was told to go on all the same."""
    server = make_server()
    server.secure()
    server.hypercorn += ("--access-logfile", "-", "--keep-alive", "60")
    server.start()
    browser = new_browser(server.url)
    page = browser.open("/room")
    page.wait_line()
    assert page.evaluate("window.isSecureContext")
    assert set(page.evaluate(PROTOCOLS)) == {"h2"}
    room.say(page, "whispered")
    room.wait_sent(page)
    room.wait_listed(page, room.logged(server))
    assert [text for _, text in room.logged(server)] == ["whispered"]
    second = browser.open("/room")
    second.wait_line()
    room.wait_listed(second, room.logged(server))
    assert server.status()["sockets"] == 1
    assert page.errors + second.errors + browser.worker_console[1:] == []  # the first tells the version
    assert '"GET /ws 2"' in server.log, "the line itself is a stream of the connection that the page has"
    server.stop()
    page.wait_line("offline")
