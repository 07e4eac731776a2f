"""The cells' texts, on their way between the editors of a tab and the worker, which has the last word.

In flow what the editors say (``push``, ``pull``) and the notebook's changes; out come operations for the worker, and
for the editors what others typed. What an editor holds and the worker does not is never given up silently.
"""

import json


class Texts:
    """All of a page.

    Args:
        notebook: the ``Remote``.
        cells: the page's ``Cells``.
        author: this tab, by which its edits are known.
        refused: is called with why the worker did not take something.
        touched: is called with the id of a cell whose text here is another than before.
    """

    def __init__(self, notebook: "object", cells: "object", author: str, refused: "object", touched: "object") -> None:
        self._notebook = notebook
        self._cells = cells
        self._author = author
        self._refused = refused
        self._touched = touched
        self._pushed = []  # ids of cells of which the worker may lack something
        self._waiting = []  # ids of cells, and what is to be done once the worker has their texts

    def push(self, cell_id: str, version: int, changes: "list") -> None:
        """Bring the worker a change that was typed; it takes it, or says that somebody else was first."""

        def answered(value: object, code: str, message: str) -> None:
            editor = self._editor(cell_id)
            if not code or editor is None:
                return
            if code == "stale":
                editor.refused()
            else:  # it would be refused again and again
                self._refused(message)
                self._give_up(cell_id)

        edit = {"op": "edit", "cell": cell_id, "version": version, "changes": changes, "author": self._author}
        self._notebook.apply(edit, answered)
        if cell_id not in self._pushed:
            self._pushed.append(cell_id)
        self._touched(cell_id)

    def pull(self, cell_id: str, version: int) -> None:
        """Fetch what an editor lacks."""

        def answered(value: "dict | None", code: str, message: str) -> None:
            editor = self._editor(cell_id)
            if editor is None:
                return
            if code:
                self._refused(message)
            elif "updates" in value:
                editor.receive(json.dumps({"version": version, "updates": value["updates"]}))
            else:
                bring_up(editor, value)
            self._touched(cell_id)

        self._notebook.ask({"do": "pull", "cell": cell_id, "version": version}, answered)

    def take(self, change: "dict | None") -> None:
        """The notebook has changed: tell the editors what was typed elsewhere, or in them and taken; None for all."""
        if change is None:
            for cell in self._notebook.cells:
                editor = self._editor(cell["id"])
                if editor is not None:
                    bring_up(editor, cell)
        else:
            for step in change["steps"]:
                editor = self._editor(step["cell"]) if step["step"] == "text" else None
                if editor is not None:
                    update = {"author": step["author"], "changes": step["changes"]}
                    editor.receive(json.dumps({"version": step["version"], "updates": [update]}))
        self._act_when_told()

    def unsent(self, ids: "list[str | None]") -> bool:
        """Whether the worker lacks something of what was typed in these cells."""
        editors = [self._editor(cell_id) for cell_id in ids]
        return any([editor.unsent() for editor in editors if editor is not None])

    def lacking(self) -> "dict[str, str]":
        """The texts of cells of which the worker lacks something that was typed here, by the cells' ids."""
        self._pushed = [cell_id for cell_id in self._pushed if self.unsent([cell_id])]
        return {cell_id: self._editor(cell_id).text() for cell_id in self._pushed}

    def when_told(self, ids: "list[str]", act: "object") -> None:
        """Act as soon as the worker has all that was typed in these cells."""
        self._waiting.append((ids, act))
        self._act_when_told()

    def _act_when_told(self) -> None:
        """Do what waits no more, in its order."""
        while self._waiting and not self.unsent(self._waiting[0][0]):
            self._waiting.pop(0)[1]()

    def _give_up(self, cell_id: str) -> None:
        """What was typed cannot be taken: show the worker's text in its place."""

        def answered(value: "dict | None", code: str, message: str) -> None:
            editor = self._editor(cell_id)
            if not code and editor is not None:
                editor.reset(value["source"], value["version"], False)
                self._touched(cell_id)

        self._notebook.ask({"do": "pull", "cell": cell_id, "version": None}, answered)

    def _editor(self, cell_id: "str | None") -> "object":
        """A cell's editor; None where there is no such cell."""
        return self._cells.get(cell_id).editor if cell_id in self._cells.order else None


def bring_up(editor: "object", cell: dict) -> None:
    """An editor shall stand on this text of this version; what was typed in it alone is told anew, on top of that."""
    unsent = editor.unsent()
    if unsent or editor.version() != cell["version"] or editor.text() != cell["source"]:
        editor.reset(cell["source"], cell["version"], unsent)
