"""Markdown and HTML in the notebook: what is meant is shown, what is hostile does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait
from .notebook import run_script

pytestmark = [pytest.mark.engines("chromium", "firefox", why="slow to start in WebKitGTK"), pytest.mark.shared]

HOSTILE = [
    "<script>window.hacked = 'script'</script>",
    "<img src=x onerror=\"window.hacked = 'onerror'\">",
    "<svg onload=\"window.hacked = 'onload'\"><script>window.hacked = 'svg'</script></svg>",
    "<svg><animate onbegin=\"window.hacked = 'begin'\" attributeName=x dur=1s></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>1</script></svg>#x'/></svg>",
    "<svg><image href='https://example.com/tell'/></svg>",
    "<iframe srcdoc=\"<script>parent.hacked = 'frame'</script>\"></iframe>",
    "<object data='data:text/html,<script>1</script>'></object><embed src='javascript:1'>",
    "<a href='javascript:window.hacked=1' id=evil>click</a>",
    "<a href=' jav&#x09;ascript:window.hacked=1'>click</a>",
    "<a href='data:text/html,<script>1</script>'>click</a>",
    "<a href='vbscript:1'>click</a>",
    '<math><mtext><table><mglyph><style><img src=x onerror="window.hacked=1"></style></mglyph></table></mtext></math>',
    "<noscript><p title=\"</noscript><img src=x onerror='window.hacked = 1'>\"></noscript>",
    "<form action=https://example.com><input name=token><button formaction='javascript:1'>go</button></form>",
    "<style>body { display: none }</style><link rel=stylesheet href=https://example.com/x.css>",
    "<p style='position: fixed; inset: 0; background-image: url(https://example.com/x)'>over all</p>",
    "<base href='https://example.com/'><meta http-equiv=refresh content='0;url=https://example.com'>",
    "<p id=workers name=workers>clobbered</p><img name=partyline><form id=document><input name=body></form>",
    "<p data-testid=cell-output class=cell>dressed up</p>",
    "<details open ontoggle=\"window.hacked = 'toggle'\">x</details>",
    "<template><script>window.hacked = 'template'</script></template>",
    '<x-y onclick=1 onmouseover="window.hacked = 1">custom</x-y>',
    "<img src='attachment:%E0%A4%A'><a href='#%'>bad escapes</a>",
    "<img src='https://example.com/tell?who'>",
    "<p>" * 3000,
]
MARKDOWN = [
    "[click](javascript:window.hacked=1) [two](<java\nscript:1>) ![x](javascript:1)",
    "[click](data:text/html;base64,PHNjcmlwdD4xPC9zY3JpcHQ+)",
    "![x](https://example.com/tell) <https://example.com>",
    "[a]: javascript:alert(1)\n\n[a]",
    "# <img src=x onerror='window.hacked = 1'>",
    "`<script>window.hacked = 1</script>`",
    "> " * 2000 + "deep",
    "[" * 5000,
]

LATEX = [
    r"\href{javascript:window.hacked=1}{x}",
    r"\url{javascript:window.hacked=1}",
    r"\htmlData{testid=cell-output}{x} \htmlId{workers}{x} \htmlClass{cell}{x} \htmlStyle{position: fixed}{x}",
    r"\includegraphics{https://example.com/tell?who}",
    r"\text{<img src=x onerror='window.hacked = 1'>}",
    r"\def\a{\a\a}\a",
    r"\def\a{" + "x" * 2000 + "}" + r"\a" * 600,
    r"\sqrt" * 400 + "x",
    "{" * 1500 + "x" + "}" * 1500,
    "x" * 5000,
    r"\frac",
    r"\notknown",
]

SETTLED = "last.querySelectorAll('math, [data-math=wrong][title]').length"

# all that could run, load or dress up, in an element
LEFT = """
    const tags = `script, style, iframe, object, embed, link, meta, base, form, input, button, use, image, template,
        x-y`;
    const isBad = {
        href: value => /^(javascript|vbscript|data):/i.test(value),
        src: value => !/^(data:image|[/])/.test(value),
        style: value => /url|position/.test(value),
        class: value => !value.startsWith('tok-'),
        id: value => !value.startsWith('heading-'),
    };
    isBad['xlink:href'] = isBad.href;
    for (const name of ['name', 'data-testid', 'srcdoc', 'action', 'formaction']) isBad[name] = () => true;
    const clean = value => value.replace(/[\\0-\\x20]/g, '');
    return [...element.querySelectorAll('*')].filter(each => each.matches(tags) || [...each.attributes].some(
        ({name, value}) => name.startsWith('on') || isBad[name]?.(clean(value))
    )).map(each => each.outerHTML.slice(0, 200));
