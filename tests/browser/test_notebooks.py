"""Notebooks that come and go: without cells, deleted, and begun again under the same name."""

from __future__ import annotations

import json

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, wait

pytestmark = [pytest.mark.engines("chromium", why="the same Python everywhere"), pytest.mark.shared]


def test_the_last_cell_gives_way_to_a_new_one(server: Server, browser: Browser) -> None:
    """There is always a place to write in; undo brings back what was deleted."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.type("cell-editor", "the last")
    page.press("Escape", "d", "d")
    notebook.wait_texts(page, [""])
    page.click("said-button")
    wait(lambda: "the last" in notebook.texts(page), bool, "the cell to be back")
    assert page.errors == []


def test_a_notebook_without_cells(server: Server, browser: Browser) -> None:
    """As a file may have it: what is about a cell does nothing, all else works, at once and after a reload."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})
    notebook.ask(page, "import", name="empty", text=text)
    page.go("/notebook/empty")
    page.wait_text("kernel-status", "idle")
    for command in ("run", "delete", "up", "markdown", "clear"):
        page.click(f"command-{command}")
    assert notebook.texts(page) == []
    page.click("command-below")
    notebook.wait_texts(page, [""])
    page.click("command-undo")
    notebook.wait_texts(page, [])
    page.reload()
    page.wait_text("kernel-status", "idle")
    page.click("command-above")
    notebook.wait_texts(page, [""])
    assert notebook.run(page, "1 + 1").output == "2"
    assert page.errors == []


@pytest.mark.alone(why="its worker is stuck")
def test_what_a_worker_that_hears_nothing_was_not_told_outlives_a_reload(server: Server, browser: Browser) -> None:
    """It is inside a loop of C's; what is typed meanwhile is not said to be saved, and is there again all the same."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.type("cell-editor", "sum(range(10 ** 12))")
    below = notebook.add(page, "")
    notebook.wait_saved(page)
    notebook.start(page, "first")
    page.evaluate(f"document.querySelector('[data-id={below}]').focus()")
    page.press("Enter", "x", " ", "=", " ", "1", "Escape", "k")
    page.wait_text("notebook-saved", "Saving…")
    page.reload()
    notebook.wait_opened(page)
    notebook.wait_texts(page, ["sum(range(10 ** 12))", "x = 1"])
    notebook.wait_saved(page)
    assert page.errors == []


def test_what_is_typed_in_the_moment_of_a_reload_outlives_it(server: Server, browser: Browser) -> None:
    """The worker is told of a key a frame after it is seen; this page has no frame more."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.type("cell-editor", "x = 1")
    notebook.wait_saved(page)
    no_more_frames = "requestAnimationFrame = setTimeout = () => 0;"
    notebook.run_script(page, no_more_frames + "document.execCommand('insertText', false, '23'); location.reload();")
    wait(
        lambda: "ui-ready" in page.marks() and notebook.texts(page), lambda seen: seen == ["x = 123"], "what was typed"
    )
    notebook.wait_saved(page)
    assert page.errors == []


@pytest.mark.alone(why="the list of notebooks is to have one")
def test_a_deleted_notebook_does_not_come_back(server: Server, browser: Browser) -> None:
    """Nor does what a tab left of it that nobody had kept."""
    page = notebook.open_notebook(browser, "/notebook/gone")
    notebook.wait_opened(page)
    page.type("cell-editor", "before")
    notebook.wait_saved(page)
    whole = notebook.ask(page, "open")["notebook"]
    page.go("/notebook")
    keep = "localStorage.setItem('partyline-notebook-gone', left)"
    notebook.run_script(page, keep, left=json.dumps(whole))
    page.click("notebook-delete")
    page.click("dialog-yes")
    page.wait_text("said", "gone is deleted.")
    page.go("/notebook/gone")
    notebook.wait_opened(page)
    notebook.wait_texts(page, [""])
    assert page.errors == []
