"""A tab's end of a notebook that the worker holds: a replica, and what is asked of the worker.

    notebook = Remote(line, name, changed, refused, said)   # changed(change) after each; None where all is new
    notebook.apply({"op": "add", ...}); notebook.ask({"do": "run", "cells": [...]})

A worker may be lost. Its successor begins with what was kept; where this tab knows of later changes, it hands them on
before anything else is asked. Where the successor has others already, neither gives way: cells that this tab knows
otherwise are put below the worker's. A tab that is closed before its changes were kept leaves them to the next one.
"""

import left
from partyline.cells import is_kept
from partyline.replica import Replica
from partyline.versions import covers, saved_beside
from questions import Questions

BESIDE = "Another tab had gone on when this one came: what only this one knew stands in cells of its own."
ANEW = "Python was started anew: the notebook is as it was, its variables are gone."


class Remote:
    """One notebook in one tab.

    Args:
        line: the tab's ``Tab``.
        name: the notebook's.
        changed: is called with each change that is in, and with None where all of the notebook is new.
        refused: is called with what went wrong, as a text; empty where something went right again.
        said: is called with what the user should know, and need not act on.
        turn: is called with the id and the text of a cell that this tab is to run now, and with a function that hears
            whether it went well.
        moved: is called where the notebook has another name from now on.
        store: where a tab that is closed leaves what is not kept; see left.py.
        new_id: makes an id for a cell.

    ``kernel`` is starting, idle or busy; ``suspends`` whether the worker can suspend Python; ``asks`` has by cell what
    ``input`` asks; ``trouble`` says why nothing is kept; ``original`` whether there is one to go back to, ``aside``
    whether there is what was here before that; ``was`` is the name that this notebook had before another worker kept
    another one under it, empty at first.
    """

    def __init__(
        self,
        line: "object",
        name: str,
        changed: "object",
        refused: "object",
        said: "object",
        turn: "object",
        moved: "object",
        store: "object",
        new_id: "object",
    ) -> None:
        self.name = name
        self.kernel = "starting"
        self.suspends = True
        self.asks = {}
        self.trouble = ""
        self.original = False
        self.aside = False
        self.was = ""
        self._touched = {}  # by cell: the number of its last change that may not be kept yet
        self._saved = -1  # the number of the last change that is kept
        self._edited = -1  # and of the last that a file would hold
        self._changed = changed
        self._refused = refused
        self._said = said
        self._turn = turn
        self._moved = moved
        self._store = store
        self._new_id = new_id
        self._replica = Replica()
        self._worker = None
        self._is_told = False  # whether the worker that is followed tells this tab of changes, or was asked to
        self._left = None  # what this tab left, as it went into the back/forward cache
        self._apart = False  # the worker does not take this tab's copy: what only this one knows stands beside
        self._questions = Questions(line, refused)
        line.on_followed = self._followed
        line.on_joined = self._joined
        line.on_notebook = self._told

    @property
    def opened(self) -> bool:
        """Whether the notebook is here."""
        return self._replica.notebook is not None

    @property
    def lacking(self) -> bool:
        """Whether a change was missed, and the whole notebook is still to come."""
        return self._replica.lacking

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

    def leave(self, texts: "dict[str, str]", ahead: "list[dict] | None" = None) -> None:
        """The tab goes. What is not kept yet is left to the next one: its worker may go with it.

        ``texts`` are those of cells that the worker knows otherwise so far; ``ahead`` are the cells as they will be,
        where the worker has not answered to all that this tab ordered.
        """
        if not self.opened:
            return
        if texts or ahead is not None:
            self._left = left.leave(self._store, self.name, self._with(texts, self.cells if ahead is None else ahead))
        elif self.unsaved:
            self._left = left.leave(self._store, self.name, self.notebook)

    def _with(self, texts: "dict[str, str]", cells: "list[dict]") -> dict:
        """The notebook as it would be if the worker had these cells and texts; no other copy has that."""
        notebook = dict(self.notebook)
        notebook["cells"] = [dict(cell, source=texts.get(cell["id"], cell["source"])) for cell in cells]
        notebook["versions"] = dict(self.notebook["versions"])
        notebook["versions"][self._new_id()] = notebook["rev"]
        return notebook

    def take_left(self) -> None:
        """Begin with what a tab left, if one did; the worker is told where it knows less."""
        notebook = left.take(self._store, self.name)
        if notebook is not None:
            self._replica.whole(notebook)
            self._edited = self._replica.rev
            self._touch(None, self._edited)

    def _followed(self) -> None:
        """Another worker is followed, or the same one anew: it is asked nothing until it has opened the notebook."""
        self._is_told = False
        self.kernel = "starting"
        self.asks = {}
        self._questions.hold()
        left.take_back(self._store, self._left)  # the tab is here again, and knows it all
        self._left = None

    def _joined(self, worker: str) -> None:
        if self._is_told:
            return
        self._is_told = True
        if self._worker not in (None, worker):
            self._said(ANEW)
        self._worker = worker
        self._open()

    def _open(self) -> None:
        self.ask({"do": "open"}, self._opened, at_once=True)

    def _opened(self, value: dict, code: str, message: str) -> None:
        if code:
            if code != "lost":  # its successor is asked
                self._refused(message)
            return
        self.suspends = value["suspends"]
        self.trouble = value["trouble"]
        self.original = value["original"]
        self.asks = {}
        for asked in value["asks"]:
            self.asks[asked["cell"]] = asked
        self.aside = value["aside"]
        notebook = value["notebook"]
        if notebook["name"] != self.name:  # it got another name after this was asked
            self._open()
            return
        beside = []
        if self.opened and not covers(notebook["versions"], self.notebook["versions"]):
            older = covers(self.notebook["versions"], notebook["versions"])
            if older and not self._apart:  # what was kept is older than what is here
                self.ask({"do": "adopt", "whole": self.notebook}, self._adopted, at_once=True)
                return
            beside = saved_beside(self.cells, notebook["cells"], self._touched, self._new_id)
        self.kernel = value["kernel"]
        self._saved = self._edited = notebook["rev"]
        self._touched = {}
        self._apart = False
        self._questions.forget_edits([cell["id"] for cell in notebook["cells"]])
        later = self._replica.whole(notebook)
        self._changed(None)
        for change in later:
            self._changed(change)
        self._questions.go()
        for operation in beside:
            self.apply(operation)
        if beside:
            self._said(BESIDE)

    def _adopted(self, value: object, code: str, message: str) -> None:
        if code == "lost":
            return
        if code:
            self._refused(message)
            self._apart = True
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
            self._touched = {cell: rev for cell, rev in self._touched.items() if rev > self._saved}
        elif what == "aside":
            self.aside = header["there"]
        elif what == "moved":
            self.was, self.name = self.name, header["to"]
            self._moved()
        elif what == "trouble":
            self.trouble = header["message"]
        elif what == "turn":
            turn = header["turn"]
            ran = lambda well: self.ask({"do": "ran", "turn": turn, "well": well})  # noqa: E731
            self._turn(header["cell"], header["source"], ran)
        elif what == "said":
            self._said(header["message"])
        elif what == "restarted":
            self._said("Python has forgotten this notebook's variables.")

    def _take(self, change: dict) -> None:
        for taken in self._replica.take(change):
            if any([is_kept(step) for step in taken["steps"]]):
                self._edited = taken["rev"]
            for step in taken["steps"]:
                self._touch(step, taken["rev"])
            self._changed(None if taken["steps"][0]["step"] == "all" else taken)
        if self._replica.lacking:
            self._open()

    def _touch(self, step: "dict | None", rev: int) -> None:
        """Texts that this step changed may not be kept yet; None for all."""
        if step is None or step["step"] == "all":
            self._touched.update({cell["id"]: rev for cell in self.cells})
        elif step["step"] == "text":
            self._touched[step["cell"]] = rev
        elif step["step"] == "put":
            self._touched[step["cell"]["id"]] = rev
