"""Which changes a copy of a notebook holds: a version vector, the last change of each writer that is in it.

    {"3f2a91c4": 8, "77b0e1d2": 12}     # up to change 8 of one worker, and up to 12 of a later one

A worker is a writer, under a name of its own each time it opens the notebook; ``rev`` numbers its changes. Of two
copies one holds all that the other does, or each has what the other lacks: then neither may give way silently.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Callable
    from typing import Any

    Cell = dict[str, Any]
    NewId = Callable[[], str]
    Operation = dict[str, Any]
    Versions = dict[str, int]

LABEL = "# Another text of the cell above, from a tab that was left behind when Python was lost"
MAX_WRITERS = 50  # the newest; a copy that knows of an older one counts as another, and is kept beside


def covers(one: "Versions", other: "Versions") -> bool:
    """Whether one copy has all changes of the other."""
    return all([one.get(writer, -1) >= rev for writer, rev in other.items()])


def joined(one: "Versions", other: "Versions") -> "Versions":
    """What a copy holds that was made of both."""
    both = dict(one)
    for writer, rev in other.items():
        both[writer] = max(rev, both.get(writer, -1))
    newest = sorted(both.items(), key=lambda item: item[1])[-MAX_WRITERS:]
    return dict(newest)


def saved_beside(
    mine: "list[Cell]", theirs: "list[Cell]", touched: "dict[str, int]", new_id: "NewId"
) -> "list[Operation]":
    """The operations that put the texts of one copy into the other, each below its cell, labelled.

    ``touched`` are the cells whose text the other copy may never have had.
    """
    texts = {cell["id"]: cell["source"] for cell in theirs}
    operations: "list[Operation]" = []
    after = None
    for cell in mine:
        here = cell["id"] in texts
        after = cell["id"] if here else after
        source = cell["source"]
        if cell["id"] in touched and source.strip() and source != texts.get(cell["id"]):
            label = LABEL if cell["type"] == "code" else f"*{LABEL[2:]}*\n"
            made = new_id()
            operation = {"op": "add", "id": made, "after": after, "type": cell["type"]}
            operation["source"] = f"{label}\n{source}" if here else source
            operations.append(operation)
            after = made
    return operations
