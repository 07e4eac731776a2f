"""What a terminal shows of a text that is written to it: lines, over which the cursor goes back and up. Pure.

    write(text) ──> text()

``\\r`` and ``\\b`` go back in the line; ``ESC [ A``, ``B``, ``E`` and ``F`` go to other lines, ``K`` and ``J`` erase;
what comes next overwrites. So progress bars leave no remains, nor do several below each other. Colours stay in the text
as their sequences. A line that is only added to stays as it was written; of one that is gone over, all but its
characters and colours goes.

The terminal is endlessly wide, and keeps its lines when the cursor can reach them no more. The sequences are ECMA-48's:
https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import deque

HEIGHT = 100
"""So many lines the cursor can go up."""

MAX_STYLE = 8
"""So many sequences make up a style; of more, the last ones."""

MAX_HELD = 2_000
"""So many characters of a sequence that has not ended wait for its end; a longer one is none."""

ESCAPE = "\x1b"
RESET = "\x1b[0m"

_STRING = r"\x1b[\]PX^_][^\x07\x1b\n]*"  # begins what ends with a BEL, or with ESC and a backslash: links, titles
_TOKENS = re.compile(rf"([\r\n\b]|\x1b\[[0-?]*[ -/]*[@-~]|{_STRING}(?:\x07|\x1b\\)|\x1b[ -/]*[0-~])")
_BEGUN = re.compile(rf"\x1b\[[0-?]*[ -/]*|\x1b[ -/]*|{_STRING}\x1b?")
_CONTROL = re.compile(r"\x1b\[(?P<number>\d{0,4})(?P<what>[ABEFJK])")
_STYLE = re.compile(r"\x1b\[[\d;:]*m")
_RESET = re.compile(r"\x1b\[0*(?P<more>;.*)?m")

Style = tuple[str, ...]
"""The sequences that are in effect, one after the other; none where all is as at first."""


class Terminal:
    """The text of one stream.

    Attributes:
        same: how many of its characters have not changed since somebody looked, and set it to the length.
    """

    def __init__(self) -> None:
        self.same = 0
        self._gone: list[str] = []  # what the cursor can reach no more
        self._above: deque[_Line] = deque()
        self._line = _Line(())
        self._below: list[_Line] = []
        self._before = 0  # characters before the cursor's line
        self._lines = 0  # before it
        self._column: int | None = None  # None at the line's end
        self._style: Style = ()
        self._held = ""  # the beginning of a sequence

    def __len__(self) -> int:
        below = sum(1 + line.size for line in self._shown_below()) if self._below else 0
        return self._before + self._line.size + below

    @property
    def lines(self) -> int:
        """How many lines have ended."""
        return self._lines + (len(self._shown_below()) if self._below else 0)

    def text(self) -> str:
        """All that is shown."""
        self._gone = ["".join(self._gone)]
        above = "".join([f"{line.text()}\n" for line in self._above])
        below = "".join([f"\n{line.text()}" for line in self._shown_below()])
        return f"{self._gone[0]}{above}{self._line.text()}{below}"

    def _shown_below(self) -> list[_Line]:
        """The lines below the cursor's, without blank ones at the end."""
        count = len(self._below)
        while count and self._below[count - 1].is_blank:
            count -= 1
        return self._below[:count]

    def write(self, text: str) -> None:
        """Show this, too."""
        moves = "\r" in text or "\b" in text
        if ESCAPE in text or self._held:
            text = self._hold(self._held + text)
            moves = moves or _CONTROL.search(text) is not None
        if moves or not self._adds:
            for piece in _TOKENS.split(text):
                self._take(piece)
            return
        first, *more = text.split("\n")
        self._add(first)
        for line in more:
            self._end_line()
            self._add(line)

    def cut(self, size: int) -> None:
        """Keep so many characters, which do not change any more, and have the cursor behind them."""
        text = self.text()[:size]
        self._gone, self._before, self._lines = [text], len(text), text.count("\n")
        self._above.clear()
        self._below.clear()
        self._line, self._column = _Line(self._style), None
        self.same = min(self.same, size)

    def _hold(self, text: str) -> str:
        """The text without a sequence that has begun at its end, and will go on."""
        self._held = ""
        at = text.rfind(ESCAPE)
        if at < 0:
            return text
        if at == len(text) - 1:  # perhaps the first half of what ends a string
            begin = text.rfind(ESCAPE, 0, at)
            at = begin if begin >= 0 and _BEGUN.fullmatch(text, begin) else at
        if len(text) - at >= MAX_HELD or not _BEGUN.fullmatch(text, at):
            return text
        self._held = text[at:]
        return text[:at]

    @property
    def _adds(self) -> bool:
        """Whether what comes next is added to what is there."""
        return self._column is None and not self._below and self._line.is_plain

    def _add(self, text: str) -> None:
        self._line.add(text)
        if ESCAPE in text:
            self._style = styled(self._style, text)

    def _end_line(self) -> None:
        """Begin a new line at the end."""
        self._line.finish(self._style)
        self._leave_downwards()
        if len(self._above) > HEIGHT:
            self._gone.append(f"{self._above.popleft().text()}\n")
        self._line, self._column = _Line(self._style), None

    def _take(self, piece: str) -> None:
        """Text without controls, or one of these."""
        if not piece:
            return
        if piece == "\r":
            self._column = 0
        elif piece == "\n" and self._below:
            self._move(1)
            self._column = 0
        elif piece == "\n":
            self._end_line()
        elif piece == "\b":
            self._column = max(0, self._place() - 1)
        elif piece[0] == ESCAPE and (control := _CONTROL.fullmatch(piece)) is not None:
            self._control(control["what"], control["number"])
        elif self._adds:
            self._add(piece)
        elif piece[0] == ESCAPE:
            self._open()  # so that the next line begins in the style that is on by then
            self._style = styled(self._style, piece)
        else:
            column = self._place()
            self._changes_at(min(column, self._line.width))
            self._line.put(column, piece, self._style)
            self._column = column + len(piece)

    def _control(self, what: str, number: str) -> None:
        count = max(1, int(number or 1))
        if what in "AF":
            self._move(-count)
        elif what in "BE":
            self._move(count)
        elif int(number or 0) == 0 and not self._adds:  # else there is nothing behind the cursor
            self._erase(self._place(), self._line.width)
        elif what == "K" and number in ("1", "2"):
            self._erase(0, self._line.width if number == "2" else self._place() + 1)
        if what == "J" and int(number or 0) == 0 and self._below:
            self._changes_at(self._line.width)
            self._below.clear()
            self._line.finish(None)
        if what in "EF":
            self._column = 0

    def _erase(self, first: int, last: int) -> None:
        self._column = self._place()
        self._changes_at(min(first, self._line.width))
        self._line.erase(first, last)

    def _move(self, lines: int) -> None:
        """Go so many lines down, or up, as far as there are any."""
        if not (self._below if lines > 0 else self._above):
            return
        self._column = self._place()
        while lines > 0 and self._below:
            self._leave_downwards()
            self._line = self._below.pop(0)
            lines -= 1
        while lines < 0 and self._above:
            self._below.insert(0, self._line)
            self._line = self._above.pop()
            self._before -= self._line.size + 1
            self._lines -= 1
            self._open()
            self._changes_at(0)  # blank lines below the cursor are not shown at the end
            lines += 1

    def _leave_downwards(self) -> None:
        self._above.append(self._line)
        self._before += self._line.size + 1
        self._lines += 1

    def _place(self) -> int:
        """The column that the cursor is in."""
        self._open()
        return self._line.width if self._column is None else self._column

    def _open(self) -> None:
        """Go over the cursor's line."""
        if self._line.is_plain and self._line.open():
            self._changes_at(0)

    def _changes_at(self, column: int) -> None:
        """Somewhere from this column on, what is shown may change."""
        self.same = min(self.same, self._before + (0 if self._line.has_styles else column))


