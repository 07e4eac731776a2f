"""Cells run in the shared worker: what they show, how they are stopped, and what goes on meanwhile."""

from __future__ import annotations

import os

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

STOPS = {
    "a loop": "while True: pass",
    "a sleep": "import time\ntime.sleep(1000)",
    "an await": "import asyncio\nawait asyncio.sleep(1000)",
    "a recursion": "def down(n):\n    return down(n - 1) + down(n - 1) if n else 0\ndown(100)",
    "a loop that catches": "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass",
    "a flood": "while True: print(1)",
    "a stream": "from partyline import line\nfor event in line.stream('nothing.comes'): pass",
    "a question": "input('?')",
    "a task": "import asyncio\nasync def loop():\n    while True: pass\nawait asyncio.create_task(loop())",
}
TIMES = int(os.environ.get("STOPS", "3"))
JSPI = "WebKitGTK cannot suspend Python"
pytestmark = pytest.mark.shared
SUSPENDING = pytest.mark.engines("chromium", "firefox", why=JSPI)


@pytest.fixture
def page(server: Server, browser: Browser) -> Page:
    """A tab with a new notebook."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    return page


def test_what_a_cell_shows(page: Page) -> None:
    for source, state, shown in [
        ("1 + 1", "done", "2"),
        ("x = 41\nprint('hello'); x + 1", "done", "hello\n42"),
        ("import asyncio\nawait asyncio.sleep(0.01)\nx", "done", "41"),
        ("x;", "done", ""),
        ("import sys\nprint('oops', file=sys.stderr)", "done", "oops"),
        ("display({'a': 1})", "done", "{'a': 1}"),
        ("from IPython.display import HTML\nHTML('<b>bold</b><script>window.evil = 1</script>')", "done", "bold"),
        ("for i in range(3): print(i)\nclear_output(); print('last')", "done", "last"),
    ]:
        cell = notebook.run(page, source)
        assert (cell.state, cell.output) == (state, shown), source
    assert page.evaluate("window.evil ?? null") is None
    assert page.errors == []


def test_a_traceback_has_the_cells_own_lines_alone(page: Page) -> None:
    notebook.run(page, "import json\ndef read(text):\n    return json.loads(text)")
    cell = notebook.run(page, "read('{')")
    assert cell.state == "error"
    assert cell.output.splitlines()[:4] == [
        "Traceback (most recent call last):",
        "Cell [2], line 1",
        "    read('{')",
        "    ~~~~^^^^^",
    ]
    assert "Cell [1], line 3, in read" in cell.output
    assert "json/" not in cell.output
    assert "JSONDecodeError" in cell.output.splitlines()[-1]
    assert notebook.run(page, "for x in").output.endswith("SyntaxError: invalid syntax")


@SUSPENDING
def test_stop(server: Server, browser: Browser) -> None:
    """Each kind of cell, several times: it is stopped, variables are kept, events flow to another tab all the while."""
    room = browser.open("/room")
    room.wait_line()
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    notebook.run(page, "kept = ['all']")
    sockets = room.diagnostics()["sockets_opened"]
    for name, source in STOPS.items():
        cell = notebook.add(page, source)
        for time in range(TIMES):
            notebook.start(page, cell)
            text = f"{name}, running for the {time + 1}. time"
            server.post("room", {"data": {"text": text, "author": "outside"}})
            wait(lambda: room.text("room-list"), lambda seen: text in seen, f"{room!r} to show {text!r}")  # noqa: B023
            notebook.stop(page, cell)
            shown = notebook.wait_ended(page, cell)
            assert shown.state == "error", name
            assert shown.output.splitlines()[-1] == "KeyboardInterrupt", name
    assert notebook.run(page, "kept").output == "['all']"
    assert room.diagnostics()["sockets_opened"] == sockets
    assert page.errors == []


@SUSPENDING
def test_only_the_cell_is_interrupted(page: Page) -> None:
    """Not what an earlier cell left running, nor the hub."""
    notebook.run(
        page, "import asyncio\nturns = 0\nasync def turn():\n    global turns\n    while True:\n        turns += 1\n"
        "        await asyncio.sleep(0.01)\ntask = asyncio.create_task(turn())",
    )  # fmt: skip
    cell = notebook.add(page, "before = turns\nprint('in')\nwhile True: pass")
    start_and_stop(page, cell)
    notebook.wait_ended(page, cell)
    assert notebook.run(page, "turns > before, task.done()").output == "(True, False)"
    assert notebook.run(page, "task.cancel()").output == "True"
    catching = "try:\n    print('in')\n    while True: pass\nexcept KeyboardInterrupt:\n    print('caught')\n7"
    caught = notebook.add(page, catching)
    start_and_stop(page, caught)
    assert notebook.wait_ended(page, caught).output == "in\ncaught\n7"
    assert page.errors == []


def start_and_stop(page: Page, cell: str) -> None:
    """Stop a cell that prints first of all once it has come so far."""
    notebook.start(page, cell)
    wait(lambda: notebook.look(page, cell), lambda seen: seen is not None and seen.output == "in", "it to begin")
    notebook.stop(page, cell)


@SUSPENDING
@pytest.mark.alone(why="its worker is stuck")
def test_a_loop_inside_c_is_told_and_python_can_be_started_anew(page: Page) -> None:
    notebook.run(page, "print('kept')")
    cell = notebook.add(page, "sum(range(10 ** 12))")
    notebook.start(page, cell)
    notebook.stop(page, cell)
    page.wait_text("kernel-stuck-text", lambda text: "cannot be stopped" in text)
    page.click("kernel-replace")
    notebook.wait_opened(page)
    assert notebook.texts(page)[-2:] == ["print('kept')", "sum(range(10 ** 12))"]
    assert [shown.output for shown in notebook.shown(page)][-2] == "kept"
    assert notebook.run(page, "1 + 1").output == "2"


NOTE = """(name => {
    const seen = new MutationObserver(() => window.noted.push(document.querySelector(name).textContent));
    window.noted = [];
    seen.observe(document.querySelector(name), { childList: true, characterData: true, subtree: true });
})('[data-testid=%s]')"""
TIMED = """import time
for _ in range(5): sum(range(10 ** 6))
began = time.perf_counter()
sum(range(10 ** 7))
rate = 10 ** 7 / (time.perf_counter() - began)"""


@pytest.mark.alone(why="its worker is to be waited for", WORKER_SILENCE_MS="3000")
def test_a_long_computation_inside_c_is_waited_for(browser: Browser) -> None:
    """Longer than a worker may be silent: each tab says so, one that has just come waits, too; nothing is lost."""
    room, page = browser.open("/room"), notebook.open_notebook(browser)
    notebook.wait_opened(page)
    notebook.run(page, TIMED)
    generation = page.diagnostics()["generation"]
    page.evaluate(NOTE % "kernel-stuck-text")
    room.evaluate(NOTE % "line-state")
    cell = notebook.add(page, "total = sum(range(int(15 * rate)))\ntotal > 0, rate > 0")
    notebook.start(page, cell)
    late = notebook.open_notebook(browser)
    assert notebook.wait_ended(page, cell).output == "(True, True)"
    notebook.wait_opened(late)
    for tab in (room, page, late):
        tab.wait_text("line-state", "Live")
        assert tab.errors == []
    page.wait_text("kernel-stuck-text", "")
    assert page.evaluate("noted[0]").startswith("Python does not answer.")
    assert room.evaluate("noted[0]") == "Python is busy"
    assert page.diagnostics()["generation"] == generation


@SUSPENDING
@pytest.mark.alone(why="its worker is stuck")
def test_a_cell_that_goes_on_after_a_restart_is_told(page: Page) -> None:
    """It takes the interruption for an error of its own, and nothing after it would ever run."""
    cell = notebook.add(page, "while True:\n    try:\n        x = int(input())\n    except: pass")
    notebook.start(page, cell)
    page.click("command-restart")
    page.click("dialog-yes")
    page.wait_text("kernel-stuck-text", lambda text: "except:" in text)
    page.click("kernel-replace")
    notebook.wait_opened(page)
    assert notebook.run(page, "1 + 1").output == "2"


@SUSPENDING
def test_stop_of_a_cell_that_waits_says_nothing_of_the_one_that_runs(page: Page) -> None:
    """Nor does Stop of a cell that is run again at once; on a cell at rest it is meant for the one that runs."""
    runs = notebook.add(page, "import asyncio\nawait asyncio.sleep(1000)")
    waits = notebook.add(page, "1")
    page.click("run-all")
    notebook.wait_state(page, runs, "running")
    notebook.stop(page, waits)
    notebook.wait_state(page, waits, "idle")
    pause(page, 3500)
    assert page.text("kernel-stuck-text") == ""
    notebook.stop(page, runs)
    notebook.wait_ended(page, runs)
    notebook.start(page, runs)
    pause(page, 3500)
    assert page.text("kernel-stuck-text") == ""
    page.evaluate(f"document.querySelector('[data-id={waits}]').focus()")
    page.press("i", "i")
    assert notebook.wait_ended(page, runs).state == "error"


def pause(page: Page, milliseconds: int) -> None:
    """Let the page's own timers go on for so long."""
    now = page.evaluate("performance.now()")
    wait(lambda: page.evaluate("performance.now()"), lambda then: then > now + milliseconds, "time to pass")


