"""Help while one types: completions, signatures and documentation, from the live namespace. Pure.

What it looks at is there already: nothing is imported, and of the user's expressions only names and attributes are
followed, none called. Offsets, in and out, are in UTF-16 code units, as the editor counts. One in the middle of a
character counts as before it, one beyond the text as its end.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import keyword
import re
import sys
from typing import Any

from partyline.changes import size
from shapes import characters

MAX_COMPLETIONS = 200
MAX_DOC = 3_000
MAX_INFO = 500
MAX_CALL = 2_000

Namespace = dict[str, Any]

_PATH = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)$")
_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(?:[\w*]+\s*,\s*)*(\w*)|import\s+([\w.]*)|from\s+([\w.]*))$")
_NUMBERED = re.compile(r"_i?\d+$")  # a value or a source of an earlier cell; there may be a thousand (recall.py)
_MISSING = object()


def complete(text: str, offset: int, namespace: Namespace) -> dict[str, Any]:
    """What could stand at ``offset``: ``{"from": where the word begins, "options": [{"label", "type", "detail",
    "info"}], "cut": whether there are more}``; ``info`` is the documentation's first paragraph, where there is one."""
    before = text[: characters(text, offset)]
    line = before.rsplit("\n", 1)[-1]
    imported = _IMPORT.match(line)
    if imported is not None:
        module, name, whole, begun = imported.groups()
        prefix = name if module else (whole if whole is not None else begun) or ""
        labels = _members(sys.modules.get(module)) if module else _modules(prefix)
        return _told(before, prefix, labels, sys.modules.get(module) if module else None)
    word = re.search(r"[^\W\d]\w*$", line)
    prefix = word[0] if word else ""
    head = line[: len(line) - len(prefix)]
    if head.endswith("."):
        path = re.search(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)\.$", head)
        value = _follow(path[1], namespace) if path else _MISSING
        return _told(before, prefix, _members(value), value)
    if not prefix:
        return {"from": size(before), "options": [], "cut": False}
    names = {*namespace, *dir(builtins), *keyword.kwlist, *keyword.softkwlist}
    if not _NUMBERED.match(prefix):
        names = {name for name in names if not _NUMBERED.match(name)}
    return _told(before, prefix, names, _MISSING, namespace)


def signature(text: str, offset: int, namespace: Namespace) -> dict[str, Any] | None:
    """The signature of the function whose parentheses ``offset`` stands in, and the first line of what it is for.

    ``{"text", "active": from where to where in it the parameter stands that is being written, "info"}``; None where it
    is not known.
    """
    depth = commas = 0
    end = characters(text, offset)
    for index in range(end - 1, max(-1, end - MAX_CALL), -1):
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
    end = characters(text, offset)
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    path = _PATH.search(text[:end])
    value = _follow(path[0], namespace) if path else _MISSING
    if path is None or value is _MISSING or keyword.iskeyword(path[0]):
        return None
    head = _signature(path[0], value) or f"{path[0]}: {type(value).__name__}"
    doc = _doc(value)
    whole = f"{head}\n\n{doc[:MAX_DOC]}" if doc else head
    return {"text": whole, "from": size(text[: path.start()]), "to": size(text[:end])}


def _call(name: str, value: Any, place: int) -> dict[str, Any] | None:
    told = _signature(name, value)
    if not told:
        return None
    info = _doc(value).split("\n", 1)[0]
    active = (0, 0)
    with contextlib.suppress(TypeError, ValueError, IndexError):  # built in C, or more arguments than parameters
        parameter = list(_readable(value).parameters.values())[place]
        at = told.index(str(parameter), len(name))
        active = (size(told[:at]), size(told[:at] + str(parameter)))
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


def _told(before: str, prefix: str, names: set[str], owner: Any, namespace: Namespace | None = None) -> dict[str, Any]:
    fitting = [
        name for name in names if name.startswith(prefix) and (prefix.startswith("_") or not name.startswith("_"))
    ]
    options = [_option(name, owner, namespace) for name in sorted(fitting, key=str.lower)[:MAX_COMPLETIONS]]
    return {"from": size(before) - size(prefix), "options": options, "cut": len(fitting) > MAX_COMPLETIONS}


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
    option = {"label": name, "type": kind, "detail": "" if value is _MISSING else type(value).__name__}
    info = _doc(value).split("\n\n", 1)[0][:MAX_INFO]
    return {**option, "info": info} if info else option


def _signature(name: str, value: Any) -> str:
    if value is _MISSING or not callable(value):
        return ""
    try:
        return f"{name}{_readable(value)}"
    except (TypeError, ValueError):  # built in C, without one
        return f"{name}(…)"


class _Bare:
    """An annotation that the code has as a text, to be shown without its quotes."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _readable(value: Any) -> inspect.Signature:
    """A signature as it was written. Raises TypeError or ValueError where there is none."""
    found = inspect.signature(value)

    def bare(annotation: Any) -> Any:
        return _Bare(annotation) if isinstance(annotation, str) else annotation

    parameters = [each.replace(annotation=bare(each.annotation)) for each in found.parameters.values()]
    return found.replace(parameters=parameters, return_annotation=bare(found.return_annotation))


def _doc(value: Any) -> str:
    """What there is to read of a function, a class, a module, or of an object whose class is no builtin."""
    documented = inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)
    about = value if documented else type(value)  # an object's own __doc__ may be a property, which would run code
    if value is _MISSING or (not documented and about.__module__ == "builtins"):
        return ""
    doc = inspect.getdoc(about)
    return doc.replace("``", "`") if isinstance(doc, str) else ""
