"""The page ``/notebook``: lessons, the notebooks of this browser, and ways to one more: new, from a file, from a link.

What is kept the worker tells; lessons the server. A link's notebook stands in the fragment of this page's address: it
is shown by title, and nothing is made of it unless the user wishes.
"""

import json
import time

from pyscript import ffi, window

import left
from dialogs import ask
from dom import find, make, show
from filing import Filing, name_of
from questions import Questions
from said import Said
from status import draw_status
from tab import Tab

SHARE = "#share="


def draw() -> None:
    """Show the state of the line."""
    draw_status(line)


def open_named(event: "object") -> None:
    """The form was submitted: go to the notebook of this name, new or not."""
    event.preventDefault()
    window.location.href = f"/notebook/{find('new-name').value.strip()}"


def refuse(message: str) -> None:
    """Say why something was not done."""
    line.refused = message
    line.changed()


def joined(worker: str) -> None:
    """The worker knows this tab: what is kept may have changed while it did not."""
    if fresh:
        fresh.clear()
        questions.go()
        refresh()


def followed() -> None:
    """Another worker is followed, or the same one anew."""
    fresh[:] = [True]
    questions.hold()


def refresh() -> None:
    """Ask what is kept."""
    questions.ask({"do": "list"}, listed)


def listed(entries: "list[dict] | None", code: str, message: str) -> None:
    """Show the notebooks that are kept, the last changed first."""
    if code:
        refuse(message)
        return
    find("notebook-section").hidden = not entries
    items = find("notebook-list")
    items.replaceChildren()
    for entry in entries:
        item = make("li", data_testid="notebook-item")
        title = entry["title"] or entry["name"]
        link = make("a", title, href=f"/notebook/{entry['name']}")
        facts = [entry["name"]] if entry["title"] else []
        facts += [counted(entry["cells"], "cell"), f"changed {ago(time.time() - entry['time'])}"]
        about = make("span", " · ".join(facts), class_="quiet")
        delete = make("button", "Delete", type="button", data_testid="notebook-delete", aria_label=f"Delete {title}")
        delete.addEventListener("click", ffi.create_proxy(lambda event, entry=entry: remove(entry)))
        item.append(link, about, delete)
        items.append(item)


def remove(entry: dict) -> None:
    """Delete a notebook, if the user agrees."""

    def answered(value: object, code: str, message: str) -> None:
        if code:
            refuse(message)
        else:
            left.forget(window.workers, entry["name"])
            said.say(f"{entry['name']} is deleted.")
        refresh()

    text = (
        f"{entry['title'] or entry['name']}, {counted(entry['cells'], 'cell')}. It is gone from this browser for good."
    )
    agreed = lambda _: questions.ask({"do": "remove", "name": entry["name"]}, answered)  # noqa: E731
    ask("Delete this notebook?", text, "Delete", agreed)


def counted(number: int, what: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def ago(seconds: float) -> str:
    """How long ago, in words."""
    for size, what in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{counted(int(seconds // size), what)} ago"
    return "just now"


def ask_for_lessons() -> None:
    """The server's lessons; where there are none, the page is as good without."""

    def told(text: str) -> None:
        lessons = json.loads(text)["lessons"]
        find("lesson-section").hidden = not lessons
        for lesson in lessons:
            find("lesson-list").append(make_lesson(lesson))

    def came(response: "object") -> None:
        if response.ok:
            response.text().then(ffi.create_proxy(told))

    failed = ffi.create_proxy(lambda error: window.console.info(f"partyline: no lessons: {error.message}"))
    window.fetch("/lessons/index.json").then(ffi.create_proxy(came), failed)


def make_lesson(lesson: dict) -> "object":
    """A card. A file that cannot be a lesson is named with the reason, and leads nowhere."""
    item = make("li", class_="lesson", data_testid="lesson")
    heading = make("h3")
    if "error" in lesson:  # the server has no notebook of this name
        heading.textContent = lesson["title"]
        item.append(heading, make("p", lesson["error"], class_="quiet"))
        return item
    heading.append(make("a", lesson["title"], href=f"/notebook/{lesson['name']}"))
    facts = [f"{lesson['minutes']} min"] if lesson["minutes"] else []
    facts += ["your teacher's"] if lesson["own"] else []
    item.append(heading, make("p", lesson["summary"]), make("p", " · ".join(facts), class_="quiet"))
    return item


def look_at_link() -> None:
    """A notebook in the address: say what it is. The address is freed of it."""
    address = window.location.hash
    if not address.startswith(SHARE):
        return
    packed = address[len(SHARE) :]
    window.history.replaceState(None, "", window.location.pathname)

    def told(value: "dict | None", code: str, message: str) -> None:
        find("shared").hidden = False
        if code:
            show(find("shared-text"), message)
            return
        title = value["title"] or "Without a title"
        show(find("shared-text"), f"{title}, {counted(value['cells'], 'cell')}. Nothing of it runs until you run it.")
        find("shared-open").hidden = False
        opened = lambda event: filing.bring_in(name_of(value["title"] or "shared"), packed)  # noqa: E731
        find("shared-open").addEventListener("click", ffi.create_proxy(opened))

    questions.ask({"do": "shared", "packed": packed}, told)


def dismiss(event: "object") -> None:
    """The user does not want what was shared."""
    find("shared").hidden = True


fresh = []  # holds something from when a worker is followed to when it knows this tab
line = Tab("notebooks", [], draw)
questions = Questions(line, refuse)
said = Said()
filing = Filing(questions, refuse)
filing.take_drops()
line.on_followed = followed
line.on_joined = joined
line.on_notebook = questions.take
find("new-notebook").addEventListener("submit", ffi.create_proxy(open_named))
find("notebook-open").addEventListener("click", ffi.create_proxy(lambda event: filing.choose()))
find("shared-dismiss").addEventListener("click", ffi.create_proxy(dismiss))
window.self.addEventListener("hashchange", ffi.create_proxy(lambda event: look_at_link()))
ask_for_lessons()
look_at_link()
line.start()
