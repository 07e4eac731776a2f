"""Markdown and HTML in the notebook: what is meant is shown, what is hostile does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait
from .notebook import run_script

pytestmark = pytest.mark.engines("chromium", "firefox", why="slow to start in WebKitGTK")

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
    page.click("command-markdown")
    page.type("cell-editor", "# First\n## Second <b>part</b>")
    page.press("Shift+Enter")
    links = "document.querySelectorAll('[data-testid=outline-list] a')"
    items = f"[...{links}].map(a => [a.textContent, a.getAttribute('href')])"
    wanted = [["First", "#heading-first"], ["Second part", "#heading-second-part"]]
    wait(lambda: page.evaluate(items), lambda seen: seen == wanted, "the headings in the outline")
