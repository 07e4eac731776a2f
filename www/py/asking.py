"""What running cells ask with ``input``: a small form below the cell, in every tab that shows the notebook.

In flows what is asked, by cell, as ``Remote.asks`` has it; out comes the answer, through ``answer(cell, text)``. The
field takes the focus in the tab where the cell was run, unless one types elsewhere by then, and gives it back.
"""

from pyscript import document, ffi

from cells import Cells
from dom import make


class Asking:
    """The forms.

    Args:
        cells: the page's.
        answer: is called with a cell's id and what the user has typed.
    """

    def __init__(self, cells: Cells, answer: "object") -> None:
        self._cells = cells
        self._answer = answer
        self._forms = {}  # by cell: what is asked, its form
        self._ran = set()
        document.addEventListener("input", ffi.create_proxy(self._typed))

    def ran(self, ids: "list[str]") -> None:
        """These cells were run in this tab."""
        self._ran.update(ids)

    def show(self, asks: dict) -> None:
        """Show these questions, and no others."""
        for cell_id in list(self._forms):
            asked, form = self._forms[cell_id]
            if asks.get(cell_id) is not asked or cell_id not in self._cells.order:
                self._remove(cell_id, form)
        for cell_id in asks:
            if cell_id not in self._forms and cell_id in self._cells.order:
                self._forms[cell_id] = (asks[cell_id], self._add(cell_id, asks[cell_id]))

    def _add(self, cell_id: str, asked: dict) -> "object":
        form = make("form", class_="cell-ask", data_testid="cell-ask", autocomplete="off")
        label = make("label", asked["prompt"] or "The cell asks for a line", for_=f"answer-{cell_id}")
        if not asked["prompt"]:
            label.classList.add("visually-hidden")
        field = make("input", id=f"answer-{cell_id}", data_testid="cell-answer", spellcheck="false")
        field.type = "password" if asked["password"] else "text"
        field.autocomplete = "off"
        form.append(label, field, make("button", "Answer", type="submit"))

        def submitted(event: "object") -> None:
            event.preventDefault()
            if not field.readOnly:
                field.readOnly = True  # the worker says when it has it
                self._answer(cell_id, field.value)

        def pressed(event: "object") -> None:
            if event.key == "Escape":
                self._cells.select(cell_id)

        form.addEventListener("submit", ffi.create_proxy(submitted))
        form.addEventListener("keydown", ffi.create_proxy(pressed))
        self._cells.get(cell_id).element.querySelector(".cell-main").append(form)
        if cell_id in self._ran:
            field.focus()
        return form

    def _remove(self, cell_id: str, form: "object") -> None:
        self._forms.pop(cell_id)
        focused = form.contains(document.activeElement)
        form.remove()
        if focused and cell_id in self._cells.order:
            self._cells.select(cell_id)

    def _typed(self, event: "object") -> None:
        if event.target.closest(".cell-ask") is None:
            self._ran.clear()
