"""What a tab that is closed leaves to the next one: a notebook with changes that nobody has kept yet. Pure.

    leave(store, "hello", notebook); notebook = take(store, "hello"); forget(store, "hello")

``store`` has ``kept(key)`` and ``keep(key, text)``: the browser's localStorage, which is written before a tab is gone.
"""

import json

from partyline.versions import covers

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Notebook = dict[str, Any]

KEY = "partyline-notebook-"
PLACES = ("", ":2", ":3", ":4", ":5", ":6", ":7", ":8")  # several, where each tab has a worker of its own


def leave(store: "Any", name: str, notebook: "Notebook") -> "tuple[str, str] | None":
    """Leave this, in place of what lacks something of it, or beside. Returns what ``take_back`` needs."""
    for place in PLACES:
        before = _read(store.kept(KEY + name + place))
        if before is None or covers(notebook["versions"], before.get("versions", {})):
            text = json.dumps(notebook)
            store.keep(KEY + name + place, text)
            return KEY + name + place, text
    return None


def take_back(store: "Any", given: "tuple[str, str] | None") -> None:
    """Leave it no longer, if nobody has taken it."""
    if given is not None and store.kept(given[0]) == given[1]:
        store.keep(given[0], "")


def take(store: "Any", name: str) -> "Notebook | None":
    """What was left first, and is there no more; None where nothing was."""
    for place in PLACES:
        text = store.kept(KEY + name + place)
        if text:
            store.keep(KEY + name + place, "")
            notebook = _read(text)
            if notebook is not None:
                return notebook
    return None


def forget(store: "Any", name: str) -> None:
    """The notebook of this name is another one from now on, or none."""
    for place in PLACES:
        if store.kept(KEY + name + place):
            store.keep(KEY + name + place, "")


def _read(text: "str | None") -> "Notebook | None":
    try:
        notebook = json.loads(text or "null")
    except ValueError:  # nothing that a tab of ours has written
        return None
    return notebook if isinstance(notebook, dict) else None
