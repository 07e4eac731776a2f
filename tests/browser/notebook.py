"""The notebook's page as the tests see it: its cells, and the JavaScript modules that it has loaded."""

from __future__ import annotations

import json
from typing import Any

from .driver import Browser, Page, wait

PATH = "/notebook/first-steps"
EDITOR = "[data-testid=cell-editor]"


def open_notebook(browser: Browser, path: str = PATH) -> Page:
    """A new tab with a notebook, which answers to clicks."""
    page = browser.open(path)
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
