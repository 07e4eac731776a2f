"""The notebook's page: what tabs share, what is kept, what is asked and said."""

from __future__ import annotations

import json

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

JSPI = "WebKitGTK cannot suspend Python"
SUSPENDING = pytest.mark.engines("chromium", "firefox", why=JSPI)
CHROMIUM = pytest.mark.engines("chromium", why="the same Python everywhere")
FOCUSED = "document.activeElement.dataset.testid ?? null"


def open_two(browser: Browser) -> tuple[Page, Page]:
    """Two tabs on one notebook."""
    pages = notebook.open_notebook(browser), notebook.open_notebook(browser)
    for page in pages:
        notebook.wait_opened(page)
    return pages


def wait_saved(page: Page) -> None:
    """Wait until all is kept."""
    page.wait_text("notebook-saved", "Saved")


@SUSPENDING
def test_two_tabs_show_one_notebook(server: Server, browser: Browser) -> None:
    """What is typed, run, asked and stopped in one is seen in the other; both may be loaded anew."""
    one, two = open_two(browser)
    one.type("cell-editor", "kept = 'all'\nprint(kept)")
    notebook.wait_texts(two, ["kept = 'all'\nprint(kept)"])
    notebook.start(one, "first", "done")
    assert notebook.wait_ended(two, "first").output == "all"

    loop = notebook.add(two, "while True: pass")
    notebook.start(two, loop)
    notebook.wait_state(one, loop, "running")
    one.wait_text("kernel-status", "busy")
    notebook.stop(one, loop)
    assert notebook.wait_ended(two, loop).output.endswith("KeyboardInterrupt")

    asking = notebook.add(one, "input('Who? ')")
    notebook.start(one, asking)
    for page in (one, two):
        page.wait_text("cell-ask", lambda text: text.startswith("Who?"))
    assert one.evaluate(FOCUSED) == "cell-answer", "the tab where it was run"
    assert two.evaluate(FOCUSED) != "cell-answer"
    two.type("cell-answer", "Ann\n")
    assert notebook.wait_ended(one, asking).output == "Who? Ann\n'Ann'"
    for page in (one, two):
        wait(lambda: page.evaluate("document.querySelector('.cell-ask')"), lambda seen: seen is None, "no form")  # noqa: B023

    before = notebook.shown(one)
    texts = notebook.texts(one)
    for page in (one, two):
        page.reload()
    for page in (one, two):
        notebook.wait_opened(page)
        notebook.wait_texts(page, texts)
        assert [cell.output for cell in notebook.shown(page)] == [cell.output for cell in before]
    if keeps_worker(one):
        assert notebook.run(two, "kept").output == "'all'"
    assert one.errors + two.errors == []


