"""What the drivers say of their engines is true, and what they do to a tab really happens to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from .driver import Browser, DriverError, Engine, wait

NewBrowser = Callable[..., Browser]

PLAIN = "/css/icon.svg"  # a document without scripts, and without a line
WATCH = """(window.seen = [], addEventListener("pageshow", event => seen.push(event.persisted ? "kept" : "loaded")),
    ["freeze", "resume"].forEach(each => document.addEventListener(each, () => seen.push(each))))"""


@pytest.mark.plain_http
def test_an_engine_has_what_its_flags_say(engine: Engine, browser: Browser) -> None:
    page = browser.open(PLAIN)
    assert page.evaluate("isSecureContext") is engine.secure
    assert page.evaluate("navigator.locks !== undefined") is engine.has_locks
    assert page.evaluate("WebAssembly.Suspending !== undefined") is engine.has_jspi
    assert page.evaluate("typeof SharedWorker + typeof BroadcastChannel + typeof indexedDB") == "functionfunctionobject"


def test_browsers_have_nothing_in_common(server: Server, new_browser: NewBrowser) -> None:
    """Neither storage nor channels; the tabs of one browser have both in common."""
    one, two = new_browser(server.url), new_browser(server.url)
    pages = [one.open(PLAIN), one.open(PLAIN), two.open(PLAIN)]
    for page in pages:
        page.evaluate("window.heard = [], new BroadcastChannel('x').onmessage = event => heard.push(event.data)")
    pages[0].evaluate("localStorage.setItem('x', 'stored'), new BroadcastChannel('x').postMessage('said')")
    wait(lambda: pages[1].evaluate("heard"), lambda heard: heard == ["said"], "the message in the other tab")
    assert pages[1].evaluate("localStorage.getItem('x')") == "stored"
    assert pages[2].evaluate("[localStorage.getItem('x'), heard.length]") == [None, 0]


def test_a_page_is_asked(browser: Browser) -> None:
    """An expression's value, a promise's, an error's; and what it says to its console."""
    page = browser.open(PLAIN)
    assert page.evaluate("({a: [1, 'two', null]})") == {"a": [1, "two", None]}
    assert page.evaluate("new Promise(resolve => setTimeout(resolve, 10, 'late'))") == "late"
    with pytest.raises(DriverError, match="not so"):
        page.evaluate("Promise.reject(new Error('not so'))")
    page.evaluate("console.log('fine'), setTimeout(() => { throw new Error('thrown') }), console.error('a', 1)")
    wait(lambda: len(page.errors), lambda count: count == 2, "two errors")
    assert {"a 1", "thrown"} == {text for line in page.errors for text in ("a 1", "thrown") if text in line.text}
    page.evaluate("void setTimeout(() => alert('look'))")
    wait(lambda: [line.kind for line in page.errors], lambda kinds: kinds[2:] == ["dialog"], "the dialog")


def test_tabs_are_in_view_until_they_are_hidden(server: Server, new_browser: NewBrowser) -> None:
    browser = new_browser(server.url, hides=True)
    pages = [browser.open(PLAIN) for _ in range(3)]

    def seen() -> list[str]:
        return [page.evaluate("document.visibilityState") for page in pages]

    def wait_seen(*states: str) -> None:
        wait(seen, lambda found: found == list(states), f"tabs to be {states}")

    wait_seen("visible", "visible", "visible")
    pages[1].background()
    wait_seen("visible", "hidden", "visible")
    pages[1].foreground()
    wait_seen("visible", "visible", "visible")


def test_a_frozen_tab_does_nothing(engine: Engine, server: Server, new_browser: NewBrowser) -> None:
    page = new_browser(server.url, hides=True).open(PLAIN)
    page.evaluate(WATCH)
    if not engine.can_freeze:
        with pytest.raises(DriverError):
            page.freeze()
        return
    page.background()
    page.freeze()
    wait(lambda: page.evaluate("seen"), lambda seen: seen == ["freeze"], "the event")
    page.evaluate("void setTimeout(() => seen.push('timer'))")
    page.thaw()
    wait(lambda: page.evaluate("seen"), lambda seen: seen == ["freeze", "resume", "timer"], "the timer, at last")
    page.foreground()


def test_a_page_comes_back_from_the_cache(browser: Browser) -> None:
    """In one of a few tries: a browser lets go of a page that does not freeze in time, as on a loaded machine."""
    page = browser.open(PLAIN)
    seen: list[str] | None = None
    for _ in range(5):
        page.evaluate(WATCH)
        page.go("/nowhere")
        page.back()
        page.wait_visibility("visible")
        seen = wait(lambda: page.evaluate("window.seen ?? ['loaded']"), bool, "the page to be shown")
        if seen[-1] == "kept":
            return
    raise AssertionError(f"the page was never kept: {seen}")


def test_a_tab_that_crashes(engine: Engine, browser: Browser) -> None:
    """It is gone; a tab of its own process is not."""
    page, other = browser.open(PLAIN), browser.open(PLAIN)
    if not engine.can_crash:
        with pytest.raises(DriverError):
            page.crash()
        return
    page.crash()
    assert [line.kind for line in page.errors] == ["crash"]
    with pytest.raises(DriverError):
        page.evaluate("1")
    assert other.evaluate("1 + 1") == 2
    page.close()
    assert other.evaluate("2 + 2") == 4
