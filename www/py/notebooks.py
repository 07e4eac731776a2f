"""The page ``/notebook``: the notebooks, and a way to a new one."""

from pyscript import ffi, window

from dom import find
from status import draw_status
from tab import Tab


def draw() -> None:
    """Show the state of the line."""
    draw_status(line)


def open_named(event: "object") -> None:
    """The form was submitted: go to the notebook of this name, new or not."""
    event.preventDefault()
    window.location.href = f"/notebook/{find('new-name').value.strip()}"


line = Tab("notebooks", [], draw)
find("new-notebook").addEventListener("submit", ffi.create_proxy(open_named))
line.start()
