"""Where the browser lacks what Partyline needs, or what it loads is broken: the page says so, or goes another way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, wait
from .proxy import Proxy

NewBrowser = Callable[[str], Browser]

# What Chromium was seen to do where the user blocks all data of the site
DENIED = """(() => {
    const deny = () => { throw new DOMException("Access is denied.", "SecurityError"); };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {get: deny});
    class Denied { constructor() { deny(); } }
    if (navigator.locks) navigator.locks.request = async () => deny();
    Object.defineProperty(HTMLIFrameElement.prototype, "contentWindow", {get: () => ({SharedWorker: Denied})});
})();"""
NO_DATABASE = 'Object.defineProperty(self, "indexedDB", {get() { throw new DOMException("No.", "SecurityError"); }});'


def before(code: str) -> Callable[[bytes], bytes]:
    """Puts a line of JavaScript before a script."""
    return lambda script: code.encode() + b"\n" + script


def broken(file: bytes) -> bytes:
    """A file as long as it was, but for a hole in its midst."""
    middle = len(file) // 2
    return file[:middle] + b"\0" * 10_000 + file[middle + 10_000 :]


def wait_failed(browser: Browser, *words: str) -> str:
    """Open the room, and wait until it says that it has failed, in these words."""
    page = browser.open("/room")
    page.wait_line("failed")
    notice = page.wait_text("line-notice", lambda text: all(word in text for word in words))
    assert "\n" not in notice.strip()
    return notice


@pytest.mark.engines("chromium", why="the same guard.js and boot.js everywhere")
def test_no_webassembly(proxy: Proxy, new_browser: NewBrowser) -> None:
    proxy.change("/js/guard.js", before("delete globalThis.WebAssembly;"))
    wait_failed(new_browser(proxy.url), "WebAssembly")


@pytest.mark.engines("chromium", why="the same guard.js and boot.js everywhere")
def test_no_websocket(proxy: Proxy, new_browser: NewBrowser) -> None:
    proxy.change("/worker/boot.js[?]*", before("delete globalThis.WebSocket;"))
    wait_failed(new_browser(proxy.url), "WebSocket")


@pytest.mark.engines("chromium", why="the same guard.js and boot.js everywhere")
@pytest.mark.parametrize("path", ["*/pyodide.asm.wasm", "/worker/*.zip", "*/pyodide.mjs"])
def test_a_file_of_pythons_that_is_broken(proxy: Proxy, new_browser: NewBrowser, path: str) -> None:
    """Once it is whole again, a reload helps."""
    proxy.change(path, broken)
    browser = new_browser(proxy.url)
    wait_failed(browser, "Python could not start")
    proxy.mend()
    browser.pages[0].reload()
    browser.pages[0].wait_line()


@pytest.mark.engines("chromium", why="the same guard.js and boot.js everywhere")
def test_an_error_in_the_workers_own_python(proxy: Proxy, new_browser: NewBrowser) -> None:
    """Its last line is told, not the whole traceback."""
    spoil = "value?.rung ? {...value, generation: 'x'} : value"
    code = f"const plain = JSON.stringify; JSON.stringify = (value) => plain({spoil});"
    proxy.change("/worker/boot.js[?]*", before(code))
    assert "ValueError" in wait_failed(new_browser(proxy.url), "Python could not start")


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_where_tabs_may_share_nothing_each_has_its_own(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """All of the site's data is refused: the page goes on, and says what that costs."""
    proxy.change("/js/worker.js", before(DENIED))
    proxy.change("/worker/boot.js[?]*", before(NO_DATABASE))
    browser = new_browser(proxy.url)
    pages = [browser.open("/room") for _ in range(2)]
    for page in pages:
        page.wait_line()
        page.wait_text("line-alone", lambda text: "allow cookies and site data" in text)
        assert page.diagnostics()["rung"] == "own"
    assert server.status()["sockets"] == 2
    room.say(pages[0], "all the same")
    room.wait_sent(pages[0])
    for page in pages:
        room.wait_listed(page, room.logged(server))


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_a_dead_worker_under_the_first_name(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """Its script could not be loaded, and an engine may keep that worker: the next page does not wait for it."""
    proxy.fail("/worker/boot.js[?]*", 404)
    browser = new_browser(proxy.url)
    wait_failed(browser, "Python could not start")
    proxy.mend()
    browser.pages[0].reload()
    browser.pages[0].wait_line()
    late = browser.open("/room")
    late.wait_line()
    wait(lambda: server.status()["sockets"], lambda count: count == 1, "one socket for both")
