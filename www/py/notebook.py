"""The page ``/notebook/<name>``: cells, commands, outline.

What the user does becomes operations on the notebook, which the worker holds (``remote.py``); what comes of them, here
or in another tab, is drawn. What this tab has ordered is drawn at once (``early.py``): each command is about the cells
as they will be.
"""

import json

from pyscript import document, ffi, window

from asking import Asking
from cells import Cells
from commands import make_toolbar
from dialogs import ask
from dom import find, hide, show
from early import Early
from filing import Filing, save
from kernel_bar import KernelBar
from livecharts import live
from outline import draw_outline
from remote import Remote
from said import Said
from status import draw_status
from tab import Tab, random_id
from texts import Texts

MOVED = (
    "{0} was changed in another tab too, which has a Python of its own. What stands here is kept as {1} from now on."
)

# what is done with a cell, and not at all where there is none
ABOUT_CELLS = ("run", "run-stay", "run-insert", "delete", "up", "down", "split", "merge", "code", "markdown", "clear")
ABOUT_CELLS += ("cut", "copy", "edit", "previous", "next", "first", "last")


def draw() -> None:
    """Show the state of the line."""
    draw_status(line)
    bar.draw()
    if fresh:
        only = None if None in fresh else set(fresh)
        fresh.clear()
        draw_notebook(only)
    if notebook.opened:
        asking.show(notebook.asks)
    hide(find("notebook-back"), not notebook.aside)
    while too_soon and not is_coming():
        act(*too_soon.pop(0))
    live.draw()


def draw_notebook(only: "set[str] | None" = None) -> None:
    """Show the notebook as it is now. ``only`` has the ids of the cells that may have changed; None for all."""
    cells.show(early.shown(notebook.cells), only)
    go_where_wished()
    draw_outline(cells)
    hide(find("notebook-reset"), not notebook.original)


def act(command: str, cell_id: "str | None" = None) -> None:
    """Carry out a command on a cell, or on the selected one; where they are still to come, as soon as they have."""
    window.painting.flush()  # what was typed before it is told before it
    if is_coming():
        too_soon.append((command, cell_id))
        return
    at = cell_id or cells.selected
    if at is None and command in ABOUT_CELLS:
        return
    if command in ("run", "run-stay", "run-insert", "run-all"):
        run(cells.order if command == "run-all" else [at])
        if command == "run":
            go_on(at)
        elif command == "run-insert":
            add(at, "code")
        elif command == "run-stay" and cells.get(at).type == "markdown":
            cells.select(at)
    elif command == "stop":
        # on a cell that is at rest it is meant for the one that runs; where none does, for all that cells have left
        bar.stop(cell_id if cell_id is not None and cells.get(cell_id).busy else None)
    elif command == "restart":
        bar.restart()
    elif command == "restart-run":
        bar.restart(lambda: run(cells.order))
    elif command == "above":
        add(cells.neighbour(at, -1), "code", edit=False)
    elif command == "below":
        add(at, "code", edit=False)
    elif command == "copy":
        copy(at)
    elif command == "paste":
        paste(at)
    elif command in ("delete", "cut"):
        if command == "cut":
            copy(at)
        there = cells.neighbour(at, 1) or cells.neighbour(at, -1)
        if there is None:  # a notebook without cells is no place to write in
            add(at, "code", edit=False)
        else:
            cells.select(there)
        # it can be had back, with all that was typed in it
        texts.when_told([at], lambda: send({"op": "delete", "cells": [at]}, and_say("Cell deleted.")))
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
    elif command == "back":
        bring_back()
    elif command == "save":
        texts.when_told(cells.order, save_as_file)
    elif command == "open":
        filing.choose()
    elif command == "share":
        texts.when_told(cells.order, share)
    elif command == "edit":
        cells.edit(at)
    else:
        places = {"previous": cells.neighbour(at, -1), "next": cells.neighbour(at, 1)}
        places.update({"first": cells.order[0], "last": cells.order[-1]})
        cells.select(places[command])


