"""The outline beside the cells: the headings of all Markdown cells, as links, each with the state of what is below it.

In flow a notebook's ``Cells``; out come list items. A section goes from its heading to the next, of whatever level.
"""

import json

from dom import find, hide, make

STATES = (("running", "running"), ("queued", "running"), ("error", "failed"))  # the first that a section has is shown


def draw_outline(cells: "object") -> None:
    """Show it, if it is another than before."""
    found = sections([cells.get(cell_id) for cell_id in cells.order])
    text = json.dumps(found)
    outline = find("outline")
    if outline.getAttribute("data-shown") == text:
        return
    outline.setAttribute("data-shown", text)
    hide(outline, not found)
    items = find("outline-list")
    while items.childElementCount > len(found):
        items.lastElementChild.remove()
    for index, heading in enumerate(found):
        if index == items.childElementCount:
            items.append(make("li"))
        draw_item(items.children.item(index), heading)


def draw_item(item: "object", heading: dict) -> None:
    """One heading; its link stays where only the state is new, and keeps the focus."""
    told = json.dumps([heading[name] for name in ("level", "text", "id")])
    if item.getAttribute("data-heading") != told:
        item.setAttribute("data-heading", told)
        item.setAttribute("class", f"level-{heading['level']}")
        item.replaceChildren(make("a", heading["text"], href=f"#{heading['id']}"))
    link, state = item.firstElementChild, heading["state"]
    if link.childElementCount:
        link.lastElementChild.remove()
    if state:
        link.append(make("span", f", {state}", class_=f"section-state {state}", title=state))


def sections(cells: "list") -> "list[dict]":
    """The headings in their order, with ``state``: ``running``, ``failed`` or empty."""
    found = []
    below = set()  # the states of the cells below the last heading
    for cell in cells:
        for heading in cell.headings:
            close(found, below)
            below = set()
            found.append({"level": heading["level"], "text": heading["text"], "id": heading["id"], "state": ""})
        if cell.type == "code":
            below.add(cell.data.get("state", "idle"))
    close(found, below)
    return found


def close(found: "list[dict]", below: "set[str]") -> None:
    """The last section ends here."""
    states = [told for state, told in STATES if state in below]
    if found and states:
        found[-1]["state"] = states[0]
