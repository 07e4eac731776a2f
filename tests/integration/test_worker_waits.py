"""What waits in plain code, in the worker's own Python: in callbacks, in ``input``, in a stream; and its end."""

from __future__ import annotations

from typing import Any

from tests.integration.worker import NodeWorker, Tab


def printed(cell: dict[str, Any]) -> str:
    """All that a cell shows; what went wrong, too."""
    return "".join(str(output.get("text", output)) for output in cell["outputs"])


SLEEPERS = """import asyncio, time
from runs import current
loop, run, ends, ended = asyncio.get_running_loop(), current.get(), [], asyncio.Event()
def sleep(seconds):
    try:
        time.sleep(seconds)
        ends.append('slept')
    except BaseException as error:
        ends.append(repr(error))
    if len(ends) == 2:
        ended.set()
async def two(first, second):
    loop.call_soon(sleep, first)
    loop.call_soon(sleep, second)
    while len(run.gates) + len(ends) < 2:
        await asyncio.sleep(0)
"""


def test_callbacks_that_sleep_at_the_same_time_all_wake(tab: Tab) -> None:
    tab.open("sleepers", SLEEPERS + "await two(0.2, 0.1)\nawait ended.wait()\nprint(ends, len(run.gates))")
    assert printed(tab.run("sleepers", "a")["a"]) == "['slept', 'slept'] 0\n"


def test_stop_wakes_all_callbacks_that_sleep(tab: Tab) -> None:
    tab.open(
        "stopped", SLEEPERS + "await two(1000, 1000)\nprint('both')\nawait ended.wait()", "await ended.wait()\nends"
    )
    tab.ask("run", name="stopped", cells=["a"])
    while "both" not in printed(tab.cells("stopped")["a"]):
        tab.wait(lambda frame: frame.get("what") == "change")
    tab.ask("stop", name="stopped")
    tab.rest("stopped")
    (output,) = tab.run("stopped", "b")["b"]["outputs"]
    assert output["data"]["text/plain"] == "['KeyboardInterrupt()', 'KeyboardInterrupt()']"


ASKERS = """import asyncio
async def ask(prompt):
    try:
        print(prompt, 'got', input(prompt))
    except EOFError as error:
        print(prompt, error)
"""


def prompts(tab: Tab, name: str) -> list[str]:
    """What is asked just now."""
    return [asked["prompt"] for asked in tab.ask("open", name=name)["value"]["asks"]]


def wait_asked(tab: Tab, name: str, *asked: str) -> None:
    """Wait until this is asked, and no more."""
    while prompts(tab, name) != list(asked):
        pass


def test_the_later_of_two_questions_of_a_cell_is_answered(worker: NodeWorker, tab: Tab) -> None:
    """And the earlier one ends with an error that says why."""
    tab.open("asks", ASKERS + "_ = await asyncio.gather(ask('first'), ask('second'))", "print('more')")
    tab.ask("run", name="asks", cells=["a"])
    while "Another input()" not in printed(tab.cells("asks")["a"]):
        pass
    assert prompts(tab, "asks") == ["second"]
    assert "error" not in tab.ask("reply", name="asks", cell="a", text="yes")
    cell = tab.rest("asks")["a"]
    assert printed(cell).splitlines() == [
        "first Another input() of this cell asks now: ask one thing after the other.",
        "secondyes",
        "second got yes",
    ]
    assert cell["state"] == "done"
    assert prompts(tab, "asks") == []
    assert [frame["what"] for frame in tab.told if frame.get("what") in ("ask", "asked")] == ["ask", "ask", "asked"]
    assert "KeyError" not in worker.console


def test_what_an_earlier_run_asked_takes_nothing_away(worker: NodeWorker, tab: Tab) -> None:
    """A task that it left asks until the cell runs again, and asks by itself."""
    source = ASKERS + "if 'asking' in globals(): print(input('now'))\nasking = asyncio.create_task(ask('before'))"
    tab.open("again", source)
    tab.run("again", "a")
    wait_asked(tab, "again", "before")
    tab.ask("run", name="again", cells=["a"])
    wait_asked(tab, "again", "now")
    assert "error" not in tab.ask("reply", name="again", cell="a", text="yes")
    wait_asked(tab, "again", "before")
    assert "yes" in printed(tab.cells("again")["a"])
    tab.ask("stop", name="again", cell="a")
    wait_asked(tab, "again")
    assert "KeyError" not in worker.console


STOPS = """import livedata
from partyline import line
from runs import current
live, run, kept = line._live, current.get(), livedata.LiveData._want
def stopping(self):
    live.guard.stop(run)
    live.guard._interrupted(2, None)  # the signal comes at any line
    return kept(self)
livedata.LiveData._want = stopping
try:
    next(line.stream('stopped'))
finally:
    livedata.LiveData._want = kept"""


def test_a_stop_as_a_stream_begins_leaves_no_stream(tab: Tab) -> None:
    """It comes as the shield ends, before the ``with``."""
    tab.open("stream", STOPS, "print(live._streams, +live._wanted)")
    assert tab.run("stream", "a")["a"]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert printed(tab.run("stream", "b")["b"]) == "[] Counter()\n"


SAVES = """import asyncio, _asyncio
from runs import current
def saves():
    return [task for task in _asyncio.all_tasks() if '_save' in task.get_coro().__qualname__]
while saves():  # that the cell was begun
    await asyncio.sleep(0.01)
print('changed', end='')
input()
print([task.get_coro().__qualname__ for task in current.get().tasks])"""


def test_what_is_saved_as_a_cell_asks_is_no_task_of_the_cells(tab: Tab) -> None:
    """Stop would cancel it."""
    tab.open("saves", SAVES)
    tab.ask("run", name="saves", cells=["a"])
    wait_asked(tab, "saves", "")
    tab.ask("reply", name="saves", cell="a", text="")
    assert printed(tab.rest("saves")["a"]).splitlines()[-1] == "['Kernel._execute']"


WHOLE = """import opened
from runs import current
run, kept = current.get(), opened.Opened.tell
def stopping(self, *given):
    run.guard.stop(run)
    run.guard._interrupted(2, None)  # the signal comes at any line
    opened.Opened.tell = kept
    kept(self, *given)
    whole.append(current.get())
whole = []
print('changed', end='')
opened.Opened.tell = stopping
try:
    input()
finally:
    opened.Opened.tell = kept"""


def test_a_stop_as_a_cell_asks_leaves_what_is_told_whole(tab: Tab) -> None:
    tab.open("whole", WHOLE, "whole")
    assert tab.run("whole", "a")["a"]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert printed(tab.run("whole", "b")["b"]).count("None") == 1
    assert prompts(tab, "whole") == []
