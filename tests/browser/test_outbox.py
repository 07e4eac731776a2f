"""What was typed outlives tabs and worker: it is sent once, in order, when the server is back.

Pages look into the outbox's database, and meddle with it, as another tab or another version of Partyline might.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.running import Server

from . import room
from .driver import Browser, Page, wait

NewBrowser = Callable[[str], Browser]

# What a function of the database gives, which is called in a transaction of both stores
_IN_DATABASE = """new Promise((resolve, reject) => {
    const request = indexedDB.open("partyline-worker-outbox");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
        const transaction = request.result.transaction(["meta", "letters"], "readwrite");
        const asked = (%s)(transaction.objectStore("meta"), transaction.objectStore("letters"));
        transaction.oncomplete = () => { request.result.close(); resolve(asked.result); };
    };
})"""
CLAIM = _IN_DATABASE % "(meta, letters) => meta.get('claim')"
LETTERS = _IN_DATABASE % "(meta, letters) => letters.getAll()"

LETTER = """{id: "left", topic: "room", number: 1, time: Date.now() / 1000, frame: JSON.stringify(
    {kind: "publish", id: "left", topic: "room", data: {text: "left behind", author: "who"}})}"""

# Holds the database up in the midst of an upgrade until window.release is set
HOLD = """new Promise(resolve => {
    const request = indexedDB.open("partyline-worker-outbox", 1);
    request.onupgradeneeded = () => {
        const store = request.result.createObjectStore("held");
        const spin = () => {
            if (window.release) request.transaction.abort();
            else store.get("nothing").onsuccess = spin;
        };
        spin();
        resolve(true);
    };
})"""

# Another version of Partyline has been here
NEWER = """new Promise(resolve => {
    const request = indexedDB.open("partyline-worker-outbox", 99);
    request.onsuccess = () => { request.result.close(); resolve(true); };
})"""

DELETE = """new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase("partyline-worker-outbox");
    request.onsuccess = () => resolve(true);
    request.onblocked = () => reject("blocked");
})"""


def stored(page: Page) -> list[dict[str, Any]]:
    """The letters in the database, in their order. Only while a worker has been there: who opens it first makes it."""
    return sorted(page.evaluate(LETTERS), key=lambda letter: letter["number"])


def wait_stored(page: Page, count: int) -> list[dict[str, Any]]:
    """Wait until so many letters are in the database."""
    return wait(lambda: stored(page), lambda letters: len(letters) == count, f"{count} letters to be kept")


def complaints(browser: Browser) -> list[str]:
    """What the worker said of the outbox on its console."""
    return [line.text for line in browser.worker_console if "outbox" in line.text]


def text_of(letter: dict[str, Any]) -> str:
    text: str = json.loads(letter["frame"])["data"]["text"]
    return text


def test_typed_while_the_server_is_away_then_all_is_closed(server: Server, browser: Browser) -> None:
    """All tabs are closed and the worker ends; a tab of the next day sends what was typed, and shows it."""
    pages = [browser.open("/room") for _ in range(2)]
    for page in pages:
        page.wait_line()
    room.say(pages[0], "sent at once")
    room.wait_sent(pages[0])
    before = pages[0].diagnostics()["worker"]
    server.kill()
    typed = [f"typed while the server is away {number}" for number in range(12)]
    for number, text in enumerate(typed):
        room.say(pages[number % 2], text)
        wait(pages[0].diagnostics, lambda told: told["outbox"] == number + 1, "the worker to have it")  # noqa: B023
    pages[1].wait_text("room-pending", "12 on the way…")
    assert [text_of(letter) for letter in wait_stored(pages[0], 12)] == typed
    for page in pages:
        page.close()
    browser.end_workers()

    server.start()
    page = browser.open("/room")
    page.wait_line()
    assert page.diagnostics()["worker"] != before
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["sent at once", *typed]
    room.wait_listed(page, room.logged(server))
    wait_stored(page, 0)
    assert page.errors == []
    assert complaints(browser) == []


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_what_waits_is_shown_by_the_tabs_that_are_left(server: Server, browser: Browser) -> None:
    """What was typed in a tab that is closed since is on its way, too."""
    first, second = (browser.open("/room") for _ in range(2))
    for page in (first, second):
        page.wait_line()
    server.kill()
    for number in (1, 2):
        room.say(first, f"typed {number}")
        second.wait_text("room-pending", f"{number} on the way…")
    first.close()
    room.say(second, "typed 3")
    second.wait_text("room-pending", "3 on the way…")
    server.start()
    room.wait_sent(second)
    assert [text for _, text in room.logged(server)] == ["typed 1", "typed 2", "typed 3"]


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_a_worker_whose_outbox_a_later_one_claims_gives_way_to_it(server: Server, browser: Browser) -> None:
    """Its tabs go on to the later one, and what was typed is sent once."""
    page = browser.open("/room")
    page.wait_line()
    page.evaluate(_IN_DATABASE % "(meta, letters) => meta.put(1000, 'claim')")
    server.kill()
    room.say(page, "typed too late")
    page.wait_line("failed")
    page.wait_text("line-notice", lambda text: "could not be loaded" in text)
    server.start()
    page.wait_line()
    assert page.diagnostics()["generation"] > 1000
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["typed too late"]


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_a_worker_that_comes_after_a_later_one_gives_way_to_it(server: Server, browser: Browser) -> None:
    """As where the browser forgot which worker was the last: what that one had to send is sent, and once."""
    page = browser.open("/room")
    page.wait_line()
    page.evaluate(_IN_DATABASE % f"(meta, letters) => {{ meta.put(1000, 'claim'); return letters.put({LETTER}); }}")
    page.close()
    browser.end_workers()
    page = browser.open("/room")
    wait(lambda: page.diagnostics()["generation"], lambda generation: generation >= 1000, "the later worker")
    page.wait_line()
    room.say(page, "sent all the same")
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["left behind", "sent all the same"]
    wait_stored(page, 0)


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_what_is_too_old_or_no_letter_is_removed_and_told(server: Server, browser: Browser) -> None:
    page = browser.open("/room")
    page.wait_line()
    for change in ('{id: "junk", frame: 5}', "{time: 1e9}"):
        page.evaluate(_IN_DATABASE % f"(meta, letters) => letters.put({{...{LETTER}, ...{change}}})")
    page.close()
    browser.end_workers()
    page = browser.open("/room")
    page.wait_line()
    page.wait_text("line-notice", lambda text: "A message" in text and "days" in text)
    wait_stored(page, 0)
    assert sorted(text.rsplit(" ", 1)[1] for text in complaints(browser)) == ["junk", "left"]
    assert room.logged(server) == []


@pytest.mark.engines("chromium", why="the same Python everywhere")
@pytest.mark.parametrize(("meddle", "why"), [(NEWER, "VersionError"), (HOLD, "did not open within")])
def test_without_a_database_all_goes_on_in_memory(server: Server, browser: Browser, meddle: str, why: str) -> None:
    """The browser refuses it, or never answers: the line starts, what is typed is sent; the console says so, once."""
    other = browser.open("/api/status")
    other.evaluate(meddle)
    page = browser.open("/room")
    page.wait_line()
    (said,) = wait(lambda: complaints(browser), bool, "it to be told")
    assert why in said
    server.kill()
    room.say(page, "kept in memory")
    page.wait_text("room-pending", "1 on the way…")
    server.start()
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["kept in memory"]
    other.evaluate("window.release = true")
    assert why in page.diagnostics()["outbox_trouble"]
    assert complaints(browser) == [said]
    assert page.errors == []


@pytest.mark.engines("chromium", why="no other driver can say how much a page may store")
def test_a_full_disk_is_told_to_the_tabs_and_over_when_there_is_room(server: Server, browser: Browser) -> None:
    """What was not kept is sent all the same, and kept as soon as there is room."""
    browser.open("/api/status")
    browser.limit_storage(1)  # before there is a database: the engine looks at it again after a while only
    pages = [browser.open("/room")]
    pages[0].wait_text("line-notice", lambda text: "QuotaExceededError" in text)
    pages.append(browser.open("/room"))
    for page in pages:
        page.wait_line()
    server.kill()
    room.say(pages[0], "finds no room")
    pages[1].wait_text("room-pending", "1 on the way…")
    assert "QuotaExceededError" in pages[0].diagnostics()["outbox_trouble"]
    assert stored(pages[0]) == []
    browser.limit_storage(None)
    room.say(pages[1], "finds room")
    texts = [text_of(letter) for letter in wait_stored(pages[0], 2)]
    assert texts == ["finds no room", "finds room"]
    assert pages[0].evaluate(CLAIM) == pages[0].diagnostics()["generation"]
    wait(lambda: pages[0].diagnostics()["outbox_trouble"], lambda why: why == "", "the trouble to be over")
    wait(lambda: complaints(browser), lambda said: len(said) == 2, "both to be told")
    server.start()
    for page in pages:
        page.wait_line()
        room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == texts
    wait_stored(pages[0], 0)


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_who_wants_to_delete_the_database_is_not_held_up(server: Server, browser: Browser) -> None:
    """The worker lets go of it, and tells the tabs that nothing is kept any more."""
    page = browser.open("/room")
    page.wait_line()
    page.evaluate(DELETE)
    page.wait_text("line-notice", lambda text: "database" in text)
    server.kill()
    room.say(page, "kept in memory")
    server.start()
    room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == ["kept in memory"]
