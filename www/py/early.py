"""What a tab ordered of a notebook's cells, and the worker has not answered yet. Pure.

It is shown at once, for who goes on: the next key is about the cells as they will be. The worker does what it is asked
in its order, and tells of each change before it answers. So what was answered is in the notebook by then, or was
refused; where this tab has missed a change, it is in the whole notebook, which is asked for.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Cell = dict[str, Any]
    Change = dict[str, Any]
    Operation = dict[str, Any]

BUSY = ("running", "queued")
NO_CODE = {"outputs": [], "count": None, "state": "idle", "duration": None}  # what only code has, as others have it


class Early:
    """A notebook's operations, as document.py lists them. ``shown`` has the worker's cells as they will be."""

    def __init__(self) -> None:
        self._ordered: "list[Operation]" = []  # what has no answer, in order
        self._done: "list[Operation]" = []  # those of them that were answered, but what came of them was missed

    @property
    def waits(self) -> bool:
        """Whether something has no answer yet."""
        return bool(self._ordered)

    @property
    def undoes(self) -> bool:
        """Whether something is being undone: what comes of that, the worker alone knows."""
        return any([op["op"] == "undo" for op in self._ordered])

    def order(self, op: "Operation") -> None:
        """The worker is asked for this now."""
        self._ordered.append(op)

    def answered(self, op: "Operation", refused: bool, lacking: bool) -> None:
        """The worker has done it, or refused; ``lacking`` says whether the whole notebook is still to come."""
        if lacking and not refused:
            self._done.append(op)
        else:
            self._forget([op])

    def told(self, change: "Change | None") -> None:
        """The worker has told of a change; None for all of the notebook."""
        if change is None:
            self._forget(self._done)
            self._done = []
        else:  # a cell that is here may be deleted before its answer comes, and must not be back
            ids = [step["cell"]["id"] for step in change["steps"] if step["step"] == "put"]
            self._forget([op for op in self._ordered if op["op"] == "add" and op["id"] in ids])

    def _forget(self, ops: "list[Operation]") -> None:
        self._ordered = [each for each in self._ordered if not any([each is op for op in ops])]

    def shown(self, there: "list[Cell]") -> "list[Cell]":
        """The notebook's cells, with all that was ordered done, as far as it is known what comes of it."""
        if not self._ordered:
            return there
        cells = list(there)
        for op in self._ordered:
            do(op, cells)
        return cells


def do(op: "Operation", cells: "list[Cell]") -> None:
    """Do one operation, if it fits, and is not done already."""
    kind = op["op"]
    ids = [cell["id"] for cell in cells]
    if kind == "add":
        if op["id"] not in ids:
            put(new_cell(op["id"], op["type"], op["source"]), op["after"], cells)
    elif kind == "delete":
        cells[:] = [cell for cell in cells if cell["id"] not in op["cells"]]
    elif kind == "move" and op["cell"] in ids and op["after"] != op["cell"] and op["after"] in [None] + ids:
        put(cells.pop(ids.index(op["cell"])), op["after"], cells)
    elif kind == "type" and op["cell"] in ids:
        at = ids.index(op["cell"])
        if cells[at]["type"] != op["type"] and cells[at]["state"] not in BUSY:  # that is refused
            cells[at] = dict(cells[at], type=op["type"], **NO_CODE)


def put(cell: "Cell", after: "str | None", cells: "list[Cell]") -> None:
    """Put a cell after this one; None for the first place. Nothing is done where that one is not there."""
    ids = [each["id"] for each in cells]
    if after is None or after in ids:
        cells.insert(0 if after is None else ids.index(after) + 1, cell)


def new_cell(cell_id: str, kind: str, source: str) -> "Cell":
    """A cell as the worker will make it."""
    cell: "Cell" = {"id": cell_id, "type": kind, "source": source, "version": 0, "metadata": {}, "extra": {}}
    cell.update(NO_CODE)
    return cell
