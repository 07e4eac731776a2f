"""What tabs ask of notebooks: the frames of kind ``notebook``, each with what to ``do`` and a ``ref`` for the answer.

    {"kind": "notebook", "ref": 3, "do": "open", "name": "hello"}     -> {"kind": "notebook", "ref": 3, "value": {...}}
    {"kind": "notebook", "ref": 4, "do": "run", "name": "hello", "cells": ["a1"]}

    open      whole and the kernel's state; from then on this tab is told changes      close    no more
    apply     an ``operation`` on the document (document.py)     pull     a cell's text since a ``version``
    adopt     the ``whole`` of a tab that knows of later changes than were kept
    refresh   take what another worker kept meanwhile            bring_back   what was there before the last reset
    run       ``cells``    stop    a ``cell``, or what runs      restart    forget all variables
    ran       the ``%%tab`` cell whose ``turn`` it was in this tab: ``well`` or not
    reply     the ``text`` for a ``cell`` that asks              complete, signature, hover: ``text`` and ``offset``
    list      what is kept in this browser                       remove     a notebook, for good
    import    an .ipynb's ``text``, or one that was ``packed``, under a ``name``         export     the text of one
    share     the notebook packed for a link                     shared     the title of what was ``packed``

Where it cannot be done the answer has ``code`` and ``error``; nothing is harmed by it. ``failed`` stands for what
nobody foresaw; the console has the traceback then.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import js

import assist
import console
import ipynb
import sharing
from database import DatabaseError
from document import Document
from guard import Guard
from keeping import Keeping, entry
from kernel import Surroundings
from nbfields import NotebookError
from opened import Opened
from partyline import protocol
from shapes import Refused, checked, new_cell, new_notebook
from shelf import Shelf

MAX_NAME = 60
"""Characters of a notebook's name, as the server has it."""

Request = dict[str, Any]
Answer = Any


@dataclass(eq=False)
class Arrival:
    """A tab that opens a notebook, and waits for it; it may have ``left`` by then."""

    port: int
    name: str
    left: bool = False


