"""Whatever arrives is text: markup is shown, never made into elements, and odd data does not break the page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Server

from . import room
from .driver import Browser, wait

MARKUP = [
    "<img src=x onerror=\"window.hacked = 1; alert('img')\">",
    "<script>window.hacked = 1; alert('script')</script>",
    "<svg/onload=alert(1)>",
    '"><b>bold</b> &amp; &lt;i&gt;',
    "{{ 7 * 7 }} ${7 * 7} %s",
]
WORDS = [
    "grüße, 你好, שלום",
    "👋🏽 🎉 𝔘",
    "tab\tand\nbreak",
    "\u2028 \u2029 \u200b",
    "\\n \\u0041 \"quoted\" 'single'",
    "x" * 2000,
]
ODD: list[Any] = [
    17,
    -0.5,
    10**25,
    None,
    True,
    "bare text",
    "",
    [],
    [1, "two", None],
    {},
    {"author": "no text"},
    {"text": None, "author": None},
    {"text": {"deep": [1]}, "author": ["a", "list"]},
    {"text": 5, "author": 5},
    {"text": "", "author": ""},
    {"text": "long author", "author": "a" * 5000},
    {"text": "\ud83d alone", "author": "half a pair"},
    {"text": "zero \x00 in it", "author": "\x00"},
    [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],
]


@pytest.mark.engines("chromium", "firefox", why="the same Python everywhere, and slow to start in WebKitGTK")
def test_markup_is_shown_as_text(server: Server, browser: Browser) -> None:
    """Published over HTTP, as text and as author, or typed in a tab; seen live and in a late tab's snapshot."""
    page = browser.open("/room")
    page.wait_line()
    for markup in MARKUP:
        status, _ = server.post("room", {"data": {"text": markup, "author": markup}})
        assert status == 201
    room.say(page, MARKUP[0])
    wait(lambda: len(room.items(page)), lambda count: count == len(MARKUP) + 1, "all messages")
    for each in (page, browser.open("/room")):
        room.wait_listed(each, room.logged(server))
        made = "document.querySelectorAll('[data-testid=room-list] :is(img, script, svg, b, i)').length"
        assert each.evaluate(made) == 0
        assert each.evaluate("window.hacked === undefined")
        assert each.errors == []
    assert [text for _, text in room.items(page)] == [*MARKUP, MARKUP[0]]


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK's driver types no character beyond U+FFFF")
def test_words_of_all_scripts_arrive_whole(server: Server, browser: Browser) -> None:
    """Typed in a tab or published over HTTP, a text is the same text in every tab."""
    page, other = browser.open("/room"), browser.open("/room")
    for each in (page, other):
        each.wait_line()
    room.fill(server, WORDS)
    typed = [WORDS[0], WORDS[1], WORDS[4]]
    for words in typed:
        room.say(page, words)
        room.wait_sent(page)
    assert [text for _, text in room.logged(server)] == [*WORDS, *typed]
    for each in (page, other):
        room.wait_listed(each, room.logged(server))


@pytest.mark.engines("chromium", why="the same Python everywhere")
def test_odd_data_does_not_break_the_page(server: Server, browser: Browser) -> None:
    """Each odd event is shown in some way, live and in a snapshot, and a later message still appears."""
    page = browser.open("/room")
    page.wait_line()
    taken = 0
    for number, data in enumerate(ODD):
        status, answer = server.post("room", {"data": data})
        assert status in (201, 400), answer
        taken += status == 201
        room.fill(server, [f"after odd {number}"])
        seen = wait(
            lambda: room.items(page),
            lambda items: bool(items) and items[-1][1] == f"after odd {number}",  # noqa: B023
            f"the message after {data!r:.80}",
        )
        assert len(seen) == taken + number + 1, f"{data!r:.80} is not in the list"
    late = browser.open("/room")
    room.wait_listed(late, room.items(page))
    assert page.errors + late.errors + browser.worker_console[1:] == []
