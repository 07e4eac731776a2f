"""A tab's end of a notebook that the worker holds: a replica, and what is asked of the worker.

    notebook = Remote(line, name, changed, refused, said)   # changed(change) after each; None where all is new
    notebook.apply({"op": "add", ...}); notebook.ask({"do": "run", "cells": [...]})

A worker may be lost. Its successor begins with what was kept; where this tab knows of later changes, it hands them on
before anything else is asked. A tab that is closed before they were kept leaves them to the next one.
"""

import json

from pyscript import window

from partyline.cells import is_kept
from partyline.replica import Replica
from questions import Questions

LEFT = "partyline-notebook-"  # with the notebook's name: what a tab that was closed knew and nobody had kept
ANEW = "Python was started anew: the notebook is as it was, its variables are gone."


class Remote:
    """One notebook in one tab.

    Args:
        line: the tab's ``Tab``.
        name: the notebook's.
        changed: is called with each change that is in, and with None where all of the notebook is new.
        refused: is called with what went wrong, as a text; empty where something went right again.
        said: is called with what the user should know, and need not act on.

    ``kernel`` is starting, idle or busy; ``suspends`` whether the worker can suspend Python; ``asks`` has by cell what
    ``input`` asks; ``trouble`` says why nothing is kept; ``original`` whether there is one to go back to.
    """

    def __init__(self, line: "object", name: str, changed: "object", refused: "object", said: "object") -> None:
        self.name = name
        self.kernel = "starting"
        self.suspends = True
        self.asks = {}
        self.trouble = ""
        self.original = False
        self._saved = -1  # the number of the last change that is kept
        self._edited = -1  # and of the last that a file would hold
        self._changed = changed
        self._refused = refused
        self._said = said
        self._replica = Replica()
        self._worker = None
        self._questions = Questions(line, refused)
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
        return self._saved < self._edited

    def cell(self, cell_id: str) -> "dict | None":
        """A cell, or None. Not to be changed."""
        return self._replica.cell(cell_id)

    def apply(self, operation: dict, answered: "object" = None) -> None:
        """Have the worker change the notebook; ``answered(value, code, message)`` hears how it went."""
        self.ask({"do": "apply", "operation": operation}, answered)

    def ask(self, request: dict, answered: "object" = None, at_once: bool = False, file: "object" = None) -> None:
        """Ask the worker; ``answered(value, code, message)`` is called once."""
        asked = {"name": self.name}
        asked.update(request)
        self._questions.ask(asked, answered, at_once, file)

    def leave(self) -> None:
        """The tab goes. What is not kept yet is left to the next one: its worker may go with it."""
        if self.unsaved:
            window.workers.keep(LEFT + self.name, json.dumps(self.notebook))

    def take_left(self) -> None:
        """Begin with what a tab left, if one did; the worker is told where it knows less."""
        text = window.workers.kept(LEFT + self.name)
        if text:
            window.workers.keep(LEFT + self.name, "")
            self._replica.whole(json.loads(text))

    def _joined(self, worker: str) -> None:
        if worker == self._worker:
            return
        if self._worker is not None:
            self._said(ANEW)
        self._worker = worker
        self.kernel = "starting"
        self.asks = {}
        self._questions.hold()
        self._open()

    def _open(self) -> None:
        self.ask({"do": "open"}, self._opened, at_once=True)

    def _opened(self, value: dict, code: str, message: str) -> None:
        if code:
            self._refused(message)
            return
        self.suspends = value["suspends"]
        self.trouble = value["trouble"]
        self.original = value["original"]
        self.asks = {}
        for asked in value["asks"]:
            self.asks[asked["cell"]] = asked
        notebook = value["notebook"]
        if self.opened and self._replica.rev > notebook["rev"]:  # what was kept is older than what is here
            self.ask({"do": "adopt", "whole": self.notebook}, self._adopted, at_once=True)
            return
        self.kernel = value["kernel"]
        self._saved = self._edited = notebook["rev"]
        self._questions.forget_edits()
        later = self._replica.whole(notebook)
        self._changed(None)
        for change in later:
            self._changed(change)
        self._questions.go()

    def _adopted(self, value: object, code: str, message: str) -> None:
        if code:  # then the worker's counts
            self._refused(message)
            self._replica = Replica()
        self._open()

    def _told(self, header: dict) -> None:
        if self._questions.take(header) or header.get("name") != self.name:
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
            self._saved = header["rev"]
        elif what == "trouble":
            self.trouble = header["message"]
        elif what == "restarted":
            self._said("Python has forgotten this notebook's variables.")

    def _take(self, change: dict) -> None:
        for taken in self._replica.take(change):
            if any([is_kept(step) for step in taken["steps"]]):
                self._edited = taken["rev"]
            self._changed(None if taken["steps"][0]["step"] == "all" else taken)
        if self._replica.lacking:
            self._open()
