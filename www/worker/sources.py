"""A cell's text as Python compiles it, and its lines as tracebacks show them. Pure.

text ──dedented──> source ──keep_lines──> linecache
"""

from __future__ import annotations

import linecache


def dedented(text: str) -> str:
    """The text without the indent of its first line of code, as where it was copied out of a function.

    Lines that do not begin with this indent stay what they are; where there is none, all do, so that strings of several
    lines hold what was written.
    """
    lines = text.split("\n")
    code = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    indent = code[: len(code) - len(code.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in lines) if indent else text


def keep_lines(filename: str, source: str) -> None:
    """Have tracebacks and ``inspect`` show these lines for code of this name."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def forget_lines(filename: str) -> None:
    """They are not needed any more."""
    linecache.cache.pop(filename, None)
