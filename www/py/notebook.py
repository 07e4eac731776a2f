"""The page ``/notebook/<name>``: cells, commands, outline.

What the user does becomes operations on the notebook, which the worker holds (``remote.py``); what comes of them, here
or in another tab, is drawn.
"""

import json

from pyscript import ffi, window

from asking import Asking
from cells import Cells
from commands import make_toolbar
from dialogs import ask
from dom import find, make
from filing import Filing, save
from kernel_bar import KernelBar
from livecharts import live
from remote import Remote
from said import Said
from status import draw_status
from tab import Tab, random_id


def draw() -> None:
    """Show the state of the line."""
    draw_status(line)
    bar.draw()
    if fresh:
        fresh.clear()
        draw_notebook()
    if notebook.opened:
        asking.show(notebook.asks)
    live.draw()


def draw_notebook() -> None:
    """Show the notebook, when it has changed."""
    cells.show(with_early(notebook.cells))
    go_where_wished()
    draw_outline()
    find("notebook-reset").hidden = not notebook.original


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
        bar.stop(cell_id)
    elif command == "restart":
        bar.restart()
    elif command == "restart-run":
        bar.restart(lambda: run(cells.order))
    elif command == "above":
        add(cells.neighbour(at, -1), "code", edit=False)
    elif command == "below":
        add(at, "code", edit=False)
    elif command == "delete":
        there = cells.neighbour(at, 1) or cells.neighbour(at, -1)
        delete(at)
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
    elif command == "reset":
        reset()
    elif command == "save":
        when_told(cells.order, save_as_file)
    elif command == "open":
        filing.choose()
    elif command == "share":
        when_told(cells.order, share)
    elif command == "edit":
        cells.edit(at)
    else:
        places = {"previous": cells.neighbour(at, -1), "next": cells.neighbour(at, 1)}
        places.update({"first": cells.order[0], "last": cells.order[-1]})
        cells.select(places[command])


def run(ids: "list[str]") -> None:
    """Run cells: Markdown is rendered, code goes to the kernel."""
    code = []
    for cell_id in ids:
        cell = cells.get(cell_id)
        if cell.type == "markdown":
            cell.editing = False
        elif cell.is_for_tab:
            cell.run_here()
        elif cell.type == "code":
            code.append(cell_id)
    if code:
        asking.ran(code)
        when_told(code, lambda: notebook.ask({"do": "run", "cells": code}))
    draw_notebook()


def when_told(ids: "list[str]", act: "object") -> None:
    """Act as soon as the worker has all that was typed in these cells."""
    waiting.append((ids, act))
    act_when_told()


def unsent() -> bool:
    """Whether the worker lacks something of what is being written."""
    return cells.selected is not None and cells.get(cells.selected).editor.unsent()


def act_when_told() -> None:
    """Do what waits no more, in its order."""
    while waiting:
        ids, act = waiting[0]
        if any([cells.get(cell_id).editor.unsent() for cell_id in ids if cell_id in cells.order]):
            return
        waiting.pop(0)
        act()


def go_on(at: str) -> None:
    """To the next cell, and where there is none, to a new one."""
    there = cells.neighbour(at, 1)
    if there is None:
        add(at, "code")
    else:
        cells.select(there)


def add(after: "str | None", kind: str, source: str = "", edit: bool = True) -> None:
    """A new cell, in which one is then, or at which."""
    made = random_id()[:8]

    def answered(value: object, code: str, message: str) -> None:
        early.pop(made, None)
        if code:
            refuse(message)
            draw_notebook()

    # it is there at once, for who types on: what is typed comes to the worker after the cell
    early[made] = (after, new_cell(made, kind, source))
    notebook.apply({"op": "add", "after": after, "type": kind, "id": made, "source": source}, answered)
    draw_notebook()
    if edit:
        cells.edit(made)
    else:
        cells.select(made)


def with_early(there: "list[dict]") -> "list[dict]":
    """The notebook's cells, and those that the worker has not told of yet."""
    shown = list(there)
    for made in list(early):
        ids = [cell["id"] for cell in shown]
        after, cell = early[made]
        if made not in ids and (after is None or after in ids):
            shown.insert(0 if after is None else ids.index(after) + 1, cell)
    return shown


