"""What cells say in IPython's way and not in Python: ``%pip install …`` becomes a call, ``%matplotlib …`` goes. Pure.

    source ──translated──> Python, line for line            command of %pip ──to_install──> names

A line is read so only where Python itself cannot read it: text in strings stays what it is.
https://ipython.readthedocs.io/en/stable/interactive/magics.html
"""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
import warnings

_MAGIC = re.compile(r"(?P<indent>[ \t]*)(?P<mark>%%?|!)(?P<name>[A-Za-z_]\w*)(?P<rest>.*)", re.DOTALL)
_QUIET = re.compile(r"-[qU]+|--quiet|--upgrade")

USAGE = "what works here is %pip install followed by the packages' names, on a line of its own"


def translated(source: str, filename: str) -> str:
    """The source as Python has it, or as it is where no magic is what Python cannot read.

    Raises SyntaxError, in ``filename``, for a magic that is not known here.
    """
    lines = source.split("\n")
    for _ in range(len(lines) + 1):  # each time one line less that Python cannot read
        found = _unread(lines)
        if found is None:
            break
        number, magic = found
        lines[number - 1] = _python(magic, filename, number)
    return "\n".join(lines)


def to_install(command: str) -> list[str]:
    """The requirements that ``%pip`` is to install. Raises ValueError where it is to do something else."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError as error:
        raise ValueError(f"%pip {command}: {error}; {USAGE}.") from None
    if words[:1] != ["install"]:
        raise ValueError(f"%pip {command}: {USAGE}.")
    names = [word for word in words[1:] if not _QUIET.fullmatch(word)]
    for name in names:
        if name.startswith("-"):
            raise ValueError(f"%pip {command}: the option {name} does nothing here; {USAGE}.")
        if name.startswith(";") or name.endswith((";", "&&")):
            raise ValueError(f"%pip {command}: what follows {name!r} belongs on a line of its own; {USAGE}.")
    if not names:
        raise ValueError(f"%pip {command}: it names no package; {USAGE}.")
    return names


def _unread(lines: list[str]) -> tuple[int, re.Match[str]] | None:
    """The line where Python cannot read on, and its magic; None where it can, or no magic is the reason."""
    try:
        with warnings.catch_warnings(action="ignore"):  # they come when the cell is compiled
            ast.parse(textwrap.dedent("\n".join(lines)))
    except SyntaxError as error:
        number = error.lineno or 0
        magic = _MAGIC.fullmatch(lines[number - 1]) if 0 < number <= len(lines) else None
        return None if magic is None else (number, magic)
    return None


def _python(magic: re.Match[str], filename: str, number: int) -> str:
    indent, mark, name, rest = magic["indent"], magic["mark"], magic["name"], magic["rest"].strip()
    if name == "pip" and mark != "%%":
        return f"{indent}await __pip__({rest!r})"
    if name == "matplotlib" and mark == "%":  # figures are shown as they are
        return f"{indent}pass"
    what = "the system's commands are" if mark == "!" else "IPython's magics are"
    raise SyntaxError(
        f"{mark}{name}: {what} not known here; %pip install is, and %%tab as a cell's first line",
        (filename, number, len(indent) + 1, magic[0] + "\n"),
    )
