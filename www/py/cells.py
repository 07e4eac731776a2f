"""The cells of a notebook as elements: a view of a plain list, brought up to date when the list changes.

In flow cells as the worker tells of them: dicts with ``id``, ``type``, ``source``, ``outputs``, ``count``, ``state``,
``duration``, ``version``. Out come the user's wishes, through ``act``: the name of a command, and the cell's id.
"""

import json
import sys

from pyscript import document, ffi, window

import stage
from commands import Keys, make_icon
from dom import find, make, show
from hearing import hushed, summary
from order import moves
from partyline.cells import is_for_tab
from rendering import Outputs

PLAY = "M7 4l12 8-12 8z"
STOP = "M6 6h12v12H6z"
PAUSE = "M8 5v14M16 5v14"
BUSY = ("running", "queued")
STATES = {"idle": "", "queued": "waiting", "running": "running", "error": "failed", "done": "done"}
LANGUAGES = {"code": "python", "markdown": "markdown"}


class Cell:
    """One cell's elements, and its editor, which is the text's home in this tab."""

    def __init__(self, data: dict, author: str, act: "object") -> None:
        self.id = data["id"]
        self.data = data
        self.type = None
        self.headings = []  # those that it shows, for the outline
        self._told = None
        self._here = ""  # how it went in this tab's own Python, until it is run again
        self._is_prose = None
        self._rendered = None
        self.editing = data["type"] != "markdown" or not data["source"].strip()
        self.element = make(
            "article", class_="cell", data_testid="cell", data_id=self.id, role="listitem", tabindex="-1"
        )
        self._count = make("span", class_="count")
        self._run = self._button("cell-run", "run-stay", PLAY, act)
        self._stop = self._button("cell-stop", "stop", STOP, act)
        side = make("div", class_="cell-side")
        side.append(self._count, self._run, self._stop)
        self._text = make("div", class_="cell-text")
        self._prose = make("div", class_="cell-prose prose")
        self._prose.addEventListener("dblclick", ffi.create_proxy(lambda event: act("edit", self.id)))
        self._foot = make("p", class_="cell-foot")
        self._note = make("span", data_testid="cell-note")
        self._pause = make("button", type="button", class_="cell-pause", data_testid="output-pause")
        self._pause.append(make_icon(PAUSE), make("span", "Pause"))
        self._pause.addEventListener("click", ffi.create_proxy(lambda event: self.pause(not self.outputs.paused)))
        self._foot.append(self._note, self._pause)
        self._output = make("div", class_="cell-output", data_testid="cell-output", aria_live="off")
        main = make("div", class_="cell-main")
        self._tab_output = make("div", class_="cell-output cell-tab", data_testid="tab-output")
        self._tab_output.hidden = True
        main.append(self._text, self._prose, self._foot, self._output, self._tab_output)
        self.element.append(side, main)
        self.outputs = Outputs(self._output)
        self._number = 0
        self._run_shown = None  # its count, and whether it was busy
        self._foot_shown = None
        options = {"id": self.id, "text": data["source"], "version": data.get("version", 0), "author": author}
        self.editor = window.editors.create(self._text, ffi.to_js(options))

    def _button(self, test_id: str, command: str, path: str, act: "object") -> "object":
        button = make("button", type="button", class_=test_id, data_testid=test_id)
        button.append(make_icon(path))
        button.addEventListener("mousedown", ffi.create_proxy(lambda event: event.preventDefault()))
        button.addEventListener("click", ffi.create_proxy(lambda event: act(command, self.id)))
        return button

    def update(self, data: dict, number: int) -> None:
        """Show the cell as it is now. Its text is the editor's business, which is told of edits one by one."""
        self.data = data
        state = data.get("state", "idle")
        told = (number, data["type"], state, data.get("count"), data.get("duration"))
        if told != self._told:  # what is as it was costs no call into the browser: there may be hundreds of cells
            self._told = told
            self._draw(*told)
        self._show_outputs(data.get("outputs", []) if self.type == "code" else [], state in BUSY, data.get("count"))
        self.draw_prose()

    def _show_outputs(self, outputs: "list[dict]", busy: bool, count: "int | None") -> None:
        """What is new of a run that takes place now is read aloud; what was there when the page was opened is not."""
        before, self._run_shown = self._run_shown, (count, busy)
        # seen as it began, or at its end alone; a run that was seen before gets its count when it ends
        began = before is not None and not before[1] and (busy or (count is not None and count != before[0]))
        if self.outputs.paused and (began or not (busy or outputs)):
            self.outputs.pause(False)
        if began:
            self.outputs.begin()
        was_too_much = self.outputs.too_much
        self.outputs.show(outputs)
        if before is None and busy:
            self.outputs.begin()
        elif not busy and before is not None and (began or before[1]):
            self.outputs.end()
            if self.outputs.too_much:
                how = STATES[self.data.get("state", "idle")] or "stopped"
                show(find("aloud"), summary(self._number, how, self.outputs.lines))
        elif self.outputs.too_much and not was_too_much:
            show(find("aloud"), hushed(self._number))
        self._draw_foot()

    def pause(self, paused: bool) -> None:
        """Hold the output still, and silent, or go on."""
        self.outputs.pause(paused)
        self._draw_foot()

    def _draw_foot(self) -> None:
        paused = self.outputs.paused
        goes_on = paused or self.outputs.goes_on
        state = self.data.get("state", "idle")
        here = self._here and state not in BUSY
        text = "in this tab's MicroPython" if here else foot_text(state, self.data.get("duration"))
        shown = (text, paused, goes_on)
        if shown != self._foot_shown:
            self._foot_shown = shown
            show(self._note, " · ".join([part for part in ("Paused" if paused else "", text) if part]))
            self._pause.hidden = not goes_on
            self._pause.setAttribute("aria-pressed", "true" if paused else "false")
            self._foot.hidden = not (text or goes_on)

    def _draw(self, number: int, kind: str, state: str, count: "int | None", duration: "float | None") -> None:
        label = f"Cell {number}, {kind}"
        self._number = number
        if kind != self.type:
            self.type = kind
            self.element.dataset.type = kind
            self.editor.setLanguage(LANGUAGES.get(kind, "plain"))
        self.editing = self.editing or kind != "markdown"
        busy = state in BUSY
        self.element.setAttribute("aria-label", f"{label}, {STATES[state]}" if STATES[state] else label)
        for button, verb in ((self._run, "Run"), (self._stop, "Stop")):
            button.title = f"{verb} this cell"
            button.setAttribute("aria-label", f"{verb} cell {number}")
        self._pause.setAttribute("aria-label", f"Pause the output of cell {number}")
        self._run.hidden = kind == "raw" or busy
        self._stop.hidden = not busy
        shown = "*" if busy else count or " "
        show(self._count, f"[{shown}]" if kind == "code" else "")
        self.editor.setLabel(label)
        self._draw_state(state)

    def draw_prose(self) -> None:
        """A Markdown cell shows its text rendered while it is not written in."""
        rendered = self.type == "markdown" and not self.editing
        if rendered != self._is_prose:
            self._is_prose = rendered
            self._text.hidden = rendered
            self._prose.hidden = not rendered
        text = self.editor.text() if rendered else None
        if text != self._rendered:
            self._rendered = text
            self.headings = []
            if rendered:
                attachments = (self.data.get("extra") or {}).get("attachments") or {}
                window.markdown.render(self._prose, text or "*An empty Markdown cell*", json.dumps(attachments))
                self.headings = json.loads(window.markdown.headings(self._prose))

    @property
    def busy(self) -> bool:
        """Whether it runs, or waits for its turn."""
        return self.data.get("state") in BUSY

    @property
    def is_for_tab(self) -> bool:
        """Whether its code runs in this tab's own Python."""
        return self.type == "code" and is_for_tab(self.editor.text())

    def run_here(self, source: "str | None" = None, ended: "object" = None) -> None:
        """Run its code, or what it was, in this tab's own Python; ``ended(well)`` is called after that."""

        def look(went_well: bool) -> None:
            self._here = "done" if went_well else "error"
            state = self.data.get("state", "idle")
            if state not in BUSY:  # else it is about to be drawn as what it is by now: it may not wait any more
                self._draw_state(state)
                self._draw_foot()
            if ended is not None:
                ended(went_well)

        self._tab_output.hidden = False
        stage.run(self.editor.text() if source is None else source, self._tab_output, look)

    def _draw_state(self, state: str) -> None:
        """The worker knows who waits and runs; how it went in this tab's Python is known here alone."""
        if state == "queued" or not self.is_for_tab:
            self._here = ""
        self.element.dataset.state = ("" if state in BUSY else self._here) or state

    def close(self) -> None:
        """Take it out of the page."""
        self.outputs.pause(False)
        self.outputs.show([])
        self.editor.destroy()
        self.element.remove()


