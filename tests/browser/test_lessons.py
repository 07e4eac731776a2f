"""Each lesson runs from top to bottom in the notebook's page, by its button, with its exercises open."""

from __future__ import annotations

import pytest

from tests.unit.lessons import FILES, code_cells, read, tagged

from . import notebook
from .driver import Browser, Page, wait

STATES = """[...document.querySelectorAll('[data-testid=cell][data-type=code]')]
    .map(cell => [cell.dataset.id, cell.dataset.state])"""

ENDED = ("done", "error")


def states(page: Page) -> dict[str, str]:
    """The state of each code cell, in the page's order."""
    return {cell: str(state) for cell, state in page.evaluate(STATES)}


def run_all(page: Page, cells: int) -> dict[str, str]:
    """Run all cells by the button, and wait until none is left that runs or waits; an error takes the rest back."""
    wait(lambda: states(page), lambda seen: len(seen) == cells, f"{page!r} to show {cells} code cells")
    page.click("run-all")

    def has_ended(seen: dict[str, str]) -> bool:
        return any(state in ENDED for state in seen.values()) and not {"queued", "running"} & {*seen.values()}

    return wait(lambda: states(page), has_ended, f"{page!r}: all cells to end")


@pytest.mark.shared(FEEDS="host")
@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_it_runs_from_top_to_bottom(browser: Browser, name: str) -> None:
    page = notebook.open_notebook(browser, f"/notebook/{name}")
    notebook.wait_opened(page)
    (path,) = (path for path in FILES if path.stem == name)
    cells = code_cells(read(path))
    ended = run_all(page, len(cells))
    suspends = page.evaluate("'Suspending' in WebAssembly")
    if suspends:
        assert {cell: state for cell, state in ended.items() if state != "done"} == {}
        for cell in cells:
            if tagged(cell, "check"):
                shown = notebook.look(page, cell.id)
                assert shown is not None
                assert "Not yet." in shown.output
    else:  # plain loops cannot wait there, and say so; what stands before the first of them has run
        failed = [cell for cell, state in ended.items() if state == "error"]
        assert len(failed) <= 1
        for cell in failed:
            shown = notebook.look(page, cell)
            assert shown is not None
            assert "cannot suspend Python" in shown.output
    assert page.errors == []


@pytest.mark.engines("chromium", why="what a fault does is tested in all of them")
@pytest.mark.alone(why="its line is cut")
def test_the_line_that_a_learner_cuts_while_python_counts_loses_nothing(browser: Browser) -> None:
    """As lesson 8 has it: by a cell of the tab's own, which runs at once; and after that the numbers are compared."""
    page = notebook.open_notebook(browser, "/notebook/08-break-it")
    notebook.wait_opened(page)
    notebook.start(page, "mine", "done")
    notebook.start(page, "count")
    notebook.start(page, "cut-now", "done")
    assert notebook.wait_ended(page, "count").output == "published: 20"
    notebook.start(page, "compare", "done")
    notebook.start(page, "status", "done")
    shown = notebook.look(page, "compare")
    assert shown is not None
    assert shown.output.endswith(f"in the topic: {list(range(1, 21))}")
    shown = notebook.look(page, "status")
    assert shown is not None
    assert "sockets_opened = 2" in shown.output.splitlines()
    assert page.errors == []
