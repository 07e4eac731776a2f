"""The memory snapshot: made at rest, started from next time, and left alone where anything is wrong with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.running import Server
from tests.wheels import wheel

from . import notebook, room
from .driver import Browser, Engine, Line, Page, wait
from .proxy import Proxy

NewBrowser = Callable[[str], Browser]

# `act` gets the stores of bytes and of marks, and this page's build
_DATABASE = """new Promise((resolve, reject) => {
    const build = document.documentElement.dataset.build;
    const request = indexedDB.open("partyline-snapshot", 1);
    request.onerror = () => reject(request.error);
    request.onupgradeneeded = () => request.transaction.abort();
    request.onsuccess = () => {
        const transaction = request.result.transaction(["bytes", "marks"], "readwrite");
        const [bytes, marks] = ["bytes", "marks"].map(name => transaction.objectStore(name));
        const asked = (%s)(bytes, marks, build);
        transaction.onabort = () => reject(transaction.error);
        transaction.oncomplete = () => { request.result.close(); resolve(asked?.result ?? null); };
    };
})"""

# Another worker of this build, beside the page's own: says hello, publishes, and resolves to what it was told
_START = """new Promise(resolve => {
    const [name, text] = %s, told = [];
    const which = new URLSearchParams({ build: "test", generation: 1, rung: "shared", notices: name });
    const { port } = new SharedWorker(`/worker/boot.js?${which}`, { type: "module", name });
    const say = header => port.postMessage(JSON.stringify(header));
    port.onmessage = ({ data }) => {
        const header = JSON.parse(data.split("\\n")[0]);
        told.push(header);
        if (["ack", "failed", "error"].includes(header.kind)) resolve(told);
    };
    say({ kind: "hello", protocol: 1, tab: name, browser: "test", page: "test", visible: true, topics: ["room"] });
    say({ kind: "publish", id: name, topic: "room", data: { text, author: name } });
})"""


# An error page starts nothing by itself: no line, no snapshot
STILL = "/no-such-page"


def database(page: Page, act: str) -> Any:
    """What is done in the snapshots' database."""
    return page.evaluate(_DATABASE % act)


def builds(page: Page) -> list[str]:
    """Of which builds there is a snapshot."""
    found: list[str] = database(page, "(bytes) => bytes.getAllKeys()")
    return found


def mark(page: Page) -> Any:
    """How starts from this build's snapshot fared."""
    return database(page, "(bytes, marks, build) => marks.get(build)")


def make(page: Page) -> str:
    """Have the snapshot made now, not when the tab has been at rest for a while; returns what is told of it."""
    worker = """new Promise(resolve => {
        const worker = new Worker("/worker/snapshot.js", { type: "module" });
        worker.onmessage = event => { worker.terminate(); resolve(event.data); };
    })"""
    return str(page.evaluate(worker))


def made(page: Page) -> None:
    """Have it made, and see that it was."""
    assert "was made" in make(page)
    assert builds(page) == [page.evaluate("document.documentElement.dataset.build")]


def start(page: Page, name: str) -> str:
    """Start another worker and publish through it; returns the id it gave itself."""
    told = page.evaluate(_START % json.dumps([name, f"said by {name}"]))
    assert told[-1]["kind"] == "ack", told[-1]
    return str(next(header["worker"] for header in told if header["kind"] == "joined"))


def notes(*pages: Page) -> list[Line]:
    """What pages say of the snapshot in their consoles."""
    return [line for page in pages for line in page.console if "memory snapshot" in line.text]


@pytest.fixture
def keeping(make_server: Callable[..., Server]) -> Iterator[Proxy]:
    """A proxy before a server whose pages have one made by themselves, as they have unless a setting forbids it."""
    server = make_server(MEMORY_SNAPSHOT="on")
    server.start()
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_made_at_rest_by_one_tab(keeping: Proxy, new_browser: NewBrowser, engine: Engine) -> None:
    """One of two tabs has it made, and nothing of Pyodide is fetched again for it."""
    proxy = keeping
    browser = new_browser(proxy.url)
    pages = [browser.open("/room"), browser.open("/")]
    for page in pages:
        page.wait_line()
    page = pages[0]
    build = page.evaluate("document.documentElement.dataset.build")
    wait(lambda: builds(page), lambda found: found == [build], "a snapshot of this build")
    if engine.has_console:
        wait(lambda: notes(*pages), lambda lines: len(lines) == 1 and "was made" in lines[0].text, "one tab to say so")
    assert proxy.requests.count("/worker/snapshot.js") == 1
    if engine.name != "webkit":  # which stores nothing on disk under automation
        assert len([path for path in proxy.requests if path.endswith("/pyodide.asm.wasm")]) == 1
    assert {path for path in proxy.requests if path.endswith("/pyodide-lock.json")} == {"/packages/pyodide-lock.json"}
    assert [each.errors for each in pages] == [[], []]


