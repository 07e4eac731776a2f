"""What cells say in IPython's way and not in Python: ``%pip install …`` becomes a call, ``%matplotlib …`` goes. Pure.

``%time``, ``%%time`` and ``%timeit`` become calls of timing.py's, ``name?`` one that shows its documentation.

    source ──translated──> Python, line for line            command of %pip ──to_install──> names

A line is read so only where Python itself cannot read it: text in strings stays what it is.
https://ipython.readthedocs.io/en/stable/interactive/magics.html
"""

from __future__ import annotations

import ast
import keyword
import re
import shlex
import textwrap
import warnings

_MAGIC = re.compile(r"(?P<indent>[ \t]*)(?P<mark>%%?|!)(?P<name>[A-Za-z_]\w*)(?P<rest>.*)", re.DOTALL)
_PATH = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_HELP = re.compile(rf"(?P<indent>[ \t]*)(?:\?\??(?P<after>{_PATH})|(?P<before>{_PATH})\?\??)[ \t]*")
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
        lines[number - 1] = _python(magic, filename, lines[:number])
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
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        magic = _MAGIC.fullmatch(line) or _HELP.fullmatch(line)
        is_name = magic is None or magic.re is _MAGIC or not any(map(keyword.iskeyword, _asked(magic).split(".")))
        return None if magic is None or not is_name else (number, magic)
    return None


def _asked(magic: re.Match[str]) -> str:
    """The name of which help is asked for."""
    return str(magic["after"] or magic["before"])


def _python(magic: re.Match[str], filename: str, lines: list[str]) -> str:
    """The last of these lines, which is a magic, in Python."""
    indent = magic["indent"]

    def wrong(says: str) -> SyntaxError:
        return SyntaxError(says, (filename, len(lines), len(indent) + 1, magic[0] + "\n"))

    if magic.re is _HELP:
        return f"{indent}__help__({_asked(magic)!r}, globals())"
    mark, name, rest = magic["mark"], magic["name"], magic["rest"].strip()
    if name == "pip" and mark != "%%":
        return f"{indent}await __pip__({rest!r})"
    if name == "matplotlib" and mark == "%":  # figures are shown as they are
        return f"{indent}pass"
    if name in ("time", "timeit") and mark == "%":
        if not rest:
            raise wrong(f"%{name}: what it times stands after it, in the same line")
        if not _is_python(f"with it: {rest}"):
            raise wrong(f"%{name}: what it times is one line of Python; %%time as the first line times the whole cell")
        if name == "timeit":
            return f"{indent}__timeit__({rest!r}, globals())"
        if _is_python(rest, "eval"):  # then the cell may show its value
            return f"{indent}__time__().of({ast.unparse(ast.parse(rest, mode='eval'))})"
        return f"{indent}with __time__(): {rest}"
    if name == "time" and mark == "%%":
        if rest:
            raise wrong("%%time: it stands alone in its line, and times the lines below it")
        if any(line.split("#")[0].strip() for line in lines[:-1]):
            raise wrong("%%time: it is a cell's first line, and times those below it")
        return f"{indent}__time_cell__()"
    what = "the system's commands are" if mark == "!" else "IPython's magics are"
    raise wrong(
        f"{mark}{name}: {what} not known here; %pip install, %time and %timeit are, and %%tab as a cell's first line"
    )


def _is_python(source: str, mode: str = "exec") -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(source, mode=mode)
    except SyntaxError:
        return False
    return True
