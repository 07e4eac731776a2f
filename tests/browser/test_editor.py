"""The cells' editors: typing, keys, help from Python; and collaboration, with an authority that is slow and strict."""

from __future__ import annotations

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait
from .notebook import run_script

pytestmark = pytest.mark.shared
CHROMIUM = pytest.mark.engines("chromium", why="the library's own tests are for the other engines")

# Editors of one text, and an authority that hears of nothing until `deliver` is called, or some of the queues' steps
# are made. Changes and answers take two ways, as the worker's do, and come in either order.
# `far` is an editor that stands far below, so it is plain text.
AUTHORITY = """
    const updates = [], pushes = [], queues = {asked: [], changes: [], answers: []};
    const place = document.querySelector('[data-testid=cells]');
    const all = Object.fromEntries(ids.map(id => {
        const element = document.createElement('div');
        if (id === 'far') element.style.marginTop = '9000px';
        place.append(element);
        return [id, editors.create(element, {id, text: 'start', author: id, label: id})];
    }));
    for (const id of ids) if (id !== 'far') all[id].mount();
    const since = version => JSON.stringify({version, updates: updates.slice(version)});
    const take = (id, version, changes) => {
        if (version !== updates.length) return queues.answers.push(() => all[id].refused());
        updates.push({author: id, changes});
        const told = since(version);
        for (const other of ids) queues.changes.push(() => all[other].receive(told));
    };
    editors.heard = (id, what, json) => {
        const {version, changes} = JSON.parse(json);
        if (what === 'pull') queues.asked.push(() => {
            const told = since(version);
            queues.answers.push(() => all[id].receive(told));
        });
        if (what !== 'push') return;
        pushes.push(id);
        queues.asked.push(() => take(id, version, changes));
    };
    const step = name => queues[name].length > 0 && (queues[name].shift()(), true);
    window.bench = {
        all, pushes, step,
        // what was typed is told a frame later
        deliver() { do painting.flush(); while (Object.keys(queues).some(step)); },
        texts: () => ids.map(id => all[id].text()),
    };
"""


def make_bench(page: Page, *ids: str) -> None:
    """Put editors with an authority into the page."""
    run_script(page, AUTHORITY, ids=list(ids))


def test_typing_and_leaving(server: Server, browser: Browser) -> None:
    """A click is enough to type; indentation follows; Escape leaves the text, and Tab goes on from there."""
    page = notebook.open_notebook(browser)
    page.click("cell-editor")
    page.type("cell-editor", "for n in range(3):\nprint(n)")
    notebook.wait_texts(page, ["for n in range(3):\n    print(n)"])
    assert notebook.cells(page)[0]["editing"]
    page.press("Enter", "Tab")
    notebook.wait_texts(page, ["for n in range(3):\n    print(n)\n        "])

    def leave() -> bool:  # help that opens just now takes the first
        page.press("Escape")
        return bool(notebook.cells(page)[0]["focused"])

    wait(leave, bool, "Escape to leave the editor for its cell")
    page.press("Tab")
    wait(
        lambda: page.evaluate("document.activeElement.dataset.testid"), lambda seen: seen == "cell-run", "Tab to go on"
    )
    assert notebook.complaints(page) == []


def test_a_press_on_a_text_that_is_no_editor_yet_is_enough(server: Server, browser: Browser) -> None:
    """The caret stands where it was pressed, before the button is let go; other buttons are the browser's."""
    page = notebook.open_notebook(browser)
    pressed = """
        const element = document.createElement('div');
        document.querySelector('[data-testid=cells]').append(element);
        const editor = editors.create(element, {id: 'x', text: 'first line\\nsecond line\\nthird'});
        const plain = element.firstElementChild;
        plain.scrollIntoView();
        const range = document.createRange(); // of the second line's fourth letter
        const walker = document.createTreeWalker(plain, NodeFilter.SHOW_TEXT);
        let at = 14;
        while (walker.nextNode() && walker.currentNode.length <= at) at -= walker.currentNode.length;
        range.setStart(walker.currentNode, at);
        range.setEnd(walker.currentNode, at + 1);
        const box = range.getBoundingClientRect();
        const press = button => !plain.dispatchEvent(new MouseEvent('mousedown', {
            button, clientX: box.left + 1, clientY: box.top + box.height / 2, bubbles: true, cancelable: true,
        }));
        const seen = [];
        for (const button of [1, 2, 0]) seen.push([press(button), editor.hasFocus(), editor.offset()]);
        window.pressed = editor;
        return seen;
    """
    assert run_script(page, pressed) == [[False, False, 0], [False, False, 0], [True, True, 14]]
    page.press("x")
    wait(lambda: page.evaluate("pressed.text()"), lambda seen: seen == "first line\nsecxond line\nthird", "the letter")