"""


def put(page: Page, how: str, text: str, *more: Any) -> list[str]:
    """Show a text in an element of its own; returns what is left of it that should not be."""
    call = f"""
        const element = document.createElement('div');
        element.className = how === 'render' ? 'output rich prose' : 'output rich';
        document.querySelector('[data-testid=cells]').append(element);
        window.last = element;
        markdown[how](element, text, ...more);
        for (const link of element.querySelectorAll('a[href^="#"]')) link.click();
        {LEFT}
    """
    left: list[str] = run_script(page, call, how=how, text=text, more=list(more))
    return left


def test_hostile_html_and_markdown_do_nothing(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    for text in HOSTILE:
        for how in ("html", "render"):
            assert put(page, how, text) == [], f"{how} of {text:.100}"
    for text in MARKDOWN:
        assert put(page, "render", text) == [], f"render of {text:.100}"
    # what would run does so after a load or an event, so give those their time: a picture of ours loads, too
    run_script(
        page, "window.seen = 0; const i = new Image(); i.onload = () => window.seen = 1; i.src = '/css/icon.svg'"
    )
    wait(lambda: page.evaluate("window.seen"), lambda seen: seen == 1, "a picture to be loaded")
    assert page.evaluate("window.hacked === undefined")
    assert page.evaluate("typeof workers.tab === 'string' && typeof partyline.diagnostics === 'function'")
    assert page.evaluate("getComputedStyle(document.body).display") != "none"
    refused = "Content Security Policy", "Content-Security-Policy"  # where it is read, before anything is taken out
    assert [line for line in notebook.complaints(page) if not any(name in line for name in refused)] == []


def test_markdown_is_rendered(server: Server, browser: Browser) -> None:
    """CommonMark with tables; headings with ids of their own, links among them, code in colour, attachments."""
    page = notebook.open_notebook(browser)
    text = """
# Getting *started*