def is_coming() -> bool:
    """Whether the notebook is still to come, or to be drawn."""
    return not notebook.opened or (not cells.order and bool(notebook.cells))


def run(ids: "list[str]") -> None:
    """Run cells: Markdown is rendered, code goes to the kernel, which calls this tab when its own have their turn.

    While something is being undone, a cell may be of another type by then: it is run if it is code, else rendered.
    """
    code = []
    for cell_id in ids:
        cell = cells.get(cell_id)
        if cell.type == "markdown" or early.undoes:
            cell.editing = False
        if cell.type == "code" or early.undoes:
            code.append(cell_id)
    if len(ids) == 1 and code and cells.get(ids[0]).is_for_tab:
        cells.get(ids[0]).run_here()  # at once, whatever the kernel does: it is another Python
    elif code:
        asking.ran(code)
        texts.when_told(code, lambda: notebook.ask({"do": "run", "cells": code}))
    draw_notebook()


def take_turn(cell_id: str, source: str, ended: "object") -> None:
    """Run a cell in this tab's own Python; ``ended(well)`` is called after that."""
    if cell_id in cells.order:
        cells.get(cell_id).run_here(source, ended)
    else:
        ended(False)


def moved() -> None:
    """The notebook has another name: so has the page, which goes on as it is."""
    place = window.location
    window.history.replaceState(None, "", f"/notebook/{notebook.name}{place.search}")
    document.title = document.title.replace(notebook.was, notebook.name)
    show(find("notebook-title"), notebook.name)
    find("notebook").dataset.name = notebook.name
    find("notebook-moved").hidden = False
    show(find("notebook-moved-text"), MOVED.format(notebook.was, notebook.name))
    find("notebook-moved-link").href = f"/notebook/{notebook.was}{place.search}"


def go_on(at: str) -> None:
    """To the next cell, and where there is none, to a new one."""
    there = cells.neighbour(at, 1)
    if there is None:
        add(at, "code")
    else:
        cells.select(there)


def add(after: "str | None", kind: str, source: str = "", edit: bool = True) -> None:
    """A new cell, in which one is then, or at which."""
    made = new_id()
    send({"op": "add", "after": after, "type": kind, "id": made, "source": source})
    if edit:
        cells.edit(made)
    else:
        cells.select(made)


def new_id() -> str:
    """A cell's."""
    return random_id()[:8]


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


def copy(at: str) -> None:
    """Keep what a cell is, without its outputs, for ``paste``."""
    cell = cells.get(at)
    copied[:] = [(cell.type, cell.editor.text())]


def paste(at: "str | None") -> None:
    """A new cell, as the one that was copied or cut last in this tab."""
    if copied:
        kind, source = copied[0]
        add(at, kind, source, edit=False)
    else:
        said.say("There is nothing to paste: c copies a cell, x cuts it.")


def reset() -> None:
    """Back to the lesson's original, if the user agrees; Undo brings back what was there."""
    text = (
        "Your text and outputs give way to the lesson as the server has it now. "
        "Undo brings them back, and later a button here."
    )
    answered = and_say("This is the original.")
    ask("Reset to the original?", text, "Reset", lambda _: notebook.apply({"op": "reset"}, answered))


def bring_back() -> None:
    """What was there before the last reset, if the user agrees."""
    text = "What is here now gives way to it. Undo brings that back, as long as Python runs on."
    answered = and_say("This is what was there before the reset.")
    back = lambda _: notebook.ask({"do": "bring_back"}, answered)  # noqa: E731
    ask("Bring back what was there before the reset?", text, "Bring back", back)


def and_say(text: str) -> "object":
    """What hears an answer, and tells the user what was done, with a button that undoes it, or why it was not."""

    def answered(value: object, code: str, message: str) -> None:
        if code:
            refuse(message)
        else:
            said.say(text, "Undo", lambda: act("undo"))

    return answered