@CHROMIUM
def test_the_policy_lets_in_the_map_of_modules_and_the_editors_styles_alone(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    page.click("cell-editor")
    style = "getComputedStyle(document.querySelector('.cm-scroller')).display"
    assert page.evaluate(style) == "flex", "CodeMirror's own styles are there"
    made = """
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        const style = document.createElement('style');
        style.textContent = 'body { border-top: 7px solid red }';
        document.body.append(script, style);
        return [window.ran === true, getComputedStyle(document.body).borderTopWidth];
    """
    assert run_script(page, made) == [False, "0px"]


@CHROMIUM
def test_keys_as_in_jupyter(server: Server, browser: Browser) -> None:
    """Command mode and edit mode; add, delete, undo, move, split, merge, change of type; each has a button, too."""
    page = notebook.open_notebook(browser)
    page.type("cell-editor", "one")
    page.press("Alt+Enter")
    wait(lambda: notebook.cells(page)[-1]["editing"], bool, "the new cell to be written in")
    page.press("t", "w", "o", "Escape")
    notebook.wait_texts(page, ["one", "two"])
    page.press("a")
    notebook.wait_texts(page, ["one", "", "two"])
    assert notebook.selected(page) == 1
    page.press("d", "d")
    notebook.wait_texts(page, ["one", "two"])
    page.press("z")
    notebook.wait_texts(page, ["one", "", "two"])
    page.press("Home", "b")
    notebook.wait_texts(page, ["one", "", "", "two"])
    page.press("d", "d", "d", "d")
    notebook.wait_texts(page, ["one", "two"])
    page.press("ArrowUp")
    assert notebook.selected(page) == 0
    page.press("Control+Shift+ArrowDown")
    notebook.wait_texts(page, ["two", "one"])
    page.press("k", "Shift+M")
    notebook.wait_texts(page, ["two\n\none"])
    page.press("Enter", "Control+Home", "ArrowRight", "Control+Shift+-")
    notebook.wait_texts(page, ["t", "wo\n\none"])
    page.press("Escape", "m")
    wait(lambda: notebook.cells(page)[1]["type"], lambda kind: kind == "markdown", "m to make it Markdown")
    page.press("Shift+Enter")
    wait(lambda: notebook.cells(page)[1]["prose"], lambda prose: prose.split() == ["wo", "one"], "it to be rendered")
    shown = page.evaluate("[...document.querySelectorAll('[data-testid=toolbar] button')].map(each => each.title)")
    named = (
        "Shift-Enter",
        "a",
        "b",
        "d d",
        "z",
        "x",
        "c",
        "v",
        "Ctrl-Shift--",
        "Shift-M",
        "y",
        "m",
        "Ctrl-Shift-ArrowUp",
    )
    for key in named:
        assert any(title.endswith(f"({key})") for title in shown), f"{key} has a button"
    assert notebook.complaints(page) == []


@CHROMIUM
def test_cells_are_cut_copied_and_pasted(server: Server, browser: Browser) -> None:
    """As in Jupyter, x and v move a cell; there is always one."""
    page = notebook.open_notebook(browser)
    page.type("cell-editor", "one")
    page.press("Escape", "v")
    page.wait_text("said", lambda text: text.startswith("There is nothing to paste"))
    page.press("b", "Enter", "t", "w", "o", "Escape", "m")
    wait(lambda: notebook.cells(page)[1]["type"], lambda kind: kind == "markdown", "m to make it Markdown")
    page.press("Home", "x")
    page.wait_text("said", lambda text: text.startswith("Cell deleted."))
    notebook.wait_texts(page, ["two"])
    page.press("v")
    notebook.wait_texts(page, ["two", "one"])
    assert notebook.selected(page) == 1
    page.press("Home", "c", "End", "v")
    notebook.wait_texts(page, ["two", "one", "two"])
    assert [cell["type"] for cell in notebook.cells(page)] == ["markdown", "code", "markdown"]
    for left in (["two", "one"], ["two"], [""]):
        page.press("x")
        notebook.wait_texts(page, left)
    page.press("z", "z")
    wait(lambda: "two" in notebook.texts(page), bool, "z to bring back what was cut")
    assert notebook.complaints(page) == []


@CHROMIUM
def test_arrows_pass_from_cell_to_cell(server: Server, browser: Browser) -> None:
    """From the last row down, from the first row up; within a text they move the caret."""
    page = notebook.open_notebook(browser)
    page.type("cell-editor", "1\n2")
    page.press("Alt+Enter", "3")
    wait(lambda: notebook.texts(page), lambda seen: seen == ["1\n2", "3"], "two cells")
    page.press("ArrowUp", "x", "ArrowUp", "y")
    notebook.wait_texts(page, ["1y\n2x", "3"])
    page.press("ArrowDown", "ArrowDown", "z")
    notebook.wait_texts(page, ["1y\n2x", "z3"])


@CHROMIUM
def test_edits_pass_to_the_others_and_the_caret_stays(server: Server, browser: Browser) -> None:
    """Two write at the same time, a third is not even drawn; undo takes back one's own words alone."""
    page = notebook.open_notebook(browser)
    make_bench(page, "ann", "bob", "far")
    run_script(page, "bench.all.ann.focus('end'); bench.all.bob.select(0)")
    page.press(*" and")
    run_script(page, "bench.all.bob.setText('well, ' + bench.all.bob.text())")
    assert run_script(page, "return bench.texts()") == ["start and", "well, start", "start"]
    run_script(page, "bench.deliver()")
    assert run_script(page, "return bench.texts()") == ["well, start and"] * 3
    assert run_script(page, "return [bench.all.ann.offset(), bench.all.far.view]") == [len("well, start and"), None]
    page.press("Control+z")
    run_script(page, "bench.deliver()")
    assert run_script(page, "return bench.texts()") == ["well, start"] * 3
    assert (
        run_script(page, "return Object.values(bench.all).map(each => [each.unsent(), each.pushing])")
        == [[0, False]] * 3
    )


@CHROMIUM
def test_editors_converge_whatever_the_order(server: Server, browser: Browser) -> None:
    """Random edits of three, random delays, refusals, some characters of two code units: one text in the end."""
    page = notebook.open_notebook(browser)
    make_bench(page, "ann", "bob", "cat", "far")
    ended = run_script(
        page,
        """
        let state = 20261122;
        const random = below => (state = (state * 1103515245 + 12345) % 2147483648, (state >> 8) % below);
        const words = ['a', 'bc', '\\n', '😀', 'def f():', '', ' '];
        for (let step = 0; step < 300; step += 1) {
            const editor = bench.all[['ann', 'bob', 'cat'][random(3)]];
            const text = editor.text(), from = random(text.length + 1), to = Math.min(text.length, from + random(3));
            if (random(3)) editor.setText(text.slice(0, from) + words[random(words.length)] + text.slice(to));
            else if (random(2)) painting.flush(); // a frame has passed
            else for (let n = random(9); n; n -= 1) bench.step(['asked', 'changes', 'answers'][random(3)]);
        }
        const pushes = bench.pushes.length;
        bench.deliver();
        const each = (what) => Object.values(bench.all).map(what);
        return {
            pushes, texts: bench.texts(), unsent: each(one => one.unsent()), pushing: each(one => one.pushing),
        };
        """,
    )
    assert ended["pushes"] > 20
    assert len(set(ended["texts"])) == 1
    assert len(ended["texts"][0]) > 50
    assert (ended["unsent"], ended["pushing"]) == ([0] * 4, [False] * 4)


@CHROMIUM
def test_what_is_typed_while_the_worker_is_silent_is_told_once(server: Server, browser: Browser) -> None:
    """However long it was silent: each letter when the one before is taken, and none twice."""
    page = notebook.open_notebook(browser)
    make_bench(page, "ann", "bob")
    typed = """
        for (let n = 0; n < 200; n += 1) bench.all.ann.setText(bench.all.ann.text() + 'x');
        bench.deliver();
        return {pushed: bench.pushes.length, texts: bench.texts()};
    """
    assert run_script(page, typed) == {"pushed": 200, "texts": ["start" + 200 * "x"] * 2}


@CHROMIUM
def test_a_push_ends_where_the_text_is_set_anew(server: Server, browser: Browser) -> None:
    """The worker was lost: nothing of what it was told before is waited for."""
    page = notebook.open_notebook(browser)
    make_bench(page, "ann")
    seen = run_script(
        page,
        """
        const {ann} = bench.all, seen = [];
        for (const [text, version, keep] of [['kept', 9, true], ['given up', 3, false]]) {
            for (let n = 0; n < 3; n += 1) ann.setText(ann.text() + '!');
            painting.flush();
            bench.pushes.length = 0;
            ann.reset(text, version, keep);
            painting.flush();
            seen.push([ann.text(), ann.pushing, bench.pushes.length]);
        }
        ann.setText('typed');
        painting.flush();
        return [...seen, [ann.text(), ann.pushing, bench.pushes.length]];
        """,
    )
    assert seen == [["kept!!!", True, 1], ["given up", False, 0], ["typed", True, 1]]


@CHROMIUM
def test_a_text_is_put_right_after_the_worker_was_lost(server: Server, browser: Browser) -> None:
    """A gap is asked for; what was typed and not taken is told as an edit on top of the worker's text, or given up."""
    page = notebook.open_notebook(browser)
    told = run_script(
        page,
        """
        const element = document.createElement('div'), told = [];
        document.querySelector('[data-testid=cells]').append(element);
        editors.heard = (id, what, json) => {
            if (what === 'push' || what === 'pull') told.push([what, JSON.parse(json)]);
        };
        const editor = editors.create(element, {id: 'x', text: 'kept here', author: 'me', version: 4});
        editor.mount();
        const late = editor.receive(JSON.stringify({version: 6, updates: [{author: 'you', changes: [[0, 'no'], 9]}]}));
        const gap = [late, editor.text(), editor.version()];
        editor.setText('kept here, typed');
        painting.flush();
        editor.reset('kept there', 2, true);
        painting.flush();
        const kept = [editor.text(), editor.version(), editor.unsent()];
        editor.reset('the worker’s', 7);
        return {told, gap, kept, given: [editor.text(), editor.version(), editor.unsent()]};
        """,
    )
    assert told["told"] == [["pull", {"version": 4}], *PUSHED]
    assert told["gap"] == [False, "kept here", 4]
    assert told["kept"] == ["kept there, typed", 2, 1]
    assert told["given"] == ["the worker’s", 7, 0]


PUSHED = [
    ["push", {"version": 4, "changes": [9, [0, ", typed"]]}],
    ["push", {"version": 2, "changes": [10, [0, ", typed"]]}],
]


@CHROMIUM
def test_typing_goes_on_where_the_caret_is_when_an_editor_is_brought_up_to_date(
    server: Server, browser: Browser
) -> None:
    page = notebook.open_notebook(browser)
    page.click("cell-editor")
    page.type("cell-editor", "1\n2")
    page.press("ArrowUp", "x", "ArrowDown")
    keep = """
        const place = document.querySelector('[data-testid=cells]');
        const element = document.createElement('div');
        place.append(element);
        editors.heard = () => {};
        window.editor = editors.create(element, {id: 'x', text: '', author: 'me'});
        editor.setText('1x\\n2');
        editor.focus('start');
    """
    run_script(page, keep)
    page.press("ArrowDown")
    run_script(page, "editor.reset('', 3, true)")
    page.press("y", "ArrowUp", "z")
    assert page.evaluate("editor.text()") == "1zx\ny2"


HELPER = """
    window.asked = [];
    editors.heard = (id, what, json) => {
        if (what !== 'ask') return;
        const {ref, about, text, offset} = JSON.parse(json);
        window.asked.push([about, text, offset]);
        setTimeout(() => editors.answer(ref, JSON.stringify(answers[about] ?? null)));
    };
"""
MARKUP = "<img src=x onerror='window.hacked = 1'> shown as it is"
ANSWERS = {
    "complete": {
        "from": 0,
        "options": [
            {"label": "printer", "type": "variable", "info": MARKUP},
            {"label": "print", "type": "function", "detail": "(*values)"},
        ],
    },
    "signature": {"text": "print(*values, sep=' ')", "active": [6, 13], "info": MARKUP},
    "hover": {"text": MARKUP, "from": 0, "to": 5},
}


@CHROMIUM
def test_help_comes_from_python(server: Server, browser: Browser) -> None:
    """Completions as one types and on Tab, the signature within a call, documentation under the mouse: all as text."""
    page = notebook.open_notebook(browser)
    run_script(page, HELPER, answers=ANSWERS)
    page.click("cell-editor")
    page.press("p", "r", "i")
    labels = "[...document.querySelectorAll('.cm-completionLabel')].map(each => each.textContent).sort()"
    wait(lambda: page.evaluate(labels), lambda seen: seen == ["print", "printer"], "the completions")
    assert page.evaluate("window.asked.at(-1)[0]") == "complete"
    page.press("Escape", "n", "t", "(")
    page.wait_text("signature-help", lambda text: text.startswith(ANSWERS["signature"]["text"]))
    assert page.evaluate("document.querySelector('[data-testid=signature-help] strong').textContent") == "*values"
    page.press("Escape")
    there = "document.querySelector('[data-testid=signature-help]') !== null"
    wait(lambda: page.evaluate(there), lambda shown: not shown, "Escape to close the signature")
    assert notebook.cells(page)[0]["editing"], "and no more than that"
    page.press("Shift+Tab")
    wait(lambda: page.evaluate(there), bool, "Shift-Tab to show the signature again")
    page.press("Escape", "Control+a", "p", "r", "Control+Space")
    wait(lambda: page.evaluate(labels), lambda seen: seen == ["print", "printer"], "the completions, asked for")
    run_script(
        page,
        """
        const line = document.querySelector('.cm-line'), box = line.getBoundingClientRect();
        const where = {clientX: box.left + 14, clientY: box.top + 8, bubbles: true};
        line.dispatchEvent(new MouseEvent('mousemove', where));
        """,
    )
    page.wait_text("hover-help", MARKUP)
    assert page.evaluate("document.querySelector('.cm-editor img[src]') === null && window.hacked === undefined")
    assert notebook.complaints(page) == []


@CHROMIUM
def test_completions_that_were_cut_are_asked_for_anew(server: Server, browser: Browser) -> None:
    """A list that was cut lacks what the next letter may call for; one that is whole is enough."""
    page = notebook.open_notebook(browser)
    many = [{"label": f"a{number:03}", "type": "variable"} for number in range(200)]
    labels = "[...document.querySelectorAll('.cm-completionLabel')].map(each => each.textContent)"
    asked = "window.asked.filter(each => each[0] === 'complete').map(each => each[1])"
    for cut, texts in ((True, ["z", "ze", "zer"]), (False, ["z"])):
        answers = {"complete": {"from": 0, "options": [*many, {"label": "zeros", "type": "function"}], "cut": cut}}
        run_script(page, HELPER, answers=answers)
        page.click("cell-editor")
        page.press("Control+a", "Backspace")
        for count, key in enumerate("zer", 1):
            page.press(key)
            expected = texts[:count]
            wait(lambda: page.evaluate(asked), lambda seen, expected=expected: seen == expected, "it to be asked")
            wait(lambda: page.evaluate(labels), lambda seen: seen == ["zeros"], "the completions")
        page.press("Escape")
    assert notebook.complaints(page) == []


@CHROMIUM
def test_without_an_answer_typing_goes_on(server: Server, browser: Browser) -> None:
    """A worker that does not answer holds nothing up, and one that answers late answers nobody."""
    page = notebook.open_notebook(browser)
    run_script(
        page,
        "window.refs = []; editors.heard = (id, what, json) => "
        "{ if (what === 'ask') refs.push(JSON.parse(json).ref); }",
    )
    page.click("cell-editor")
    page.type("cell-editor", "silence = 1\nsi")
    wait(lambda: page.evaluate("refs.length"), lambda count: count >= 1, "it to be asked")
    labels = "[...document.querySelectorAll('.cm-completionLabel')].map(each => each.textContent)"
    wait(lambda: page.evaluate(labels), lambda seen: seen == ["silence"], "the names in the text itself")
    run_script(page, "for (const ref of refs) editors.answer(ref, JSON.stringify({options: []}))")
    # by mouse: for a moment keys mean the text, so that a list which opens just then does not take them
    option = "document.querySelector('.cm-tooltip-autocomplete li')"
    run_script(page, f"{option}.dispatchEvent(new MouseEvent('mousedown', {{bubbles: true}}))")
    notebook.wait_texts(page, ["silence = 1\nsilence"])
    assert notebook.complaints(page) == []


@CHROMIUM
def test_many_cells_are_drawn_when_they_come_near(server: Server, browser: Browser) -> None:
    """Of 300 cells only those near the window are editors; the others are their text, coloured alike."""
    page = notebook.open_notebook(browser)
    count = run_script(
        page,
        """
        const place = document.querySelector('[data-testid=cells]');
        window.many = Array.from({length: 300}, (_, number) => {
            const element = place.appendChild(document.createElement('div'));
            return editors.create(element, {id: `c${number}`, text: `x = ${number}\\nprint("cell", x)`});
        });
        return place.querySelectorAll('.editor-plain .tok-string').length;
        """,
    )
    assert count == 300
    drawn = "many.map(each => each.view !== null)"
    wait(lambda: page.evaluate(drawn), lambda seen: seen[0], "the first cell to be drawn")
    assert not page.evaluate(drawn)[-1]
    run_script(page, "many.at(-1).parent.scrollIntoView()")
    wait(lambda: page.evaluate(drawn), lambda seen: seen[-1], "the last cell to be drawn")
    assert not page.evaluate(drawn)[150]
