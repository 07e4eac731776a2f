"""Jupyter's notebook files, nbformat 4: read with care, since anybody may have made them, and written. Pure.

    the text of a file ──read──> a notebook as partyline/cells.py has it ──write──> the text of a file, nbformat 4.5

What is not changed in between is kept: metadata, fields that nobody knows, attachments, ids. Outputs of a file that was
read carry ``trusted: false`` until the cell is run here; no file can say otherwise, and none is written with it.
Text in several strings is joined, as Jupyter's own library does, and written as a list of lines again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from nbfields import (
    Broken,
    NotANotebook,
    NotebookError,
    NotJson,
    OtherFormat,
    TooLarge,
    is_int,
    kind_of,
    read_cell,
    typed,
)
from shapes import MAX_CELLS, Cell, Notebook, is_cell_id, is_unicode, new_notebook, plain

FORMAT = 4
MINOR = 5
MAX_BYTES = 20_000_000
MAX_DEPTH = 60
"""Arrays and objects inside each other: fewer than a frame's header may hold, which carries cells."""

MAX_PARTS = 500_000
"""Lists and objects in all."""

TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")  # never in a file, by Jupyter's library
SPLIT = ("application/javascript", "image/svg+xml")  # text that is written in lines, besides text/*

_NO_BRACKETS = re.compile(r"[^\[\]{}]+")


@dataclass(frozen=True)
class Opened:
    """A file that was read; ``notices`` tell the user what had to be mended."""

    notebook: Notebook
    notices: list[str]


def read(text: str | bytes, name: str, new_id: Callable[[], str]) -> Opened:
    """The notebook in a file. Raises NotebookError.

    Args:
        text: what is in the file.
        name: what the notebook is called here.
        new_id: makes ids for cells that have none.
    """
    raw = _json(text)
    if not isinstance(raw, dict) or "nbformat" not in raw:
        raise NotANotebook('This file is JSON, but no notebook: it has no "nbformat". Choose an .ipynb file.')
    minor = _minor(raw)
    cells = raw.get("cells")
    if not isinstance(cells, list):
        raise Broken(
            f'This notebook\'s "cells" are {kind_of(cells)}, not a list. Save it again in Jupyter, and open that.'
        )
    if len(cells) > MAX_CELLS:
        raise TooLarge(f"This notebook has {len(cells):,} cells; {MAX_CELLS:,} can be opened. Split it into several.")
    metadata = typed("The notebook", raw, "metadata", dict, {})
    notebook = new_notebook(name, [read_cell(f"Cell {place}", cell) for place, cell in enumerate(cells, 1)])
    mended = _give_ids(notebook["cells"], new_id)
    notebook["metadata"] = {key: value for key, value in metadata.items() if key not in TRANSIENT}
    notebook["extra"] = {
        key: value for key, value in raw.items() if key not in ("nbformat", "nbformat_minor", "metadata", "cells")
    }
    notebook["minor"] = max(minor, MINOR)
    notebook["title"] = _title(notebook)
    notices = [f"{mended:,} cells had an id that is not allowed or not their own, and got another."] if mended else []
    return Opened(notebook, notices)


def write(notebook: Notebook) -> str:
    """The text of the file, as Jupyter would write it."""
    raw = {
        **notebook["extra"],
        "nbformat": FORMAT,
        "nbformat_minor": notebook["minor"],
        "metadata": notebook["metadata"],
        "cells": [_written(cell) for cell in notebook["cells"]],
    }
    text = json.dumps(raw, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    if not is_unicode(text):
        text = json.dumps(raw, indent=1, sort_keys=True, allow_nan=False)
    return text + "\n"


def _json(text: str | bytes) -> Any:
    if len(text) > MAX_BYTES:
        raise TooLarge(
            f"This file has {len(text) / 1e6:,.0f} MB; {MAX_BYTES / 1e6:.0f} MB can be opened. "
            "Clear its outputs in Jupyter (Edit, Clear Outputs of All Cells), save it, and open that."
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise NotJson("This file is not text in UTF-8, so it is no notebook. Choose an .ipynb file.") from None
    text = text.removeprefix("\ufeff")
    _check_nesting(text)
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_float)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotJson(
            f"This file is not JSON ({error.msg}, {where}), so it is no notebook. Was it saved to its end?"
        ) from None
    except NotebookError:
        raise
    except ValueError:  # Python reads no integers of more than some thousand digits
        raise NotJson("This file holds a number that is too long to be read.") from None


def _check_nesting(text: str) -> None:
    """Before it is parsed: what is nested too deep ends Pyodide (jsontext.py), millions of parts hold the worker up.

    That is why no line here runs once for each character: pairs of brackets are taken away, the innermost first.
    """
    outside = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])  # of strings
    brackets = _NO_BRACKETS.sub("", outside).replace("{", "[").replace("}", "]")
    if len(brackets) > 2 * MAX_PARTS:
        raise TooLarge(
            f"This file has more than {MAX_PARTS:,} lists and objects in it. Clear its outputs in Jupyter first."
        )
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace("[]", "")
    if "[]" in brackets or brackets.count("[") > MAX_DEPTH:
        raise Broken(f"This file is nested deeper than {MAX_DEPTH} levels, as no notebook needs to be.")