class Desk:
    """The open notebooks.

    Args:
        guard: stops cells.
        shelf: where notebooks are kept.
        tell: posts a text to the tab on a port.
        hold: is told when this worker may hear nothing for a while.
        given: what cells have around them.
    """

    def __init__(
        self,
        guard: Guard,
        shelf: Shelf,
        tell: Callable[[int, str], None],
        hold: Callable[[bool], None],
        given: Surroundings,
    ) -> None:
        self._guard = guard
        self._shelf = shelf
        self._tell = tell
        self._hold = hold
        self._given = given
        self._opened: dict[str, Opened] = {}
        self._opening: dict[str, asyncio.Task[Opened]] = {}
        self._arrivals: set[Arrival] = set()
        self._keeping = Keeping(shelf, self._tell_all, self._part)
        self._moved: dict[tuple[int, str], str] = {}  # what a tab's notebook is called now, by port and former name
        self._tasks: set[asyncio.Task[None]] = set()
        self._originals: dict[str, dict[str, Any]] = {}
        self._does: dict[str, Callable[[int, Request], Answer]] = {
            "open": self._open,
            "close": self._close,
            "apply": self._apply,
            "pull": lambda port, asked: self._at(asked).document.pull(asked.get("cell"), asked.get("version")),
            "adopt": self._adopt,
            "run": lambda port, asked: self._at(asked).run(_texts(asked, "cells"), port),
            "ran": lambda port, asked: self._at(asked).ran(_number(asked, "turn"), asked.get("well") is True),
            "stop": lambda port, asked: self._at(asked).stop(asked.get("cell")),
            "restart": lambda port, asked: self._at(asked).restart(),
            "refresh": lambda port, asked: self._keeping.refresh(self._at(asked)),
            "bring_back": lambda port, asked: self._keeping.bring_back(self._at(asked)),
            "reply": lambda port, asked: self._at(asked).reply(_text(asked, "cell"), _text(asked, "text")),
            "complete": lambda port, asked: self._assist(assist.complete, asked),
            "signature": lambda port, asked: self._assist(assist.signature, asked),
            "hover": lambda port, asked: self._assist(assist.hover, asked),
            "list": lambda port, asked: self._list(),
            "remove": self._remove,
            "import": self._import,
            "export": lambda port, asked: ipynb.write(self._at(asked).document.whole()),
            "share": lambda port, asked: sharing.pack(self._at(asked).document.whole()),
            "shared": lambda port, asked: _shared(_text(asked, "packed")),
        }

    def serve(self, port: int, asked: Request) -> None:
        """A tab asks; the answer goes to its port, at once or in a while."""
        try:
            does = self._does.get(str(asked.get("do")))
            if does is None:
                raise Refused("bad_request", f"The notebooks know no {str(asked.get('do'))[:40]!r}.")
            now = self._moved.get((port, str(asked.get("name"))))
            answer = does(port, asked if now is None or asked["do"] == "open" else {**asked, "name": now})
        except Exception as error:
            self._failed(port, asked, error)
            return
        if isinstance(answer, Coroutine):
            task = asyncio.get_running_loop().create_task(self._later(port, asked, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer(port, asked, answer)

    def gone(self, port: int) -> None:
        """A tab is closed."""
        self._leave(port, None)
        for notebook in self._opened.values():
            notebook.left(port)
        self._moved = {key: name for key, name in self._moved.items() if key[0] != port}

    async def _later(self, port: int, asked: Request, answer: Coroutine[Any, Any, Answer]) -> None:
        try:
            value = await answer
        except Exception as error:
            self._failed(port, asked, error)
        else:
            self._answer(port, asked, value)

    def _failed(self, port: int, asked: Request, error: Exception) -> None:
        """Whoever asked learns why it was not done. Cells share our modules, so anything may fail."""
        match error:
            case Refused():
                self._refuse(port, asked, error.code, error.message)
            case NotebookError():
                self._refuse(port, asked, "bad_file", str(error))
            case DatabaseError():
                self._refuse(port, asked, "not_kept", f"This browser does not keep notebooks: {error}.")
            case _:
                console.error(error)
                what = f"{type(error).__name__}: {error}"
                self._refuse(port, asked, "failed", f"{what}. Try again; if it fails again, have Python started anew.")

    def _answer(self, port: int, asked: Request, value: Answer) -> None:
        self._post(port, {"ref": asked.get("ref"), "value": value})

    def _refuse(self, port: int, asked: Request, code: str, message: str) -> None:
        self._post(port, {"ref": asked.get("ref"), "code": code, "error": message})

    def _post(self, port: int, frame: dict[str, Any]) -> None:
        self._tell(port, protocol.encode({"kind": protocol.NOTEBOOK, **frame}))

    def _at(self, asked: Request) -> Opened:
        notebook = self._opened.get(_text(asked, "name"))
        if notebook is None:
            raise Refused("not_open", "This notebook is not open in the worker.")
        return notebook

    # opening and keeping

    def _open(self, port: int, asked: Request) -> Answer:
        arrival = Arrival(port, _text(asked, "name"))
        self._arrivals.add(arrival)  # at once: what the tab says next may be that it leaves
        return self._arrive(arrival)

    async def _arrive(self, arrival: Arrival) -> Answer:
        port, name = arrival.port, arrival.name
        try:
            notebook = self._opened.get(name) or await self._loaded(name)
            aside = await self._keeping.has_aside(name)
        finally:
            self._arrivals.discard(arrival)
        if arrival.left:
            raise Refused("left", "This tab has left the notebook before it was open.")
        self._moved.pop((port, name), None)
        notebook.ports.add(port)  # no await from here on: what comes after the answer is told after it
        self._keeping.changed(notebook)  # what could not be kept while nobody looked
        asks = [
            {"cell": cell, "prompt": prompt, "password": password}
            for cell, prompt, password, _ in notebook.asked.values()
        ]
        return {
            "notebook": notebook.document.whole(),
            "kernel": "busy" if notebook.busy else "idle",
            "suspends": self._guard.can_suspend,
            "asks": asks,
            "trouble": self._keeping.trouble,
            "original": name in self._originals,
            "aside": aside,
        }

    async def _loaded(self, name: str) -> Opened:
        """The notebook, which all who wait for it get at once."""
        task = self._opening.get(name)
        if task is None:
            task = self._opening[name] = asyncio.get_running_loop().create_task(self._load(name))
            task.add_done_callback(lambda _: self._opening.pop(name, None))
        return await asyncio.shield(task)

    async def _load(self, name: str) -> Opened:
        text = None
        try:
            text = await self._shelf.read(name)
        except DatabaseError as error:
            self._keeping.trouble = f"This notebook is not kept: {error}."
        kept = {} if text is None else {**checked(json.loads(text)), "name": name}
        try:
            original = await self._lesson(kept.get("lesson", name))
        except NotebookError as error:
            if text is None:
                raise
            js.console.warn(f"partyline: the lesson {name} is broken on the server; what is kept is opened: {error}")
            original = None
        if original is not None:
            self._originals[name] = original
        notebook = kept or original or new_notebook(name, [new_cell("first")])
        opened: Opened = Opened(
            Document(notebook, _new_id()),
            self._guard,
            lambda frame, port=None: self._tell_all(opened, frame, port),
            lambda: self._keeping.changed(opened),
            self._hold,
            self._given,
        )
        self._opened[name] = opened
        self._keeping.begin(opened)
        return opened

    async def _lesson(self, name: str) -> dict[str, Any] | None:
        """The lesson of this name, as the server has it; None where there is none."""
        try:
            response = await js.fetch(f"/lessons/{name}.ipynb")
            if not response.ok:
                return None
            text = str(await response.text())
        except Exception as error:  # the server is away: what is kept here opens all the same
            js.console.warn(f"partyline: whether {name} is a lesson could not be asked: {error}")
            return None
        return ipynb.read(text, name, _new_id).notebook

    def _close(self, port: int, asked: Request) -> None:
        if not self._leave(port, _text(asked, "name")) or asked["name"] in self._opened:
            self._at(asked).left(port)

    def _leave(self, port: int, name: str | None) -> bool:
        """This tab waits no more for this notebook, or for none; says whether it did."""
        leaving = [each for each in self._arrivals if each.port == port and name in (None, each.name)]
        for arrival in leaving:
            arrival.left = True
        return bool(leaving)

    def _adopt(self, port: int, asked: Request) -> None:
        self._at(asked).adopt(asked.get("whole"))

    def _apply(self, port: int, asked: Request) -> Answer:
        notebook, operation = self._at(asked), asked.get("operation")
        if isinstance(operation, dict) and operation.get("op") == "reset":
            return self._reset(notebook, operation)
        notebook.apply(operation)
        return None

    async def _reset(self, notebook: Opened, operation: dict[str, Any]) -> None:
        """Back to the original as the server has it now; where it is away, as it was known here.

        What was there is kept, for after this worker, too; but a second reset does not put the original aside.
        """
        known = self._originals.get(notebook.name)
        try:
            fresh = await self._lesson(notebook.document.lesson)
        except NotebookError as error:
            message = f"The lesson's file on the server is broken, so all stays as it is here: {error}"
            raise Refused("bad_file", message) from None
        if self._opened.get(notebook.name) is not notebook:
            raise Refused("not_open", "This notebook was deleted meanwhile.")
        original = fresh or known
        if original is not None:
            self._originals[notebook.name] = original
        before = notebook.document.whole()
        notebook.apply(operation, original)
        was, now = (
            [(cell["type"], cell["source"]) for cell in cells] for cells in (before["cells"], notebook.document.cells)
        )
        if was != now:
            await self._keeping.put_aside(notebook, before)

    def _assist(self, help_with: Callable[[str, int, dict[str, Any]], Any], asked: Request) -> Answer:
        return help_with(_text(asked, "text"), _number(asked, "offset"), self._at(asked).namespace)

    def _tell_all(self, notebook: Opened, frame: dict[str, Any], one: int | None = None) -> None:
        if self._opened.get(notebook.name) is not notebook:  # it was removed, and what it had begun ends only now
            return
        for port in notebook.ports if one is None else (one,):
            self._post(port, {"name": notebook.name, **frame})

    async def _part(self, notebook: Opened) -> None:
        """Another worker keeps changes under this name that are not here: this notebook takes a name that is free."""
        old, number = notebook.name, 2
        while (name := numbered(old, number)) in self._opened or await self._shelf.versions(name) is not None:
            number += 1
        self._tell_all(notebook, {"what": "moved", "to": name})
        self._moved.update({(port, old): name for port in notebook.ports})
        del self._opened[old]
        self._opened[name] = notebook
        if old in self._originals:
            self._originals[name] = self._originals[old]
        notebook.rename(name)

    async def _list(self) -> Answer:
        return await self._shelf.entries()

    async def _remove(self, port: int, asked: Request) -> Answer:
        name = _text(asked, "name")
        if name in self._opened and self._opened[name].ports:
            raise Refused("is_open", "This notebook is open in a tab. Close it there first.")
        if name in self._opened:
            self._opened[name].restart()
            self._keeping.forget(self._opened.pop(name))
        await self._shelf.remove(name)

    async def _import(self, port: int, asked: Request) -> Answer:
        name = _text(asked, "name")
        text = sharing.unpack(_text(asked, "packed")) if "packed" in asked else _text(asked, "text")
        opened = ipynb.read(text, name, _new_id)
        if name in self._opened or await self._shelf.read(name) is not None:
            raise Refused("name_taken", f"There is a notebook named {name} already. Give this one another name.")
        if not await self._shelf.write(entry(opened.notebook), json.dumps(opened.notebook)):
            raise Refused("name_taken", f"There is a notebook named {name} by now. Give this one another name.")
        return {"name": name, "notices": opened.notices}


def numbered(name: str, number: int) -> str:
    """Another name for a notebook, like this one."""
    ending = f"-{number}"
    return name[: MAX_NAME - len(ending)] + ending


def _new_id() -> str:
    return secrets.token_hex(4)


def _shared(packed: str) -> Answer:
    """What a link holds, to be shown to the user, who may import it then."""
    notebook = ipynb.read(sharing.unpack(packed), "shared", _new_id).notebook
    return {"title": notebook["title"], "cells": len(notebook["cells"])}


def _text(asked: Request, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise Refused("bad_request", f"{name} must be a text.")
    return value


def _number(asked: Request, name: str) -> int:
    value = asked.get(name)
    if not isinstance(value, int):
        raise Refused("bad_request", f"{name} must be a number.")
    return value


def _texts(asked: Request, name: str) -> list[str]:
    values = asked.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused("bad_request", f"{name} must be an array of texts.")
    return values