@pytest.mark.engines("webkit", why="the others can suspend Python")
def test_where_python_cannot_be_suspended_stop_starts_it_anew(page: Page) -> None:
    assert notebook.run(page, "print('kept')").output == "kept"
    cell = notebook.add(page, "while True: pass")
    notebook.start(page, cell)
    notebook.stop(page, cell)
    notebook.wait_opened(page)
    assert notebook.texts(page)[-2:] == ["print('kept')", "while True: pass"]
    assert notebook.run(page, "1 + 1").output == "2"


def test_a_cell_that_is_run_again_ends_what_it_started(page: Page) -> None:
    ticking = "async def tick():\n    while True: await asyncio.sleep(0.01)"
    source = f"import asyncio\n{ticking}\ntask = asyncio.create_task(tick())"
    cell = notebook.add(page, source)
    for _ in range(2):
        notebook.start(page, cell, "done")
        notebook.run(page, "tasks = globals().get('tasks', []) + [task]")
    assert notebook.run(page, "await asyncio.sleep(0.05)\n[each.done() for each in tasks]").output == "[True, False]"
    assert notebook.run(page, "task.cancel()").output == "True"


@SUSPENDING
def test_input_asks_in_the_tab(page: Page) -> None:
    cell = notebook.add(page, "name = input('Who? ')\nf'hello {name}'")
    notebook.start(page, cell)
    page.wait_text("cell-ask", lambda text: "Who?" in text)
    page.type("cell-answer", "Ann\n")
    assert notebook.wait_ended(page, cell).output.splitlines()[-1] == "'hello Ann'"


