"""The notebook's page: what tabs share, what is kept, what is asked and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

JSPI = "WebKitGTK cannot suspend Python"
SUSPENDING = pytest.mark.engines("chromium", "firefox", why=JSPI)
pytestmark = pytest.mark.shared
CHROMIUM = pytest.mark.engines("chromium", why="the same Python everywhere")
NewBrowser = Callable[[str], Browser]
FOCUSED = "document.activeElement.dataset.testid ?? null"


def open_two(browser: Browser) -> tuple[Page, Page]:
    """Two tabs on one notebook."""
    pages = notebook.open_notebook(browser), notebook.open_notebook(browser)
    for page in pages:
        notebook.wait_opened(page)
    return pages


@SUSPENDING
@pytest.mark.alone(why="it reloads all tabs")
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


@pytest.mark.alone(why="it has the only tab")
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
    notebook.wait_saved(page)
    again = notebook.run(page, "kept").output
    assert again == "'all'" if keeps_worker(page) else again.startswith("Traceback")


def keeps_worker(page: Page) -> bool:
    """Whether this browser has the worker outlive a reload."""
    return "Chrom" in str(page.evaluate("navigator.userAgent"))


@CHROMIUM
def test_a_command_may_come_before_the_cells(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    page.evaluate("document.querySelector('[data-testid=command-markdown]').click()")
    notebook.wait_opened(page)
    wait(lambda: [cell["type"] for cell in notebook.cells(page)], lambda seen: seen == ["markdown"], "a Markdown cell")
    assert page.text("line-notice") == ""


@CHROMIUM
def test_nothing_typed_is_lost_with_the_worker(server: Server, browser: Browser) -> None:
    """It is killed while one types, and cells are added; both tabs come to the same."""
    one, two = open_two(browser)
    one.type("cell-editor", "a = 1")
    notebook.wait_saved(one)
    one.type("cell-editor", "\nb = 2")
    one.evaluate("void window.partyline.fault('kill')")
    one.type("cell-editor", "\nc = 3")
    one.press("Escape", "b")
    for page in (one, two):
        page.wait_text("said", lambda text: "started anew" in text)
    for page in (one, two):
        notebook.wait_texts(page, ["a = 1\nb = 2\nc = 3", ""])
    notebook.wait_saved(one)
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

    notebook.drop(page, "no-notebook.ipynb", "{}")
    page.wait_text("line-notice", lambda seen: "no notebook" in seen)
    notebook.drop(page, f"{browser.notebook}.ipynb", text)
    wait(lambda: page.evaluate("document.querySelector('dialog') !== null"), bool, "the name to be taken")
    assert page.evaluate("document.querySelector('[data-testid=dialog-field]').value") == f"{browser.notebook}-2"
    page.press("Enter")
    page.wait_text("notebook-title", f"{browser.notebook}-2")
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


@CHROMIUM
@pytest.mark.alone(why="the list is to have one")
def test_the_list_of_notebooks(server: Server, browser: Browser) -> None:
    """Lessons in their order, what is kept here; what is deleted is gone."""
    page = notebook.open_notebook(browser, "/notebook/mine")
    notebook.wait_opened(page)
    page.type("cell-editor", "1 + 1")
    notebook.start(page, "first", "done")
    notebook.wait_saved(page)
    page.go("/notebook")
    page.wait_text("notebook-list", lambda seen: seen.startswith("mine1 cell · changed"))
    lessons = wait(lambda: page.evaluate(LESSONS), lambda seen: len(seen) > 0, "lessons")
    assert lessons == sorted(lessons)
    page.click("notebook-delete")
    page.click("dialog-yes")
    page.wait_text("notebook-section", "")
    assert page.errors == []


@CHROMIUM
def test_a_file_that_cannot_be_a_lesson_is_named_and_leads_nowhere(
    make_server: Callable[..., Server], new_browser: NewBrowser, tmp_path: Path
) -> None:
    """It is in the teacher's folder. The others are there all the same."""
    (tmp_path / "Week 1.ipynb").write_text("{")
    server = make_server(LESSONS=str(tmp_path))
    server.start()
    page = new_browser(server.url).open("/notebook")
    seen = wait(lambda: page.evaluate(LESSON_TEXTS), lambda seen: len(seen) > 1, "lessons")
    assert [text.startswith("Week 1.ipynbWeek 1.ipynb is left out: it is not JSON: ") for text in seen].index(True) == 9
    assert len(page.evaluate(LESSONS)) == len(seen) - 1 == 9
    assert page.errors == []


