"""Cells that were added in this tab, and that the worker has not told of yet. Pure.

They are there at once, for who types on: what is typed comes to the worker after the cell. The worker's answers and its
changes take two ways, and come in either order.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Cell = dict[str, Any]
    Change = dict[str, Any]


class Early:
    """A notebook's. ``shown`` has the worker's cells and these."""

    def __init__(self) -> None:
        self._cells: "list[tuple[str, str | None, Cell]]" = []  # id, which one is before it, the cell
        self._taken: "list[str]" = []  # ids of those that the worker has taken

    def add(self, cell_id: str, after: "str | None", kind: str, source: str) -> None:
        """A cell was added after this one; None for the first place."""
        self._cells.append((cell_id, after, new_cell(cell_id, kind, source)))

    def taken(self, cell_id: str) -> None:
        """The worker has answered that it took the cell."""
        self._taken.append(cell_id)

    def forget(self, cell_id: str) -> None:
        """The cell is the worker's now, or nobody's."""
        self._cells = [each for each in self._cells if each[0] != cell_id]

    def told(self, change: "Change | None") -> None:
        """The worker has told of a change; None for all of the notebook."""
        if change is None:  # what was taken is in it, if it was not deleted since
            for cell_id in self._taken:
                self.forget(cell_id)
            self._taken = []
        else:
            for step in change["steps"]:
                if step["step"] == "put":
                    self.forget(step["cell"]["id"])

    def shown(self, there: "list[Cell]") -> "list[Cell]":
        """The notebook's cells, and these in their places."""
        if not self._cells:
            return there
        shown = list(there)
        for cell_id, after, cell in self._cells:
            ids = [each["id"] for each in shown]
            if cell_id not in ids and (after is None or after in ids):
                shown.insert(0 if after is None else ids.index(after) + 1, cell)
        return shown


def new_cell(cell_id: str, kind: str, source: str) -> "Cell":
    """A cell as the worker will make it."""
    cell: "Cell" = {"id": cell_id, "type": kind, "source": source, "version": 0, "outputs": [], "count": None}
    cell.update({"metadata": {}, "extra": {}, "state": "idle", "duration": None})
    return cell
