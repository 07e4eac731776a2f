"""Cells, outputs and their fields out of an nbformat 4 file that anybody may have made: each is checked. Pure.

Every error says where it is, what is wrong, and what to do.
"""

from __future__ import annotations

from typing import Any

from outputs import is_json_mime
from shapes import MAX_SOURCE, TYPES, Cell, new_cell, plain


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


def read_cell(where: str, raw: object) -> Cell:
    """A cell as partyline/cells.py has it; its id is not looked at. Raises NotebookError."""
    if not isinstance(raw, dict):
        raise Broken(f"{where} of this notebook is {kind_of(raw)}, not a cell.")
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
    metadata = typed(where, raw, "metadata", dict, {})
    cell["metadata"] = {key: value for key, value in metadata.items() if key != "trusted"}  # as Jupyter's library does
    cell["extra"] = {key: value for key, value in raw.items() if key not in own}
    if "attachments" in cell["extra"]:
        attachments = typed(where, raw, "attachments", dict, {})
        cell["extra"]["attachments"] = {
            key: _bundle(f"{where}'s attachment {key[:40]!r}", bundle) for key, bundle in attachments.items()
        }
    if cell_type == "code":
        cell["count"] = _count(where, raw)
        outputs = typed(where, raw, "outputs", list, [])
        cell["outputs"] = [_output(f"{where}, output {place}", output) for place, output in enumerate(outputs, 1)]
    return cell


def _output(where: str, raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or not isinstance(raw.get("output_type"), str):
        raise Broken(f"{where} of this notebook has no type. Clear its outputs in Jupyter, and open it again.")
    output = dict(raw)
    match raw["output_type"]:
        case "stream":
            output["name"] = typed(where, raw, "name", str, "stdout")
            output["text"] = _text(where, raw, "text")
        case "display_data" | "execute_result" as kind:
            output["data"] = _bundle(where, raw.get("data", {}))
            output["metadata"] = typed(where, raw, "metadata", dict, {})
            if kind == "execute_result":
                output["execution_count"] = _count(where, raw)
        case "error":
            output["ename"] = typed(where, raw, "ename", str, "")
            output["evalue"] = typed(where, raw, "evalue", str, "")
            output["traceback"] = typed(where, raw, "traceback", list, [])
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
        raise Broken(f"{where} is {kind_of(raw)}, not data by MIME type.")
    return {mime: value if is_json_mime(mime) else _text(where, raw, mime) for mime, value in raw.items()}


def _text(where: str, raw: dict[str, Any], key: str) -> str:
    value = raw.get(key, "")
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    if not isinstance(value, str):
        raise Broken(f'{where} has {kind_of(value)} for its "{key[:40]}", which must be text.')
    return value


def _count(where: str, raw: dict[str, Any]) -> int | None:
    count = raw.get("execution_count")
    if count is None or (is_int(count) and count >= 0):
        return count
    raise Broken(f"{where} has an execution count that is no number.")


def typed(where: str, raw: dict[str, Any], key: str, kind: type, default: Any) -> Any:
    """A field that must be of this type, where it is there. Raises Broken."""
    value = raw.get(key, default)
    if not isinstance(value, kind):
        raise Broken(
            f'{where} has {kind_of(value)} for its "{key}". Save the notebook again in Jupyter, and open that.'
        )
    return value


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")


def is_int(value: object) -> bool:
    """Whether it is an integer; Python counts true and false as such."""
    return isinstance(value, int) and not isinstance(value, bool)
