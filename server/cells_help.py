"""What cells may call, written out for people: ``python -m server.cells_help`` prints docs/reference/line.md.

In flows the worker's source, since it runs in browsers alone: signatures, and docstrings in Google's form, with
``Args:``, ``Returns:``, ``Raises:`` and ``Example:``. Out comes Markdown. ``make docs`` keeps the file in line, and a
test compares.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from dataclasses import dataclass
from functools import cache

from .config import ROOT

WORKER = ROOT / "www" / "worker"
WIDTH = 100

_INTRODUCTION = """\
# `line`, `chart`, `check`, `display`

What cells of a notebook can call. The first three, and the exception `LineError`, come from `partyline`; but for that
one, cells have them all without an import, too. Completion and hover in the editor show the same texts. This file is
made from the docstrings in `www/worker/` by `make docs`.

```python
from partyline import line, chart, check, LineError
```

A browser that cannot suspend Python, as WebKit cannot, has no plain loops over live data: use what is awaited.
"""


@dataclass(frozen=True)
class Entry:
    """One name: the file and the path in it where it is defined, and how cells call it; a class has members.

    ``called`` is empty for what cells do not call, such as a class whose objects they are given.
    """

    file: str
    path: str
    title: str
    called: str = ""
    members: tuple[str, ...] = ()


ENTRIES = (
    Entry(
        "line",
        "Line",
        "line",
        members=("events", "stream", "next", "latest", "history", "publish", "topics", "tabs", "status"),
    ),
    Entry("streams", "Event", "Event"),
    Entry("line", "Sent", "Sent"),
    Entry("livedata", "LineError", "LineError"),
    Entry("charts", "make_chart.chart", "chart", called="chart"),
    Entry("checks", "Check", "check", members=("__call__", "that", "call", "wait")),
    Entry("display", "display", "display", called="display"),
    Entry("display", "Handle", "Handle", members=("update",)),
    Entry("display", "update_display", "update_display", called="update_display"),
    Entry("display", "clear_output", "clear_output", called="clear_output"),
)

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def markdown() -> str:
    """The whole of docs/reference/line.md."""
    return "\n".join([_INTRODUCTION, *(_entry(each) for each in ENTRIES)])


def examples() -> list[str]:
    """The code of all examples."""
    return re.findall(r"```python\n(.*?)```", markdown(), re.DOTALL)


def _entry(entry: Entry) -> str:
    found = _find(entry.file, entry.path)
    parts = [f"## `{entry.title}`\n"]
    if entry.called:
        parts.append(_code(signature(found, entry.called)))
    parts.append(_documentation(found, f"{entry.file}.py: {entry.path}"))
    for name in entry.members:
        member = _find(entry.file, f"{entry.path}.{name}")
        called = entry.title if name == "__call__" else f"{entry.title}.{name}"
        parts.append(f"### `{called}()`\n\n{_code(signature(member, called))}")
        parts.append(_documentation(member, f"{entry.file}.py: {entry.path}.{name}"))
    return "\n".join(parts)


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((WORKER / f"{file}.py").read_text(encoding="utf-8"))


def _find(file: str, path: str) -> Definition:
    """A class or function by its place in a file, ``Line.events``. Raises LookupError where there is none."""
    inside: ast.AST = _tree(file)
    for name in path.split("."):
        named = [
            each
            for each in ast.iter_child_nodes(inside)
            if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name
        ]
        if not named:
            raise LookupError(f"www/worker/{file}.py has no {path}: put server/cells_help.py right")
        inside = named[-1]
    assert isinstance(inside, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101  # no path is empty
    return inside


def signature(found: Definition, called: str) -> str:
    """A function as cells call it, with its types: in one line, or a line for each parameter."""
    if isinstance(found, ast.ClassDef):
        raise TypeError(f"{found.name} is a class, of which there is no signature here")
    arguments = found.args
    positional = [*arguments.posonlyargs, *arguments.args]
    absent = [None] * (len(positional) - len(arguments.defaults))
    parameters = [
        _parameter(each, default) for each, default in zip(positional, [*absent, *arguments.defaults], strict=True)
    ]
    if positional and positional[0].arg == "self":
        parameters.pop(0)
    if arguments.vararg:
        parameters.append(f"*{_parameter(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        parameters.append("*")
    parameters += [
        _parameter(each, default) for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parameters.append(f"**{_parameter(arguments.kwarg, None)}")
    head = "await " if isinstance(found, ast.AsyncFunctionDef) else ""
    gives = f" -> {ast.unparse(found.returns)}" if found.returns is not None else ""
    text = f"{head}{called}({', '.join(parameters)}){gives}"
    if len(text) <= WIDTH:
        return text
    return f"{head}{called}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){gives}"


def _parameter(each: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(each.annotation)}" if each.annotation is not None else ""
    between = " = " if kind else "="
    if default is None:
        return f"{each.arg}{kind}"
    is_text = isinstance(default, ast.Constant) and isinstance(default.value, str)
    value = json.dumps(ast.literal_eval(default)) if is_text else ast.unparse(default)
    return f"{each.arg}{kind}{between}{value}"


def _documentation(found: Definition, where: str) -> str:
    """A docstring as Markdown. Raises LookupError where there is none, or it has no example."""
    text = inspect.cleandoc(ast.get_docstring(found) or "")
    if not text or "\nExample:\n" not in text:
        raise LookupError(f"www/worker/{where} needs a docstring with an Example: cells' users read it")
    parts = []
    for part in re.split(r"\n\n(?=\S)", text):
        heading, _, rest = part.partition("\n")
        if heading == "Example:":
            parts.append(_code(textwrap.dedent(rest)))
        elif heading == "Returns:":
            parts.append(f"**Returns** {_prose(rest)}\n")
        elif heading in ("Args:", "Raises:"):
            title = "Raises" if heading == "Raises:" else "Fields" if isinstance(found, ast.ClassDef) else "Arguments"
            parts.append(f"**{title}**\n\n{_items(rest)}")
        else:
            parts.append(f"{_prose(part)}\n")
    return "\n".join(parts)


def _items(text: str) -> str:
    """``name: what it is`` with its further lines, as a list."""
    found = re.findall(r"^(\w+): (.*(?:\n +.*)*)", textwrap.dedent(text), re.MULTILINE)
    return "".join(f"- `{name}`: {_prose(what)}\n" for name, what in found)


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("``", "`")


def _code(text: str) -> str:
    return f"```python\n{text}\n```\n"


if __name__ == "__main__":
    print(markdown(), end="")