class _Line:
    """A line: as it was written, or, from when something goes over it, its characters and their styles.

    Args:
        begin: the style that is on where it begins.
    """

    __slots__ = ("_begin", "_end", "_pieces", "_runs", "is_plain", "size", "width")

    def __init__(self, begin: Style) -> None:
        self.is_plain = True
        self.width = 0  # how many characters are seen; of one that is as it was written, all
        self.size = 0  # characters of its text
        self._begin = begin
        self._end: Style | None = None  # the style that is on where the next line begins, if there is one
        self._pieces: list[str] = []
        self._runs: list[tuple[int, Style]] = []  # from which column on which style is on; none at first

    @property
    def has_styles(self) -> bool:
        """Whether a column is not the same place in the text."""
        return bool(self._runs or self._begin)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is to be seen in it."""
        return not self._runs and not self._written().strip(" ")

    def text(self) -> str:
        """What stands in the line, with the sequences that it needs."""
        written = self._written()
        if self.is_plain or not (self.has_styles or self._end):
            return written
        parts: list[str] = []
        shown: Style = self._begin
        style: Style = ()
        at = 0
        for place, after in [*self._runs, (self.width, ())]:
            if place > at:
                parts += [_between(shown, style), written[at:place]]
                shown, at = style, place
            style = after
        if self._end is not None:
            parts.append(_between(shown, self._end))
        return "".join(parts)

    def add(self, text: str) -> None:
        """More is written at its end. Call it while the line is plain; all below, while it is not."""
        self._pieces.append(text)
        self.width += len(text)
        self.size = self.width

    def finish(self, style: Style | None) -> None:
        """Another line comes after it, in which this style is on; None for no line. At any time."""
        self._end = style
        self._measure()

    def open(self) -> bool:
        """Be characters from now on. Says whether the text may be another one than was written."""
        written = self._written()
        self.is_plain = False
        if ESCAPE not in written:
            self._runs = [(0, self._begin)] if written and self._begin else []
            return False
        self._pieces, self.width, style = [], 0, self._begin
        for piece in _TOKENS.split(written):
            if piece.startswith(ESCAPE):
                style = styled(style, piece)
            elif piece:
                self._replace(self.width, self.width + len(piece), piece, style)
        self._measure()
        return True

    def put(self, column: int, text: str, style: Style) -> None:
        """Overwrite what stands there."""
        if column == self.width > 0 and style == self._style_at(column):
            self._pieces.append(text)
            self.width += len(text)
            self.size += len(text)
            return
        if column > self.width:
            self._replace(self.width, column, " " * (column - self.width), ())
        self._replace(column, column + len(text), text, style)
        self._measure()

    def erase(self, first: int, last: int) -> None:
        """Have nothing from one column to before another."""
        if last < self.width:
            self._replace(first, last, " " * (last - first), ())
        elif first < self.width:
            self._pieces = [self._written()[:first]]
            self._runs = [run for run in self._runs if run[0] < first]
            self.width = first
        self._measure()

    def _written(self) -> str:
        if len(self._pieces) != 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    def _replace(self, first: int, last: int, text: str, style: Style) -> None:
        """Have this from one column to before another; the line ends there, or later."""
        if self._runs or style:
            added = [(first, style), *([(last, self._style_at(last))] if last < self.width else [])]
            runs = self._runs[: bisect_left(self._runs, first, key=_place)]
            for run in (*added, *self._runs[bisect_right(self._runs, last, key=_place) :]):
                if run[1] != (runs[-1][1] if runs else ()):
                    runs.append(run)
            self._runs = runs
        written = self._written()
        self._pieces = [f"{written[:first]}{text}{written[last:]}"]
        self.width = len(self._pieces[0])

    def _style_at(self, column: int) -> Style:
        index = bisect_right(self._runs, column, key=_place)
        return self._runs[index - 1][1] if index else ()

    def _measure(self) -> None:
        self.size = len(self.text()) if self._runs or self._begin or self._end else self.width


def _place(run: tuple[int, Style]) -> int:
    return run[0]


def styled(style: Style, text: str) -> Style:
    """The style that is on after this text, where this one was before it."""
    for sequence in _STYLE.findall(text):
        reset = _RESET.fullmatch(sequence)
        if reset is None:
            style = (*[each for each in style if each != sequence], sequence)[-MAX_STYLE:]
        else:
            style = (sequence,) if reset["more"] else ()
    return style


def _between(before: Style, after: Style) -> str:
    """What is written where one style follows another."""
    if after[: len(before)] == before:
        return "".join(after[len(before) :])
    return "".join([RESET, *after])
