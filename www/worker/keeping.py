"""Keeps open notebooks on the shelf, soon after they change. The desk has one for all.

Another worker may keep the same notebook: where each tab has a worker of its own, and for moments where one takes over
from another. What each copy holds is told by its versions (partyline/versions.py), so no copy gives way to one that
lacks something of it: a notebook that would take its place is kept under another name from then on.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import js

import console
from database import DatabaseError
from partyline.versions import covers

if TYPE_CHECKING:
    from opened import Opened
    from shapes import Notebook
    from shelf import Entry, Shelf

SAVE_SECONDS = 0.5
"""So long after a change it is kept; the changes that come meanwhile with it."""


class Keeping:
    """What is kept of the open notebooks, and what is not yet. ``trouble`` says why nothing can be kept, or is empty.

    Args:
        shelf: where notebooks are kept.
        tell: tells a notebook's tabs.
        part: gives a notebook another name, because what is kept under its own has changes that it lacks.
    """

    def __init__(
        self,
        shelf: Shelf,
        tell: Callable[[Opened, dict[str, Any]], None],
        part: Callable[[Opened], Awaitable[None]],
    ) -> None:
        self.trouble = ""
        self._shelf = shelf
        self._tell = tell
        self._part = part
        self._saved: dict[Opened, int] = {}  # the number of the last change that is kept
        self._saving: set[Opened] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, notebook: Opened) -> None:
        """A notebook was opened, as it is kept."""
        self._saved[notebook] = notebook.document.edited

    def forget(self, notebook: Opened) -> None:
        """It was removed."""
        del self._saved[notebook]

    def changed(self, notebook: Opened) -> None:
        """It may have changed."""
        if self._is_changed(notebook) and notebook not in self._saving:
            self._saving.add(notebook)
            # whoever changed it: a cell's task would be stopped with the cell
            task = asyncio.get_running_loop().create_task(self._save(notebook), context=contextvars.Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def refresh(self, notebook: Opened) -> None:
        """Take what another worker kept of it, where nothing was changed here since."""
        kept = await self._shelf.versions(notebook.name)
        if kept is None or covers(notebook.document.versions, kept) or not covers(kept, notebook.document.versions):
            return
        text = await self._shelf.read(notebook.name)
        if notebook not in self._saved:  # it was removed meanwhile
            return
        if text is not None and not notebook.busy and not self._is_changed(notebook):
            notebook.adopt({**json.loads(text), "name": notebook.name})
            self.begin(notebook)  # it is kept as it is here by now
            self._tell(notebook, {"what": "saved", "rev": notebook.document.rev})

    async def put_aside(self, notebook: Opened, whole: Notebook) -> None:
        """Keep what was there before a reset, for ``bring_back``."""
        try:
            await self._shelf.put_aside(notebook.name, json.dumps(whole))
        except DatabaseError as error:
            self._told_trouble(
                f"What was there before the reset is not kept; Undo has it as long as Python runs: {error}."
            )
        else:
            self._tell(notebook, {"what": "aside", "there": True})

    async def has_aside(self, name: str) -> bool:
        """Whether something is there to be brought back."""
        try:
            return await self._shelf.read_aside(name) is not None
        except DatabaseError:  # its user is told why nothing is kept
            return False

    async def bring_back(self, notebook: Opened) -> None:
        """Have again what was there before the last reset."""
        text = await self._shelf.read_aside(notebook.name)
        if text is not None:
            notebook.bring_back(json.loads(text))
            await self._shelf.put_aside(notebook.name, None)
        self._tell(notebook, {"what": "aside", "there": False})

    def _is_changed(self, notebook: Opened) -> bool:
        return notebook in self._saved and notebook.document.edited != self._saved[notebook]

    async def _save(self, notebook: Opened) -> None:
        """Keep the notebook in a while; again, where it changes meanwhile."""
        try:
            while self._is_changed(notebook):
                await asyncio.sleep(SAVE_SECONDS)
                if notebook not in self._saved:  # it was removed
                    break
                edited, whole = notebook.document.edited, notebook.document.whole()
                written = await self._shelf.write(entry(whole), json.dumps(whole))
                if notebook not in self._saved:  # it was removed meanwhile; the shelf does that after the write
                    break
                if written:
                    self._saved[notebook] = edited
                    self._told_trouble("")
                    self._tell(notebook, {"what": "saved", "rev": whole["rev"]})
                elif notebook.ports:
                    await self._part(notebook)
                else:  # its tabs have gone on to another worker, or left it what they knew
                    js.console.warn(f"partyline: {notebook.name} was changed in another worker, and is not kept here")
                    break
        except DatabaseError as error:
            self._told_trouble(f"What you change is not kept, and lost when all tabs are closed: {error}.")
        except Exception as error:
            console.error(error)
            self._told_trouble(f"What you change is not kept: {type(error).__name__}: {error}. Save it as a file.")
        finally:
            self._saving.discard(notebook)

    def _told_trouble(self, message: str) -> None:
        if message != self.trouble:
            self.trouble = message
            for notebook in self._saved:
                self._tell(notebook, {"what": "trouble", "message": message})


def entry(notebook: Notebook) -> Entry:
    """What the shelf's list shows of it."""
    told = {name: notebook[name] for name in ("name", "title", "versions")}
    return {**told, "cells": len(notebook["cells"]), "time": time.time()}
