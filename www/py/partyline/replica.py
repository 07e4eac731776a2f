"""A tab's copy of a notebook: kept equal to the worker's by its changes, each once and in order.

A change is ``{"rev": 8, "steps": [...], "undo": 1, "redo": 0, "writer": name}``; its ``rev`` is one more than that of
the one before. ``writer`` is empty where it brings what another writer did (versions.py).
"""

from .cells import Cells, is_kept

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Cell = dict[str, Any]
    Change = dict[str, Any]
    Notebook = dict[str, Any]

MAX_EARLY = 500  # changes that wait for the whole; after more, the whole is asked for once more


class Replica:
    """Wholes and changes in, a notebook out.

    ``lacking`` says that the whole is needed: at first, and where a change was missed. Then ask the worker for it,
    once, and go on giving in what comes meanwhile.
    """

    def __init__(self) -> None:
        self.lacking = True
        self._cells: "Cells | None" = None
        self._early: "list[Change]" = []

    @property
    def rev(self) -> int:
        """The number of the last change that is in; -1 where nothing is."""
        return -1 if self._cells is None else self._cells.notebook["rev"]

    @property
    def notebook(self) -> "Notebook | None":
        """All of it, as partyline/cells.py tells; None where nothing came yet. Not to be changed."""
        return None if self._cells is None else self._cells.notebook

    @property
    def cells(self) -> "list[Cell]":
        """The cells, in order. Not to be changed."""
        return [] if self._cells is None else self._cells.all

    def cell(self, cell_id: str) -> "Cell | None":
        """The cell of this id, or None. Not to be changed."""
        return None if self._cells is None else self._cells.get(cell_id)

    def whole(self, notebook: "Notebook") -> "list[Change]":
        """The whole is here. Returns the changes that came before it, and are in now, on top of it.

        It counts whatever its rev: another worker's may be lower. ``lacking`` may be true again after this.
        """
        self._cells = Cells(notebook)
        self.lacking = False
        early, self._early = self._early, []
        taken = []
        for change in early:
            taken += self.take(change)
        return taken

    def take(self, change: "Change") -> "list[Change]":
        """Take in a change. Returns it, in a list, where it is in now; none where it is old, or has to wait.

        One that brings the whole anew fits wherever one stands.
        """
        if not self.lacking and change["rev"] <= self.rev:
            return []
        steps = change["steps"]
        if steps[0]["step"] == "all":
            self._cells, self.lacking = Cells(steps[0]["notebook"]), False
        elif self._cells is None or self.lacking or change["rev"] > self.rev + 1:
            self.lacking = True
            self._early.append(change)
            if len(self._early) > MAX_EARLY:
                self._early.pop(0)
            return []
        for step in steps:
            self._cells.apply(step)
        if change["writer"] and any([is_kept(step) for step in steps]):
            self._cells.notebook["versions"][change["writer"]] = change["rev"]
        self._cells.notebook["rev"] = change["rev"]
        self._cells.notebook["undo"] = change["undo"]
        self._cells.notebook["redo"] = change["redo"]
        return [change]
