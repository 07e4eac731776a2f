"""A notebook that this tab alone has: a list of cells, and the operations on its structure.

In flow operations as the page makes them, out comes the list as it is then. Texts are the editors' own; what an
operation needs of them comes with it.
"""

from tab import random_id


class Local:
    """``cells`` is the notebook; ``apply`` changes it, and returns what was refused, or an empty text."""

    def __init__(self) -> None:
        self.cells = [new_cell("code", "")]
        self._before = []

    def apply(self, op: dict) -> str:
        """Carry out one operation."""
        name = op["op"]
        if name == "undo":
            if not self._before:
                return "There is nothing to undo."
            self.cells = self._before.pop()
            return ""
        kept = [dict(cell) for cell in self.cells]
        at = self._at(op["cell"]) if "cell" in op else -1
        if name == "add":
            self.cells.insert(self._at(op["after"]) + 1, new_cell(op["type"], op["source"], op["id"]))
        elif name == "delete":
            self.cells = [cell for cell in self.cells if cell["id"] not in op["cells"]] or [new_cell("code", "")]
        elif name == "move":
            cell = self.cells.pop(at)
            self.cells.insert(self._at(op["after"]) + 1, cell)
        elif name == "type":
            self.cells[at]["type"] = op["type"]
        elif name == "clear":
            for cell in self.cells:
                if cell["id"] in op["cells"]:
                    cell["outputs"], cell["count"], cell["state"] = [], None, "idle"
        else:
            return f"The notebook cannot {name}."
        self._before.append(kept)
        return ""

    def _at(self, cell_id: "str | None") -> int:
        """A cell's place; -1 where there is none, which is before the first."""
        return -1 if cell_id is None else [cell["id"] for cell in self.cells].index(cell_id)


def new_cell(kind: str, source: str, cell_id: str = "") -> dict:
    """A cell with nothing in it yet but its source."""
    return {
        "id": cell_id or random_id()[:8],
        "type": kind,
        "source": source,
        "outputs": [],
        "count": None,
        "state": "idle",
        "duration": None,
        "version": 0,
    }
