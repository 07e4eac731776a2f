"""A stream's text as a terminal shows it: what goes back overwrites, what is erased is gone, colours stay in place."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import terminal
from terminal import Terminal

Cell = tuple[str, tuple[bool, int]]
"""A character, and whether it is bold and in which colour."""

BLANK: Cell = (" ", (False, 0))


def shown(*texts: str) -> str:
    screen = Terminal()
    for text in texts:
        screen.write(text)
    assert len(screen) == len(screen.text())
    assert screen.lines == screen.text().count("\n")
    return screen.text()


class Model:
    """A terminal of endless width, cell by cell. It knows these sequences, and those of ``PIECES``, alone."""

    def __init__(self) -> None:
        self.rows: list[list[Cell]] = [[]]
        self.row = self.column = 0
        self.style = (False, 0)

    def write(self, text: str) -> Model:
        for token in re.findall(r"\x1b\[[?\d;]*[A-Za-z]|.", text, re.DOTALL):
            self._take(token)
        return self

    def _take(self, token: str) -> None:
        if token == "\n":
            self.row, self.column = self.row + 1, 0
            if self.row == len(self.rows):
                self.rows.append([])
        elif token == "\r":
            self.column = 0
        elif token == "\b":
            self.column = max(0, self.column - 1)
        elif len(token) == 1:
            row = self.rows[self.row]
            row += [BLANK] * (self.column + 1 - len(row))
            row[self.column] = (token, self.style)
            self.column += 1
        else:
            self._control(token[-1], token[2:-1])

    def _control(self, what: str, number: str) -> None:
        row = self.rows[self.row]
        if what in "AF":
            self.row = max(0, self.row - int(number or 1))
        elif what in "BE":
            self.row = min(len(self.rows) - 1, self.row + int(number or 1))
        elif what == "m":
            self.style = styled(self.style, number)
        elif what == "K" and number in ("", "0"):
            del row[self.column :]
        elif what == "K":
            until = len(row) if number == "2" else min(len(row), self.column + 1)
            row[:until] = [BLANK] * until
        elif what == "J":
            del row[self.column :], self.rows[self.row + 1 :]
        if what in "EF":
            self.column = 0

    def seen(self) -> list[list[Cell]]:
        rows = [stripped(row) for row in self.rows]
        while len(rows) > self.row + 1 and not rows[-1]:
            rows.pop()
        return rows


def styled(style: tuple[bool, int], parameters: str) -> tuple[bool, int]:
    bold, color = style
    for code in parameters.split(";"):
        if code in ("", "0"):
            bold, color = False, 0
        elif code == "1":
            bold = True
        else:
            color = int(code)
    return bold, color


def stripped(row: list[Cell]) -> list[Cell]:
    """Without the blanks at its end, which nobody sees."""
    while row and row[-1] == BLANK:
        row = row[:-1]
    return row


def seen(text: str) -> list[list[Cell]]:
    """The cells of what is shown, which has no sequences but those of styles."""
    rows: list[list[Cell]] = [[]]
    style = (False, 0)
    for found in re.finditer(r"\x1b\[([\d;]*)m|\x1b\[\?\d+[lh]|(.)", text, re.DOTALL):
        if found[1] is not None:
            style = styled(style, found[1])
        elif found[2] == "\n":
            rows.append([])
        elif found[2] is not None:
            rows[-1].append((found[2], style))
    return [stripped(row) for row in rows]


TQDM = "\r 10%|█   |\n\r 50%|██  |\x1b[A\r 20%|██  |\n\r100%|████|\x1b[A\n\r           \r\x1b[A\r100%|████|\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10%\r20%\r100%\n", "100%\n"),
        ("100%\r9%", "9%0%"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("abc\b\bX", "aXc"),
        ("abc\r", "abc"),
        ("\b\bx", "x"),
        ("one\ntwo\rT", "one\nTwo"),
        ("downloading 100 kB\rdone\x1b[K\n", "done\n"),
        ("downloading 100 kB\r\x1b[Kdone\n", "done\n"),
        ("abcdef\b\b\x1b[0K", "abcd"),
        ("abcdef\b\b\x1b[1K", "     f"),
        ("abcdef\x1b[1Kg", "      g"),
        ("abcdef\r\x1b[2Kg", "g"),
        ("abcdef\x1b[2Kg", "      g"),
        ("abc\x1b[Kd\x1b[3K", "abcd"),
        ("one\ntwo\x1b[A\rONE", "ONE\ntwo"),
        ("one\ntwo\x1b[Athree\nTWO\n", "onethree\nTWO\n"),
        ("a\nb\nc\x1b[2AX\x1b[BY\x1b[BZ", "aX\nb Y\nc  Z"),
        ("a\nb\nc\x1b[2FX\x1b[EY\x1b[9EZ", "X\nY\nZ"),
        ("a\nb\n\x1b[2A\x1b[J", ""),
        ("a\nb\n\x1b[2A\x1b[Jc", "c"),
        ("a\n\n\n\x1b[2Ab", "a\nb"),
        ("a\n\x1b[0A\x1b[9999999Ab", "b"),
        ("\x1b[A\x1b[Ba", "a"),
        ("one\ntwo\r   \x1b[A\r", "one"),
        ("\x1b[?25l\ra\x1b[?25h\n", "a\n"),
        ("\x1b[31mred\x1b[0m, \x1b[1mbold\x1b[0m\n", "\x1b[31mred\x1b[0m, \x1b[1mbold\x1b[0m\n"),
        ("\x1b[31mabc\x1b[0m\rX", "X\x1b[31mbc"),
        ("\x1b[31mabcdef\x1b[0m 10\r\x1b[32mdone\x1b[0m\x1b[K\nnext", "\x1b[32mdone\x1b[0m\nnext"),
        ("\x1b[31mabc\r\x1b[0m\nnext", "\x1b[31mabc\x1b[0m\nnext"),
        ("\x1b]8;;https://example.org\x07link\x1b]8;;\x1b\\\rL", "Link"),
        (TQDM, "100%|████|\n           "),
    ],
)
def test_what_is_gone_back_over_and_erased_leaves_no_remains(text: str, expected: str) -> None:
    assert shown(text) == shown(*text) == expected


def test_a_sequence_that_never_ends_holds_up_so_much_and_no_more() -> None:
    assert shown("a\x1b[31") == "a"
    assert shown("a\x1b[", "3", "1", "mb") == "a\x1b[31mb"
    endless = "\x1b]0;" + "x" * terminal.MAX_HELD
    assert shown("a", *endless) == f"a{endless}"


def test_the_cursor_goes_up_so_far_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "HEIGHT", 2)
    assert shown("a\nb\nc\nd\x1b[9A\rX") == "a\nX\nc\nd"


def test_what_is_cut_is_the_beginning_and_goes_on_at_its_end() -> None:
    screen = Terminal()
    screen.write("one\ntwo\x1b[A")
    screen.cut(5)
    screen.write("x\x1b[Ay")
    assert screen.text() == "one\ntxy"
    assert (len(screen), screen.lines) == (7, 1)


PIECES = [
    "a",
    "bcd",
    " ",
    "é",
    "😀",
    "\n",
    "\r",
    "\b",
    "\n\n",
    "\x1b[K",
    "\x1b[0K",
    "\x1b[1K",
    "\x1b[2K",
    "\x1b[A",
    "\x1b[2A",
]
PIECES += [
    "\x1b[B",
    "\x1b[F",
    "\x1b[E",
    "\x1b[J",
    "\x1b[31m",
    "\x1b[1m",
    "\x1b[32;1m",
    "\x1b[0m",
    "\x1b[0;33m",
    "\x1b[?25l",
]
TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(TEXT, st.lists(st.integers(0, 100), max_size=10))
@settings(max_examples=1_000, deadline=None)
def test_it_shows_what_a_terminal_shows_however_it_comes(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(places)]
    assert seen(shown(*pieces)) == Model().write(text).seen()


@given(st.lists(TEXT, max_size=8))
@settings(max_examples=500, deadline=None)
def test_what_has_not_changed_is_told(texts: list[str]) -> None:
    screen = Terminal()
    for text in texts:
        before = screen.text()
        screen.same = len(screen)
        screen.write(text)
        assert screen.text()[: screen.same] == before[: screen.same]
        assert (len(screen), screen.lines) == (len(screen.text()), screen.text().count("\n"))


@pytest.mark.parametrize(
    ("begin", "again", "times"),
    [
        ("", "\r\x1b[32m██████████\x1b[0m 1234 of 10000\x1b[K", 20_000),
        ("above\n" * 5_000, "\n\r 10%|█   |\x1b[A\r 20%|██  |", 20_000),
        ("\r", "x", 200_000),
        ("\x1b[31mred\n" * 5_000, "\x1b[A\x1b[2K\x1b[Bx", 20_000),
    ],
)
def test_floods_are_quick(begin: str, again: str, times: int) -> None:
    def write(screen: Any) -> float:
        began = time.process_time()
        for _ in range(times):
            screen.write(again)
        assert screen.text()
        return time.process_time() - began

    screen = Terminal()
    screen.write(begin)
    assert write(screen) < 5
