"""Keys that come faster than the worker's answers: each command acts on what was ordered before it, in order.

All keys are pressed in one task of the page, so that nothing of the worker's comes between them.
"""

from __future__ import annotations

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

pytestmark = pytest.mark.shared

PRESS = """
    for (const key of keys) {
        const parts = key.split('-');
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {
            key: parts.pop(), ctrlKey: parts.includes('Ctrl'), shiftKey: parts.includes('Shift'),
            bubbles: true, cancelable: true,
        }));
    }
"""


def press(page: Page, cell: str, *keys: str, first: str = "") -> None:
    """Press all these keys at once, in command mode, the first of them on this cell; before that run a script."""
    notebook.run_script(
        page, f"{first}; document.querySelector(`[data-id=${{cell}}]`).focus(); {PRESS}", cell=cell, keys=keys
    )


def wait_cells(page: Page, wanted: list[tuple[str, str]]) -> None:
    """Wait until the worker has told of these cells, type and text each, and this is what is shown."""
    wait(
        lambda: [(cell["type"], cell["source"]) for cell in notebook.ask(page, "open")["notebook"]["cells"]],
        lambda seen: seen == wanted,
        f"the worker to have {wanted}",
    )
    wait(
        lambda: [(cell["type"], cell["text"]) for cell in notebook.cells(page)],
        lambda seen: seen == wanted,
        f"{page!r} to show {wanted}",
    )


def prose(page: Page) -> list[str | None]:
    """What each cell shows rendered; None where it shows its text."""
    return [cell["prose"] for cell in notebook.cells(page)]


@pytest.fixture
def page(server: Server, browser: Browser) -> Page:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    return page


def test_a_cell_that_becomes_prose_is_rendered_and_not_run(page: Page) -> None:
    cell, for_tab = notebook.add(page, "print(7)"), notebook.add(page, "%%tab\nprint(7)")
    press(page, cell, "m", "Shift-Enter", "m", "Shift-Enter")
    assert prose(page)[1:3] == ["print(7)", "%%tab\nprint(7)"], "at once"
    wait_cells(page, [("code", ""), ("markdown", "print(7)"), ("markdown", "%%tab\nprint(7)"), ("code", "")])
    assert [cell.output for cell in notebook.shown(page)] == [""] * 4
    assert page.evaluate(f"document.querySelector('[data-id={for_tab}] [data-testid=tab-output]').hidden")
    assert page.text("line-notice") == ""
    assert page.errors == []


def test_a_cell_that_becomes_code_is_run(page: Page) -> None:
    """Also where it was made prose just before."""
    cell = notebook.add(page, "print(7)")
    press(page, cell, "m", "y", "m", "Ctrl-Enter")
    wait_cells(page, [("code", ""), ("markdown", "print(7)")])
    press(page, cell, "y", "Shift-Enter")
    assert notebook.wait_ended(page, cell).output == "7"
    assert page.errors == []


def test_a_new_cell_becomes_prose_before_the_worker_knows_it(page: Page) -> None:
    press(page, "first", "b", "m", "a", "m", "Ctrl-Enter")
    assert [cell["type"] for cell in notebook.cells(page)] == ["code", "markdown", "markdown"]
    assert prose(page) == [None, "An empty Markdown cell", None]
    wait_cells(page, [("code", ""), ("markdown", ""), ("markdown", "")])
    assert page.text("line-notice") == ""
    assert page.errors == []


def test_deleted_cells_are_in_nobodys_way(page: Page) -> None:
    """The selection goes on to a cell that stays; what is added next to it, and moved past it, finds its place."""
    two, three, four = notebook.add(page, "2"), notebook.add(page, "3"), notebook.add(page, "4")
    press(page, three, "d", "d", "Ctrl-Shift-ArrowUp", "a")
    assert notebook.texts(page) == ["", "", "4", "2"]
    wait_cells(page, [("code", ""), ("code", ""), ("code", "4"), ("code", "2")])
    press(page, two, "d", "d", "d", "d")
    assert notebook.cells(page)[notebook.selected(page)]["focused"]
    assert notebook.look(page, four) is None
    wait_cells(page, [("code", ""), ("code", "")])
    press(page, "first", "d", "d", "d", "d")
    (cell,) = notebook.cells(page)
    assert cell["focused"], "a new one: a notebook without cells is no place to write in"
    wait_cells(page, [("code", "")])
    assert notebook.look(page, "first") is None
    assert page.text("line-notice") == ""
    assert page.errors == []


