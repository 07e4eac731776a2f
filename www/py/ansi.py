"""Text with a terminal's escape sequences, as programs print it for colours: read, and told apart. Pure.

    text, as it comes ──feed──> (text, the CSS classes of its element), ...        ──end──> what was still open

``ansi-bold`` and ``ansi-0`` to ``ansi-15`` are the classes, the numbers being the colours'. All else that an escape may
ask for, links and other colours among it, leaves no trace. Sequences are ECMA-48's, and xterm's:
https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
"""

ESCAPE = "\x1b"
MOST = 2_000  # characters of a sequence that has not ended; a longer one is none
STRINGS = ("]", "P", "X", "^", "_")  # begin what ends with a BEL, or with ESC and a backslash


class Ansi:
    """One output's text. What is on at the end of one piece is on in the next, and a sequence may be in both."""

    def __init__(self) -> None:
        self._held = ""  # the beginning of a sequence
        self._bold = False
        self._color = -1

    def feed(self, text: str) -> "list[tuple[str, str]]":
        """The text that is shown, with the classes of each part, empty where it is as all text is."""
        if ESCAPE not in text and not self._held:
            return [(text, self._classes())] if text else []
        parts = (self._held + text).split(ESCAPE)
        self._held = ""
        shown = []
        self._add(shown, parts[0])
        at = 1
        while at < len(parts):
            part = parts[at]
            at += 1
            is_last = at == len(parts)
            if part[:1] in STRINGS:
                end = string_end(part)
                if end is None and not is_last and parts[at][:1] == "\\":
                    part, end = parts[at], 1
                    at += 1
                elif end is None and at == len(parts) - 1 and not parts[at]:  # the first half of what ends it
                    is_last = True
                    part += ESCAPE
                    at += 1
            else:
                end = self._end(part)
            if end is None and is_last and len(part) < MOST:
                self._held = ESCAPE + part
            else:
                self._add(shown, part[1 if end is None else end :])
        return shown

    def end(self) -> "list[tuple[str, str]]":
        """There is no more text: what had begun like a sequence was none."""
        held, self._held = self._held, ""
        shown = []
        self._add(shown, held[2:])
        return shown

    def _end(self, part: str) -> "int | None":
        """Where a sequence ends that began with ESC; None where it goes on. Takes the colours it sets."""
        is_control = part[:1] == "["
        at = 1 if is_control else 0
        lowest = "@" if is_control else "0"
        begin = part[:MOST]
        size = len(begin)
        while at < size and " " <= begin[at] < lowest:
            at += 1
        if at == size:
            return None if size < MOST else 1
        if not lowest <= part[at] <= "~":  # a sequence that was broken off
            return at
        if is_control and part[at] == "m":
            self._set(part[1:at])
        return at + 1

    def _set(self, parameters: str) -> None:
        """Select Graphic Rendition."""
        codes = [value(each) for each in parameters.split(";")]
        at = 0
        while at < len(codes):
            code = codes[at]
            at += 1
            if code == 0:
                self._bold, self._color = False, -1
            elif code in (1, 22):
                self._bold = code == 1
            elif 30 <= code <= 37:
                self._color = code - 30
            elif 90 <= code <= 97:
                self._color = code - 82
            elif code == 39:
                self._color = -1
            elif code in (38, 48, 58):  # of 256, or of all colours: the first 16 are these
                kind, number = (codes[at : at + 2] + [-1, -1])[:2]
                at += {5: 2, 2: 4}.get(kind, 0)
                if code == 38:
                    self._color = number if kind == 5 and number < 16 else -1

    def _classes(self) -> str:
        names = ["ansi-bold"] if self._bold else []
        if self._color >= 0:
            names.append(f"ansi-{self._color}")
        return " ".join(names)

    def _add(self, shown: "list[tuple[str, str]]", text: str) -> None:
        text = text.replace(ESCAPE, "")  # of a string's end that never came
        if text:
            shown.append((text, self._classes()))


def value(parameter: str) -> int:
    """A parameter's number; -1 for one that is none, or larger than any that means something."""
    if not parameter:
        return 0
    return int(parameter) if parameter.isdigit() and len(parameter) < 5 else -1


def string_end(part: str) -> "int | None":
    """Where a string ends that stands in a sequence; None where it does not, or not in its line."""
    bell = part.find("\x07")
    line = part.find("\n")
    if bell >= 0 and not 0 <= line < bell:
        return bell + 1
    return None if line < 0 else 1


def parsed(text: str) -> "list[tuple[str, str]]":
    """A whole text's parts."""
    ansi = Ansi()
    return ansi.feed(text) + ansi.end()