def test_starts_from_a_snapshot(server: Server, browser: Browser) -> None:
    """Two starts from the same memory: the line works in each, and what must differ does."""
    page = browser.open(STILL)
    made(page)
    workers = []
    for name in ("first", "second"):
        database(page, "(bytes, marks, build) => marks.put({ since: 0, failures: 2 }, build)")
        workers.append(start(page, name))
        wait(lambda: mark(page), lambda seen: seen == {"since": 0, "failures": 0}, "the snapshot to be proven")
    assert workers[0] != workers[1]
    assert [text for _, text in room.logged(server)] == ["said by first", "said by second"]
    assert len(builds(page)) == 1


# what is wrong with the bytes, and how they get so: by the record as it is kept, or stored anew, with a right checksum
_CUT = """(bytes, marks, build) => {
    bytes.get(build).onsuccess = ({ target: { result: { buffer, sum } } }) =>
        bytes.put({ buffer: buffer.slice(0, 9_000_000), sum }, build);
}"""
_ALTERED = """import("/worker/snapshots.js").then(async ({ restore, store }) => {
    const build = document.documentElement.dataset.build;
    const bytes = await restore(build, async (read) => await read);
    bytes.%s;
    await store(build, bytes);
})"""
DAMAGE = {
    "cut": lambda page: database(page, _CUT),
    "of another Pyodide": lambda page: page.evaluate(_ALTERED % "fill(1, 16, 48)"),
    "empty memory": lambda page: page.evaluate(_ALTERED % "fill(0, 100_000)"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.engines("chromium", why="the same snapshots.js everywhere")
def test_a_bad_snapshot_is_dropped(server: Server, browser: Browser, damage: str) -> None:
    """The same start goes on without it."""
    page = browser.open(STILL)
    made(page)
    DAMAGE[damage](page)
    database(page, "(bytes, marks, build) => marks.delete(build)")
    start(page, "first")
    assert builds(page) == []
    assert mark(page) == {"since": 0, "failures": 1}
    assert [text for _, text in room.logged(server)] == ["said by first"]


@pytest.mark.engines("chromium", why="the same snapshot.js everywhere")
def test_no_snapshot_while_the_server_is_away(proxy: Proxy, new_browser: NewBrowser) -> None:
    """A file that does not come is told of, says nothing against snapshots, and is no error of the page."""
    page = new_browser(proxy.url).open(STILL)
    proxy.fail("*/pyodide-lock.json", 503)
    assert make(page).startswith("no memory snapshot could be made: Error: The server answered 503 for ")
    assert (builds(page), mark(page)) == ([], None)
    assert [line for line in page.errors if line.kind == "pageerror"] == [], "beside what the network panel says"
    proxy.mend()
    made(page)


@pytest.mark.engines("chromium", why="the same snapshots.js everywhere")
def test_a_start_that_never_ended_is_noticed(server: Server, browser: Browser) -> None:
    """One that began just now may be another worker's; after one that began a while ago, the snapshot goes."""
    page = browser.open(STILL)
    made(page)
    database(page, "(bytes, marks, build) => marks.put({ since: Date.now() + 9_000, failures: 2 }, build)")
    start(page, "first")
    assert len(builds(page)) == 1
    database(page, "(bytes, marks, build) => marks.put({ since: Date.now() - 60_000, failures: 2 }, build)")
    start(page, "second")
    assert builds(page) == []
    assert mark(page) == {"since": 0, "failures": 3}
    wanted = "import('/worker/snapshots.js').then(s => s.wanted(document.documentElement.dataset.build))"
    assert page.evaluate(wanted) is False, "it failed three times, and is made no more"


@pytest.mark.engines("chromium", why="the same snapshots.js everywhere")
def test_without_a_database(keeping: Proxy, new_browser: NewBrowser, engine: Engine) -> None:
    """Where IndexedDB is refused there is no snapshot, and nothing else is amiss."""
    browser = new_browser(keeping.url)
    page = browser.open(STILL)
    newer = """new Promise((resolve, reject) => {
        const request = indexedDB.open("partyline-snapshot", 99);  // no other version can be opened from here on
        request.onsuccess = () => { request.result.close(); resolve(); };
        request.onerror = () => reject(request.error);
    })"""
    page.evaluate(newer)
    page = browser.open("/room")
    page.wait_line()
    start(page, "first")
    if engine.has_console:
        wait(lambda: notes(page), lambda lines: [line.kind for line in lines] == ["info"], "one line in the console")
    assert page.errors == []


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_packages_load_after_a_start_from_it(make_server: Callable[..., Server], new_browser: NewBrowser) -> None:
    """Compiled ones, too: what they bring is linked into the memory that was copied."""
    server = make_server()
    (server.folder / "packages").mkdir()
    shutil.copy(wheel("msgspec"), server.folder / "packages")
    server.start()
    browser = new_browser(server.url)
    made(browser.open(STILL))
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    assert page.diagnostics()["start"] == "snapshot"
    assert notebook.run(page, "import msgspec\nmsgspec.json.encode([1, 'a'])").output == "b'[1,\"a\"]'"