def test_a_reload_of_the_only_tab_keeps_text_and_outputs(server: Server, browser: Browser) -> None:
    """At once, before the worker has kept anything; where it lives on, variables too."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.type("cell-editor", "kept = 'all'\nprint(kept)")
    notebook.start(page, "first", "done")
    page.reload()
    notebook.wait_opened(page)
    notebook.wait_texts(page, ["kept = 'all'\nprint(kept)"])
    assert notebook.wait_ended(page, "first").output == "all"
    wait_saved(page)
    again = notebook.run(page, "kept").output
    assert again == "'all'" if keeps_worker(page) else again.startswith("Traceback")


def keeps_worker(page: Page) -> bool:
    """Whether this browser has the worker outlive a reload."""
    return "Chrom" in str(page.evaluate("navigator.userAgent"))


@CHROMIUM
def test_nothing_typed_is_lost_with_the_worker(server: Server, browser: Browser) -> None:
    """It is killed while one types, and cells are added; both tabs come to the same."""
    one, two = open_two(browser)
    one.type("cell-editor", "a = 1")
    wait_saved(one)
    one.type("cell-editor", "\nb = 2")
    one.evaluate("void window.partyline.fault('kill')")
    one.type("cell-editor", "\nc = 3")
    one.press("Escape", "b")
    for page in (one, two):
        page.wait_text("said", lambda text: "started anew" in text)
        notebook.wait_texts(page, ["a = 1\nb = 2\nc = 3", ""])
    wait_saved(one)
    assert notebook.run(two, "1 + 1").output == "2"


@CHROMIUM
def test_a_deleted_cell_can_be_had_back(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    cell = notebook.run(page, "print('mine')")
    page.evaluate(f"document.querySelector('[data-id={cell.id}]').focus()")
    page.press("d", "d")
    page.wait_text("said", lambda text: text.startswith("Cell deleted."))
    wait(lambda: notebook.look(page, cell.id), lambda seen: seen is None, "the cell to go")
    page.click("said-button")
    assert notebook.wait_ended(page, cell.id).output == "mine"
    assert page.errors == []


@CHROMIUM
def test_python_is_restarted_when_one_agrees(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.type("cell-editor", "times = globals().get('times', 0) + 1; print(times)")
    for count in ("1", "2"):
        notebook.start(page, "first", "done")
        wait(lambda: notebook.look(page, "first"), lambda seen: seen.output == count, f"{count} runs")  # type: ignore[union-attr]  # noqa: B023
    page.click("command-restart")
    page.press("Escape")
    notebook.start(page, "first", "done")
    wait(lambda: notebook.look(page, "first"), lambda seen: seen.output == "3", "nothing forgotten")  # type: ignore[union-attr]
    page.click("command-restart-run")
    page.click("dialog-yes")
    wait(lambda: notebook.look(page, "first"), lambda seen: seen.output == "1", "the first run")  # type: ignore[union-attr]
    assert page.errors == []


@pytest.mark.engines("webkit", why="the others can suspend Python")
def test_the_page_says_what_is_different_without_jspi(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    page.wait_text("kernel-differs", lambda text: "Stop starts Python anew" in text)
    page.wait_text("kernel-status", "idle")


@CHROMIUM
def test_files_and_links(server: Server, browser: Browser) -> None:
    """A notebook goes out as a file and as a link, and comes back under other names; what is none says why."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.type("cell-editor", "print('ran')")
    notebook.start(page, "first", "done")
    text = notebook.ask(page, "export")
    assert json.loads(text)["nbformat"] == 4

    drop(page, "no-notebook.ipynb", "{}")
    page.wait_text("line-notice", lambda seen: "no notebook" in seen)
    drop(page, "first-steps.ipynb", text)
    wait(lambda: page.evaluate("document.querySelector('dialog') !== null"), bool, "the name to be taken")
    assert page.evaluate("document.querySelector('[data-testid=dialog-field]').value") == "first-steps-2"
    page.press("Enter")
    page.wait_text("notebook-title", "first-steps-2")
    notebook.wait_opened(page)
    assert [cell.output for cell in notebook.shown(page)] == ["ran"], "outputs are in the file"

    link = notebook.ask(page, "share")
    shared = browser.open(f"/notebook#share={link}")
    shared.wait_text("shared-text", lambda seen: "1 cell" in seen)
    assert shared.evaluate("location.hash") == ""
    shared.click("shared-open")
    shared.wait_text("notebook-title", "shared")
    notebook.wait_opened(shared)
    assert [(cell.state, cell.output) for cell in notebook.shown(shared)] == [("idle", "")], "nothing ran"
    assert notebook.texts(shared) == ["print('ran')"]
    bad = browser.open(f"/notebook#share={link[:-9]}")
    bad.wait_text("shared-text", lambda seen: "Copy it again" in seen)
    assert link not in server.log


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the page, as a user does."""
    body = """
        const transfer = new DataTransfer();
        transfer.items.add(new File([text], name));
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
    """
    notebook.run_script(page, body, name=name, text=text)


@CHROMIUM
def test_the_list_of_notebooks(server: Server, browser: Browser) -> None:
    """Lessons in their order, what is kept here; what is deleted is gone."""
    page = notebook.open_notebook(browser, "/notebook/mine")
    notebook.wait_opened(page)
    page.type("cell-editor", "1 + 1")
    notebook.start(page, "first", "done")
    wait_saved(page)
    page.go("/notebook")
    page.wait_text("notebook-list", lambda seen: seen.startswith("mine1 cell · changed"))
    lessons = wait(lambda: page.evaluate(LESSONS), lambda seen: len(seen) > 0, "lessons")
    assert lessons == sorted(lessons)
    page.click("notebook-delete")
    page.click("dialog-yes")
    page.wait_text("notebook-section", "")
    assert page.errors == []


LESSONS = "[...document.querySelectorAll('[data-testid=lesson] a')].map(link => link.getAttribute('href'))"


@CHROMIUM
def test_a_lesson_is_reset_to_its_original(server: Server, browser: Browser) -> None:
    page = browser.open("/notebook")
    path = wait(lambda: page.evaluate(LESSONS), lambda seen: len(seen) > 0, "lessons")[0]
    lesson = notebook.open_notebook(browser, path)
    notebook.wait_opened(lesson)
    count = len(notebook.cells(lesson))
    added = notebook.add(lesson, "'mine'")
    lesson.click("notebook-reset")
    lesson.click("dialog-yes")
    lesson.wait_text("said", lambda seen: "original" in seen)
    wait(lambda: len(notebook.cells(lesson)), lambda seen: seen == count, "the original")
    lesson.click("said-button")
    wait(lambda: notebook.look(lesson, added), lambda seen: seen is not None, "what was there")
    assert lesson.errors == []


@CHROMIUM
@pytest.mark.plain_http
def test_a_link_is_copied_or_shown_to_be_copied(server: Server, browser: Browser) -> None:
    """Where the browser gives no clipboard, the link stands in a dialog, selected."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.click("notebook-share")
    if page.evaluate("isSecureContext"):
        wait(lambda: page.text("said") or page.evaluate(SHOWN_LINK), bool, "the link, copied or shown")
    else:
        wait(lambda: page.evaluate(SHOWN_LINK), bool, "the link")
        assert "/notebook#share=" in page.evaluate(SHOWN_LINK)
        page.press("Enter")
    assert page.errors == []


SHOWN_LINK = "document.querySelector('[data-testid=dialog-field]')?.value ?? ''"