LESSON_TEXTS = "[...document.querySelectorAll('[data-testid=lesson]')].map(card => card.textContent)"
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
def test_what_was_there_before_a_reset_can_be_had_back_after_python_was_lost(server: Server, browser: Browser) -> None:
    lesson = notebook.open_notebook(browser, "/notebook/02-what-a-stream-is")
    notebook.wait_opened(lesson)
    assert hidden(lesson, "notebook-back")
    added = notebook.run(lesson, "print('mine')").id
    notebook.wait_saved(lesson)
    for _ in range(2):  # of a second reset nothing is to be had back
        lesson.evaluate("void (document.querySelector('[data-testid=said]').hidden = true)")
        lesson.click("notebook-reset")
        lesson.click("dialog-yes")
        lesson.wait_text("said", lambda seen: "original" in seen)
        wait(lambda: notebook.look(lesson, added), lambda seen: seen is None, "the original")
    notebook.wait_saved(lesson)
    lesson.evaluate("void window.partyline.fault('kill')")
    lesson.wait_text("said", lambda text: "started anew" in text)
    notebook.wait_opened(lesson)
    wait(lambda: hidden(lesson, "notebook-back"), lambda seen: not seen, "the button")
    lesson.click("notebook-back")
    lesson.click("dialog-yes")
    assert notebook.wait_ended(lesson, added).output == "mine"
    wait(lambda: hidden(lesson, "notebook-back"), bool, "the button to go")
    lesson.click("said-button")
    wait(lambda: notebook.look(lesson, added), lambda seen: seen is None, "the original again")
    assert lesson.errors == []


def hidden(page: Page, test_id: str) -> bool:
    return bool(page.evaluate(f"document.querySelector('[data-testid={test_id}]').hidden"))


@CHROMIUM
@pytest.mark.plain_http
def test_two_pythons_with_one_notebook_lose_nothing(server: Server, browser: Browser) -> None:
    """Each tab has a worker of its own: one that knows nothing new follows the other; else both are kept."""
    name = browser.notebook
    path = f"/notebook/{name}?ladder=own"
    one, two = notebook.open_notebook(browser, path), notebook.open_notebook(browser, path)
    for page in (one, two):
        notebook.wait_opened(page)
    added = notebook.add(one, "'of the first'")
    notebook.wait_saved(one)
    come_forward(two)
    wait(lambda: notebook.look(two, added), lambda seen: seen is not None, "what the other kept")
    notebook.wait_saved(two)

    notebook.add(two, "'of the second'")
    notebook.wait_saved(two)
    assert two.evaluate("location.pathname") == f"/notebook/{name}"
    notebook.add(one, "'more of the first'")
    one.wait_text("notebook-title", f"{name}-2")
    one.wait_text("notebook-moved-text", lambda text: f"kept as {name}-2" in text)
    notebook.wait_saved(one)
    notebook.add(one, "'and more'")
    notebook.wait_saved(one)
    assert one.evaluate("location.pathname + location.search") == f"/notebook/{name}-2?ladder=own"
    assert notebook.run(one, "1 + 1").output == "2"
    notebook.wait_saved(one)
    first, second = notebook.texts(one), notebook.texts(two)
    assert first == ["", "'of the first'", "'more of the first'", "'and more'", "1 + 1"]
    assert second == ["", "'of the first'", "'of the second'"]
    for page, texts in ((one, first), (two, second)):
        page.reload()
        notebook.wait_opened(page)
        notebook.wait_texts(page, texts)
        assert page.errors == []


@CHROMIUM
@pytest.mark.plain_http
def test_a_lesson_under_another_name_can_be_reset_after_a_new_start(server: Server, browser: Browser) -> None:
    """Its own name went to what another worker kept."""
    path = "/notebook/03-one-socket-many-tabs?ladder=own"
    one, two = notebook.open_notebook(browser, path), notebook.open_notebook(browser, path)
    for page in (one, two):
        notebook.wait_opened(page)
    count = len(notebook.cells(one))
    notebook.add(two, "'of the second'")
    notebook.wait_saved(two)
    added = notebook.add(one, "'of the first'")
    one.wait_text("notebook-moved-text", lambda text: "kept as 03-one-socket-many-tabs-2" in text)
    notebook.wait_saved(one)
    one.reload()
    notebook.wait_opened(one)
    assert notebook.look(one, added) is not None
    assert not hidden(one, "notebook-reset")
    one.click("notebook-reset")
    one.click("dialog-yes")
    one.wait_text("said", lambda seen: "original" in seen)
    wait(lambda: len(notebook.cells(one)), lambda seen: seen == count, "the original")
    assert one.errors + two.errors == []