See [below](#More-of-it), or [the docs](https://docs.python.org/3/).

## More of it
## More of it

| a | b |
|---|--:|
| 1 | 2 |

```python
for n in range(3): print("n")
```

<b>bold</b>, ~~gone~~ and ![dot](attachment:dot.png)
"""
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    attachments = f'{{"dot.png": {{"image/png": "{dot}"}}}}'
    assert put(page, "render", text, attachments) == []
    assert run_script(page, "return JSON.parse(markdown.headings(last))") == [
        {"level": 1, "text": "Getting started", "id": "heading-getting-started"},
        {"level": 2, "text": "More of it", "id": "heading-more-of-it"},
        {"level": 2, "text": "More of it", "id": "heading-more-of-it-2"},
    ]
    links = "[...last.querySelectorAll('a')].map(a => [a.getAttribute('href'), a.target, a.rel])"
    assert page.evaluate(links) == [
        ["#heading-more-of-it", "", ""],
        ["https://docs.python.org/3/", "_blank", "noopener noreferrer"],
    ]
    assert page.evaluate("[...last.querySelectorAll('td, b, s')].map(each => each.textContent)") == [
        "1",
        "2",
        "bold",
        "gone",
    ]
    assert page.evaluate("last.querySelector('pre .tok-keyword').textContent") == "for"
    assert page.evaluate("last.querySelector('img').src").startswith("data:image/png;base64,")
    assert page.evaluate("getComputedStyle(last.querySelectorAll('td')[1]).textAlign") == "right"
    assert notebook.complaints(page) == []


def test_formulas_are_drawn(server: Server, browser: Browser) -> None:
    """As MathML, in a line or by themselves; dollars that are money stay; KaTeX is loaded with the first formula."""
    page = notebook.open_notebook(browser)
    loaded = "performance.getEntriesByType('resource').filter(each => each.name.includes('/katex')).length"
    assert put(page, "render", "Neither `$x$` nor \\$x\\$ is one, and it costs $5 and $6.") == []
    assert page.evaluate("last.textContent.trim()") == "Neither $x$ nor $x$ is one, and it costs $5 and $6."
    assert page.evaluate(loaded) == 0
    text = r"""
## The area $\pi r^2$

Let $a_1$ and $b_1$ be *given*, $$\int_0^1 x\,dx = \frac12$$ and so on.

$$
a
- b
= c
$$

\begin{align*}
x &= 1 \\
\mathrm{long} &= \text{two}
\end{align*}
"""
    assert put(page, "render", text) == []
    assert run_script(page, "return JSON.parse(markdown.headings(last))[0].text") == r"The area \pi r^2"
    found = "[...last.querySelectorAll('math')].map(each => each.getAttribute('display') ?? 'inline')"
    shown = ["inline", "inline", "inline", "block", "block", "block"]
    wait(lambda: page.evaluate(found), lambda seen: seen == shown, "six formulas")
    assert page.evaluate("last.querySelectorAll('math')[4].textContent") == "a−b=c"
    assert page.evaluate("last.querySelectorAll('mfrac, em, mtable').length") == 3
    ends = """[...last.querySelectorAll('mtr')]
        .map(row => Math.round(row.firstElementChild.firstElementChild.getBoundingClientRect().right))"""
    first, second = page.evaluate(ends)
    assert first == second, "the first column ends at one line"
    put(page, "render", r"$\mathbb{R} \mathbf{v} \mathcal{L} \mathfrak{g}$")
    drawn = "last.querySelector('math')?.textContent"
    wait(lambda: page.evaluate(drawn), lambda seen: seen == "ℝ𝐯ℒ𝔤", "letters in their places")
    put(page, "latex", r"The root is $\displaystyle \sqrt{2}$, not *emphasised* <b>.")
    wait(lambda: page.evaluate("last.querySelectorAll('msqrt').length"), lambda count: count == 1, "the root")
    assert page.evaluate("last.querySelectorAll('em, b').length") == 0
    assert page.evaluate(loaded) == 1
    assert notebook.complaints(page) == []


def test_hostile_formulas_do_nothing(server: Server, browser: Browser) -> None:
    """None runs, loads, dresses up or takes long; what cannot be drawn stays as it was written, and says why."""
    page = notebook.open_notebook(browser)
    for tex in LATEX:
        for text in (f"${tex}$", f"$$\n{tex}\n$$"):
            put(page, "render", text)
            wait(lambda: page.evaluate(SETTLED), lambda count: count == 1, f"{text:.60} to be settled")
            left: list[str] = run_script(page, f"const element = window.last; {LEFT}")
            assert left == [], f"{text:.60}"
    assert page.evaluate("last.querySelector('[data-math=wrong]').textContent.includes('notknown')")
    put(page, "render", "$" + r"\begin{x}" * 300 + "\n" + "$$ a $b " * 5000)
    assert page.evaluate("window.hacked === undefined")
    assert notebook.complaints(page) == []


def test_html_of_an_output_keeps_its_look_where_that_is_harmless(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    table = "<table border=1 class=dataframe><tr style='text-align: right; color: rgb(1, 2, 3)'><td>7</td></tr></table>"
    put(page, "html", table)
    assert page.evaluate("getComputedStyle(last.querySelector('td')).textAlign") == "right"
    assert page.evaluate("getComputedStyle(last.querySelector('tr')).color") == "rgb(1, 2, 3)"
    assert notebook.complaints(page) == []


def test_the_outline_follows_the_headings(server: Server, browser: Browser) -> None:
    """A Markdown cell that is rendered has its headings in the outline; one that is written in has not."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    page.click("command-markdown")
    wait(lambda: notebook.cells(page)[0]["type"], lambda kind: kind == "markdown", "a Markdown cell")
    page.type("cell-editor", "# First\n## Second <b>part</b>")
    page.press("Shift+Enter")
    links = "document.querySelectorAll('[data-testid=outline-list] a')"
    items = f"[...{links}].map(a => [a.textContent, a.getAttribute('href')])"
    wanted = [["First", "#heading-first"], ["Second part", "#heading-second-part"]]
    wait(lambda: page.evaluate(items), lambda seen: seen == wanted, "the headings in the outline")


def test_the_outline_tells_what_runs_and_what_failed(server: Server, browser: Browser) -> None:
    """In words as well as by a dot, at the heading above; the link that has the focus keeps it."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    loop = notebook.add(page, "while True: pass")
    wrong = notebook.add(page, "1 / 0")
    for cell, after, text in (("one", "first", "# One"), ("two", loop, "# Two")):
        prose = {"op": "add", "id": cell, "after": after, "type": "markdown", "source": text}
        notebook.ask(page, "apply", operation=prose)
    links = "[...document.querySelectorAll('[data-testid=outline-list] a')]"
    told = f"{links}.map(link => link.textContent)"
    wait(lambda: page.evaluate(told), lambda seen: seen == ["One", "Two"], "two headings")
    page.evaluate(f"{links}[0].focus()")
    notebook.start(page, loop)
    wait(lambda: page.evaluate(told), lambda seen: seen == ["One, running", "Two"], "a section that runs")
    notebook.stop(page, loop)
    wait(lambda: page.evaluate(told), lambda seen: seen == ["One, failed", "Two"], "a section that was stopped")
    notebook.start(page, wrong, "error")
    wait(lambda: page.evaluate(told), lambda seen: seen == ["One, failed", "Two, failed"], "a section that failed")
    assert page.evaluate(f"document.activeElement === {links}[0]")
    assert page.errors == []
