"""A reload of the only tab is survived."""

from __future__ import annotations

import threading

import pytest

from tests.running import Server

from . import room
from .driver import Browser, Engine, wait

SURVIVING = ("generation", "worker", "object", "sockets_opened")
"""What a worker that outlives a reload tells as it did before; ``object`` is the id of its session in its Python."""


@pytest.mark.plain_http
def test_reload_of_the_only_tab(server: Server, browser: Browser, engine: Engine) -> None:
    """The line is back, the list complete, one socket; where the worker can outlive the tab, it is the same one."""
    room.fill(server, [f"before {number}" for number in range(20)])
    page = browser.open("/room")
    page.wait_line()
    room.say(page, "sent before the reload")
    room.wait_sent(page)
    room.wait_listed(page, room.logged(server))
    me, before = page.text("room-id"), page.diagnostics()

    for turn in range(3 if engine.extended_lifetime else 1):
        page.reload()
        page.wait_line()
        room.wait_listed(page, room.logged(server))
        assert page.text("room-id") == me
        room.say(page, f"sent after reload {turn}")
        room.wait_sent(page)
        room.wait_listed(page, room.logged(server))
        page.wait_text("room-count", "1")
        now = page.diagnostics()
        wait(server.status, lambda status: (status["sockets"], status["browsers"]) == (1, 1), "one socket, one browser")
        assert now["sockets_opened"] == 1
        assert now["tabs"] == 1
        if engine.extended_lifetime:
            assert {key: now[key] for key in SURVIVING} == {key: before[key] for key in SURVIVING}
    assert page.errors == []


@pytest.mark.engines("chromium", why="elsewhere the worker may end with the message")
def test_a_message_sent_just_before_a_reload(server: Server, browser: Browser, engine: Engine) -> None:
    """What was sent is the worker's affair: the tab may go at once."""
    page = browser.open("/room")
    page.wait_line()
    room.say(page, "sent, then reloaded at once")
    page.reload()
    page.wait_line()
    room.wait_listed(page, room.logged(server))
    if engine.extended_lifetime:
        assert [text for _, text in room.items(page)] == ["sent, then reloaded at once"]


@pytest.mark.engines("chromium", why="elsewhere the worker ends with its last tab")
def test_the_server_sees_nothing_of_a_reload(server: Server, browser: Browser) -> None:
    """Its count of sockets and browsers is one all the time."""
    page = browser.open("/room")
    page.wait_line()
    seen: set[tuple[int, int]] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            status = server.status()
            seen.add((status["sockets"], status["browsers"]))
            stop.wait(0.02)

    looker = threading.Thread(target=look)
    looker.start()
    for _ in range(3):
        page.reload()
        page.wait_line()
    stop.set()
    looker.join()
    assert seen == {(1, 1)}
