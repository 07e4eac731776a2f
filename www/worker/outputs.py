"""A cell's outputs while it runs: what the code puts out in, nbformat outputs and what changed of them out. Pure.

A stream's text is what a terminal would show of it (terminal.py), so a progress bar is one line. All is bounded: past a
limit one notice follows, and no more, but for the last words of a run, its result or its error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from partyline.jsontext import nests_deeper
from terminal import Terminal

MAX_CHARACTERS = 4_000_000  # of a cell's outputs together
MAX_LINES = 5_000  # of its streams
MAX_OUTPUTS = 1_000
MAX_DEPTH = 50  # lists and dicts inside each other, in what is displayed; a file holds a little more (ipynb.py)
MAX_LAST_WORDS = 200_000  # characters of a result or an error, after the limit

Output = dict[str, Any]
Delta = dict[str, Any]
"""``{"length": n, "parts": [...]}``, as partyline/cells.py has it in the step ``output``."""


class OutputError(ValueError):
    """What can't be an output. The message is for whoever wrote the cell."""


class _Stream(Terminal):
    """What a terminal shows of one stream."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def output(self) -> Output:
        return {"output_type": "stream", "name": self.name, "text": self.text()}


@dataclass
class _Shown:
    """An output that came at once; ``size`` counts its characters."""

    output: Output
    size: int
    display_id: str | None = None


class Outputs:
    """The outputs of one run of a cell, in order.

    Args:
        max_characters: of all of them; also the result's, and what is displayed, as JSON.
        max_lines: of its streams.
        max_outputs: how many.
        shown: what is there already, and known; all else comes after it.
    """

    def __init__(
        self,
        max_characters: int = MAX_CHARACTERS,
        max_lines: int = MAX_LINES,
        max_outputs: int = MAX_OUTPUTS,
        shown: Sequence[Output] = (),
    ) -> None:
        self._limits = (max_characters, max_lines, max_outputs)
        self._items: list[_Stream | _Shown] = [_Shown(output, len(json.dumps(output))) for output in shown]
        self._characters = sum(item.size for item in self._items if isinstance(item, _Shown))
        self._lines = 0
        self._cut = False
        self._clear_next = False
        self._known = len(shown)  # so many are known to whoever took, but for what is in _dirty
        self._taken = len(shown)  # so many that one has
        self._dirty: set[int] = set()

    def outputs(self) -> list[Output]:
        """All of them, by nbformat."""
        return [item.output() if isinstance(item, _Stream) else item.output for item in self._items]

    def stream(self, name: str, text: str) -> None:
        """``stdout`` or ``stderr`` has said something."""
        self._begin()
        max_characters, max_lines, _ = self._limits
        while text and not self._cut:
            room, lines = max_characters - self._characters, max_lines - self._lines
            if room <= 0:
                self._notice(f"{max_characters:,} characters")
            elif lines <= 0:
                self._notice(f"{max_lines:,} lines")
            elif (stream := self._stream(name)) is not None:
                piece = text[:room]
                if piece.count("\n") >= lines:
                    piece = piece[: len(piece) - len(piece.split("\n", lines)[lines])]
                characters, ended = len(stream), stream.lines
                stream.write(piece)
                if len(stream) - characters > room:  # colours that are gone over in part come anew behind it
                    stream.cut(characters + room)
                self._characters += len(stream) - characters
                self._lines += stream.lines - ended
                text = text[len(piece) :]

    def display(self, data: dict[str, Any], metadata: dict[str, Any], display_id: str | None = None) -> None:
        """``display()`` shows a mimebundle. Raises OutputError where it is none."""
        self._show({"output_type": "display_data", "data": data, "metadata": metadata}, display_id)

    def update(self, display_id: str, data: dict[str, Any], metadata: dict[str, Any]) -> bool:
        """``update_display()`` shows another one where those of this id are; says whether there is any here.

        Raises OutputError. It works after the run as well, and for the cells before: ask each cell's.
        """
        size = _size(data, metadata)
        found = [place for place, item in enumerate(self._items) if _id(item) == display_id]
        for place in found:
            item = self._items[place]
            if not isinstance(item, _Shown):
                continue
            if self._characters + size - item.size <= self._limits[0]:
                self._characters += size - item.size
                item.output, item.size = {**item.output, "data": data, "metadata": metadata}, size
                self._dirty.add(place)
            elif not self._cut:
                self._notice(f"{self._characters:,} characters, since an update of {size:,} came")
        return bool(found)

    def result(self, count: int, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        """The value of the cell's last expression. Raises OutputError where it is no mimebundle."""
        output = {"output_type": "execute_result", "data": data, "metadata": metadata, "execution_count": count}
        self._show(output, None, MAX_LAST_WORDS)

    def error(self, name: str, value: str, traceback: list[str]) -> None:
        """The run ended by an exception."""
        self._begin()
        value = _shortened(value, MAX_LAST_WORDS // 4)
        text = _shortened("\n".join(traceback), MAX_LAST_WORDS // 2)
        output = {"output_type": "error", "ename": name[:1000], "evalue": value, "traceback": text.split("\n")}
        self._add(_Shown(output, len(value) + len(text)))

    def clear(self, wait: bool = False) -> None:
        """``clear_output()``: at once, or as soon as something new comes. All limits begin anew."""
        self._clear_next = wait
        if not wait:
            self._items = []
            self._characters = self._lines = self._known = 0
            self._cut = False
            self._dirty = set()

    def take(self) -> Delta | None:
        """What has changed since the last time; None where nothing has."""
        length = len(self._items)
        changed = sorted(self._dirty | set(range(self._known, length)))
        if not changed and self._taken == length:
            return None
        parts = [self._part(place) for place in changed]
        self._known = self._taken = length
        self._dirty = set()
        return {"length": length, "parts": parts}

    def _part(self, place: int) -> dict[str, Any]:
        item = self._items[place]
        if isinstance(item, _Shown):
            return {"at": place, "output": item.output}
        same, item.same = item.same, len(item)
        if place < self._known:
            return {"at": place, "keep": same, "text": item.text()[same:]}
        return {"at": place, "output": item.output()}

    def _begin(self) -> None:
        if self._clear_next:
            self.clear()

    def _stream(self, name: str) -> _Stream | None:
        """The stream that goes on, or begins; None where there is no more room."""
        last = self._items[-1] if self._items else None
        if isinstance(last, _Stream) and last.name == name:
            self._dirty.add(len(self._items) - 1)
            return last
        stream = _Stream(name)
        return stream if self._room_for_one() and self._add(stream) else None

    def _show(self, output: Output, display_id: str | None, reserve: int = 0) -> None:
        size = _size(output["data"], output["metadata"])
        self._begin()
        if size > reserve and not self._cut and self._room_for_one():
            max_characters = self._limits[0]
            if self._characters + size > max_characters:
                self._notice(f"{self._characters:,} characters, since {size:,} more came at once")
        if size <= reserve or not self._cut:
            self._add(_Shown(output, size, display_id))

    def _room_for_one(self) -> bool:
        if len(self._items) >= self._limits[2]:
            self._notice(f"{self._limits[2]:,} outputs")
        return not self._cut

    def _add(self, item: _Stream | _Shown) -> bool:
        self._items.append(item)
        self._characters += item.size if isinstance(item, _Shown) else 0
        return True

    def _notice(self, after: str) -> None:
        self._cut = True
        notice = _Stream("stderr")
        notice.write(f"… output was cut after {after}\n")
        self._items.append(_Shown(notice.output(), len(notice)))


def _id(item: _Stream | _Shown) -> str | None:
    return item.display_id if isinstance(item, _Shown) else None


def _shortened(text: str, limit: int) -> str:
    """The text with its middle left out: a traceback says most at both ends."""
    return text if len(text) <= limit else f"{text[: limit // 2]}\n…\n{text[-limit // 2 :]}"


def _size(data: object, metadata: object) -> int:
    """Characters of a mimebundle as JSON. Raises OutputError where it can't be saved as such."""
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        raise OutputError("What is displayed is a dict by MIME type, and its metadata a dict.")
    for mime, value in data.items():
        if not isinstance(mime, str):
            raise OutputError(f"{mime!r} is no MIME type.")
        if not is_json_mime(mime) and not isinstance(value, str):
            raise OutputError(f"What is displayed as {mime} must be a str, not {type(value).__name__}.")
    if nests_deeper(data, MAX_DEPTH) or nests_deeper(metadata, MAX_DEPTH):
        raise OutputError(f"What is displayed is nested deeper than {MAX_DEPTH} levels.")
    try:
        return len(json.dumps([data, metadata], allow_nan=False))
    except (TypeError, ValueError) as error:
        raise OutputError(f"What is displayed can't be JSON: {error}") from None


def is_json_mime(mime: str) -> bool:
    """Whether its value in a mimebundle is JSON, not text; as the nbformat library has it."""
    return mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))
