"""What interrupts cells leaves the kernel's own work alone, in the worker's Python."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.worker import NodeWorker, Tab


def printed(cell: dict[str, Any]) -> str:
    """All that a cell shows; its result and what went wrong, too."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output["traceback"])
        for output in cell["outputs"]
    )


SLOW = """import asyncio, time
loop = asyncio.get_running_loop()
plain = loop.call_soon
def call_soon(*given, **more):
    handle = plain(*given, **more)
    until = time.perf_counter() + 0.04
    while time.perf_counter() < until:
        pass
    return handle
loop.call_soon = call_soon"""
"""A cell after which the loop takes its time between a task's end and what that calls for."""


def test_a_cell_that_is_interrupted_as_it_ends_lets_the_next_one_run(worker: NodeWorker) -> None:
    """Its task is done then, and still in its context, which the next cell's task is to enter."""
    tab = worker.tab()
    tab.open("ends", SLOW, "1", "2", "loop.call_soon = plain")
    cells = tab.run("ends", "a", "b", "c", "d")
    assert [cells[name]["state"] for name in "abcd"] == ["done"] * 4
    assert "cannot enter context" not in worker.console


def wait_printed(tab: Tab, name: str, cell: str, text: str) -> None:
    """Wait until the cell shows this."""
    while text not in printed(tab.cells(name)[cell]):
        tab.wait(lambda frame: frame.get("what") == "change")


def stopped(tab: Tab, name: str, cell: str) -> str:
    """Run a cell, and stop it when it has printed ``begun``; returns what it shows in the end."""
    tab.ask("run", name=name, cells=[cell])
    wait_printed(tab, name, cell, "begun")
    tab.ask("stop", name=name)
    return printed(tab.rest(name)[cell])


LOOP = "print('begun')\nwhile True: pass"


def test_breakpoint_leaves_stop_as_it_was(tab: Tab) -> None:
    """The debugger takes Ctrl-C for itself where it goes on."""
    tab.open("debugged", "breakpoint()\nx = 1\nx = 2\nprint(x)", LOOP)
    tab.ask("run", name="debugged", cells=["a"])
    for said in ("next", "p x", "c"):
        tab.wait(lambda frame: frame.get("what") == "ask")
        tab.ask("reply", name="debugged", cell="a", text=said)
    cell = tab.rest("debugged")["a"]
    assert cell["state"] == "done"
    assert "(Pdb) p x\n" in printed(cell), "nothing but the cell is debugged"
    assert "KeyboardInterrupt" in stopped(tab, "debugged", "b")


SIGNALS = """import signal
def mine(*_): print('mine')
signal.signal(signal.SIGINT, signal.default_int_handler)  # a debugger of another test's may have left its own
before = [signal.signal(signal.SIGINT, each) for each in (mine, signal.SIG_IGN, signal.SIG_DFL)]
print(before == [signal.default_int_handler, mine, signal.SIG_IGN], signal.getsignal(signal.SIGINT) is signal.SIG_DFL)
try:
    signal.signal(signal.SIGINT, 'none')
except TypeError as error:
    print(error)
print(signal.signal(signal.SIGTERM, mine) is signal.SIG_DFL, signal.getsignal(signal.SIGTERM) is mine)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, mine)
"""


def test_who_sets_a_handler_for_ctrl_c_gets_it_back_and_stop_stops(tab: Tab) -> None:
    tab.open("handlers", SIGNALS + LOOP, "signal.signal(signal.SIGINT, signal.default_int_handler) is mine")
    shown = stopped(tab, "handlers", "a").splitlines()
    assert shown[:3] == [
        "True True",
        "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object",
        "True True",
    ]
    assert "mine" not in shown
    assert shown[-1] == "KeyboardInterrupt"
    assert printed(tab.run("handlers", "b")["b"]) == "True"


LOOPS = {
    "new": "loop = asyncio.new_event_loop()\nprint('begun')\nloop.run_until_complete(asyncio.sleep(1000))",
    "set": "loop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\nprint('begun')\n"
    "loop.run_until_complete(loop.create_task(asyncio.sleep(1000)))",
    "run": "print('begun')\nasyncio.run(asyncio.sleep(1000))",
    "task": "loop = asyncio.new_event_loop()\nasync def wait():\n    await asyncio.create_task(asyncio.sleep(1000))\n"
    "print('begun')\nloop.run_until_complete(wait())",
}


@pytest.mark.parametrize("name", LOOPS)
def test_stop_ends_what_runs_in_a_loop_of_the_cells_own(worker: NodeWorker, tab: Tab, name: str) -> None:
    """And the next cells have a loop as they should."""
    name, source = f"loop-{name}", LOOPS[name]
    hub = "import asyncio\nhub = asyncio.get_running_loop()"
    same = "await asyncio.sleep(0.01)\nasyncio.get_running_loop() is hub"
    tab.open(name, hub, source, same, "loop = asyncio.new_event_loop()\nawait loop.create_task(asyncio.sleep(0.01, 3))")
    tab.run(name, "a")
    assert stopped(tab, name, "b").splitlines()[-1] == "KeyboardInterrupt"
    cells = tab.run(name, "c", "d")
    assert [printed(cells[cell]) for cell in "cd"] == ["True", "3"]
    assert "is not the running loop" not in worker.console


