"""The page ``/room``: a chat that is the same in every tab of every browser."""

import json
import random

from pyscript import ffi, window

from dom import find, hide, make, show
from partyline.names import name_of
from status import draw_status
from tab import Tab

MAX_SHOWN = 200
DRAFT = "partyline-room-draft"
UNPROVEN = "The server does not know that this author is who it says: it was posted over HTTP, or under another name."
SENTENCES = (
    "One socket, many tabs.",
    "Python is running in a SharedWorker.",
    "Open me in another tab.",
    "No refresh was needed for this.",
    "Hello from MicroPython!",
    "Is this thing live?",
    "The worker sees everything, tabs only look.",
    "Nothing lost, nothing twice.",
    "I travelled through CPython to get here.",
    "Broadcast received, over.",
)


def draw() -> None:
    """Show the state of the line and of the room."""
    draw_status(line)
    show(find("room-id"), name_of(line.browser))
    show(find("room-count"), "–" if line.browsers is None else str(line.browsers))
    show(find("room-status"), status_text())
    waiting = max(len(line.pending), line.outbox)  # typed here, or in a tab that is closed now
    show(find("room-pending"), "" if not waiting else f"{waiting} on the way…")
    draw_list(line.store.events("room")[-MAX_SHOWN:])


def status_text() -> str:
    """The connection's state in a few words."""
    if line.state == "live":
        return "open"
    if line.state == "offline":
        return "closed, reconnecting"
    return "failed" if line.state == "failed" else "waiting"


def draw_list(events: "list") -> None:
    """Bring the list to show just these events: drop what is gone, add what is new."""
    items = find("room-list")
    if items.getAttribute("data-era") != str(line.era):
        items.replaceChildren()  # what was drawn is another log's, whose sequence numbers mean other messages
        items.setAttribute("data-era", str(line.era))
    first = events[0]["seq"] if events else None
    while items.childElementCount and (first is None or int(items.firstElementChild.dataset.seq) < first):
        items.firstElementChild.remove()
    if items.childElementCount and int(items.firstElementChild.dataset.seq) != first:
        items.replaceChildren()  # older ones have come
    last = int(items.lastElementChild.dataset.seq) if items.childElementCount else -1
    at_end = items.scrollHeight - items.scrollTop - items.clientHeight < 40
    fresh = [event for event in events if event["seq"] > last]
    for event in fresh:
        items.append(make_item(event))
    if fresh:
        tell_new([event for event in fresh if event.get("by") != line.browser], at_end or len(fresh) == len(events))
    hide(find("room-empty"), bool(events) or not line.settled)
    if line.settled:
        items.setAttribute("aria-live", "polite")  # from here on, what is new is read aloud


def tell_new(fresh: "list", follow: bool) -> None:
    """Messages have come: go to them, or say that they are there where the reader is looking at older ones."""
    items = find("room-list")
    if follow:
        items.scrollTop = items.scrollHeight
        unseen.clear()
    else:
        unseen.extend(event["seq"] for event in fresh)
    draw_new()


def draw_new(*_: "object") -> None:
    """The button that leads to what is new below; gone where the reader has come to it."""
    items = find("room-list")
    if items.scrollHeight - items.scrollTop - items.clientHeight < 40:
        unseen.clear()
    count = len(unseen)
    hide(find("room-new"), not count)
    show(find("room-new"), "1 new message ↓" if count == 1 else f"{count} new messages ↓")


def go_to_new(*_: "object") -> None:
    """To the last message."""
    items = find("room-list")
    items.scrollTop = items.scrollHeight
    items.focus()
    draw_new()


def make_item(event: dict) -> "object":
    """One message; whatever its data is, it is shown as text."""
    data = event["data"]
    author, text = "someone", data
    if isinstance(data, dict):
        author, text = data.get("author", author), data.get("text")
    if not isinstance(text, str) or not text.strip():
        text = json.dumps(data)
    author = str(author)[:60]
    item = make("li", data_seq=str(event["seq"]), class_="mine" if event.get("by") == line.browser else "theirs")
    if event["seq"] in line.store.after_gap:
        item.classList.add("after-gap")
    at = window.Date.new(event["time"] * 1000)
    meta = make("span", class_="meta")
    meta.append(make("strong", author, class_=f"hue-{sum(author.encode()) % 8}"))
    if not is_proven(event.get("by", ""), author):
        meta.append(make("span", "name not proven", class_="unproven", title=UNPROVEN))
    meta.append(make("time", at.toLocaleTimeString(), datetime=at.toISOString()))
    item.append(meta)
    item.append(make("span", str(text), class_="text"))
    return item


def is_proven(by: str, author: str) -> bool:
    """Whether the server knows that the browser of this name wrote it."""
    return bool(by) and name_of(by) == author


def send(event: "object") -> None:
    """The form was submitted: publish what stands in the field, or one of the sentences where nothing does."""
    event.preventDefault()
    field = find("room-text")
    text = field.value.strip() or random.choice(SENTENCES)
    if line.publish("room", {"text": text, "author": name_of(line.browser)}):
        field.value = ""
        find("room-list").scrollTop = find("room-list").scrollHeight
        keep_draft()
    label_button()
    field.focus()


def label_button(*_: "object") -> None:
    """Say on the button what it will do."""
    show(find("room-send"), "Send" if find("room-text").value.strip() else "Send at random")


def keep_draft(*_: "object") -> None:
    """Keep what stands in the field, so that a reload does not lose it."""
    window.workers.keepHere(DRAFT, find("room-text").value)


unseen = []  # the sequence numbers of messages below what the reader looks at
line = Tab("room", ["room"], draw)
find("room-new").addEventListener("click", ffi.create_proxy(go_to_new))
find("room-list").addEventListener("scroll", ffi.create_proxy(draw_new))
find("room-form").addEventListener("submit", ffi.create_proxy(send))
find("room-text").addEventListener("input", ffi.create_proxy(label_button))
find("room-text").value = find("room-text").value or window.workers.keptHere(DRAFT) or ""
window.self.addEventListener("pagehide", ffi.create_proxy(keep_draft))
label_button()
line.start()
