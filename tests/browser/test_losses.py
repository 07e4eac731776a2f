"""The worker is lost while all goes on: tabs follow the next one, nothing is lost, nothing comes twice.

``make test`` loses a few workers, ``LOSSES=100`` as many as are wanted (``make soak``).
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.running import Server

from . import room
from .driver import Browser, Page, wait
from .flow import Flow

NewBrowser = Callable[[str], Browser]

SILENCE_MS = "4000"  # a worker that is busy on a loaded machine must not count as lost
RETENTION = "10000000"  # the log must still have all that came while a hundred workers were lost
LOSSES = int(os.environ.get("LOSSES", "2"))
TABS = 3


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A server whose pages lose patience soon."""
    server = make_server(WORKER_SILENCE_MS=SILENCE_MS, RETENTION=RETENTION, REPLAY=RETENTION)
    server.start()
    return server


def wait_together(pages: list[Page], after: int = 0) -> int:
    """Wait until all tabs are live on one worker that knows of all of them, of a generation after this; returns it.

    Where the machine is busy, a worker may have been given up though it lived: so it need not be the very next one.
    """

    def seen() -> set[tuple[int, int, str]]:
        each = [page.diagnostics() for page in pages]
        return {(one["generation"], one["tabs"], one["state"]) for one in each}

    def wanted(found: set[tuple[int, int, str]]) -> bool:
        generation, tabs, state = next(iter(found))
        return len(found) == 1 and generation > after and (tabs, state) == (len(pages), "live")

    found = wait(seen, wanted, f"{len(pages)} tabs to be live on a generation after {after}")
    return next(iter(found))[0]


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_a_worker_that_is_lost_is_replaced(server: Server, browser: Browser, fault: str) -> None:
    """By one for all tabs; what was typed into the silence is sent once; the server counts one socket again."""
    pages = [browser.open("/room") for _ in range(TABS)]
    for page in pages:
        page.wait_line()
    first = wait_together(pages)
    room.say(pages[0], "before")
    room.wait_sent(pages[0])
    pages[1].evaluate(f"window.partyline.fault('{fault}')")
    for number, page in enumerate(pages):
        room.say(page, f"typed into the silence {number}")
    wait_together(pages, after=first)
    for page in pages:
        room.wait_sent(page)
    texts = [text for _, text in room.logged(server)]
    assert sorted(texts) == ["before", *(f"typed into the silence {number}" for number in range(TABS))]
    for page in pages:
        room.wait_listed(page, room.logged(server))
        assert page.diagnostics()["gaps"] == 0
    # a worker that hangs keeps its socket until the browser ends it, or the server gives it up
    if fault == "kill":
        wait(lambda: server.status()["sockets"], lambda count: count == 1, "one socket")
    late = browser.open("/room")
    late.wait_line()
    wait_together([*pages, late], after=first)
    room.wait_listed(late, room.logged(server))


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
@pytest.mark.slow
def test_losses_under_load(server: Server, browser: Browser) -> None:
    """200 events a second flow in, tabs publish 20 a second, and again and again the worker is killed."""
    pages = [browser.open("/room") for _ in range(TABS)]
    for page in pages:
        page.wait_line()
    generation = wait_together(pages)
    flow = Flow(server, pages, events=200, publishes=20)
    flow.start()
    for loss in range(1, LOSSES + 1):
        flow.wait_more(pages, 100)
        pages[loss % TABS].evaluate("window.partyline.fault('kill')")
        generation = wait_together(pages, after=generation)
        print(f"{loss} of {LOSSES} workers lost and replaced", flush=True)
    flow.stop()
    for page in pages:
        room.wait_sent(page)
        assert page.errors == []
    flow.check()