def come_forward(page: Page) -> None:
    """As when the user comes back to the tab."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@CHROMIUM
def test_what_a_closed_tab_left_is_kept_beside_what_was_written_since(server: Server, browser: Browser) -> None:
    """Neither holds all of the other: the cell is there twice, one of them labelled."""
    page = notebook.open_notebook(browser, "/notebook/left")
    notebook.wait_opened(page)
    page.evaluate("document.querySelector('[data-testid=cell-editor]').click()")
    page.type("cell-editor", "since")
    notebook.wait_saved(page)
    whole = notebook.ask(page, "open")["notebook"]
    whole["cells"][0]["source"] = "left"
    whole.update(rev=99, versions={"another": 99})
    page.go("/notebook")
    keep = "localStorage.setItem('partyline-notebook-left', left)"
    notebook.run_script(page, keep, left=json.dumps(whole))
    page.go("/notebook/left")
    notebook.wait_opened(page)
    first, second = wait(lambda: notebook.texts(page), lambda seen: len(seen) == 2, "both")
    assert first == "since"
    assert second.startswith("# Another text of the cell above")
    assert second.endswith("\nleft")
    assert page.evaluate("localStorage.getItem('partyline-notebook-left')") == ""
    assert page.errors == []


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


@CHROMIUM
def test_what_two_tabs_typed_while_there_was_no_worker_is_put_together(server: Server, browser: Browser) -> None:
    """In one cell, in one line even: neither gives way to the other."""
    one, two = open_two(browser)
    for page in (one, two):
        page.evaluate("document.querySelector('[data-testid=cell-editor]').click()")
    one.type("cell-editor", "first = 1\nlast = 2")
    for page in (one, two):
        notebook.wait_texts(page, ["first = 1\nlast = 2"])
        notebook.wait_saved(page)
    two.type("cell-editor", "")
    two.press("Control+End")
    one.evaluate("void window.partyline.fault('kill')")
    one.type("cell-editor", " + one\nonly_one = 1")
    two.type("cell-editor", " + two\nonly_two = 2")
    for page in (one, two):
        page.wait_text("said", lambda text: "started anew" in text)
    (text,) = wait(lambda: notebook.texts(one), lambda seen: "one" in seen[0] and "two" in seen[0], "both texts")
    assert text.startswith("first = 1\nlast = 2 + ")
    for typed in (" + one\nonly_one = 1", " + two\nonly_two = 2"):
        assert text.count(typed) == 1, text
    notebook.wait_texts(two, [text])
    for page in (one, two):
        notebook.wait_saved(page)
    assert one.errors + two.errors == []


MERGES = """
    const { Text, ChangeSet } = await import('@codemirror/state');
    const { rebase, differences } = await import('/js/merging.js');
    let seed = 7;
    const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
    const some = (parts, count) => Array.from({ length: random(count) }, () => parts[random(parts.length)]).join('');
    const changed = (text, parts) => {
        const lines = text.split('\\n');
        for (let times = random(3); times >= 0; times -= 1)
            lines.splice(random(lines.length), random(2), some(parts, 4));
        return lines.join('\\n');
    };
    const wrong = [];
    for (let round = 0; round < 500; round += 1) {
        const base = some(['a', 'b', '\\n', '😀'], 30);
        const [mine, theirs] = [changed(base, ['x', 'y', '😁', '\\n']), changed(base, ['p', 'q', '😂', '\\n'])];
        const doc = Text.of(base.split('\\n'));
        const make = (text) => ChangeSet.of(differences(base, text), doc.length);
        if (make(mine).apply(doc).toString() !== mine) wrong.push(['differences', base, mine]);
        const { changes, caret } = rebase(doc, [make(mine)], theirs, random(mine.length + 1));
        const both = changes.apply(Text.of(theirs.split('\\n'))).toString();
        const count = (text, kind) => [...text].filter((each) => kind.includes(each)).length;
        for (const [kind, from] of [['xy😁', mine], ['pq😂', theirs]])
            if (count(both, kind) !== count(from, kind)) wrong.push(['lost', base, mine, theirs, both]);
        if (caret < 0 || caret > both.length) wrong.push(['caret', caret, both]);
        if (/[\\ud800-\\udbff](?![\\udc00-\\udfff])/.test(both)) wrong.push(['half', base, mine, theirs]);
        const taken = rebase(doc, [make(mine)], mine, 0);
        if (!taken.changes.empty) wrong.push(['twice', base, mine]);
    }
    return wrong;
"""


@CHROMIUM
def test_texts_are_put_together_with_nothing_lost_or_doubled(server: Server, browser: Browser) -> None:
    """Random ones: what each of two brought is there once, and no character is parted."""
    page = notebook.open_notebook(browser)
    assert page.evaluate(f"(async () => {{ {MERGES} }})()") == []