def new_cell(cell_id: str, kind: str, source: str) -> dict:
    """A cell as the worker will make it."""
    cell = {"id": cell_id, "type": kind, "source": source, "version": 0, "outputs": [], "count": None}
    cell.update({"metadata": {}, "extra": {}, "state": "idle", "duration": None})
    return cell


def wish(how: str, cell_id: str) -> None:
    """Go to a cell as soon as the worker has made it."""
    wishes.append((how, cell_id))


def go_where_wished() -> None:
    """The last wish counts."""
    there = [(how, cell_id) for how, cell_id in wishes if cell_id in cells.order]
    if there:
        wishes.clear()
        how, cell_id = there[-1]
        if how == "edit":
            cells.edit(cell_id)
        else:
            cells.select(cell_id)


def delete(at: str) -> None:
    """Delete a cell; it can be had back."""

    def answered(value: object, code: str, message: str) -> None:
        if code:
            refuse(message)
        else:
            said.say("Cell deleted.", "Undo", lambda: act("undo"))

    notebook.apply({"op": "delete", "cells": [at]}, answered)


def reset() -> None:
    """Back to the lesson's original, if the user agrees; Undo brings back what was there."""

    def answered(value: object, code: str, message: str) -> None:
        if code:
            refuse(message)
        else:
            said.say("This is the original.", "Undo", lambda: act("undo"))

    text = "Your text and outputs give way to the lesson as it was. Undo brings them back, as long as Python runs on."
    ask("Reset to the original?", text, "Reset", lambda _: notebook.apply({"op": "reset"}, answered))


def save_as_file() -> None:
    """As Jupyter's .ipynb."""

    def answered(value: str, code: str, message: str) -> None:
        if code:
            refuse(message)
        else:
            save(notebook.name, value)
            said.say(f"Saved as {notebook.name}.ipynb.")

    notebook.ask({"do": "export"}, answered)


def share() -> None:
    """A link with the whole notebook in it, outputs excepted."""

    def answered(value: str, code: str, message: str) -> None:
        if code:
            refuse(message)
            return
        link = f"{window.location.origin}/notebook#share={value}"
        clipboard = getattr(window.navigator, "clipboard", None)
        if clipboard is not None:  # there is none at a plain-HTTP address
            copied = ffi.create_proxy(lambda *_: said.say("The link is copied. Whoever opens it gets a copy."))
            clipboard.writeText(link).then(copied, ffi.create_proxy(lambda *_: show_link(link)))
        else:
            show_link(link)

    notebook.ask({"do": "share"}, answered)


def show_link(link: str) -> None:
    """To be copied by hand."""
    ask("A link with this notebook in it", "Copy it. Whoever opens it gets a copy.", "Done", lambda _: None, link)


def move(at: str, direction: str) -> None:
    """One place up or down."""
    if cells.neighbour(at, -1 if direction == "up" else 1) is None:
        return
    send({"op": "move", "cell": at, "after": cells.neighbour(at, -2 if direction == "up" else 1)})
    cells.select(at)


def split(at: str, offset: int) -> None:
    """Two cells of one, at the caret, which counts in UTF-16 units."""
    fresh = random_id()[:8]
    when_told([at], lambda: send({"op": "split", "cell": at, "at": offset, "id": fresh}))
    wish("edit", fresh)


def merge(at: str) -> None:
    """One cell of two: the one below comes to this one's end."""
    below = cells.neighbour(at, 1)
    if below is not None:
        when_told([at, below], lambda: send({"op": "merge", "cells": [at, below]}))


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
        push(cell_id, value["version"], value["changes"])
    elif what == "pull":
        pull(cell_id, value["version"])
    elif what == "ask":
        help_with(value["ref"], value["about"], value["text"], value["offset"])


def push(cell_id: str, version: int, changes: "list") -> None:
    """Bring the worker what was typed; it takes all of it, or says that somebody else was first."""
    told = []

    def answered(value: object, code: str, message: str) -> None:
        if not code or told or cell_id not in cells.order:
            return
        told.append(code)
        if code == "stale":
            cells.get(cell_id).editor.refused()
        else:  # it would be refused again and again
            refuse(message)
            give_up(cell_id)

    for index, change in enumerate(changes):
        edit = {"op": "edit", "cell": cell_id, "version": version + index, "changes": change}
        edit["author"] = window.workers.tab
        notebook.apply(edit, answered)
    line.changed()


