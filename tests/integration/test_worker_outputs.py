"""What cells put out while their notebook changes: it is cleared, reset, or made another; in the worker's Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest

from tests.integration.worker import NodeWorker, Tab
from tests.running import Server

WAITS = "print('first')\ninput()\nprint('last')"
"""A lesson's cell that runs until it is answered."""

TALKS = """import asyncio
print('first')
said = asyncio.Queue()
async def talk():
    while True:
        print(await said.get(), end='')
talking = asyncio.create_task(talk())"""
"""A cell that ends, and leaves a task that prints whatever ``said`` gets."""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeWorker]:
    """A worker for all tests here, with a lesson for each test that resets one."""
    folder = tmp_path_factory.mktemp("lessons")
    for name in ("reset", "reset-undone", "reset-redone"):
        cells = [nbformat.v4.new_code_cell(WAITS, id="waits"), nbformat.v4.new_code_cell("2", id="next")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    server = Server(tmp_path_factory.mktemp("worker"), LESSONS=str(folder))
    server.start()
    worker = NodeWorker(server)
    yield worker
    worker.close()
    server.kill()


def apply(tab: Tab, name: str, **operation: Any) -> None:
    answer = tab.ask("apply", name=name, operation=operation)
    assert "error" not in answer, answer


def shown(tab: Tab, name: str, cell: str) -> list[str]:
    """The texts of a cell's streams."""
    return [output.get("text", output["output_type"]) for output in tab.cells(name)[cell]["outputs"]]


def wait_shown(tab: Tab, name: str, cell: str, *texts: str) -> None:
    """Wait until this is what the cell shows."""
    while shown(tab, name, cell) != list(texts):
        tab.wait(lambda frame: frame.get("what") == "change")


def say(tab: Tab, name: str, text: str) -> None:
    """Have the task that cell ``a`` left print this; cell ``b`` does it."""
    cell = tab.cells(name)["b"]
    source = f"said.put_nowait({text!r})"
    changes = [[len(cell["source"]), source]]
    apply(tab, name, op="edit", cell="b", version=cell["version"], changes=changes, author="test")
    assert tab.run(name, "b")["b"]["state"] == "done"


def test_what_a_task_prints_after_clear_is_shown(tab: Tab) -> None:
    """And nothing of what it said before."""
    tab.open("cleared", TALKS, "")
    tab.run("cleared", "a")
    say(tab, "cleared", "before")
    wait_shown(tab, "cleared", "a", "first\nbefore")
    apply(tab, "cleared", op="clear", cells=None)
    assert shown(tab, "cleared", "a") == []
    say(tab, "cleared", "after")
    wait_shown(tab, "cleared", "a", "after")
    say(tab, "cleared", ", and more")
    wait_shown(tab, "cleared", "a", "after, and more")


@pytest.mark.parametrize(
    ("name", "back", "left"),
    [
        ("typed", [{"op": "type", "cell": "a", "type": "markdown"}, {"op": "type", "cell": "a", "type": "code"}], []),
        ("undone", [{"op": "type", "cell": "a", "type": "markdown"}, {"op": "undo"}], ["first\nbefore"]),
        ("split", [{"op": "split", "cell": "a", "at": 14, "id": "x"}], []),
        ("merged", [{"op": "merge", "cells": ["a", "c"]}], []),
    ],
)
def test_what_a_task_prints_goes_after_what_its_cell_shows(
    tab: Tab, name: str, back: list[dict[str, Any]], left: list[str]
) -> None:
    tab.open(name, TALKS, "", "")
    apply(tab, name, op="move", cell="b", after="c")
    tab.run(name, "a")
    say(tab, name, "before")
    wait_shown(tab, name, "a", "first\nbefore")
    for operation in back:
        apply(tab, name, **operation)
    assert shown(tab, name, "a") == left
    say(tab, name, "after")
    while "".join(shown(tab, name, "a")) != "".join(left) + "after":
        tab.wait(lambda frame: frame.get("what") == "change")


def test_what_a_task_prints_is_shown_until_its_cell_runs_again(tab: Tab) -> None:
    """That it was to run again, and was not, ends nothing."""
    tab.open("queued", TALKS, "", "input()")
    tab.run("queued", "a")
    tab.ask("run", name="queued", cells=["c", "a"])
    tab.wait(lambda frame: frame.get("what") == "ask")
    tab.ask("stop", name="queued")
    tab.rest("queued")
    say(tab, "queued", "more")
    wait_shown(tab, "queued", "a", "first\nmore")


def test_a_task_of_what_is_no_code_goes_on(tab: Tab) -> None:
    """A note shows nothing of it; when it is code again, it shows what is new."""
    tab.open("note", TALKS, "")
    tab.run("note", "a")
    apply(tab, "note", op="type", cell="a", type="markdown")
    say(tab, "note", "unseen")
    tab.run("note", "b")
    assert tab.cells("note")["a"]["outputs"] == []
    apply(tab, "note", op="type", cell="a", type="code")
    say(tab, "note", "seen")
    wait_shown(tab, "note", "a", "seen")


@pytest.mark.parametrize(
    ("name", "again"),
    [("reset", []), ("reset-undone", [{"op": "undo"}]), ("reset-redone", [{"op": "undo"}, {"op": "redo"}])],
)
def test_a_cell_that_runs_goes_on_when_its_lesson_is_reset(tab: Tab, name: str, again: list[dict[str, Any]]) -> None:
    """And what waits is run after it."""
    tab.ask("open", name=name)
    tab.ask("run", name=name, cells=["waits", "next"])
    tab.wait(lambda frame: frame.get("what") == "ask")
    for operation in [{"op": "reset"}, *again]:
        apply(tab, name, **operation)
        assert [cell["state"] for cell in tab.cells(name).values()] == ["running", "queued"]
        assert shown(tab, name, "waits") == ["first\n"]
    tab.ask("reply", name=name, cell="waits", text="")
    assert [cell["state"] for cell in tab.rest(name).values()] == ["done", "done"]
    assert shown(tab, name, "waits") == ["first\n\nlast\n"]  # an answer is shown, too


@pytest.mark.parametrize(("name", "becomes"), [("adopts", []), ("adopts-note", [{"type": "markdown"}])])
def test_a_cell_that_is_not_there_any_more_is_stopped(tab: Tab, name: str, becomes: list[dict[str, Any]]) -> None:
    """By the copy that another tab knew, here, it is gone, or a note."""
    tab.open(name, WAITS, "2")
    tab.ask("run", name=name, cells=["a"])
    tab.wait(lambda frame: frame.get("what") == "ask")
    whole = tab.ask("open", name=name)["value"]["notebook"]
    first, other = whole["cells"]
    versions = {**whole["versions"], "another": whole["rev"] + 1}
    cells = [*({**first, **fields, "outputs": []} for fields in becomes), other]
    tab.ask("adopt", name=name, whole={**whole, "rev": whole["rev"] + 1, "versions": versions, "cells": cells})
    tab.wait(lambda frame: frame.get("what") == "kernel" and frame["state"] == "idle")
    cells = list(tab.run(name, "b").values())
    assert [(cell["type"], cell["state"], cell["outputs"] != []) for cell in cells] == [
        *(("markdown", "idle", False) for _ in becomes),
        ("code", "done", True),
    ]


@pytest.mark.parametrize("method", ["output", "started", "finished"])
def test_what_waits_is_run_though_telling_fails(worker: NodeWorker, tab: Tab, method: str) -> None:
    """A cell may break what the kernel's user stands on, for they share one Python: the console has it."""
    broken = f"""from document import Document
kept = Document.{method}
def broken(*_): raise OSError('no {method}')
Document.{method} = broken
print(1)"""
    name = f"broken-{method}"
    tab.open(name, broken, "3", f"Document.{method} = kept", "4")
    tab.ask("run", name=name, cells=["a", "b", "c", "d"])
    while tab.cells(name)["d"]["state"] != "done":
        tab.wait(lambda frame: frame.get("what") in ("change", "kernel"))
    assert tab.ask("open", name=name)["value"]["kernel"] == "idle"
    worker.wait_console(f"in broken\n.*\nOSError: no {method}\n")


def plain(cell: dict[str, Any]) -> str:
    """All that a cell has put out, as text."""
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output["traceback"])
        for output in cell["outputs"]
    )


