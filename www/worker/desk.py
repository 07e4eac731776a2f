"""What tabs ask of notebooks: the frames of kind ``notebook``, each with what to ``do`` and a ``ref`` for the answer.

    {"kind": "notebook", "ref": 3, "do": "open", "name": "hello"}     -> {"kind": "notebook", "ref": 3, "value": {...}}
    {"kind": "notebook", "ref": 4, "do": "run", "name": "hello", "cells": ["a1"]}

    open      whole and the kernel's state; from then on this tab is told changes      close    no more
    apply     an ``operation`` on the document (document.py)     pull     a cell's text since a ``version``
    adopt     the ``whole`` of a tab that knows of later changes than were kept
    run       ``cells``    stop    a ``cell``, or what runs      restart    forget all variables
    reply     the ``text`` for a ``cell`` that asks              complete, signature, hover: ``text`` and ``offset``
    list      what is kept in this browser                       remove     a notebook, for good
    import    an .ipynb's ``text``, or one that was ``packed``, under a ``name``         export     the text of one
    share     the notebook packed for a link                     shared     the title of what was ``packed``

Where it cannot be done the answer has ``code`` and ``error``; nothing is harmed by it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import js

import assist
import ipynb
import sharing
from database import DatabaseError
from document import Document
from guard import Guard
from nbfields import NotebookError
from opened import Opened
from partyline import protocol
from shapes import Refused, checked, new_cell, new_notebook
from shelf import Entry, Shelf

SAVE_SECONDS = 0.5
"""So long after a change it is kept; the changes that come meanwhile with it."""

Request = dict[str, Any]
Answer = Any


class Desk:
    """The open notebooks.

    Args:
        guard: stops cells.
        shelf: where notebooks are kept.
        tell: posts a text to the tab on a port.
        hold: is told when this worker may hear nothing for a while.
        given: what cells find in their namespace from the start.
    """

    def __init__(
        self,
        guard: Guard,
        shelf: Shelf,
        tell: Callable[[int, str], None],
        hold: Callable[[bool], None],
        given: Mapping[str, Any],
    ) -> None:
        self._guard = guard
        self._shelf = shelf
        self._tell = tell
        self._hold = hold
        self._given = given
        self._opened: dict[str, Opened] = {}
        self._opening: dict[str, asyncio.Task[Opened]] = {}
        self._saved: dict[str, int] = {}  # the number of the last change that is kept, by name
        self._saving: set[str] = set()
        self._trouble = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._originals: dict[str, dict[str, Any]] = {}
        self._does: dict[str, Callable[[int, Request], Answer]] = {
            "open": self._open,
            "close": self._close,
            "apply": self._apply,
            "pull": lambda port, asked: self._at(asked).document.pull(asked.get("cell"), asked.get("version")),
            "adopt": self._adopt,
            "run": lambda port, asked: self._at(asked).run(_texts(asked, "cells")),
            "stop": lambda port, asked: self._at(asked).stop(asked.get("cell")),
            "restart": lambda port, asked: self._at(asked).restart(),
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
            answer = does(port, asked)
        except (Refused, NotebookError) as error:
            self._refuse(port, asked, getattr(error, "code", "bad_file"), str(error))
            return
        if isinstance(answer, Coroutine):
            task = asyncio.get_running_loop().create_task(self._later(port, asked, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._answer(port, asked, answer)

    def gone(self, port: int) -> None:
        """A tab is closed."""
        for notebook in self._opened.values():
            notebook.ports.discard(port)

    async def _later(self, port: int, asked: Request, answer: Coroutine[Any, Any, Answer]) -> None:
        try:
            value = await answer
        except (Refused, NotebookError) as error:
            self._refuse(port, asked, getattr(error, "code", "bad_file"), str(error))
        except DatabaseError as error:
            self._refuse(port, asked, "not_kept", f"This browser does not keep notebooks: {error}.")
        else:
            self._answer(port, asked, value)

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

    async def _open(self, port: int, asked: Request) -> Answer:
        name = _text(asked, "name")
        notebook = self._opened.get(name)
        if notebook is None:
            task = self._opening.get(name)
            if task is None:
                task = self._opening[name] = asyncio.get_running_loop().create_task(self._load(name))
                task.add_done_callback(lambda _: self._opening.pop(name, None))
            notebook = await asyncio.shield(task)
        notebook.ports.add(port)
        asks = [
            {"cell": cell, "prompt": prompt, "password": password}
            for cell, prompt, password, _ in notebook.asked.values()
        ]
        return {
            "notebook": notebook.document.whole(),
            "kernel": "busy" if notebook.busy else "idle",
            "suspends": self._guard.can_suspend,
            "asks": asks,
            "trouble": self._trouble,
            "original": name in self._originals,
        }

    async def _load(self, name: str) -> Opened:
        text = None
        try:
            text = await self._shelf.read(name)
        except DatabaseError as error:
            self._trouble = f"This notebook is not kept: {error}."
        original = await self._lesson(name)
        if original is not None:
            self._originals[name] = original
        if text is not None:
            kept = json.loads(text)
            notebook = {**checked(kept), "name": name}
        else:
            notebook = original or new_notebook(name, [new_cell("first")])
        opened = Opened(
            Document(notebook),
            self._guard,
            lambda frame: self._tell_all(name, frame),
            lambda: self._changed(name),
            self._hold,
            self._given,
        )
        self._opened[name] = opened
        self._saved[name] = opened.document.edited
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
        self._at(asked).ports.discard(port)

    def _adopt(self, port: int, asked: Request) -> None:
        notebook = self._at(asked)
        notebook.tell(notebook.document.adopt(asked.get("whole")))

    def _apply(self, port: int, asked: Request) -> None:
        notebook = self._at(asked)
        notebook.apply(asked.get("operation"), self._originals.get(notebook.name))

    def _assist(self, help_with: Callable[[str, int, dict[str, Any]], Any], asked: Request) -> Answer:
        offset = asked.get("offset")
        if not isinstance(offset, int):
            raise Refused("bad_request", "An offset is a number.")
        return help_with(_text(asked, "text"), offset, self._at(asked).namespace)

    def _tell_all(self, name: str, frame: dict[str, Any]) -> None:
        if name not in self._opened:  # it was removed, and what it had begun ends only now
            return
        for port in self._opened[name].ports:
            self._post(port, {"name": name, **frame})

    def _changed(self, name: str) -> None:
        if (
            name in self._opened
            and name not in self._saving
            and self._opened[name].document.edited != self._saved[name]
        ):
            self._saving.add(name)
            task = asyncio.get_running_loop().create_task(self._save(name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _save(self, name: str) -> None:
        """Keep the notebook in a while; again, where it changes meanwhile."""
        notebook = self._opened[name]
        while notebook.document.edited != self._saved[name]:
            await asyncio.sleep(SAVE_SECONDS)
            if self._opened.get(name) is not notebook:  # it was removed
                break
            edited, whole = notebook.document.edited, notebook.document.whole()
            try:
                await self._shelf.write(_entry(whole), json.dumps(whole))
            except DatabaseError as error:
                self._told_trouble(f"What you change is not kept, and lost when all tabs are closed: {error}.")
                break
            self._saved[name] = edited
            self._told_trouble("")
            self._tell_all(name, {"what": "saved", "rev": whole["rev"]})
        self._saving.discard(name)

    def _told_trouble(self, message: str) -> None:
        if message != self._trouble:
            self._trouble = message
            for name in self._opened:
                self._tell_all(name, {"what": "trouble", "message": message})

    async def _list(self) -> Answer:
        return await self._shelf.entries()

    async def _remove(self, port: int, asked: Request) -> Answer:
        name = _text(asked, "name")
        if name in self._opened and self._opened[name].ports:
            raise Refused("is_open", "This notebook is open in a tab. Close it there first.")
        if name in self._opened:
            self._opened[name].restart()
            del self._opened[name]
        await self._shelf.remove(name)

    async def _import(self, port: int, asked: Request) -> Answer:
        name = _text(asked, "name")
        text = sharing.unpack(_text(asked, "packed")) if "packed" in asked else _text(asked, "text")
        opened = ipynb.read(text, name, _new_id)
        if name in self._opened or await self._shelf.read(name) is not None:
            raise Refused("name_taken", f"There is a notebook named {name} already. Give this one another name.")
        await self._shelf.write(_entry(opened.notebook), json.dumps(opened.notebook))
        return {"name": name, "notices": opened.notices}


def _new_id() -> str:
    return secrets.token_hex(4)


def _entry(notebook: dict[str, Any]) -> Entry:
    cells = len(notebook["cells"])
    return {"name": notebook["name"], "title": notebook["title"], "cells": cells, "time": time.time()}


def _shared(packed: str) -> Answer:
    """What a link holds, to be shown to the user, who may import it then."""
    notebook = ipynb.read(sharing.unpack(packed), "shared", _new_id).notebook
    return {"title": notebook["title"], "cells": len(notebook["cells"])}


def _text(asked: Request, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str):
        raise Refused("bad_request", f"{name} must be a text.")
    return value


def _texts(asked: Request, name: str) -> list[str]:
    values = asked.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused("bad_request", f"{name} must be an array of texts.")
    return values