def give_up(cell_id: str) -> None:
    """What was typed cannot be taken: show the worker's text in its place."""

    def answered(value: "dict | None", code: str, message: str) -> None:
        if not code and cell_id in cells.order:
            cells.get(cell_id).editor.reset(value["source"], value["version"], False)

    notebook.ask({"do": "pull", "cell": cell_id, "version": None}, answered)


def pull(cell_id: str, version: int) -> None:
    """Fetch what an editor lacks."""

    def answered(value: "dict | None", code: str, message: str) -> None:
        if cell_id not in cells.order:
            return
        if code:
            refuse(message)
        elif "updates" in value:
            cells.get(cell_id).editor.receive(json.dumps({"version": version, "updates": value["updates"]}))
        else:
            bring_up(cells.get(cell_id).editor, value)

    notebook.ask({"do": "pull", "cell": cell_id, "version": version}, answered)


def bring_up(editor: "object", cell: dict) -> None:
    """An editor shall stand on this text of this version; what was typed in it alone is told anew, on top of that."""
    unsent = editor.unsent()
    if unsent or editor.version() != cell["version"] or editor.text() != cell["source"]:
        editor.reset(cell["source"], cell["version"], unsent)


def help_with(ref: int, about: str, text: str, offset: int) -> None:
    """Ask the live namespace about the code that is being written."""

    def answered(value: object, code: str, message: str) -> None:
        window.editors.answer(ref, json.dumps(None if code else value))

    notebook.ask({"do": about, "text": text, "offset": offset}, answered)


def send(op: dict) -> None:
    """Have an operation carried out; what comes of it is shown when the worker says so."""
    notebook.apply(op)


def changed(change: "dict | None") -> None:
    """The notebook has changed: the editors are told what was typed elsewhere, or in them and taken."""
    if change is None:
        for cell in notebook.cells:
            if cell["id"] in cells.order:
                bring_up(cells.get(cell["id"]).editor, cell)
    else:
        for step in change["steps"]:
            if step["step"] == "text" and step["cell"] in cells.order:
                update = {"author": step["author"], "changes": step["changes"]}
                received = {"version": step["version"], "updates": [update]}
                cells.get(step["cell"]).editor.receive(json.dumps(received))
    act_when_told()
    fresh.append(True)
    line.changed()


def refuse(message: str) -> None:
    """Say why something was not done; empty where it was."""
    line.refused = message
    line.changed()


def request(text: str) -> object:
    """window.partyline.notebook(json): ask the worker as the page does; a Promise of the answer, as JSON."""
    asked = json.loads(text)

    def begin(resolve: object, reject: object) -> None:
        def answered(value: object, code: str, message: str) -> None:
            resolve(json.dumps({"value": value, "code": code, "error": message}))

        notebook.ask(asked, answered)

    promises.append(window.Promise.new(ffi.create_proxy(begin)))  # held, or MicroPython may collect what it returns
    del promises[:-10]
    return promises[-1]


promises = []
wishes = []
early = {}  # by id: cells that were added here, and that the worker has not told of yet
fresh = []  # not empty where the notebook has changed since it was drawn
waiting = []
cells = Cells(find("cells"), window.workers.tab, act)
asking = Asking(cells, lambda cell_id, text: notebook.ask({"do": "reply", "cell": cell_id, "text": text}))
window.editors.heard = ffi.create_proxy(heard)
make_toolbar(act)
line = Tab("notebook", [], draw)
live.line = line
said = Said()
notebook = Remote(line, find("notebook").dataset.name, changed, refuse, said.say)
bar = KernelBar(line, notebook, unsent)
filing = Filing(notebook, refuse)
filing.take_drops()
for each in ("save", "open", "share", "reset"):
    find(f"notebook-{each}").addEventListener("click", ffi.create_proxy(lambda event, each=each: act(each)))
window.self.addEventListener("pagehide", ffi.create_proxy(lambda event: notebook.leave()))
notebook.take_left()
line.start()
window.partyline.notebook = ffi.create_proxy(request)