def test_a_flood_of_output_is_cut_and_said(page: Page) -> None:
    cell = notebook.run(page, "for number in range(20_000): print(number)")
    assert cell.state == "done"
    assert cell.output.splitlines()[-1].startswith("… output was cut after")
    assert page.errors == []


def test_cells_read_and_publish_live_data(server: Server, browser: Browser, page: Page) -> None:
    server.post("read", [{"data": number} for number in range(3)])
    assert notebook.run(page, "from partyline import line\n(await line.publish('read', 3)) > 0").output == "True"
    assert notebook.run(page, "event = await line.next('read')", wait_for="running").state == "running"
    server.post("read", {"data": 4})
    notebook.wait_ended(page, notebook.last(page))
    assert notebook.run(page, "event.data, event.topic").output == "(4, 'read')"
    assert notebook.run(page, "line.tabs(), line.status()['state']").output == f"({len(browser.pages)}, 'live')"
    assert [event["data"] for event in server.history("read")] == [0, 1, 2, 3, 4]


@SUSPENDING
def test_a_plain_loop_takes_live_events(server: Server, page: Page) -> None:
    server.post("loop", [{"data": number} for number in range(3)])
    assert notebook.run(page, "[event.data for event in line.history('loop')], line.latest('loop').data").output == (
        "([0, 1, 2], 2)"
    )
    cell = notebook.add(page, "got = []\nfor event in line.stream('loop'):\n    got.append(event.data)\n"
                              "    if len(got) == 3: break\ngot")  # fmt: skip
    notebook.start(page, cell)
    for number in range(3, 6):
        server.post("loop", {"data": number})
    assert notebook.wait_ended(page, cell).output == "[3, 4, 5]"


