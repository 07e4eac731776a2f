"""How values and errors of cells are shown: MIME bundles, and tracebacks of the cells' own lines. Pure.

A MIME bundle is what nbformat's outputs hold: by MIME type text, or JSON for ``application/json``; binary as base64.
The methods that objects bring for it (``_repr_html_`` and its kin) are IPython's:
https://ipython.readthedocs.io/en/stable/config/integrating.html
"""

from __future__ import annotations

import base64
import json
import pprint
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from partyline.jsontext import nests_deeper

Bundle = dict[str, Any]

METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_latex_": "text/latex",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_json_": "application/json",
}
WIDTH = 100
"""How wide, in characters, a container may be shown in one line."""

PRETTY = 1_000
"""Containers with more elements are not laid out, which takes long."""

MAX_DEPTH = 50
"""Arrays and objects inside each other in what is displayed as JSON."""

MAX_TEXT = 100_000
"""How many characters of a value's text are shown."""

OURS = frozenset(map(str, Path(__file__).parent.rglob("*.py")))
"""The worker's own files: what a cell writes later, and imports, is not among them."""


def bundle(value: object) -> tuple[Bundle, Bundle]:
    """A value's MIME bundle and its metadata. What its ``repr`` raises is for the caller.

    A richer way that fails is left out, and told on ``sys.stderr``.
    """
    data: Bundle = {}
    metadata: Bundle = {}
    is_rich = not isinstance(value, type) and not _has_any_attribute(value)  # a class's methods want an instance
    for name, mime in {"_repr_mimebundle_": "", **METHODS}.items() if is_rich else ():
        if mime in data:
            continue
        try:
            more, about = _asked(value, name, mime)
        except NotImplementedError:
            continue
        except Exception as error:
            line = "".join(traceback.format_exception_only(error)).rstrip("\n")
            print(f"{type(value).__name__}.{name}() failed, and is not shown: {line}", file=sys.stderr)
            continue
        data.update(more)
        metadata.update(about)
    data.setdefault("text/plain", text(value))
    return {mime: _encoded(mime, shown) for mime, shown in data.items()}, metadata


class _Printer(pprint.PrettyPrinter):
    """Lays out containers, and leaves texts whole, which pprint would split into several."""

    _dispatch = {  # noqa: RUF012
        shown: layout
        for shown, layout in pprint.PrettyPrinter._dispatch.items()  # type: ignore[attr-defined]
        if shown not in (str.__repr__, bytes.__repr__, bytearray.__repr__)
    }


_PRINTER = _Printer(width=WIDTH, compact=True, sort_dicts=False)


def text(value: object) -> str:
    """A value's ``repr``; of containers laid out where they are wide."""
    if isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) <= PRETTY:
        shown = _PRINTER.pformat(value)
    else:
        shown = repr(value)
    if len(shown) > MAX_TEXT:
        return f"{shown[:MAX_TEXT]}… ({len(shown) - MAX_TEXT} characters more)"
    return shown


def error_text(error: BaseException, names: Mapping[str, str]) -> str:
    """A traceback of the cells' own lines alone.

    ``names`` tells by filename what a cell is called there, as in "Cell [3]". Frames of other files are left out:
    what a library does inside is no help to who called it wrongly. Where no cell's line is part of an error, nor of
    those that it came of, they keep all but what the worker itself did.
    """
    told = traceback.TracebackException.from_exception(error, compact=True)
    _keep_cells(told, names)
    return _LINE.sub(lambda found: _place(found, names), "".join(told.format())).rstrip("\n")


_LINE = re.compile(
    r'^( *(?:[|+] )*)  File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<where>.+))?$', re.MULTILINE
)


def _place(found: re.Match[str], names: Mapping[str, str]) -> str:
    name = names.get(found["file"])
    if name is None:
        return found[0]
    where = found["where"]
    place = f"{found[1]}{name}, line {found['line']}"
    return place if where in (None, "<module>") else f"{place}, in {where}"


def _keep_cells(told: traceback.TracebackException, names: Mapping[str, str]) -> None:
    chain = list(_chain(told))
    # a SyntaxError of a cell's was raised where that was compiled
    is_cells = any(getattr(one, "filename", None) in names for one in chain) or any(
        frame.filename in names for one in chain for frame in one.stack
    )
    for one in chain:
        own = [frame for frame in one.stack if (frame.filename in names if is_cells else frame.filename not in OURS)]
        for frame in own:
            if (frame.line or "").lstrip().startswith(("%", "!", "?")):  # the marks are for what it was made into
                frame.colno = None
        # with no frame, no "Traceback" line
        one.stack = traceback.StackSummary.from_list(own) if own else None  # type: ignore[assignment]


def _chain(told: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """The error, and all that it came of or that it holds."""
    seen: set[int] = set()
    waiting = [told]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [each for each in (one.__cause__, one.__context__, *(one.exceptions or ())) if each is not None]


def _has_any_attribute(value: object) -> bool:
    """Whether it makes up its attributes, as mocks and proxies do: then none of them says how it is shown."""
    try:
        return getattr(value, "_partyline_has_no_such_attribute_", None) is not None
    except Exception:
        return True


def _asked(value: object, name: str, mime: str) -> tuple[Bundle, Bundle]:
    """What one of its methods says, and the metadata; nothing where it has no such method."""
    method = getattr(value, name, None)
    if not callable(method):
        return {}, {}
    told = method() if mime else method(include=None, exclude=None)
    shown, about = told if isinstance(told, tuple) else (told, {})
    if shown is None:
        return {}, {}
    return ({mime: shown}, {mime: about} if about else {}) if mime else (dict(shown), dict(about or {}))


def _encoded(mime: str, shown: Any) -> Any:
    if isinstance(shown, (bytes, bytearray)):
        return base64.b64encode(shown).decode()
    if mime == "application/json" or mime.endswith("+json"):
        if nests_deeper(shown, MAX_DEPTH):
            raise ValueError(f"what is displayed as {mime} is nested deeper than {MAX_DEPTH} levels")
        return json.loads(json.dumps(shown, default=str))
    return str(shown)
