"""Cells that begin with ``%%tab``: they run in this tab's own MicroPython, beside the CPython that all tabs share.

They can touch the page: ``stage`` is an element below the cell, for them to fill; what they print goes above it. None
of it is kept, or seen in other tabs. There is no Stop: a loop without an end holds up this tab until it is closed.
"""

import io
import sys

from pyscript import document, ffi, window

from dom import make

MAGIC = "%%tab"
MAX_TEXT = 100_000

namespace = {"__name__": "__main__", "document": document, "window": window, "ffi": ffi}


def is_for_tab(source: str) -> bool:
    """Whether a cell's text is meant for the tab's Python."""
    return source.lstrip().startswith(MAGIC)


def run(source: str, element: "object") -> bool:
    """Run a cell's text, and show in ``element`` what it prints and makes; returns whether it went well."""
    output = make("pre", class_="output stdout")
    stage = make("div", class_="stage", data_testid="stage")
    element.replaceChildren(output, stage)

    def show(*values: object, sep: str = " ", end: str = "\n", **_: object) -> None:
        if len(output.textContent) < MAX_TEXT:
            output.append(sep.join([str(value) for value in values]) + end)

    namespace["stage"] = stage
    namespace["print"] = show
    code = "\n" + source.lstrip()[len(MAGIC) :].lstrip(" ").partition("\n")[2]  # line numbers stay
    try:
        exec(code, namespace)  # noqa: S102  # the user has written it, and pressed Run
    except BaseException as error:  # whatever it is, it is shown, and the page goes on
        said = io.StringIO()
        sys.print_exception(error, said)
        element.append(make("pre", said.getvalue().replace('File "<string>"', "Cell"), class_="output error"))
        return False
    return True