def test_what_is_timed_and_asked_for_is_told(tab: Tab) -> None:
    sources = [
        "import asyncio\n%time await asyncio.sleep(0.02, 'slept')",
        "%%time\nx = 1\nx",
        "%timeit x + 1",
        "%time y = x + 1\ny",
        "print?",
        "x\n?x.no",
        "%time 1 / 0",
    ]
    tab.open("timed", *sources)
    cells = tab.run("timed", *"abcdef")
    assert re.fullmatch(r"Wall time: [\d.]+ m?s\n\n'slept'", plain(cells["a"]))
    assert re.fullmatch(r"1\nWall time: [\d.]+ [mµn]?s\n", plain(cells["b"]))
    assert re.fullmatch(r"[\d.]+ ns ± .* per loop \(mean ± std. dev. of \d runs?, .* loops each\)\n", plain(cells["c"]))
    assert plain(cells["d"]).endswith("\n2")
    assert plain(cells["e"]).startswith("print(*args, sep=' ', end='\\n', file=None, flush=False)\n\nPrints the values")
    assert plain(cells["f"]) == "There is nothing called x.no.\n"
    failed = plain(tab.run("timed", "g")["g"])
    assert "Wall time" not in failed
    assert "%time 1 / 0" in failed


def test_values_are_shown_as_in_jupyter(tab: Tab) -> None:
    sources = [
        "PNG = b'\\x89PNG\\r\\n\\x1a\\n'\nfrom unittest.mock import Mock\nMock(name='stand-in')",
        "class Half:\n    __repr__ = lambda self: 'half'\n    _repr_html_ = lambda self: 1 / 0\nHalf()",
        "['a very long dinner ' * 10, 1]",
        "from IPython.display import Image\nopen('dot.png', 'wb').write(PNG)\nImage('dot.png', width=3)",
        "from zoneinfo import ZoneInfo\nZoneInfo('Mars/Base')",
    ]
    tab.open("values", *sources)
    cells = tab.run("values", *"abcde")
    assert "<Mock name='stand-in'" in plain(cells["a"])
    assert (
        plain(cells["b"]) == "Half._repr_html_() failed, and is not shown: ZeroDivisionError: division by zero\n\nhalf"
    )
    assert "a very long dinner " * 10 in plain(cells["c"])
    (picture,) = cells["d"]["outputs"]
    assert picture["data"]["image/png"] == "iVBORw0KGgo="
    assert picture["metadata"] == {"image/png": {"width": 3}}
    assert "zoneinfo/" not in plain(cells["e"])
    assert "Cell [5], line 2" in plain(cells["e"])