def leave() -> None:
    """The page goes: leave what the worker may not have taken."""
    notebook.leave(texts.lacking(), early.shown(notebook.cells) if early.waits else None)


def come_forward() -> None:
    """Another tab, with a Python of its own, may have changed what is kept while this one was not looked at."""
    if notebook.opened and not document.hidden:
        notebook.ask({"do": "refresh"}, lambda value, code, message: None)


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
    fresh = new_id()
    texts.when_told([at], lambda: send({"op": "split", "cell": at, "at": offset, "id": fresh}))
    wish("edit", fresh)


def merge(at: str) -> None:
    """One cell of two: the one below comes to this one's end."""
    below = cells.neighbour(at, 1)
    if below is not None:
        texts.when_told([at, below], lambda: send({"op": "merge", "cells": [at, below]}))


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
        texts.push(cell_id, value["version"], value["changes"])
    elif what == "pull":
        texts.pull(cell_id, value["version"])
    elif what == "ask":
        help_with(value["ref"], value["about"], value["text"], value["offset"])


def help_with(ref: int, about: str, text: str, offset: int) -> None:
    """Ask the live namespace about the code that is being written."""

    def answered(value: object, code: str, message: str) -> None:
        window.editors.answer(ref, json.dumps(None if code else value))

    notebook.ask({"do": about, "text": text, "offset": offset}, answered)


def send(op: dict, answered: "object" = None) -> None:
    """Have an operation carried out; what comes of it is shown at once where that is known, or as the worker tells it.

    ``answered(value, code, message)`` hears how it went; without one, the user is told where it is refused.
    """

    def heard(value: object, code: str, message: str) -> None:
        early.answered(op, bool(code), notebook.lacking)
        touched(None)
        if answered is not None:
            answered(value, code, message)
        elif code:
            refuse(message)

    early.order(op)
    notebook.apply(op, heard)
    draw_notebook()


def changed(change: "dict | None") -> None:
    """The notebook has changed: see to what is typed in it, and draw it at the next frame."""
    early.told(change)
    texts.take(change)
    if change is not None and any([step["step"] in ("put", "drop", "place") for step in change["steps"]]):
        said.over()
    fresh.extend([None] if change is None else [concerned(step) for step in change["steps"]])
    line.changed()


def touched(cell_id: "str | None") -> None:
    """A cell is to be shown otherwise, as its text in its editor is another one; None for all."""
    fresh.append(cell_id)
    line.changed()


def concerned(step: dict) -> "str | None":
    """The cell that is to be drawn anew after this step; None where it may be any."""
    return step["cell"] if step["step"] in ("text", "set", "output") else None


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
too_soon = []
wishes = []
copied = []  # one cell's type and text, or none
early = Early()
fresh = []  # what has changed since the notebook was drawn: ids of cells, None where it may be any
cells = Cells(find("cells"), window.workers.tab, act)
asking = Asking(cells, lambda cell_id, text: notebook.ask({"do": "reply", "cell": cell_id, "text": text}))
window.editors.heard = ffi.create_proxy(heard)
make_toolbar(act)
line = Tab("notebook", [], draw)
live.line = line
said = Said()
notebook = Remote(
    line, find("notebook").dataset.name, changed, refuse, said.say, take_turn, moved, window.workers, new_id
)
texts = Texts(notebook, cells, window.workers.tab, refuse, touched)
bar = KernelBar(line, notebook, lambda: bool(texts.lacking()))
filing = Filing(notebook, refuse)
filing.take_drops()
for each in ("save", "open", "share", "reset", "back"):
    find(f"notebook-{each}").addEventListener("click", ffi.create_proxy(lambda event, each=each: act(each)))
window.self.addEventListener("pagehide", ffi.create_proxy(lambda event: leave()))
document.addEventListener("visibilitychange", ffi.create_proxy(lambda event: come_forward()))
notebook.take_left()
line.start()
window.partyline.notebook = ffi.create_proxy(request)
