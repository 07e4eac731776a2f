"""The notebook's page as the tests see it: its cells, and the JavaScript modules that it has loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .driver import Browser, Page, wait

EDITOR = "[data-testid=cell-editor]"


def open_notebook(browser: Browser, path: str = "") -> Page:
    """A new tab with a notebook, which answers to clicks: the test's own, or another page."""
    page = browser.open(path or f"/notebook/{browser.notebook}")
    wait(page.marks, lambda marks: "ui-ready" in marks, f"{page!r} to be ready")
    return page


def cells(page: Page) -> list[dict[str, Any]]:
    """Each cell as it is shown: type, text, rendered or not, whether it is selected."""
    found: list[dict[str, Any]] = page.evaluate(
        """[...document.querySelectorAll('[data-testid=cell]')].map(cell => ({
            type: cell.dataset.type,
            text: [...cell.querySelectorAll('.cm-line')].map(line => line.querySelector('.cm-placeholder') ? ''
                : line.textContent).join('\\n') || (cell.querySelector('.editor-plain')?.textContent ?? ''),
            prose: cell.querySelector('.cell-prose:not([hidden])')?.textContent.trim() ?? null,
            selected: cell.classList.contains('selected'),
            focused: document.activeElement === cell,
            editing: cell.contains(document.activeElement) && document.activeElement !== cell,
        }))"""
    )
    return found


def texts(page: Page) -> list[str]:
    """The texts of all cells."""
    return [cell["text"] for cell in cells(page)]


def wait_texts(page: Page, wanted: list[str]) -> None:
    """Wait until the cells have these texts."""
    wait(lambda: texts(page), lambda seen: seen == wanted, f"{page!r} to show {wanted}")


def selected(page: Page) -> int:
    """The place of the selected cell."""
    return [cell["selected"] for cell in cells(page)].index(True)


def run_script(page: Page, body: str, **values: Any) -> Any:
    """Run JavaScript in the page, with these values as names; returns what it returns, as JSON has it."""
    names, given = ", ".join(values), ", ".join(json.dumps(value) for value in values.values())
    return page.evaluate(f"(({names}) => {{ {body} }})({given})")


def complaints(page: Page) -> list[str]:
    """What the page has said that it must not, the breaches of its Content-Security-Policy among it."""
    return [f"{line.kind}: {line.text}" for line in page.console if line.is_error or line.kind == "warning"]


@dataclass(frozen=True)
class Shown:
    """A cell as its user sees it."""

    id: str
    state: str
    output: str


def wait_opened(page: Page) -> None:
    """Wait until the worker has opened the notebook for this tab, and runs nothing."""
    page.wait_text("kernel-status", "idle")
    wait(lambda: len(cells(page)), lambda count: count > 0, f"{page!r} to show cells")


def wait_saved(page: Page) -> None:
    """Wait until all is kept, of what was typed just now too: that it is not is shown a frame after that is."""
    page.evaluate("new Promise(shown => painting.after(() => painting.request(() => setTimeout(shown))))")
    page.wait_text("notebook-saved", "Saved")


def ask(page: Page, do: str, **fields: Any) -> Any:
    """Ask the worker as the page does, and fail where it refuses."""
    request = json.dumps(json.dumps({"do": do, **fields}))
    answer = json.loads(page.evaluate(f"window.partyline.notebook({request})"))
    assert not answer["code"], answer
    return answer["value"]


def shown(page: Page) -> list[Shown]:
    """All cells, from the first to the last."""
    found = page.evaluate(
        """[...document.querySelectorAll('[data-testid=cell]')].map(cell => ({
            id: cell.dataset.id, state: cell.dataset.state,
            output: [...cell.querySelector('[data-testid=cell-output]').children].filter(part => !part.dataset.testid)
                .map(part => part.textContent.replace(/\\n$/, '')).join('\\n'),
        }))"""
    )
    return [Shown(**cell) for cell in found]


def last(page: Page) -> str:
    """The id of the last cell."""
    return shown(page)[-1].id


def look(page: Page, cell: str) -> Shown | None:
    """A cell, or None where it is not there."""
    return next((each for each in shown(page) if each.id == cell), None)


def add(page: Page, source: str) -> str:
    """Add a code cell at the end; returns its id."""
    made, before = f"t{len(cells(page))}", last(page)
    ask(page, "apply", operation={"op": "add", "id": made, "after": before, "type": "code", "source": source})
    wait(lambda: look(page, made), lambda seen: seen is not None, f"{page!r} to show the cell {made}")
    return made


def start(page: Page, cell: str, state: str = "running") -> None:
    """Run a cell by its button, and wait until it is in this state."""
    page.evaluate(f"document.querySelector('[data-id={cell}] [data-testid=cell-run]').click()")
    wait_state(page, cell, state)


def stop(page: Page, cell: str) -> None:
    """Stop a cell by its button."""
    page.evaluate(f"document.querySelector('[data-id={cell}] [data-testid=cell-stop]').click()")


def wait_state(page: Page, cell: str, *states: str) -> Shown:
    """Wait until a cell is in one of these states."""
    seen = wait(
        lambda: look(page, cell), lambda each: each is not None and each.state in states, f"{page!r}: {cell} {states}"
    )
    assert seen is not None
    return seen


def wait_ended(page: Page, cell: str) -> Shown:
    """Wait until a cell has run to its end."""
    return wait_state(page, cell, "done", "error")


def run(page: Page, source: str, wait_for: str = "") -> Shown:
    """Add a cell at the end, run it, and wait for its end, or until it is in another state."""
    cell = add(page, source)
    page.evaluate(f"document.querySelector('[data-id={cell}] [data-testid=cell-run]').click()")
    return wait_state(page, cell, wait_for) if wait_for else wait_ended(page, cell)


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the page, as a user does."""
    body = """
        const transfer = new DataTransfer();
        transfer.items.add(new File([text], name));
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
    """
    run_script(page, body, name=name, text=text)