def test_a_cell_that_is_moved_twice_goes_two_places(page: Page) -> None:
    notebook.add(page, "2")
    notebook.add(page, "3")
    press(page, "first", "Ctrl-Shift-ArrowDown", "Ctrl-Shift-ArrowDown")
    assert notebook.texts(page) == ["2", "3", ""]
    assert notebook.selected(page) == 2
    wait_cells(page, [("code", "2"), ("code", "3"), ("code", "")])
    assert page.errors == []


def test_what_was_undone_is_not_acted_on(page: Page) -> None:
    """What undo brings, the worker alone knows; so it says, too, whether there is something to be run."""
    cell = notebook.add(page, "print(7)")
    press(page, cell, "m", "z", "Ctrl-Enter")
    assert notebook.wait_ended(page, cell).output == "7"
    press(page, cell, "m")
    wait_cells(page, [("code", ""), ("markdown", "print(7)")])
    press(page, cell, "z", "Ctrl-Enter")
    assert notebook.wait_ended(page, cell).output == "7"

    press(page, cell, "m")
    wait_cells(page, [("code", ""), ("markdown", "print(7)")])
    press(page, cell, "y")
    wait_cells(page, [("code", ""), ("code", "print(7)")])
    press(page, cell, "z", "Ctrl-Enter")
    wait(lambda: prose(page)[1], lambda seen: seen == "print(7)", "the prose to be rendered")

    press(page, cell, "d", "d", "z")
    wait_cells(page, [("code", ""), ("markdown", "print(7)")])
    assert page.errors == []


def test_a_refused_change_of_type_is_not_shown_any_more(page: Page) -> None:
    cell = notebook.add(page, "import asyncio; await asyncio.sleep(1e9)")
    press(page, cell, "Ctrl-Enter", "m", "Ctrl-Enter")
    page.wait_text("line-notice", "This cell is running. Stop it first.")
    assert notebook.cells(page)[1]["type"] == "code"
    assert prose(page) == [None, None]
    notebook.stop(page, cell)
    notebook.wait_ended(page, cell)
    press(page, cell, "m", "Ctrl-Enter")
    wait(lambda: prose(page)[1], bool, "the prose")
    assert page.errors == []


@pytest.mark.engines("chromium", why="a worker is lost in the same way everywhere")
def test_what_was_ordered_is_done_by_the_next_worker(page: Page) -> None:
    """The keys come when the first one is dead, and nobody knows yet."""
    cell, prosaic, last = notebook.add(page, "*prose*"), notebook.add(page, "2"), notebook.add(page, "3")
    notebook.wait_saved(page)
    kill = "void window.partyline.fault('kill')"
    press(page, cell, "m", "Shift-Enter", "d", "d", "b", "m", "Enter", first=kill)
    page.press("x", "y")
    assert notebook.selected(page) == 3
    page.wait_text("said", lambda text: "started anew" in text)
    wait_cells(page, [("code", ""), ("markdown", "*prose*"), ("code", "3"), ("markdown", "xy")])
    assert prose(page) == [None, "prose", None, None]
    assert notebook.look(page, prosaic) is None
    assert notebook.look(page, last) is not None
    assert page.errors == []


@pytest.mark.engines("chromium", why="a worker is lost in the same way everywhere")
def test_what_was_ordered_of_a_lost_worker_outlives_a_reload(page: Page) -> None:
    """A new cell, and what was typed in it: no worker has heard of either when the page goes."""
    cell = notebook.add(page, "1")
    notebook.wait_saved(page)
    press(page, cell, "b", "Enter", first="void window.partyline.fault('kill')")
    page.press("x", "y")
    page.reload()
    notebook.wait_opened(page)
    wait_cells(page, [("code", ""), ("code", "1"), ("code", "xy")])
    notebook.wait_saved(page)
    assert page.errors == []
