"""The server dies and comes back: every tab comes back by itself, and nothing is lost, doubled or stale."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import Server

from . import room
from .driver import Browser, Page, wait

NewBrowser = Callable[[str], Browser]
KILLS = 3


def wait_state_seen(page: Page, state: str, since: int) -> None:
    """Wait until the line has been in this state, after its first ``since`` changes."""
    what = f"{page!r}: data-line={state} to be seen after a kill"
    wait(lambda: room.states(page)[since:], lambda seen: state in seen, what)


@pytest.mark.plain_http
def test_kill_while_messages_flow(server: Server, new_browser: NewBrowser) -> None:
    """kill -9 three times, with a publisher over HTTP and tabs of two browsers sending, before and during it."""
    browser, other = new_browser(server.url), new_browser(server.url)
    pages = [*(browser.open("/room") for _ in range(3)), other.open("/room")]
    for page in pages:
        page.wait_line()
        room.watch(page)
    typed: list[str] = []

    def everybody_says(what: str) -> None:
        for number, page in enumerate(pages, 1):
            typed.append(f"{what}, tab {number}")
            room.say(page, typed[-1])

    publisher = room.Publisher(server)
    publisher.start()
    for kill in range(1, KILLS + 1):
        for page in pages:
            shown = len(room.added(page))
            wait(lambda: len(room.added(page)), lambda count: count > shown + 3, f"{page!r}: messages to flow")  # noqa: B023
        changes = [len(room.states(page)) for page in pages]
        everybody_says(f"just before kill {kill}")
        server.kill()
        for page, since in zip(pages, changes, strict=True):
            wait_state_seen(page, "offline", since)
        everybody_says(f"after kill {kill}")
        server.start()
        for page in pages:
            page.wait_line()
    publisher.stop()

    for page in pages:
        room.wait_sent(page)
    events = server.history("room")
    seqs = {event["id"]: event["seq"] for event in events}
    lost = {each: seq for each, seq in publisher.acknowledged.items() if seqs.get(each) != seq}
    assert not lost, f"acknowledged over HTTP, and not in the log with that seq: {lost}"
    texts = [event["data"]["text"] for event in events]
    assert len(texts) == len(set(texts))
    assert set(typed) <= set(texts)
    assert [text for text in texts if text.startswith("published")] == [
        f"published {number + 1}" for number in range(len(texts) - len(typed))
    ]
    for page in pages:
        room.wait_listed(page, room.logged(server))
        assert room.difference(room.added(page), room.logged(server)) == ""
        assert room.disorder(page) == []
        assert page.errors == []
    assert [page.diagnostics()["dropped"] for page in (pages[0], pages[-1])] == [0, 0]


@pytest.mark.engines("chromium", why="the kill shows more")
def test_an_orderly_restart(server: Server, browser: Browser) -> None:
    """A server that is asked to end, and started again, is no other case for the tabs."""
    page = browser.open("/room")
    page.wait_line()
    room.watch(page)
    room.say(page, "before")
    room.wait_sent(page)
    server.stop()
    wait_state_seen(page, "offline", 0)
    server.start()
    page.wait_line()
    room.say(page, "after")
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["before", "after"]
    room.wait_listed(page, room.logged(server))


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_another_log(make_server: Callable[..., Server], new_browser: NewBrowser) -> None:
    """The server comes back with another database: tabs drop the old list and show the new log's, then go on."""
    server, donor = make_server(), make_server()
    for each, texts in ((server, [f"old {number}" for number in range(5)]), (donor, ["new 0", "new 1"])):
        each.start()
        room.fill(each, texts)
    donor.stop()
    browser = new_browser(server.url)
    pages = [browser.open("/room") for _ in range(2)]
    for page in pages:
        room.wait_listed(page, room.logged(server))
    server.kill()
    replace_database(server, donor)
    for page in pages:
        wait(lambda: page.line, lambda line: line != "live", f"{page!r} to notice")  # noqa: B023
    room.say(pages[0], "typed between two logs")
    server.start()
    wait(lambda: len(room.logged(server)), lambda count: count == 3, "what was typed to be in the new log")
    assert [text for _, text in room.logged(server)] == ["new 0", "new 1", "typed between two logs"]
    for page in pages:
        page.wait_line()
        room.wait_listed(page, room.logged(server))
    room.fill(server, ["and on"])
    for page in (*pages, browser.open("/room")):
        room.wait_listed(page, room.logged(server))
        assert page.errors == []


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_an_empty_log(server: Server, browser: Browser) -> None:
    """The server comes back with an empty database: the lists become empty, and fill again."""
    room.fill(server, ["old 0", "old 1"])
    pages = [browser.open("/room") for _ in range(2)]
    for page in pages:
        room.wait_listed(page, room.logged(server))
    server.kill()
    remove_database(server)
    server.start()
    for page in pages:
        room.wait_listed(page, [])
        page.wait_line()
    room.fill(server, ["new 0"])
    for page in pages:
        room.wait_listed(page, room.logged(server))


def remove_database(server: Server) -> None:
    """Remove the log's file, and those that SQLite keeps beside it."""
    for path in server.folder.glob("events.db*"):
        path.unlink()


def replace_database(server: Server, donor: Server) -> None:
    """Give a server that does not run the log of another that does not run."""
    remove_database(server)
    for path in sorted(Path(donor.folder).glob("events.db*")):
        shutil.copy(path, server.folder / path.name)
