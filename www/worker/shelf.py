"""The notebooks' home in this browser: IndexedDB. A text is read when its notebook is opened, entries to list all.

    shelf = Shelf(family); await shelf.entries(); await shelf.read(name); await shelf.write(name, entry, text)

Every call opens the database anew where it is not open, so one that failed may go well later. Each raises
``DatabaseError`` where the browser keeps nothing.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import JsException, create_proxy

from database import DatabaseError, answer, completed, connect, say, to_js
from partyline.versions import covers

if TYPE_CHECKING:
    from partyline.versions import Versions

VERSION = 1
OPEN_SECONDS = 5.0
ENTRIES, TEXTS = "entries", "texts"

Entry = dict[str, Any]
"""What a list shows of a notebook: ``name``, ``title``, ``cells``, ``time`` of its last change (seconds since 1970);
and ``versions``, which changes are in it."""


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

    async def versions(self, name: str) -> Versions | None:
        """Which changes are in a notebook; None where there is none of this name."""
        store = (await self._transaction("readonly")).objectStore(ENTRIES)
        return _versions(await answer(store.get(name)))

    async def write(self, entry: Entry, text: str) -> bool:
        """Keep a notebook in place of what is there under the entry's name.

        False, and nothing is done, where what is there has changes that this one lacks.
        """
        transaction = await self._transaction("readwrite")
        entries, texts = transaction.objectStore(ENTRIES), transaction.objectStore(TEXTS)
        there = entries.get(entry["name"])
        written = []

        def compare(_: Any) -> None:  # a transaction ends as soon as nothing is asked of it, so no await here
            if covers(entry["versions"], _versions(there.result) or {}):
                entries.put(to_js(entry))
                texts.put(to_js({"name": entry["name"], "text": text}))
                written.append(entry)

        proxy = create_proxy(compare)
        there.onsuccess = proxy
        try:
            await completed(transaction)
        finally:
            there.onsuccess = None
            proxy.destroy()
        return bool(written)

    async def remove(self, name: str) -> None:
        """Keep it no more."""
        transaction = await self._transaction("readwrite")
        transaction.objectStore(ENTRIES).delete(name)
        transaction.objectStore(TEXTS).delete(_aside(name))
        await answer(transaction.objectStore(TEXTS).delete(name))

    async def read_aside(self, name: str) -> str | None:
        """What was put aside of a notebook; None where nothing was."""
        return await self.read(_aside(name))

    async def put_aside(self, name: str, text: str | None) -> None:
        """Keep this copy beside a notebook, in place of an earlier one; None for no more."""
        store = (await self._transaction("readwrite")).objectStore(TEXTS)
        await answer(
            store.delete(_aside(name)) if text is None else store.put(to_js({"name": _aside(name), "text": text}))
        )

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


def _aside(name: str) -> str:
    """The key of what is put aside; no notebook can have this name."""
    return f"{name}:aside"


def _versions(entry: Any) -> Versions | None:
    """Those of an entry as the database gives it; an entry of before there were any has none."""
    return None if entry is None else json.loads(js.JSON.stringify(entry)).get("versions", {})
