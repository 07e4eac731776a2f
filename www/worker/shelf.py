"""The notebooks' home in this browser: IndexedDB. A text is read when its notebook is opened, entries to list all.

    shelf = Shelf(family); await shelf.entries(); await shelf.read(name); await shelf.write(name, entry, text)

Every call opens the database anew where it is not open, so one that failed may go well later. Each raises
``DatabaseError`` where the browser keeps nothing.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy

from database import DatabaseError, answer, connect, say, to_js

VERSION = 1
OPEN_SECONDS = 5.0
ENTRIES, TEXTS = "entries", "texts"

Entry = dict[str, Any]
"""What a list shows of a notebook: ``name``, ``title``, ``cells``, ``time`` of its last change (seconds since 1970)."""


class Shelf:
    """The notebooks by name. ``family`` names this site's workers, and so its database."""

    def __init__(self, family: str) -> None:
        self._name = f"{family}-notebooks"
        self._database: Any = None

    async def entries(self) -> list[Entry]:
        """What is there, the last changed first."""
        store = (await self._transaction("readonly")).objectStore(ENTRIES)
        entries: list[Entry] = json.loads(js.JSON.stringify(await answer(store.getAll())))
        return sorted(entries, key=lambda entry: -float(entry["time"]))

    async def read(self, name: str) -> str | None:
        """A notebook's text; None where there is none of this name."""
        record = await answer((await self._transaction("readonly")).objectStore(TEXTS).get(name))
        return None if record is None else str(record.text)

    async def write(self, entry: Entry, text: str) -> None:
        """Keep a notebook in place of what was there under the entry's name."""
        transaction = await self._transaction("readwrite")
        transaction.objectStore(ENTRIES).put(to_js(entry))
        await answer(transaction.objectStore(TEXTS).put(to_js({"name": entry["name"], "text": text})))

    async def remove(self, name: str) -> None:
        """Keep it no more."""
        transaction = await self._transaction("readwrite")
        transaction.objectStore(ENTRIES).delete(name)
        await answer(transaction.objectStore(TEXTS).delete(name))

    async def _transaction(self, mode: str) -> Any:
        for again in (True, False):
            database = await self._open()
            try:
                return database.transaction(to_js([ENTRIES, TEXTS]), mode, to_js({"durability": "relaxed"}))
            except JsException as error:  # it is being closed
                self._database = None
                if not again:
                    raise DatabaseError(say(error)) from error
        raise AssertionError("unreachable")

    async def _open(self) -> Any:
        if self._database is None:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    database = await connect(self._name, VERSION, {ENTRIES: "name", TEXTS: "name"})
            except TimeoutError:
                raise DatabaseError(f"its database did not open within {OPEN_SECONDS:.0f} s") from None

            def close(_: Any) -> None:
                database.close()
                self._database = None

            database.onversionchange = database.onclose = create_proxy(close)
            self._database = database
        return self._database
