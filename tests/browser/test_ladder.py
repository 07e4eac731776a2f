"""The rungs of the ladder: a SharedWorker, the worker of an elected tab, a worker for each tab."""

from __future__ import annotations

import pytest

from tests.running import Server

from . import room
from .driver import Browser, Engine, wait


def wait_tabs(server: Server, sockets: int) -> None:
    """Wait until the server counts so many sockets of one browser."""
    wanted = (sockets, 1)

    def counts() -> tuple[int, int]:
        status = server.status()
        return status["sockets"], status["browsers"]

    wait(counts, lambda seen: seen == wanted, f"{sockets} sockets of one browser")


@pytest.mark.plain_http
@pytest.mark.parametrize("rung", ["shared", "elected", "own"])
def test_each_rung_does_it_all(server: Server, browser: Browser, engine: Engine, rung: str) -> None:
    """Tabs are live, publish, see each other's messages, reload, and lose their worker: on each rung alike."""
    path = f"/room?ladder={rung}"
    if rung == "elected" and not engine.has_locks:
        page = browser.open(path)
        page.wait_line("failed")
        page.wait_text("line-notice", lambda text: "Web Locks" in text)
        return
    first, second = browser.open(path), browser.open(path)
    for page in (first, second):
        page.wait_line()
        assert page.diagnostics()["rung"] == rung
    wait_tabs(server, 2 if rung == "own" else 1)
    if rung != "own":
        wait(lambda: second.diagnostics()["tabs"], lambda tabs: tabs == 2, "both tabs at one worker")
    room.say(first, "from the first")
    room.say(second, "from the second")
    for page in (first, second):
        room.wait_sent(page)
        room.wait_listed(page, room.logged(server))

    # in the elected tab the worker goes with it, and the other tab's takes over
    first.reload()
    first.wait_line()
    room.say(second, "while the first comes back")
    for page in (first, second):
        room.wait_sent(page)
        wait(lambda: len(room.logged(server)), lambda count: count == 3, "its message in the log")
        room.wait_listed(page, room.logged(server))
    wait_tabs(server, 2 if rung == "own" else 1)


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_the_elected_tab_is_closed(server: Server, browser: Browser) -> None:
    """Another one is elected; what was typed into the gap is sent once, and nothing that came is lost."""
    pages = [browser.open("/room?ladder=elected") for _ in range(3)]
    for page in pages:
        page.wait_line()
    wait(lambda: pages[0].diagnostics()["tabs"], lambda tabs: tabs == 3, "all tabs at one worker")
    leader, *others = pages
    leader.close()
    for number, page in enumerate(others):
        room.say(page, f"typed into the gap {number}")
    room.fill(server, ["published into the gap"])
    for page in others:
        page.wait_line()
        room.wait_sent(page)
    wait(lambda: len(room.logged(server)), lambda count: count == 3, "all messages in the log")
    for page in others:
        room.wait_listed(page, room.logged(server))
    wait(lambda: others[0].diagnostics()["tabs"], lambda tabs: tabs == 2, "two tabs at the new worker")
    wait_tabs(server, 1)


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_a_rung_that_is_none_is_refused(browser: Browser) -> None:
    """The page says which there are."""
    page = browser.open("/room?ladder=rocket")
    page.wait_line("failed")
    page.wait_text("line-notice", lambda text: "?ladder=rocket" in text and "shared, elected, own" in text)


# a worker's error with a message, then one without; how often it was said that the worker cannot be had
ERRORS = """(() => {
    let said = 0;
    const nothing = () => {};
    const one = workers.open("shared", "/worker/none.js", "errors", "errors", nothing, nothing, () => said++);
    const seen = [new ErrorEvent("error", { message: "Error: of its code" }), new Event("error")].map((event) => {
        one.worker.dispatchEvent(event);
        return said;
    });
    one.close();
    return seen;
})()"""


def test_an_error_of_a_worker_that_runs_drives_nobody_to_another(server: Server, browser: Browser) -> None:
    """Firefox tells it to a tab that has just come, too. One that cannot be loaded has no message."""
    page = browser.open("/room")
    page.wait_line()
    assert page.evaluate(ERRORS) == [0, 1]