def test_a_cell_for_the_tab_runs_in_its_own_python(page: Page) -> None:
    source = "%%tab\nimport sys\nprint(sys.implementation.name)\nstage.textContent = 'made here'"
    cell = notebook.add(page, source)
    notebook.start(page, cell, "done")
    shown = f"document.querySelector('[data-id={cell}] [data-testid=tab-output]').innerText"
    made = ["micropython", "made", "here"]
    wait(lambda: page.evaluate(shown), lambda text: text.split() == made, f"{page!r}: what the tab made")
    wrong = notebook.add(page, "%%tab\n1 / 0")
    notebook.start(page, wrong, "error")
    assert page.errors == []


def test_an_exception_of_javascripts_is_shown_and_the_queue_goes_on(page: Page) -> None:
    """No ``except`` of MicroPython's takes it. Run by itself and with the others."""
    counted = "times = globals().get('times', 0) + 1\nprint('before', times)"
    cell = notebook.add(page, f"%%tab\n{counted}\nwindow.JSON.parse('{{')")
    never = notebook.add(page, "'never'")
    shown = f"document.querySelector('[data-id={cell}] [data-testid=tab-output]').innerText"
    for times, press in ((1, lambda: notebook.start(page, cell, "error")), (2, lambda: page.click("run-all"))):
        press()
        begin = f"before {times}"
        text = wait(lambda: page.evaluate(shown), lambda text: text.startswith(begin) and "JavaScript's" in text, begin)  # noqa: B023
        assert text
        notebook.wait_state(page, cell, "error")
        notebook.wait_state(page, never, "idle")
        page.wait_text("kernel-status", "idle")
    assert notebook.run(page, "1 + 1").output == "2"


def test_run_all_keeps_the_order_of_both_pythons(server: Server, browser: Browser, page: Page) -> None:
    """What is the tab's waits for what stands before it, and runs where Run all was pressed."""
    other = notebook.open_notebook(browser)
    sources = [
        "event = await line.next('order')",
        "%%tab\nstage.textContent = 'mine'",
        "print(event.data)",
        "%%tab\n1 / 0",
    ]
    waits, mine, then, fails = [notebook.add(page, source) for source in sources]
    never = notebook.add(page, "'never'")
    page.click("run-all")
    for tab in (page, other):
        notebook.wait_state(tab, waits, "running")
        for cell in (mine, then, fails, never):
            notebook.wait_state(tab, cell, "queued")
    server.post("order", {"data": "came"})
    notebook.wait_state(page, fails, "error")
    assert notebook.wait_ended(page, mine).state == "done"
    assert notebook.wait_ended(page, then).output == "came"
    for tab in (page, other):
        notebook.wait_state(tab, never, "idle")
        tab.wait_text("kernel-status", "idle")
    stages = "[...document.querySelectorAll('[data-testid=stage]')].map(stage => stage.textContent)"
    assert (page.evaluate(stages), other.evaluate(stages)) == (["mine", ""], [])
    assert notebook.wait_state(other, mine, "idle").output == ""
    assert page.errors + other.errors == []


def test_a_chart_of_a_topic_is_drawn_as_it_lives(server: Server, page: Page) -> None:
    server.post("levels", [{"data": {"level": number}} for number in range(3)])
    cell = notebook.run(page, "from partyline import chart\nchart('levels')")
    assert cell.state == "done"
    table = f"document.querySelectorAll('[data-id={cell.id}] .chart tbody tr, [data-id={cell.id}] table tr').length"
    page.evaluate(f"document.querySelector('[data-id={cell.id}] [data-testid=cell-output] button').click()")
    before = wait(lambda: page.evaluate(table), lambda count: count >= 3, f"{page!r} to show three rows")
    server.post("levels", {"data": {"level": 3}})
    wait(lambda: page.evaluate(table), lambda count: count == before + 1, f"{page!r} to show one row more")
    assert page.errors == []
