"""A tab never waits for Pyodide: it is usable, and shows the progress, while the worker boots; a failure is told."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, wait
from .proxy import Proxy

NewBrowser = Callable[[str], Browser]


@pytest.mark.plain_http
def test_a_tab_is_usable_while_python_loads(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """With Pyodide's WebAssembly held on its way, the tab answers; what was typed is sent, once, when it is there."""
    proxy.hold("*/pyodide.asm.wasm", after=1_500_000)
    page = new_browser(proxy.url).open("/room")
    wait(page.marks, lambda marks: "ui-ready" in marks, "the mark ui-ready")
    told = page.wait_text("boot-bytes", lambda text: re.match(r"[1-9]", text) is not None)
    loaded, total = [float(number) for number in re.findall(r"\d+\.\d", told)]
    assert 0 < loaded < total
    assert 0 < page.evaluate("document.querySelector('[data-testid=boot-progress]').position") < 1

    page.type("room-text", "typed before Python")
    page.wait_text("room-send", "Send")
    page.click("room-send")
    page.wait_text("room-pending", "1 on the way…")
    page.type("room-text", "and with Enter\n")
    page.wait_text("room-pending", "2 on the way…")

    assert page.line == "booting"
    assert "line-live" not in page.marks()
    assert server.status()["sockets"] == 0
    proxy.release()
    page.wait_line()
    page.wait_text("room-pending", "")
    assert sorted(text for _, text in room.logged(server)) == ["and with Enter", "typed before Python"]
    room.wait_listed(page, room.logged(server))
    marks = wait(page.marks, lambda marks: "line-live" in marks, "the mark line-live")
    assert marks["ui-ready"] < marks["line-live"]
    assert page.errors == []


@pytest.mark.engines("chromium", why="the same boot.js everywhere")
def test_a_tab_that_comes_while_python_loads_is_kept(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """Ports that connect during the boot are answered with its progress, and served when Python is there."""
    room.fill(server, ["first", "second"])
    proxy.hold("*/pyodide.asm.wasm", after=1_500_000)
    browser = new_browser(proxy.url)
    pages = [browser.open("/room") for _ in range(3)]
    for page in pages:
        page.wait_text("boot-bytes", lambda text: "MB" in text)
        assert page.line == "booting"
    pages[1].close()
    proxy.release()
    for page in (pages[0], pages[2]):
        page.wait_line()
        room.wait_listed(page, room.logged(server))
    assert pages[0].diagnostics()["tabs"] == 2
    assert len([path for path in proxy.requests if path.endswith("/pyodide.asm.wasm")]) == 1
    assert server.status()["sockets"] == 1


@pytest.mark.engines("chromium", why="the same boot.js everywhere")
@pytest.mark.parametrize("path", ["/worker/boot.json", "/worker/*.zip", "*/pyodide.asm.wasm"])
def test_a_boot_that_fails_is_told(proxy: Proxy, new_browser: NewBrowser, path: str) -> None:
    """The page says that Python could not start, and why; once the cause is gone, a reload helps."""
    proxy.fail(path, 500 if path.endswith(".json") else 404)
    page = new_browser(proxy.url).open("/room")
    page.wait_line("failed")
    notice = page.wait_text("line-notice", lambda text: "Python could not start" in text)
    assert "The server answered" in notice
    assert "\n" not in notice
    assert page.text("room-status") == "failed"
    proxy.mend()
    page.reload()
    page.wait_line()
    assert page.text("line-notice") == ""


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_a_worker_that_cannot_be_loaded_is_told(proxy: Proxy, new_browser: NewBrowser) -> None:
    """Not even the worker's first script comes."""
    proxy.fail("/worker/boot.js[?]*", 404)
    page = new_browser(proxy.url).open("/room")
    page.wait_line("failed")
    page.wait_text("line-notice", lambda text: "Python could not start" in text)
    page.wait_text("room-status", "failed")


@pytest.mark.engines("chromium", why="the same boot.js everywhere")
def test_a_second_tab_helps_the_first(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """A tab that comes after a failed boot makes the worker try again, and the tabs that waited are served too."""
    proxy.fail("/worker/boot.json", 503)
    browser = new_browser(proxy.url)
    first = browser.open("/room")
    first.wait_line("failed")
    proxy.mend()
    second = browser.open("/")
    for page in (first, second):
        page.wait_line()
    second.wait_text("tabs-count", "2")
    room.say(first, "at last")
    wait(lambda: [text for _, text in room.logged(server)], lambda texts: texts == ["at last"], "the message")


@pytest.mark.engines("chromium", why="the same boot.js everywhere")
def test_a_server_that_dies_during_the_boot(server: Server, proxy: Proxy, new_browser: NewBrowser) -> None:
    """Pyodide's WebAssembly breaks off: the page says so instead of waiting for ever."""
    proxy.hold("*/pyodide.asm.wasm", after=1_500_000)
    page = new_browser(proxy.url).open("/room")
    page.wait_text("boot-bytes", lambda text: "MB" in text)
    server.kill()
    proxy.cut()
    page.wait_line("failed")
    page.wait_text("line-notice", lambda text: "Python could not start" in text)
    server.start()
    page.reload()
    page.wait_line()