RUNNER = """import asyncio
async def ticks():
    yield 1
    yield 2
tick = ticks()
await anext(tick)
with asyncio.Runner() as runner:
    left = runner.get_loop().create_task(asyncio.sleep(1000))
    print(asyncio.all_tasks(runner.get_loop()) == {left})
print(left.cancelled(), await anext(tick))"""


def test_what_closes_a_loop_closes_what_is_its_own(worker: NodeWorker, tab: Tab) -> None:
    tab.open("runner", RUNNER, "1")
    assert printed(tab.run("runner", "a")["a"]) == "True\nTrue 2\n"
    assert tab.run("runner", "b")["b"]["state"] == "done"
    assert "is not the running loop" not in worker.console


def test_all_tasks_are_those_of_the_notebook(tab: Tab) -> None:
    """Not the hub's, whose end is the end of saving, nor other notebooks'; a cell may cancel all it sees."""
    waits = "import asyncio\ntask = asyncio.create_task(asyncio.sleep(1000), name='{0}')\n"
    names = "print(sorted(task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}))"
    tab.open("tasks-other", waits.format("other"), "task.done()")
    tab.run("tasks-other", "a")
    rest = "import asyncio.tasks\nfor each in asyncio.tasks.all_tasks() - {asyncio.current_task()}: each.cancel()"
    tab.open(
        "tasks", waits.format("first"), waits.format("second") + names, rest + "\nawait asyncio.sleep(0)\n" + names
    )
    cells = tab.run("tasks", "a", "b", "c")
    assert [printed(cells[cell]) for cell in "abc"] == ["", "['first', 'second']\n", "[]\n"]
    assert printed(tab.run("tasks-other", "b")["b"]) == "False"
    tab.ask("restart", name="tasks-other")
    tab.ask("restart", name="tasks")
    assert printed(tab.run("tasks", "c")["c"]) == "[]\n"


TICKS = """import asyncio
async def follow():
    while True:
        print('tick')
        await asyncio.sleep(0.01)
task = asyncio.create_task(follow())"""


def test_stop_where_nothing_runs_ends_what_cells_have_left(tab: Tab) -> None:
    """In this notebook, of all its cells; and what waits in plain code, too."""
    sleeps = "import time\nasync def sleep():\n    time.sleep(1000)\nsleeping = asyncio.create_task(sleep())"
    tab.open("left-other", TICKS, "task.done()")
    tab.run("left-other", "a")
    tab.open("left", TICKS, sleeps, "print([each.done() for each in (task, sleeping)])")
    tab.run("left", "a", "b")
    wait_printed(tab, "left", "a", "tick")
    assert printed(tab.run("left", "c")["c"]) == "[False, False]\n"
    assert "error" not in tab.ask("stop", name="left", cell=None)
    while printed(tab.run("left", "c")["c"]) != "[True, True]\n":
        pass
    assert printed(tab.run("left-other", "b")["b"]) == "False"
    tab.ask("restart", name="left-other")


SPIN = """import asyncio, time
async def spin():
    print('begun')
    while True: pass
spinning = asyncio.create_task(spin())
time.sleep(1)
print('slept')
await asyncio.sleep(0.1)"""


def test_a_loop_that_begins_as_its_cell_sleeps_holds_nothing_up(tab: Tab) -> None:
    tab.open("spins", SPIN, "spinning.done()")
    assert printed(tab.run("spins", "a")["a"]) == "begun\nslept\n"
    assert "error" not in tab.ask("stop", name="spins", cell=None)
    while printed(tab.run("spins", "b")["b"]) != "True":
        pass


def test_a_cell_that_sleeps_again_and_again_leaves_another_notebooks_loop_its_stop(tab: Tab) -> None:
    """Whichever of the two stacks is resumed first."""
    tab.open("naps", "import time\nprint('begun')\nfor _ in range(100): time.sleep(0.005)\nprint('woke')")
    tab.open("loops", LOOP)
    tab.ask("run", name="naps", cells=["a"])
    assert "KeyboardInterrupt" in stopped(tab, "loops", "a")
    assert printed(tab.rest("naps")["a"]) == "begun\nwoke\n"


TIMED = {
    "line": "print('begun')\n%timeit -n 999999999 1 + 1",
    "cell": "%%timeit -n 1 -r 1 print('begun')\nwhile True:\n    pass",
    "sleep": "%%timeit import time; print('begun')\ntime.sleep(1000)",
}


@pytest.mark.parametrize("name", TIMED)
def test_stop_ends_what_is_timed(tab: Tab, name: str) -> None:
    tab.open(f"timed-{name}", TIMED[name], "import gc\ngc.isenabled()")
    shown = stopped(tab, f"timed-{name}", "a").splitlines()
    assert shown[-1] == "KeyboardInterrupt"
    assert not [line for line in shown if "per loop" in line or "timing.py" in line]
    assert printed(tab.run(f"timed-{name}", "b")["b"]) == "True"
