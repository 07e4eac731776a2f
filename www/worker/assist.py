"""Help while one types: completions, signatures and documentation, from the live namespace. Pure.

What it looks at is there already: nothing is imported, and of the user's expressions only names and attributes are
followed, none called. Offsets are in characters.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import keyword
import re
import sys
from typing import Any

MAX_COMPLETIONS = 200
MAX_DOC = 3_000
MAX_CALL = 2_000

Namespace = dict[str, Any]

_PATH = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)$")
_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(?:[\w*]+\s*,\s*)*(\w*)|import\s+([\w.]*)|from\s+([\w.]*))$")
_MISSING = object()


def complete(text: str, offset: int, namespace: Namespace) -> dict[str, Any]:
    """What could stand at ``offset``: ``{"from": where the word begins, "options": [{"label", "type", "detail"}]}``."""
    before = text[:offset]
    line = before.rsplit("\n", 1)[-1]
    imported = _IMPORT.match(line)
    if imported is not None:
        module, name, whole, begun = imported.groups()
        prefix = name if module else (whole if whole is not None else begun) or ""
        labels = _members(sys.modules.get(module)) if module else _modules(prefix)
        return _told(offset, prefix, labels, sys.modules.get(module) if module else None)
    word = re.search(r"[^\W\d]\w*$", line)
    prefix = word[0] if word else ""
    head = line[: len(line) - len(prefix)]
    if head.endswith("."):
        path = re.search(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)\.$", head)
        value = _follow(path[1], namespace) if path else _MISSING
        return _told(offset, prefix, _members(value), value)
    if not prefix:
        return {"from": offset, "options": []}
    names = {*namespace, *dir(builtins), *keyword.kwlist, *keyword.softkwlist}
    return _told(offset, prefix, names, _MISSING, namespace)


def signature(text: str, offset: int, namespace: Namespace) -> dict[str, Any] | None:
    """The signature of the function whose parentheses ``offset`` stands in, and the first line of what it is for.

    ``{"text", "active": from where to where in it the parameter stands that is being written, "info"}``; None where it
    is not known.
    """
    depth = commas = 0
    for index in range(offset - 1, max(-1, offset - MAX_CALL), -1):
        character = text[index]
        if character in ")]}":
            depth += 1
        elif character == "," and depth == 0:
            commas += 1
        elif character in "([{":
            if depth == 0:
                path = _PATH.search(text[:index]) if character == "(" else None
                return _call(path[0], _follow(path[0], namespace), commas) if path else None
            depth -= 1
    return None


def hover(text: str, offset: int, namespace: Namespace) -> dict[str, Any] | None:
    """What is at ``offset``: ``{"text": its signature or type, and its documentation, "from", "to"}``; None where it is
    unknown."""
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    path = _PATH.search(text[:end])
    value = _follow(path[0], namespace) if path else _MISSING
    if path is None or value is _MISSING or keyword.iskeyword(path[0]):
        return None
    head = _signature(path[0], value) or f"{path[0]}: {type(value).__name__}"
    doc = inspect.getdoc(value) if callable(value) or inspect.ismodule(value) else None
    return {"text": f"{head}\n\n{doc[:MAX_DOC]}" if doc else head, "from": path.start(), "to": end}


def _call(name: str, value: Any, place: int) -> dict[str, Any] | None:
    told = _signature(name, value)
    if not told:
        return None
    info = (inspect.getdoc(value) or "").split("\n", 1)[0]
    active = (0, 0)
    with contextlib.suppress(TypeError, ValueError, IndexError):  # built in C, or more arguments than parameters
        parameter = list(inspect.signature(value).parameters.values())[place]
        at = told.index(str(parameter), len(name))
        active = (at, at + len(str(parameter)))
    return {"text": told, "active": active, "info": info}


def _follow(path: str, namespace: Namespace) -> Any:
    """The value of a name and its attributes; properties are not asked for, since that would run code."""
    first, *rest = path.split(".")
    value = namespace.get(first, getattr(builtins, first, _MISSING))
    for name in rest:
        if value is _MISSING:
            break
        static = inspect.getattr_static(value, name, _MISSING)
        harmless = static is not _MISSING and not isinstance(static, property)
        value = getattr(value, name, _MISSING) if harmless else _MISSING
    return value


def _members(value: Any) -> set[str]:
    return set() if value is _MISSING or value is None else set(dir(value))


def _modules(prefix: str) -> set[str]:
    known = {*sys.stdlib_module_names, *(name for name in sys.modules if "." not in name)}
    return {name for name in known if not name.startswith("_")} if "." not in prefix else set()


def _told(offset: int, prefix: str, names: set[str], owner: Any, namespace: Namespace | None = None) -> dict[str, Any]:
    fitting = [
        name for name in names if name.startswith(prefix) and (prefix.startswith("_") or not name.startswith("_"))
    ]
    options = [_option(name, owner, namespace) for name in sorted(fitting, key=str.lower)[:MAX_COMPLETIONS]]
    return {"from": offset - len(prefix), "options": options}


def _option(name: str, owner: Any, namespace: Namespace | None) -> dict[str, str]:
    if namespace is not None and name not in namespace and keyword.iskeyword(name):
        return {"label": name, "type": "keyword", "detail": ""}
    value = _follow(name, namespace) if namespace is not None else inspect.getattr_static(owner, name, _MISSING)
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    kind = "variable"
    for test, called in ((inspect.ismodule, "namespace"), (inspect.isclass, "class"), (callable, "function")):
        if test(value):
            kind = called
            break
    return {"label": name, "type": kind, "detail": "" if value is _MISSING else type(value).__name__}


def _signature(name: str, value: Any) -> str:
    if value is _MISSING or not callable(value):
        return ""
    try:
        return f"{name}{inspect.signature(value)}"
    except (TypeError, ValueError):  # built in C, without one
        return f"{name}(…)"
