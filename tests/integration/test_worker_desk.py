"""What tabs ask of notebooks, in the worker's own Python: errors are answered, cells run in their order."""

from __future__ import annotations

import pytest

from tests.integration.worker import Frame, NodeWorker, Tab


@pytest.mark.parametrize(("do", "module", "function"), [("share", "sharing", "pack"), ("import", "sharing", "unpack")])
def test_what_fails_unexpectedly_is_answered_and_told(
    worker: NodeWorker, tab: Tab, do: str, module: str, function: str
) -> None:
    """A cell may break what the desk stands on, for they share one Python: whoever asks learns of it, soon or late."""
    name = f"broken-{do}"
    breaks = f"import {module}\nkept = {module}.{function}\ndef broken(*_): raise OSError('no more {do}')\n"
    tab.open(name, f"{breaks}{module}.{function} = broken", f"{module}.{function} = kept")
    assert tab.run(name, "a")["a"]["state"] == "done"
    try:
        answer = tab.ask(do, name=name, packed="x")
    finally:
        tab.run(name, "b")
    assert answer["code"] == "failed"
    assert f"OSError: no more {do}" in answer["error"]
    worker.wait_console(f"in broken\n.*\nOSError: no more {do}\n")


OWN = """import asyncio
from partyline import line
listening = asyncio.create_task(line.next('own'))  # the topic is here from now on
line.publish('own', 'heard')
seen = [(await listening).data]
for _ in range(2):  # the topic is new, and here
    coming = line.next('late')
    await line.publish('late', 'since the call')
    await asyncio.sleep(0.1)
    seen.append((await coming).data)
for number in range(10):
    await line.publish('own', 'awaited')
    line.publish('own', 'not awaited')
    coming = line.next('own')
    line.publish('own', number)
    seen.append((await coming).data)
seen"""


def test_what_a_cell_published_before_is_not_what_comes_next(tab: Tab) -> None:
    """Though it may come only then."""
    tab.open("next", OWN)
    (output,) = tab.run("next", "a")["a"]["outputs"]
    assert output["data"]["text/plain"].replace("\n", "") == str(
        ["heard", "since the call", "since the call", *range(10)]
    )


def states(tab: Tab, name: str) -> list[str]:
    return [cell["state"] for cell in tab.cells(name).values()]


def rested(tab: Tab, name: str) -> list[str]:
    """The states of all cells, when nothing runs any more."""
    return [cell["state"] for cell in tab.rest(name).values()]


def wait_turn(tab: Tab, cell: str) -> Frame:
    """Wait until the worker has this tab run a cell."""
    return tab.wait(lambda frame: frame.get("what") == "turn" and frame["cell"] == cell)


LINES = ("import asyncio\nlog = ['a']\nawait asyncio.sleep(0.1)", "%%tab\nprint(1)", "log.append('c')\nlog", "%%tab\n2")


def test_cells_for_the_tab_wait_for_their_turn_and_others_for_them(tab: Tab) -> None:
    tab.open("turns", *LINES)
    tab.ask("run", name="turns", cells=["a", "b", "c", "d"])
    assert states(tab, "turns") == ["running", "queued", "queued", "queued"]
    turn = wait_turn(tab, "b")
    assert turn["source"] == "%%tab\nprint(1)"
    assert states(tab, "turns") == ["done", "running", "queued", "queued"]
    assert "error" not in tab.ask("ran", name="turns", turn=turn["turn"], well=True)
    turn = wait_turn(tab, "d")
    assert tab.cells("turns")["c"]["outputs"][0]["data"]["text/plain"] == "['a', 'c']"
    tab.ask("ran", name="turns", turn=turn["turn"], well=True)
    cells = tab.rest("turns")
    assert [cell["state"] for cell in cells.values()] == ["done", "idle", "done", "idle"], "what a tab runs, it knows"
    assert [cell["count"] for cell in cells.values()] == [1, None, 2, None]


def test_one_that_fails_in_the_tab_takes_the_rest_back(tab: Tab) -> None:
    tab.open("fails", "%%tab\n1 / 0", "'not run'", "%%tab\n'nor this'")
    tab.ask("run", name="fails", cells=["a", "b", "c"])
    tab.ask("ran", name="fails", turn=wait_turn(tab, "a")["turn"], well=False)
    assert rested(tab, "fails") == ["idle", "idle", "idle"]
    tab.open("fails-first", "1 / 0", "%%tab\n'not run'")
    assert [cell["state"] for cell in tab.run("fails-first", "a", "b").values()] == ["error", "idle"]
    assert not [frame for frame in tab.told if frame.get("what") == "turn" and frame["name"] == "fails-first"]