class Cells:
    """All cells. ``selected`` is the id of the one that commands are about.

    Args:
        element: where they stand.
        author: this tab, by which its edits are known.
        act: is called with a command's name and a cell's id.
    """

    def __init__(self, element: "object", author: str, act: "object") -> None:
        self._element = element
        self._author = author
        self._act = act
        self._keys = Keys()
        self._by_id = {}
        self.order = []
        self.selected = None
        element.addEventListener("keydown", ffi.create_proxy(self._pressed))
        element.addEventListener("focusin", ffi.create_proxy(self._focused))

    def show(self, cells: "list[dict]", only: "set[str] | None" = None) -> None:
        """Bring the page to show just these, in this order.

        ``only`` has the ids of those that may not be as they were; None for all, and all where the order is another.
        """
        order = [cell["id"] for cell in cells]
        if order != self.order:
            self._arrange(order, {cell["id"]: cell for cell in cells})
            only = None  # they have other numbers
        for index, data in enumerate(cells):
            if only is None or data["id"] in only:
                try:
                    self._by_id[data["id"]].update(data, index + 1)
                except Exception as error:  # what can't be shown must not stop the cells below
                    sys.print_exception(error)
        if self.selected not in self.order:
            self.mark(self.order[0] if self.order else None)

    def _arrange(self, order: "list[str]", cells: "dict[str, dict]") -> None:
        """Have an element for each of these, in this order; who stands right stays, and who has the focus."""
        for cell_id in [each for each in self._by_id if each not in cells]:
            self._by_id.pop(cell_id).close()
        for cell_id in order:
            if cell_id not in self._by_id:
                self._by_id[cell_id] = Cell(cells[cell_id], self._author, self._act)
        there = [each for each in self.order if each in cells]
        self.order = order
        focused = [cell_id for cell_id in there if self._by_id[cell_id].element.contains(document.activeElement)]
        for cell_id, below in moves(there, order, focused[0] if focused else None):
            self._element.insertBefore(self._by_id[cell_id].element, self._by_id[below].element if below else None)

    def get(self, cell_id: str) -> "Cell":
        """A cell by its id."""
        return self._by_id[cell_id]

    def neighbour(self, cell_id: "str | None", step: int) -> "str | None":
        """The id of the cell so many places on; None beyond the ends."""
        if cell_id not in self.order:
            return None
        at = self.order.index(cell_id) + step
        return self.order[at] if 0 <= at < len(self.order) else None

    def mark(self, cell_id: "str | None") -> None:
        """Make a cell the selected one: Tab comes to it, commands are about it."""
        if self.selected in self._by_id:
            before = self._by_id[self.selected].element
            before.classList.remove("selected")
            before.setAttribute("tabindex", "-1")
        self.selected = cell_id
        if cell_id in self._by_id:
            element = self._by_id[cell_id].element
            element.classList.add("selected")
            element.setAttribute("tabindex", "0")

    def select(self, cell_id: "str | None") -> None:
        """Go to a cell, in command mode."""
        if cell_id is None:
            return
        self.mark(cell_id)
        element = self._by_id[cell_id].element
        element.focus()
        element.scrollIntoView(ffi.to_js({"block": "nearest"}))

    def edit(self, cell_id: "str | None", where: str = "") -> None:
        """Go into a cell's text; ``where`` is ``start``, ``end``, or where the caret was."""
        if cell_id is None:
            return
        self.mark(cell_id)
        cell = self._by_id[cell_id]
        cell.editing = True
        cell.draw_prose()
        cell.editor.focus(where)

    def _focused(self, event: "object") -> None:
        element = event.target.closest("[data-testid=cell]")
        if element is not None and element.dataset.id != self.selected:
            self.mark(element.dataset.id)

    def _pressed(self, event: "object") -> None:
        if event.target.getAttribute("data-testid") != "cell" or event.defaultPrevented:
            return  # in an editor, or on a button
        command = self._keys.command(event)
        if command is not None:
            event.preventDefault()
            self._act(command, event.target.dataset.id)


def foot_text(state: str, duration: "float | None") -> str:
    """A cell's state in words, with how long it took."""
    if state in ("idle", "queued", "running") or duration is None:
        return STATES[state] if state != "done" else ""
    took = f"{duration * 1000:.0f} ms" if duration < 1 else f"{duration:.1f} s"
    return took if state == "done" else f"failed after {took}"
