"""Cells that begin with ``%%tab``: they run in this tab's own MicroPython, beside the CPython that all tabs share.

They can touch the page: ``stage`` is an element below the cell, for them to fill; what they print goes above it. None
of it is kept, or seen in other tabs. There is no Stop: a loop without an end holds up this tab until it is closed.
"""

import io
import sys

from pyscript import document, ffi, window

from dom import make
from partyline.cells import TAB

MAX_TEXT = 100_000

namespace = {"__name__": "__main__", "document": document, "window": window, "ffi": ffi}
said_by_javascript = []  # the page's last error, if there was one since a cell began


def run(source: str, element: "object", ended: "object") -> None:
    """Run a cell's text, and show in ``element`` what it prints and makes; ``ended(well)`` is called once, after that.

    It runs in a task of its own, and is looked at in the next one: no ``except`` here takes an exception of
    JavaScript's, which ends the task.
    """
    output = make("pre", class_="output stdout")
    stage = make("div", class_="stage", data_testid="stage")
    element.replaceChildren(output, stage)
    went = []

    def show(*values: object, sep: str = " ", end: str = "\n", **_: object) -> None:
        if len(output.textContent) < MAX_TEXT:
            output.append(sep.join([str(value) for value in values]) + end)

    def execute(*_: object) -> None:
        said_by_javascript.clear()
        namespace["stage"] = stage
        namespace["print"] = show
        code = "\n" + source.lstrip()[len(TAB) :].lstrip(" ").partition("\n")[2]  # line numbers stay
        try:
            exec(code, namespace)  # noqa: S102  # the user has written it, and pressed Run
        except BaseException as error:  # whatever it is, it is shown, and the page goes on
            said = io.StringIO()
            sys.print_exception(error, said)
            fail(said.getvalue().replace('File "<string>"', "Cell"))
        else:
            went.append(True)

    def fail(text: str) -> None:
        element.append(make("pre", text, class_="output error"))
        went.append(False)

    def look(*_: object) -> None:
        if not went:
            said = "".join(said_by_javascript)
            fail(f"{said}\nThis is JavaScript's. Which line it was in is not known.".strip())
        ended(went[0])

    window.setTimeout(ffi.create_proxy(execute), 0)
    window.setTimeout(ffi.create_proxy(look), 0)


def note(event: "object") -> None:
    """An exception that nobody took has ended a task of the page's."""
    said_by_javascript[:] = [event.message]


window.self.addEventListener("error", ffi.create_proxy(note))