def _no_number(name: str) -> NoReturn:
    raise NotJson(f"This file holds {name}, which JSON does not have. Replace it by null or a text, and open it again.")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson(f"This file holds the number {text[:20]}, which is too large to be read.")
    return number


def _minor(raw: dict[str, Any]) -> int:
    major, minor = raw["nbformat"], raw.get("nbformat_minor", 0)
    if not is_int(major) or not is_int(minor) or minor < 0:
        raise Broken("This notebook's format is no number. Save it again in Jupyter, and open that.")
    if major < FORMAT:
        raise OtherFormat(
            f"This notebook is of the old format {major}. Open it in Jupyter and save it, which brings it up to date."
        )
    if major > FORMAT:
        raise OtherFormat(
            f"This notebook is of the format {major}; this page reads {FORMAT}. Save it as that in Jupyter."
        )
    return int(minor)


def _give_ids(cells: list[Cell], new_id: Callable[[], str]) -> int:
    """Each cell gets an id of its own; the first of two keeps it, as in Jupyter. Returns how many had a wrong one."""
    taken = {cell["id"] for cell in cells if is_cell_id(cell["id"])}
    seen: set[str] = set()
    wrong = 0
    for cell in cells:
        if not is_cell_id(cell["id"]) or cell["id"] in seen:
            wrong += cell["id"] != ""
            while (made := new_id()) in taken:
                pass
            cell["id"] = made
            taken.add(made)
        seen.add(cell["id"])
    return wrong


def _title(notebook: Notebook) -> str:
    """What the notebook calls itself: in its metadata, or its first heading."""
    title = notebook["metadata"].get("title")
    if isinstance(title, str) and title.strip():
        return title.strip()[:200]
    for cell in notebook["cells"]:
        for line in cell["source"].split("\n") if cell["type"] == "markdown" else []:
            if line.startswith("# "):
                return str(line[2:].strip()[:200])
    return ""


def _written(cell: Cell) -> dict[str, Any]:
    as_read = cell.get("as_read", "")
    source = as_read if plain(as_read) == cell["source"] else cell["source"]
    raw = {**cell["extra"], "id": cell["id"], "cell_type": cell["type"], "metadata": cell["metadata"]}
    raw["source"] = source.splitlines(keepends=True)
    if "attachments" in raw:
        raw["attachments"] = {name: _split(bundle) for name, bundle in raw["attachments"].items()}
    if cell["type"] == "code":
        raw["execution_count"] = cell["count"]
        raw["outputs"] = [_written_output(output) for output in cell["outputs"]]
    return raw


def _written_output(output: dict[str, Any]) -> dict[str, Any]:
    raw = {key: value for key, value in output.items() if key != "trusted"}
    if raw["output_type"] == "stream":
        raw["text"] = raw["text"].splitlines(keepends=True)
    elif "data" in raw and raw["output_type"] != "error":
        raw["data"] = _split(raw["data"])
    return raw


def _split(bundle: dict[str, Any]) -> dict[str, Any]:
    return {
        mime: value.splitlines(keepends=True) if mime.startswith("text/") or mime in SPLIT else value
        for mime, value in bundle.items()
    }
