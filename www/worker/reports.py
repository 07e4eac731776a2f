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
import traceback
from collections.abc import Mapping
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
    """A value's MIME bundle and its metadata. What its own methods raise is for the caller."""
    data: Bundle = {}
    metadata: Bundle = {}
    whole = _method(value, "_repr_mimebundle_")
    if whole is not None:
        told = whole(include=None, exclude=None)
        extra, about = told if isinstance(told, tuple) else (told, {})
        data.update(extra or {})
        metadata.update(about or {})
    for name, mime in METHODS.items():
        method = None if mime in data else _method(value, name)
        if method is None:
            continue
        shown = method()
        if isinstance(shown, tuple):
            shown, metadata[mime] = shown
        if shown is not None:
            data[mime] = shown
    data.setdefault("text/plain", text(value))
    return {mime: _encoded(mime, shown) for mime, shown in data.items()}, metadata


def text(value: object) -> str:
    """A value's ``repr``; of containers laid out where they are wide."""
    if isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) <= PRETTY:
        shown = pprint.pformat(value, width=WIDTH, compact=True, sort_dicts=False)
    else:
        shown = repr(value)
    if len(shown) > MAX_TEXT:
        return f"{shown[:MAX_TEXT]}… ({len(shown) - MAX_TEXT} characters more)"
    return shown


def error_text(error: BaseException, names: Mapping[str, str]) -> str:
    """A traceback of the cells' own lines alone.

    ``names`` tells by filename what a cell is called there, as in "Cell [3]". Frames of other files are left out:
    what a library does inside is no help to who called it wrongly. An error that no cell's line is part of keeps all
    but what the worker itself did.
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
    seen: set[int] = set()
    waiting = [told]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        own = [frame for frame in one.stack if frame.filename in names]
        uncompiled = getattr(one, "filename", None) in names  # a SyntaxError, raised where the cell was compiled
        if not own and not uncompiled:
            own = [frame for frame in one.stack if frame.filename not in OURS]
        # with no frame, no "Traceback" line
        one.stack = traceback.StackSummary.from_list(own) if own else None  # type: ignore[assignment]
        waiting += [each for each in (one.__cause__, one.__context__, *(one.exceptions or ())) if each is not None]


def _method(value: object, name: str) -> Any:
    """A method of the value's; None for a class, whose methods want an instance."""
    if isinstance(value, type):
        return None
    method = getattr(value, name, None)
    return method if callable(method) else None


def _encoded(mime: str, shown: Any) -> Any:
    if isinstance(shown, (bytes, bytearray)):
        return base64.b64encode(shown).decode()
    if mime == "application/json" or mime.endswith("+json"):
        if nests_deeper(shown, MAX_DEPTH):
            raise ValueError(f"what is displayed as {mime} is nested deeper than {MAX_DEPTH} levels")
        return json.loads(json.dumps(shown, default=str))
    return str(shown)
