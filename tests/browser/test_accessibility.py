"""Every page for everybody: nothing that axe-core calls serious or critical, in light and in dark; and the keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.running import Server

from . import notebook
from .accessibility import grave
from .driver import Browser, Page, wait

pytestmark = [pytest.mark.engines("chromium", why="the pages are the same everywhere"), pytest.mark.shared]
NewBrowser = Callable[[str], Browser]
FOCUSED = "document.activeElement.dataset.testid ?? null"

SHOWN = """
from IPython.display import HTML
import sys
print("printed"); print("complained", file=sys.stderr)
for file in (sys.stdout, sys.stderr):
    print(*[f"\\x1b[{code}mcolour" for code in (*range(30, 38), *range(90, 98))], "\\x1b[0m", file=file)
display(HTML("<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"))
1 / 0
"""
PROSE = "# Title\n\nSome *text*, `code` and [a link](/room)."


def check(page: Page) -> None:
    """In light and in dark."""
    for dark in (False, True):
        page.prefer_dark(dark)
        assert grave(page) == [], "dark" if dark else "light"


def test_pages(make_server: Callable[..., Server], new_browser: NewBrowser) -> None:
    server = make_server(TOKEN="secret-enough-for-a-test", FEEDS="host")
    server.start()
    browser = new_browser(server.url)
    for path in ("/", "/room", "/sign-in", "/nowhere"):
        page = browser.open(path)
        if path in ("/", "/room"):
            page.wait_line()
        check(page)


def test_notebooks(server: Server, browser: Browser) -> None:
    """One with all that it can show, while it asks, and with a dialog; and the list."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    notebook.run(page, SHOWN)
    prose = {"op": "add", "id": "prose", "after": None, "type": "markdown", "source": PROSE}
    notebook.ask(page, "apply", operation=prose)
    asking = notebook.add(page, "input('Who? ')")
    notebook.start(page, asking)
    page.wait_text("cell-ask", lambda text: "Who?" in text)
    check(page)
    page.type("cell-answer", "Ann\n")
    notebook.wait_ended(page, asking)
    page.press("d", "d")
    page.wait_text("said", lambda text: "deleted" in text)
    page.click("command-restart")
    check(page)
    page.press("Escape")
    page.go("/notebook")
    page.wait_text("lesson-list", lambda text: "min" in text)
    page.wait_text("notebook-list", lambda text: browser.notebook in text)
    check(page)


def test_by_keyboard_alone(server: Server, browser: Browser) -> None:
    """From the list into a new notebook: write, run, leave the editor, come to each command, restart, come back."""
    page = browser.open("/notebook")
    page.wait_line()
    page.evaluate("document.querySelector('[data-testid=new-name]').focus()")
    page.type("new-name", "by-keys\n")
    page.wait_text("notebook-title", "by-keys")
    notebook.wait_opened(page)
    press_until(page, "Tab", "command-run")
    press_until(page, "ArrowRight", "command-restart")
    page.press("Enter")
    wait(lambda: page.evaluate("document.querySelector('dialog')?.contains(document.activeElement)"), bool, "a dialog")
    page.press("Escape")
    wait(lambda: page.evaluate(FOCUSED), lambda seen: seen == "command-restart", "the focus to be where it was")
    press_until(page, "Tab", "cell")
    page.press("Enter")
    page.type("cell-editor", "6 * 7")
    page.press("Control+Enter", "Escape")
    assert notebook.wait_ended(page, "first").output == "42"
    wait(lambda: page.evaluate(FOCUSED), lambda seen: seen == "cell", "Escape to leave the editor")
    assert page.errors == []


def press_until(page: Page, key: str, test_id: str) -> None:
    """Press a key again and again, until this has the focus, and can be seen to have it."""
    for _ in range(60):
        page.press(key)
        if page.evaluate(FOCUSED) == test_id:
            style = page.evaluate(
                "(s => [s.outlineStyle, s.borderColor, s.boxShadow])(getComputedStyle(document.activeElement))"
            )
            assert style[0] != "none" or test_id == "cell", f"{test_id} does not show that it has the focus: {style}"
            return
    raise AssertionError(f"{key} does not come to {test_id}")