SHOWN = """import opened, time
from runs import current
run = current.get()
notebook, cell = run.sink._notebook, run.cell
def shown():
    return ''.join(output.get('text', '') for output in notebook.document.cell(cell)['outputs'])
def wait():
    until = time.monotonic() + 2 * opened.FLUSH_SECONDS
    while time.monotonic() < until:
        pass
"""


@pytest.mark.parametrize(
    ("name", "source", "seen"),
    [
        ("asked", "print('a', flush=True); note(); print('b', flush=True); note()", ["a\n", "a\nb\n"]),
        ("part", "print('a'); print('b', end=''); note(); sys.stdout.flush(); note()", ["a\n", "a\nb"]),
        ("slow", "print('a'); note(); wait(); print('b'); note()", ["a\n", "a\nb\n"]),
        ("line", "print('a', 'b', 'c'); note()", ["a b c\n"]),
        ("cleared", "print('a'); wait(); clear_output(); note(); print('b'); note()", ["a\n", "b\n"]),
    ],
)
def test_what_is_printed_is_shown_though_the_world_does_not_turn(
    tab: Tab, name: str, source: str, seen: list[str]
) -> None:
    """As inside C, and where Python cannot be suspended; whole lines at once, and not by halves."""
    source = f"{SHOWN}import sys\nseen = []\ndef note(): seen.append(shown())\nwith run.guard.shield: {source}"
    tab.open(f"at-once-{name}", source, "seen")
    assert tab.run(f"at-once-{name}", "a", "b")["b"]["outputs"][0]["data"]["text/plain"] == str(seen)


MANY = """kept, told = notebook.document.output, []
notebook.document.output = lambda *given: told.append(1) or kept(*given)
for number in range(3000):
    print(number, flush=True)
notebook.document.output = kept
len(told) < 300"""


def test_a_flood_is_told_now_and_then(tab: Tab) -> None:
    tab.open("flood", SHOWN + MANY)
    assert tab.run("flood", "a")["a"]["outputs"][-1]["data"]["text/plain"] == "True"
