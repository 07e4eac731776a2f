"""A tab's end of a notebook that the worker holds: a replica, and what is asked of the worker.

    notebook = Remote(line, name, changed, refused)     # changed(change) after each; None where all is new
    notebook.apply({"op": "add", ...}); notebook.ask({"do": "run", "cells": [...]})

A worker may be lost. Its successor begins with what was kept; where this tab knows of later changes, it hands them on,
and what was asked and not answered is asked again where that cannot be done twice.
"""

from partyline import protocol
from partyline.replica import Replica

DONE_BEFORE = ("id_taken", "no_cell", "nothing_to_undo")  # what is asked again may have been done after all
AGAIN = ("apply", "pull", "export", "complete", "signature", "hover")  # asked again of the next worker


class Remote:
    """One notebook in one tab.

    Args:
        line: the tab's ``Tab``.
        name: the notebook's.
        changed: is called with each change that is in, and with None where all of the notebook is new.
        refused: is called with what went wrong, as a text; empty where something went right again.

    ``kernel`` is starting, idle or busy; ``suspends`` whether the worker can suspend Python; ``asks`` has by cell what
    ``input`` asks; ``trouble`` says why nothing is kept; ``original`` whether there is one to go back to; ``saved`` is
    the number of the last change that is kept.
    """

    def __init__(self, line: "object", name: str, changed: "object", refused: "object") -> None:
        self.name = name
        self.kernel = "starting"
        self.suspends = True
        self.asks = {}
        self.trouble = ""
        self.original = False
        self.saved = -1
        self._line = line
        self._changed = changed
        self._refused = refused
        self._replica = Replica()
        self._worker = None
        self._last = 0
        self._waiting = {}  # by ref: the request, and who wants the answer
        self._again = []  # the same, of a worker that was lost
        line.on_joined = self._joined
        line.on_notebook = self._told

    @property
    def opened(self) -> bool:
        """Whether the notebook is here."""
        return self._replica.notebook is not None

    @property
    def cells(self) -> "list[dict]":
        """The cells, in order. Not to be changed."""
        return self._replica.cells

    @property
    def notebook(self) -> "dict | None":
        """All of it. Not to be changed."""
        return self._replica.notebook

    @property
    def unsaved(self) -> bool:
        """Whether something is not kept yet."""
        return self.opened and self.saved < self._replica.rev

    def cell(self, cell_id: str) -> "dict | None":
        """A cell, or None. Not to be changed."""
        return self._replica.cell(cell_id)

    def apply(self, operation: dict, answered: "object" = None) -> None:
        """Have the worker change the notebook; ``answered(code, message)`` hears how it went, empty texts if well."""
        self.ask({"do": "apply", "operation": operation}, answered)

    def ask(self, request: dict, answered: "object" = None) -> None:
        """Ask the worker; ``answered(value, code, message)`` is called once."""
        self._last += 1
        frame = {"kind": protocol.NOTEBOOK, "name": self.name, "ref": self._last}
        frame.update(request)
        self._waiting[self._last] = (frame, answered)
        self._line.post(frame)

    def _joined(self, worker: str) -> None:
        if worker == self._worker:
            return
        lost = self._worker is not None
        self._worker = worker
        waiting = list(self._waiting.values())
        self._waiting = {}
        self.kernel = "starting"
        self.asks = {}
        self.ask({"do": "open"}, self._opened)
        if lost:
            self._refused("Python was started anew: the notebook is as it was, its variables are gone.")
        self._again = [(frame, answered) for frame, answered in waiting if frame["do"] in AGAIN]

    def _ask_again(self) -> None:
        """The new worker has what the one before had: what that did not answer is asked of this one."""
        again, self._again = self._again, []
        for frame, answered in again:
            self._waiting[frame["ref"]] = (frame, answered)
            self._line.post(frame)

    def _opened(self, value: dict, code: str, message: str) -> None:
        if code:
            self._refused(message)
            return
        self.kernel = value["kernel"]
        self.suspends = value["suspends"]
        self.trouble = value["trouble"]
        self.original = value["original"]
        self.asks = {}
        for asked in value["asks"]:
            self.asks[asked["cell"]] = asked
        notebook = value["notebook"]
        if self.opened and self._replica.rev > notebook["rev"]:  # what was kept is older than what is here
            self.ask({"do": "adopt", "whole": self._replica.notebook}, self._adopted)
            return
        self.saved = notebook["rev"]
        later = self._replica.whole(notebook)
        self._changed(None)
        for change in later:
            self._changed(change)
        self._ask_again()

    def _adopted(self, value: object, code: str, message: str) -> None:
        if code:
            self._refused(message)
        self._ask_again()

    def _told(self, header: dict) -> None:
        if "ref" in header:
            _, answered = self._waiting.pop(header["ref"], (None, None))
            code, message = header.get("code", ""), header.get("error", "")
            if answered is not None:
                answered(header.get("value"), code, message)
            elif code and code not in DONE_BEFORE:
                self._refused(message)
            return
        if header.get("name") != self.name:
            return
        what = header["what"]
        if what == "change":
            self._take(header["change"])
        elif what == "kernel":
            self.kernel = header["state"]
        elif what == "ask":
            self.asks[header["cell"]] = header
        elif what == "asked":
            self.asks.pop(header["cell"], None)
        elif what == "saved":
            self.saved = header["rev"]
        elif what == "trouble":
            self.trouble = header["message"]
        elif what == "restarted":
            self._refused("Python has forgotten this notebook's variables.")

    def _take(self, change: dict) -> None:
        for taken in self._replica.take(change):
            self._changed(None if taken["steps"][0]["step"] == "all" else taken)
        if self._replica.lacking:
            self.ask({"do": "open"}, self._opened)
