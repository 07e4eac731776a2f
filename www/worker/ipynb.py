"""Jupyter's notebook files, nbformat 4: read with care, since anybody may have made them, and written. Pure.

    the text of a file ──read──> a notebook as partyline/cells.py has it ──write──> the text of a file, nbformat 4.5

What is not changed in between is kept: metadata, fields that nobody knows, attachments, ids. Outputs of a file that was
read carry ``trusted: false`` until the cell is run here; no file can say otherwise, and none is written with it.
Text in several strings is joined, as Jupyter's own library does, and written as a list of lines again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from outputs import is_json_mime
from partyline.jsontext import is_deeper
from shapes import MAX_CELLS, MAX_SOURCE, TYPES, Cell, Notebook, is_cell_id, is_unicode, new_cell, new_notebook, plain

FORMAT = 4
MINOR = 5
MAX_BYTES = 20_000_000
MAX_DEPTH = 60
"""Arrays and objects inside each other: fewer than a frame's header may hold, which carries cells."""

TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")  # never in a file, by Jupyter's library
SPLIT = ("application/javascript", "image/svg+xml")  # text that is written in lines, besides text/*


class NotebookError(ValueError):
    """A file that is not opened. The message is for the user: what is wrong, and what to do."""


class TooLarge(NotebookError):
    """More than this page can hold."""


class NotJson(NotebookError):
    """No JSON, or JSON that no other program would read."""


class NotANotebook(NotebookError):
    """JSON, but of something else."""


class OtherFormat(NotebookError):
    """A notebook of another format than nbformat 4."""


class Broken(NotebookError):
    """A notebook in which something has the wrong type."""


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
            f'This notebook\'s "cells" are {_kind(cells)}, not a list. Save it again in Jupyter, and open that.'
        )
    if len(cells) > MAX_CELLS:
        raise TooLarge(f"This notebook has {len(cells):,} cells; {MAX_CELLS:,} can be opened. Split it into several.")
    metadata = _typed("The notebook", raw, "metadata", dict, {})
    notebook = new_notebook(name, [_cell(f"Cell {place}", cell) for place, cell in enumerate(cells, 1)])
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
    if is_deeper(text, MAX_DEPTH):
        raise Broken(f"This file is nested deeper than {MAX_DEPTH} levels, as no notebook needs to be.")
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_float)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotJson(
            f"This file is not JSON ({error.msg}, {where}), so it is no notebook. It may not have been saved to its end."
        ) from None
    except NotebookError:
        raise
    except ValueError:  # Python reads no integers of more than some thousand digits
        raise NotJson("This file holds a number that is too long to be read.") from None


def _no_number(name: str) -> NoReturn:
    raise NotJson(f"This file holds {name}, which JSON does not have. Replace it by null or a text, and open it again.")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson(f"This file holds the number {text[:20]}, which is too large to be read.")
    return number


def _minor(raw: dict[str, Any]) -> int:
    major, minor = raw["nbformat"], raw.get("nbformat_minor", 0)
    if not _is_int(major) or not _is_int(minor) or minor < 0:
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


def _cell(where: str, raw: object) -> Cell:
    if not isinstance(raw, dict):
        raise Broken(f"{where} of this notebook is {_kind(raw)}, not a cell.")
    cell_type = raw.get("cell_type")
    if cell_type not in TYPES:
        raise Broken(f"{where} is of the type {str(cell_type)[:40]!r}; there are {', '.join(TYPES)}.")
    cell = new_cell(raw.get("id", ""), cell_type)
    own = {"id", "cell_type", "source", "metadata", *(("outputs", "execution_count") if cell_type == "code" else ())}
    source = _text(where, raw, "source")
    if len(source) > MAX_SOURCE:
        raise TooLarge(f"{where} has {len(source):,} characters; {MAX_SOURCE:,} can be opened. Split it into several.")
    cell["source"] = plain(source)
    if cell["source"] != source:
        cell["as_read"] = source
    metadata = _typed(where, raw, "metadata", dict, {})
    cell["metadata"] = {key: value for key, value in metadata.items() if key != "trusted"}  # as Jupyter's library does
    cell["extra"] = {key: value for key, value in raw.items() if key not in own}
    if "attachments" in cell["extra"]:
        attachments = _typed(where, raw, "attachments", dict, {})
        cell["extra"]["attachments"] = {
            key: _bundle(f"{where}'s attachment {key[:40]!r}", bundle) for key, bundle in attachments.items()
        }
    if cell_type == "code":
        cell["count"] = _count(where, raw)
        outputs = _typed(where, raw, "outputs", list, [])
        cell["outputs"] = [_output(f"{where}, output {place}", output) for place, output in enumerate(outputs, 1)]
    return cell


def _output(where: str, raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or not isinstance(raw.get("output_type"), str):
        raise Broken(f"{where} of this notebook has no type. Clear its outputs in Jupyter, and open it again.")
    output = dict(raw)
    match raw["output_type"]:
        case "stream":
            output["name"] = _typed(where, raw, "name", str, "stdout")
            output["text"] = _text(where, raw, "text")
        case "display_data" | "execute_result" as kind:
            output["data"] = _bundle(where, raw.get("data", {}))
            output["metadata"] = _typed(where, raw, "metadata", dict, {})
            if kind == "execute_result":
                output["execution_count"] = _count(where, raw)
        case "error":
            output["ename"] = _typed(where, raw, "ename", str, "")
            output["evalue"] = _typed(where, raw, "evalue", str, "")
            output["traceback"] = _typed(where, raw, "traceback", list, [])
            if not all(isinstance(line, str) for line in output["traceback"]):
                raise Broken(f"{where} has a traceback that is not all text.")
        case other:
            raise Broken(
                f"{where} is of the type {other[:40]!r}, which is not known. Clear the outputs, and open it again."
            )
    output["trusted"] = False
    return output


def _bundle(where: str, raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Broken(f"{where} is {_kind(raw)}, not data by MIME type.")
    return {mime: value if is_json_mime(mime) else _text(where, raw, mime) for mime, value in raw.items()}


def _text(where: str, raw: dict[str, Any], key: str) -> str:
    value = raw.get(key, "")
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    if not isinstance(value, str):
        raise Broken(f'{where} has {_kind(value)} for its "{key[:40]}", which must be text.')
    return value


def _count(where: str, raw: dict[str, Any]) -> int | None:
    count = raw.get("execution_count")
    if count is None or (_is_int(count) and count >= 0):
        return count
    raise Broken(f"{where} has an execution count that is no number.")


def _typed(where: str, raw: dict[str, Any], key: str, kind: type, default: Any) -> Any:
    value = raw.get(key, default)
    if not isinstance(value, kind):
        raise Broken(f'{where} has {_kind(value)} for its "{key}". Save the notebook again in Jupyter, and open that.')
    return value


def _kind(value: object) -> str:
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
