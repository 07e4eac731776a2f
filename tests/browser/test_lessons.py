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
