"""A tab that was away, in the background, frozen, in the back/forward cache, or crashed: it shows what it missed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import notebook, room
from .driver import Browser, Engine, Page, wait

NewBrowser = Callable[..., Browser]


def test_a_tab_in_the_background_is_told_less_and_misses_nothing(server: Server, new_browser: NewBrowser) -> None:
    """The worker knows that nobody sees it, and tells it now and then what came; back in view it follows again."""
    browser = new_browser(server.url, hides=True)
    page, other = browser.open("/room"), browser.open("/room")
    for each in (page, other):
        each.wait_line()
    page.background()
    page.wait_visibility("hidden")
    wait(lambda: other.diagnostics()["hidden"], lambda count: count >= 1, "the worker to know")
    room.fill(server, [f"while hidden {number}" for number in range(20)])
    wait(
        lambda: page.diagnostics()["tab"]["taken"].get("room", [0, 0, 0])[2],
        lambda count: count == 20,
        "a hidden tab to be told",
    )
    page.foreground()
    page.wait_visibility("visible")
    room.fill(server, ["in view again"])
    room.wait_listed(page, room.logged(server))
    assert page.diagnostics()["tab"]["gaps"] == 0


@pytest.mark.engines("chromium", why="no other engine's driver can freeze a tab")
def test_a_frozen_tab_shows_what_it_missed(server: Server, new_browser: NewBrowser) -> None:
    browser = new_browser(server.url, hides=True)
    page, other = browser.open("/room"), browser.open("/room")
    for each in (page, other):
        each.wait_line()
    page.background()
    page.freeze()
    room.fill(server, [f"while frozen {number}" for number in range(300)])
    room.wait_listed(other, room.logged(server))
    generation = other.diagnostics()["generation"]
    page.thaw()
    page.foreground()
    room.wait_listed(page, room.logged(server))
    assert page.diagnostics()["tab"]["gaps"] == 0
    assert page.diagnostics()["generation"] == generation, "its own sleep is not the worker's silence"


def test_a_page_in_the_back_forward_cache_shows_what_it_missed(
    server: Server, new_browser: NewBrowser, engine: Engine
) -> None:
    """Whether the engine kept the page or loads it anew, it shows all."""
    browser = new_browser(server.url, hides=engine.name.startswith("chromium"))
    page = browser.open("/room")
    page.wait_line()
    room.say(page, "before")
    room.wait_sent(page)

    def shown() -> None:
        page.wait_line()
        room.wait_listed(page, room.logged(server))

    come_back(page, engine, lambda: room.fill(server, ["while away 1", "while away 2"]), shown)
    before = len(room.logged(server))
    room.say(page, "after")
    room.wait_sent(page)
    wait(lambda: len(room.logged(server)), lambda count: count == before + 1, "its message in the log")
    room.wait_listed(page, room.logged(server))


def come_back(page: Page, engine: Engine, meanwhile: Callable[[], None], shown: Callable[[], None]) -> None:
    """Go on to another page and back, until the engine has kept it: it lets go of it where a machine is loaded."""
    for _ in range(5):
        page.evaluate("window.kept = true")
        page.go("/api/status")
        meanwhile()
        page.back()
        shown()
        if not engine.keeps_pages or page.evaluate("window.kept === true"):
            return
    raise AssertionError("the engine loaded the page anew each time")


def test_a_notebook_in_the_back_forward_cache_goes_on(server: Server, new_browser: NewBrowser, engine: Engine) -> None:
    """The worker forgot the tab as it left, and knows it again: what it types, and what others do, is shown."""
    browser = new_browser(server.url, hides=engine.name.startswith("chromium"))
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    other = notebook.open_notebook(browser)
    notebook.wait_opened(other)
    text = "a = 1"
    other.type("cell-editor", text)

    def meanwhile() -> None:
        nonlocal text
        text += "\na += 1"
        other.type("cell-editor", "\na += 1")
        notebook.wait_texts(other, [text])

    def shown() -> None:
        notebook.wait_opened(page)
        notebook.wait_texts(page, [text])

    come_back(page, engine, meanwhile, shown)
    page.evaluate("document.querySelector('[data-testid=cell]').focus()")
    page.press("Enter", "Control+End")
    page.type("cell-editor", "\nprint(a)")
    notebook.wait_texts(other, [f"{text}\nprint(a)"])
    notebook.start(page, "first", "done")
    assert notebook.wait_ended(other, "first").output == str(1 + text.count("+"))


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK's driver ends with the tab that crashes")
def test_a_tab_that_crashes_is_counted_no_more(server: Server, browser: Browser) -> None:
    """The others go on; the worker knows that it is gone, and the server counts what is left."""
    page, victim = browser.open("/room"), browser.open("/room")
    for each in (page, victim):
        each.wait_line()
    wait(lambda: page.diagnostics()["tabs"], lambda tabs: tabs == 2, "two tabs")
    victim.crash()
    page.wait_line()
    wait(lambda: page.diagnostics()["tabs"], lambda tabs: tabs == 1, "one tab")
    room.say(page, "still here")
    room.wait_sent(page)
    room.wait_listed(page, room.logged(server))
    wait(lambda: server.status()["sockets"], lambda count: count == 1, "one socket")
