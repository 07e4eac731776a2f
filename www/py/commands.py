"""The notebook's commands: their buttons and their keys, Jupyter's where it has one.

A command's name goes to ``act``; what it does there is the page's business. Keys here are of command mode, in which a
cell has the focus rather than its text; the editor has its own (``js/editor-keys.js``).
"""

from pyscript import document, ffi

from dom import find, make

# name, key as told, label, and its icon as an SVG path; None begins a new group
COMMANDS = (
    ("run", "Shift-Enter", "Run the cell, go to the next", "M7 4l12 8-12 8z"),
    ("run-all", "", "Run all cells", "M4 5l8 7-8 7zM13 5l8 7-8 7z"),
    ("stop", "i i", "Stop what runs", "M6 6h12v12H6z"),
    ("restart", "0 0", "Restart Python: forget all variables", "M19 12a7 7 0 1 1-2-5M17 3v4h-4"),
    ("restart-run", "", "Restart Python and run all cells", "M15 12a5 5 0 1 1-2-4M13 4v4h-4M17 7l4 5-4 5"),
    None,
    ("above", "a", "New cell above", "M4 19h16M4 15h16M12 11V3M8 7h8"),
    ("below", "b", "New cell below", "M4 5h16M4 9h16M12 13v8M8 17h8"),
    ("delete", "d d", "Delete the cell", "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"),
    ("undo", "z", "Undo the last change of cells", "M9 14L4 9l5-5M4 9h10a6 6 0 010 12h-3"),
    (
        "cut",
        "x",
        "Cut the cell",
        "M8 15L18 4M16 15L6 4M9 17a2.5 2.5 0 11-5 0a2.5 2.5 0 015 0M20 17a2.5 2.5 0 11-5 0a2.5 2.5 0 015 0",
    ),
    ("copy", "c", "Copy the cell", "M9 9h11v11H9zM15 9V4H4v11h5"),
    ("paste", "v", "Paste a cell below", "M9 4H5v16h14V4h-4M9 3h6v4H9zM12 10v6M9 13l3 3 3-3"),
    None,
    ("up", "Ctrl-Shift-ArrowUp", "Move the cell up", "M12 20V5M6 11l6-6 6 6"),
    ("down", "Ctrl-Shift-ArrowDown", "Move the cell down", "M12 4v15M6 13l6 6 6-6"),
    ("split", "Ctrl-Shift--", "Split the cell at the caret", "M4 4h16v5H4zM4 15h16v5H4zM2 12h3M8 12h3M14 12h3M20 12h2"),
    ("merge", "Shift-M", "Merge with the cell below", "M4 4h16v16H4zM12 7v10M9 10l3-3 3 3M9 14l3 3 3-3"),
    None,
    ("code", "y", "Make it a code cell", "M8 7l-5 5 5 5M16 7l5 5-5 5"),
    ("markdown", "m", "Make it a Markdown cell", "M3 18V6l5 6 5-6v12M18 6v11M15 14l3 3 3-3"),
    ("clear", "", "Clear the cell's output", "M4 6h16M4 12h9M16 15l5 5M21 15l-5 5M4 18h7"),
)
MORE_KEYS = {
    "Ctrl-Enter": "run-stay",
    "Meta-Enter": "run-stay",
    "Alt-Enter": "run-insert",
    "Enter": "edit",
    "ArrowUp": "previous",
    "k": "previous",
    "ArrowDown": "next",
    "j": "next",
    "Home": "first",
    "End": "last",
    "Delete": "delete",
}
PAIR_MS = 1000  # "d d" is two keys within that time
SVG = "http://www.w3.org/2000/svg"


def make_toolbar(act: "object") -> None:
    """A button for each command; arrow keys go from one to the next."""
    bar = find("toolbar")
    group = make("span", class_="group")
    for command in COMMANDS:
        if command is None:
            bar.append(group)
            group = make("span", class_="group")
        else:
            group.append(make_button(command, act))
    bar.append(group)
    bar.addEventListener("keydown", ffi.create_proxy(lambda event: rove(bar, event)))


def make_button(command: tuple, act: "object") -> "object":
    """A command's button. Its name is what it does, its title has the key, too."""
    name, key, label, path = command
    # run-all's is in the contract with black-box tests
    test_id = name if name == "run-all" else f"command-{name}"
    title = f"{label} ({key})" if key else label
    button = make("button", type="button", title=title, aria_label=label, data_testid=test_id, data_command=name)
    button.append(make_icon(path))
    if name in ("run", "run-all", "stop"):
        button.append(make("span", {"run": "Run", "run-all": "Run all", "stop": "Stop"}[name]))
    # the caret stays where it is, for the commands that depend on it
    button.addEventListener("mousedown", ffi.create_proxy(lambda event: event.preventDefault()))
    button.addEventListener("click", ffi.create_proxy(lambda event: act(name)))
    return button


def make_icon(path: str) -> "object":
    """An icon of 24 by 24 units."""
    svg = document.createElementNS(SVG, "svg")
    svg.setAttribute("viewBox", "0 0 24 24")
    svg.setAttribute("aria-hidden", "true")
    shape = document.createElementNS(SVG, "path")
    shape.setAttribute("d", path)
    svg.append(shape)
    return svg


def rove(bar: "object", event: "object") -> None:
    """The toolbar's own keys, as the ARIA pattern has them: left, right, home, end."""
    buttons = bar.querySelectorAll("button")
    here = [index for index in range(buttons.length) if buttons.item(index).matches(":focus")]
    if not here or event.key not in ("ArrowLeft", "ArrowRight", "Home", "End"):
        return
    last = buttons.length - 1
    to = {"ArrowLeft": here[0] - 1, "ArrowRight": here[0] + 1, "Home": 0, "End": last}[event.key]
    buttons.item(to % (last + 1)).focus()
    event.preventDefault()


class Keys:
    """Command mode's keys. ``command(event)`` is the name of what a key means, or None."""

    def __init__(self) -> None:
        self._names = {command[1]: command[0] for command in COMMANDS if command and command[1]}
        self._names.update(MORE_KEYS)
        self._before = ("", 0)  # the first of a pair, and when

    def command(self, event: "object") -> "str | None":
        """What a key that was pressed means."""
        key = key_name(event)
        now = event.timeStamp  # when it was pressed, however busy the page has been since
        first, at = self._before
        pair = f"{first} {key}"
        if first and now - at < PAIR_MS and pair in self._names:
            self._before = ("", 0)
            return self._names[pair]
        self._before = (key, now)
        return self._names.get(key)


def key_name(event: "object") -> str:
    """A key as this file writes it: ``a``, ``Shift-M``, ``Ctrl-Shift-ArrowUp``."""
    key = event.key
    parts = [name for name, held in (("Ctrl", event.ctrlKey), ("Alt", event.altKey), ("Meta", event.metaKey)) if held]
    if event.shiftKey:
        parts.append("Shift")
        if key == "_":
            key = "-"  # as an American keyboard has it
    return "-".join(parts + [key])
