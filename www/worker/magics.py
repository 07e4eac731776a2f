"""What cells say in IPython's way and not in Python: ``%pip install …`` becomes a call, ``%matplotlib …`` goes. Pure.

``%time`` and ``%timeit``, of a line or a cell, become calls of timing.py's, ``name?`` one that shows a documentation.

    source ──translated──> Python, line for line ──timed──> the texts in it that are timed
    command of %pip ──to_install──> names

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
from collections.abc import Callable, Mapping, Sequence

_PATH = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_MAGIC = re.compile(
    rf"(?P<indent>[ \t]*)(?:(?P<target>{_PATH})[ \t]*=[ \t]*(?=%time(?:it)?\b))?"
    r"(?P<mark>%%?|!)(?P<name>[A-Za-z_]\w*)(?P<rest>.*)",
    re.DOTALL,
)
_HELP = re.compile(rf"(?P<indent>[ \t]*)(?:\?\??(?P<after>{_PATH})|(?P<before>{_PATH})\?\??)[ \t]*")
_QUIET = re.compile(r"-[qU]+|--quiet|--upgrade")
_OPTION = re.compile(r"-(-?[A-Za-z]\S*)\s*")
_WORD = re.compile(r"(\S*)\s*")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")  # as many as this Python counts

TIMEIT = "__timeit__"
"""What ``%timeit`` calls; its texts are Python that is timed."""

USAGE = "what works here is %pip install followed by the packages' names, on a line of its own"
OPTIONS = "the options are -n N (loops), -r R (runs), -q (print nothing) and -o (give the result); -x is timed as (-x)"


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
        if magic.re is _MAGIC and (magic["mark"], magic["name"]) == ("%%", "timeit"):
            lines[number - 1 :] = _timed_cell(magic, filename, lines[: number - 1], lines[number:])
        else:
            lines[number - 1] = _python(magic, filename, lines[:number])
    return "\n".join(lines)


def timed(python: str) -> list[str]:
    """The texts that ``%timeit`` has become in what was translated: Python that is read where it is run."""
    try:
        calls = [node for node in ast.walk(ast.parse(python)) if isinstance(node, ast.Call)]
    except SyntaxError:  # is told when it is compiled
        return []
    calls = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == TIMEIT]
    given = [
        part for call in calls for part in (*call.args, *(more.value for more in call.keywords if more.arg == "setup"))
    ]
    return [part.value for part in given if isinstance(part, ast.Constant) and isinstance(part.value, str)]


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
    if magic.re is _HELP:
        return f"{indent}__help__({_asked(magic)!r}, globals())"

    def wrong(says: str) -> SyntaxError:
        return _wrong(magic, filename, len(lines), says)

    mark, name, rest = magic["mark"], magic["name"], magic["rest"].strip()
    if name == "pip" and mark != "%%":
        return f"{indent}await __pip__({rest!r})"
    if name == "matplotlib" and mark == "%":  # figures are shown as they are
        return f"{indent}pass"
    if name in ("time", "timeit") and mark == "%":
        return indent + _timed_line(name, rest, magic["target"], wrong)
    if name == "time" and mark == "%%":
        if rest:
            raise wrong("%%time: it stands alone in its line, and times the lines below it")
        if _has_code(lines[:-1]):
            raise wrong("%%time: it is a cell's first line, and times those below it")
        return f"{indent}__time_cell__()"
    what = "the system's commands are" if mark == "!" else "IPython's magics are"
    raise wrong(
        f"{mark}{name}: {what} not known here; %pip install, %time and %timeit are, and %%tab as a cell's first line"
    )


def _wrong(magic: re.Match[str], filename: str, number: int, says: str) -> SyntaxError:
    """The error of the magic that stands in this line."""
    return SyntaxError(says, (filename, number, len(magic["indent"]) + 1, magic[0] + "\n"))


def _timed_line(name: str, rest: str, target: str | None, wrong: Callable[[str], SyntaxError]) -> str:
    """What ``%time`` and ``%timeit`` become; ``target`` is what the outcome is to be assigned to."""
    options, rest = _options(rest, f"%{name}", wrong) if name == "timeit" else ({}, rest)
    if not rest:
        raise wrong(f"%{name}: what it times stands after it, in the same line")
    if not _is_python(f"with it: {rest}"):
        raise wrong(f"%{name}: what it times is one line of Python; %%{name} as the first line times the whole cell")
    assigned = f"{target} = " if target else ""
    if name == "timeit":
        return assigned + _call(rest, options)
    if _is_python(rest, "eval"):  # then the cell may show its value
        return f"{assigned}__time__().of({ast.unparse(ast.parse(rest, mode='eval'))})"
    if target:
        raise wrong(f"%time: what it times has no value that {target} could be")
    return f"with __time__(): {rest}"


def _timed_cell(magic: re.Match[str], filename: str, above: list[str], below: list[str]) -> list[str]:
    """What ``%%timeit`` and the lines below it become: as many, of which the first has all in it.

    Its texts have their code in the lines where it stands in the cell, so that errors name these.
    """

    def wrong(says: str) -> SyntaxError:
        return _wrong(magic, filename, len(above) + 1, says)

    if _has_code(above):
        raise wrong("%%timeit: it is a cell's first line, and times those below it")
    options, setup = _options(magic["rest"].strip(), "%%timeit", wrong)
    if not _has_code(below):
        raise wrong("%%timeit: it times the lines below it, and there are none; %timeit times its own line")
    if not _is_python(setup):
        raise wrong("%%timeit: what stands after it is one line of Python, which is run first, and not timed")
    statement = translated("\n".join(["", *[""] * len(above), *below]), filename)
    setup = "\n" * len(above) + setup if setup else ""
    return [_call(statement, {"setup": setup, "filename": filename, **options}), *[""] * len(below)]


def _options(text: str, name: str, wrong: Callable[[str], SyntaxError]) -> tuple[dict[str, object], str]:
    """What the options of ``%timeit`` are for ``timing.timeit``, and what stands after them."""
    options: dict[str, object] = {}
    while found := _OPTION.match(text):
        word, text = found[1], text[found.end() :]
        if word[0] in "nr":
            number = word[1:]
            if not number and (next_word := _WORD.match(text)):
                number, text = next_word[1], text[next_word.end() :]
            if not _NUMBER.fullmatch(number):
                raise wrong(f"{name}: -{word[0]} takes a whole number from 1 on; {OPTIONS}")
            options["loops" if word[0] == "n" else "runs"] = int(number)
        elif set(word) <= {"q", "o"}:
            options |= {option: True for letter, option in (("q", "quiet"), ("o", "gives")) if letter in word}
        else:
            raise wrong(f"{name}: there is no option -{word}; {OPTIONS}")
    return options, text


def _call(statement: str, options: Mapping[str, object]) -> str:
    more = "".join(f", {name}={value!r}" for name, value in options.items())
    return f"{TIMEIT}({statement!r}, globals(){more})"


def _has_code(lines: Sequence[str]) -> bool:
    """Whether there is more than comments."""
    return any(line.split("#")[0].strip() for line in lines)


def _is_python(source: str, mode: str = "exec") -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(source, mode=mode)
    except SyntaxError:
        return False
    return True