def test_stop_takes_back_what_waits_for_the_tab(tab: Tab) -> None:
    """A late word of the tab is for a turn that is over."""
    tab.open("stopped", "%%tab\n1", "2", "%%tab\n3")
    tab.ask("run", name="stopped", cells=["a", "b", "c"])
    late = wait_turn(tab, "a")
    tab.ask("stop", name="stopped")
    assert rested(tab, "stopped") == ["idle", "idle", "idle"]
    tab.ask("run", name="stopped", cells=["a", "b"])
    turn = wait_turn(tab, "a")
    tab.ask("ran", name="stopped", turn=late["turn"], well=True)
    assert states(tab, "stopped") == ["running", "queued", "idle"]
    tab.ask("ran", name="stopped", turn=turn["turn"], well=True)
    assert rested(tab, "stopped") == ["idle", "done", "idle"]


def test_the_tab_where_run_was_pressed_has_the_turn(worker: NodeWorker, tab: Tab) -> None:
    """Where it goes away, during its turn or before, the rest is taken back, and the others learn why."""
    other = worker.tab()
    tab.open("two", "%%tab\n1", "import asyncio\nawait asyncio.sleep(0.1)", "%%tab\n3", "4")
    other.ask("open", name="two")
    other.ask("run", name="two", cells=["a", "b", "c", "d"])
    wait_turn(other, "a")
    assert not [frame for frame in tab.told if frame.get("what") == "turn"]
    other.ask("close", name="two")
    assert "closed" in tab.wait(lambda frame: frame.get("what") == "said")["message"]
    assert rested(tab, "two") == ["idle"] * 4

    other.ask("open", name="two")
    other.ask("run", name="two", cells=["b", "c", "d"])
    other.ask("close", name="two")
    assert "closed" in tab.wait(lambda frame: frame.get("what") == "said")["message"]
    assert rested(tab, "two") == ["idle", "done", "idle", "idle"]


def test_a_cell_that_is_deleted_in_its_turn_ends_it(tab: Tab) -> None:
    tab.open("deleted", "%%tab\n1", "2")
    tab.ask("run", name="deleted", cells=["a"])
    wait_turn(tab, "a")
    tab.ask("apply", name="deleted", operation={"op": "delete", "cells": ["a"]})
    assert tab.run("deleted", "b")["b"]["state"] == "done"


def test_what_is_run_right_after_stop_is_run(tab: Tab) -> None:
    """Before the cell that is stopped has ended."""
    tab.open("after-stop", "import asyncio\nawait asyncio.sleep(1000)", "'not run'", "3")
    tab.ask("run", name="after-stop", cells=["a", "b"])
    tab.say(kind="notebook", ref=-1, do="stop", name="after-stop")
    tab.say(kind="notebook", ref=-2, do="run", name="after-stop", cells=["c"])
    tab.wait(lambda frame: frame.get("ref") == -2)
    assert rested(tab, "after-stop") == ["error", "idle", "done"]


def test_a_tab_that_came_again_has_its_notebook_open_on_its_new_port_alone(worker: NodeWorker) -> None:
    before, again = worker.tab(), worker.tab()
    hello = {"kind": "hello", "protocol": 1, "ref": 1, "tab": "came-again", "browser": "b" * 16, "topics": []}
    before.say(**hello)
    before.open("again", "1")
    again.say(**hello)  # from here on the worker takes the former port for nobody's
    again.ask("open", name="again")
    again.ask("close", name="again")
    assert again.ask("remove", name="again")["code"] == "not_kept", "it is open nowhere, and there is no database here"
    before.say(kind="pong")
    assert before.wait(lambda frame: frame["kind"] == "error")["code"] == "hello_first"
    before.say(**hello)
    assert before.wait(lambda frame: frame["kind"] == "joined")["known"] is False, "its port was not closed"


@pytest.mark.parametrize("goes", [{"kind": "bye"}, {"kind": "notebook", "ref": -1, "do": "close", "name": "gone"}])
def test_a_tab_that_leaves_while_its_notebook_opens_has_it_not_open(worker: NodeWorker, goes: Frame) -> None:
    name = f"gone-{goes['kind']}"
    leaving, staying = worker.tab(), worker.tab()
    leaving.say(kind="notebook", ref=-2, do="open", name=name)
    leaving.say(**{**goes, "name": name})
    staying.ask("open", name=name)  # by then it is open for all who waited
    staying.ask("close", name=name)
    assert staying.ask("remove", name=name)["code"] == "not_kept", "it is open nowhere, and there is no database here"
