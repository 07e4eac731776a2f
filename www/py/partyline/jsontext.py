"""JSON text, read the same by every Python: here stands what MicroPython and Pyodide do otherwise than CPython.

- MicroPython reads an escaped surrogate pair as two characters, so another Python's emoji would not be one.
- Pyodide's parser recurses on the browser's stack, which no RecursionError guards: a text that is nested some
  thousand deep ends the interpreter, and with it the worker of every tab. So its depth is measured first.
"""

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

_HEX = "[0-9a-fA-F]"
_PAIR = re.compile(r"\\u([dD][89abAB]" + _HEX + _HEX + r")\\u([dD][c-fC-F]" + _HEX + _HEX + ")")
_READS_PAIRS = len(json.loads('"\\ud83d\\ude00"')) == 1


def loads(text: str) -> "Any":
    """The value of a JSON text. Raises ValueError where it is none."""
    if not _READS_PAIRS and ("\\ud" in text or "\\uD" in text):
        # between escaped backslashes, each backslash that is left begins an escape
        text = "\\\\".join([_PAIR.sub(_character, part) for part in text.split("\\\\")])
    return json.loads(text)


def is_deeper(text: str, limit: int) -> bool:
    """Whether more than ``limit`` arrays and objects stand inside each other in ``text``, which need not be valid."""
    if text.count("[") + text.count("{") <= limit:  # most need no closer look
        return False
    depth = 0
    unescaped = text.replace("\\\\", "").replace('\\"', "")
    for part in unescaped.split('"')[::2]:  # what stands between the strings
        for character in part:
            if character in "[{":
                depth += 1
                if depth > limit:
                    return True
            elif character in "]}":
                depth -= 1
    return False


def nests_deeper(value: "Any", limit: int) -> bool:
    """The same of a value that is to be written: more than ``limit`` lists, tuples and dicts inside each other."""
    if isinstance(value, dict):
        return nests_deeper(list(value.values()), limit)
    return isinstance(value, (list, tuple)) and (limit == 0 or any([nests_deeper(each, limit - 1) for each in value]))


def _character(pair: "re.Match[str]") -> str:
    """The one character that a surrogate pair stands for (RFC 8259, section 7)."""
    high, low = int(pair.group(1), 16), int(pair.group(2), 16)
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
