"""The page ``/notebook/<name>``: cells, commands, outline.

What the user does becomes operations on the notebook's data; what they change is drawn. Until the worker holds
notebooks, the data is this tab's own (``local.py``), and code has nothing to run it.
"""

import json

from pyscript import ffi, window

from cells import Cells
from commands import make_toolbar
from dom import find, make, show
from local import Local
from status import draw_status
from tab import Tab, random_id

NO_KERNEL = "This page cannot run code yet."


def draw() -> None:
    """Show the state of the line."""
    draw_status(line)
    show(find("kernel-status"), "no kernel yet" if line.python else "starting")


def draw_notebook() -> None:
    """Show the notebook, when it has changed."""
    cells.show(notebook.cells)
    draw_outline()


def draw_outline() -> None:
    """The headings of all Markdown cells, as links to them."""
    found = [heading for cell_id in cells.order for heading in cells.get(cell_id).headings]
    text = json.dumps(found)
    outline = find("outline")
    if outline.getAttribute("data-shown") == text:
        return
    outline.setAttribute("data-shown", text)
    outline.hidden = not found
    items = find("outline-list")
    items.replaceChildren()
    for heading in found:
        item = make("li", class_=f"level-{heading['level']}")
        item.append(make("a", heading["text"], href=f"#{heading['id']}"))
        items.append(item)


def act(command: str, cell_id: "str | None" = None) -> None:
    """Carry out a command on a cell, or on the selected one."""
    at = cell_id or cells.selected
    if command in ("run", "run-stay", "run-insert", "run-all"):
        run(cells.order if command == "run-all" else [at])
        if command == "run":
            go_on(at)
        elif command == "run-insert":
            add(at, "code")
        elif command == "run-stay" and cells.get(at).type == "markdown":
            cells.select(at)
    elif command == "stop":
        refuse(NO_KERNEL)
    elif command == "above":
        add(cells.neighbour(at, -1), "code", edit=False)
    elif command == "below":
        add(at, "code", edit=False)
    elif command == "delete":
        there = cells.neighbour(at, 1) or cells.neighbour(at, -1)
        send({"op": "delete", "cells": [at]})
        cells.select(there or cells.order[0])
    elif command == "undo":
        send({"op": "undo"})
    elif command in ("up", "down"):
        move(at, command)
    elif command == "split":
        split(at, cells.get(at).editor.offset())
    elif command == "merge":
        merge(at)
    elif command in ("code", "markdown"):
        send({"op": "type", "cell": at, "type": command})
    elif command == "clear":
        send({"op": "clear", "cells": [at]})
    elif command == "edit":
        cells.edit(at)
    else:
        places = {"previous": cells.neighbour(at, -1), "next": cells.neighbour(at, 1)}
        places.update({"first": cells.order[0], "last": cells.order[-1]})
        cells.select(places[command])


def run(ids: "list[str]") -> None:
    """Run cells: Markdown is rendered, code goes to the kernel."""
    for cell_id in ids:
        cell = cells.get(cell_id)
        if cell.type == "markdown":
            cell.editing = False
        elif cell.type == "code":
            refuse(NO_KERNEL)
    draw_notebook()


def go_on(at: str) -> None:
    """To the next cell, and where there is none, to a new one."""
    there = cells.neighbour(at, 1)
    if there is None:
        add(at, "code")
    else:
        cells.select(there)


def add(after: "str | None", kind: str, source: str = "", edit: bool = True) -> str:
    """A new cell; returns its id."""
    fresh = random_id()[:8]
    send({"op": "add", "after": after, "type": kind, "id": fresh, "source": source})
    if edit:
        cells.edit(fresh)
    else:
        cells.select(fresh)
    return fresh


def move(at: str, direction: str) -> None:
    """One place up or down."""
    if cells.neighbour(at, -1 if direction == "up" else 1) is None:
        return
    send({"op": "move", "cell": at, "after": cells.neighbour(at, -2 if direction == "up" else 1)})
    cells.select(at)


def split(at: str, offset: int) -> None:
    """Two cells of one, at the caret."""
    cell = cells.get(at)
    before, after = json.loads(window.editors.halves(cell.editor.text(), offset))
    cell.editor.setText(before)
    add(at, cell.type, after)


def merge(at: str) -> None:
    """One cell of two: the one below comes to this one's end."""
    below = cells.neighbour(at, 1)
    if below is None:
        return
    cells.get(at).editor.setText(cells.get(at).editor.text() + "\n" + cells.get(below).editor.text())
    send({"op": "delete", "cells": [below]})
    cells.select(at)


def heard(cell_id: str, what: str, text: str) -> None:
    """An editor has something to say."""
    value = json.loads(text)
    if what == "run":
        act({"next": "run", "stay": "run-stay", "insert": "run-insert"}[value["then"]], cell_id)
    elif what == "escape":
        cells.select(cell_id)
    elif what == "split":
        split(cell_id, value["at"])
    elif what == "leave":
        step, where = (-1, "end") if value["to"] == "before" else (1, "start")
        there = cells.neighbour(cell_id, step)
        if there is not None and cells.get(there).editing:
            cells.edit(there, where)
        else:
            cells.select(there)
    elif what == "push":
        accept(cell_id, value)
    elif what == "ask":
        window.editors.answer(value["ref"], "null")  # there is no namespace to ask


def accept(cell_id: str, push: dict) -> None:
    """Take an edit, as the authority does: nobody else edits a notebook that this tab alone has."""
    updates = [{"author": window.workers.tab, "changes": changes} for changes in push["changes"]]
    cells.get(cell_id).editor.receive(json.dumps({"version": push["version"], "updates": updates}))


def send(op: dict) -> None:
    """Carry out an operation on the notebook, and show what came of it."""
    refuse(notebook.apply(op))
    draw_notebook()


def refuse(message: str) -> None:
    """Say why something was not done; empty where it was."""
    line.refused = message
    line.changed()


notebook = Local()
cells = Cells(find("cells"), window.workers.tab, act)
window.editors.heard = ffi.create_proxy(heard)
make_toolbar(act)
line = Tab("notebook", [], draw)
draw_notebook()
line.start()
