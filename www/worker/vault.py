"""The outbox's home in IndexedDB: what was typed outlives the worker, and the browser. The shell's helper.

    vault, letters = await open(generation, family)     # what an earlier worker left to be sent
    vault.keep(letter, sent); vault.discard(id)         # at once; written in the background

``ledger.py`` decides what is written when, ``outbox.py`` what a record holds; here are the calls of the database alone.
It has two stores: ``letters`` by id, and ``meta``, whose ``claim`` is the highest generation that opened it.

Transactions ask for ``relaxed`` durability: they are done when the system has the data, so they outlive a crash of the
worker and of the browser. ``strict`` would wait for the disk with each message, and protect the last moments before a
power cut alone; nothing that is sent waits for either.

What is not sent, because the line is away, is written as soon as the browser's event is over. What was sent is written
``PATIENCE_MS`` later: most of it is acknowledged by then, and costs the database nothing. Should the worker be lost
meanwhile, its tab has the letter still, and sends it again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy

from database import DatabaseError, connect, say, to_js
from ledger import Batch, Ledger
from outbox import Found, Letter, read

VERSION = 1
OPEN_SLICES = 10  # so often a worker looks for its database before it starts without,
SLICE_SECONDS = 0.5  # so far apart: a machine that stands still for a while counts as one look
PATIENCE_MS = 20
META, LETTERS, CLAIM = "meta", "letters", "claim"


class Vault:
    """A generation's hand on the outbox.

    ``durable`` says whether letters are kept, and ``why`` why they are not. ``superseded_by`` is the higher generation
    that has the outbox now; this one writes no more, and should send no more.
    """

    def __init__(self, ledger: Ledger, database: Any, why: str = "") -> None:
        self._ledger = ledger
        self._database = database
        self.why = why
        self._trouble: Callable[[str], None] = lambda why: None
        self._superseded: Callable[[int], None] = lambda generation: None
        self._told = "" if self.opened else why
        self._batch: Batch = {}
        self._abort_reason = ""
        self._due_soon = self._due_later = False
        self._on_turn_end = create_proxy(self._turn_ended)
        self._on_timer = create_proxy(self._time_came)
        self._on_claim = create_proxy(self._write_batch)
        self._on_complete = create_proxy(self._completed)
        self._on_abort = create_proxy(self._aborted)
        if database is not None:
            database.onversionchange = create_proxy(self._version_changes)
            database.onclose = create_proxy(lambda _: self._lose("the browser closed the database"))

    @property
    def opened(self) -> bool:
        """Whether there is a database, even if it takes nothing just now."""
        return self._database is not None

    @property
    def durable(self) -> bool:
        """Whether what is kept outlives this worker."""
        return self.opened and not self._ledger.failing

    @property
    def superseded_by(self) -> int | None:
        """The higher generation that has claimed the outbox, or None."""
        return self._ledger.superseded_by

    def listen(self, trouble: Callable[[str], None], superseded: Callable[[int], None]) -> None:
        """Whom to tell: ``trouble(why)`` when letters cannot be kept any more, with an empty text when they can again;
        ``superseded(generation)`` once, when a higher one has the outbox."""
        self._trouble, self._superseded = trouble, superseded
        if self._ledger.superseded_by is not None:
            superseded(self._ledger.superseded_by)
        elif self.opened and self.why:
            self._tell(self.why)

    def keep(self, letter: Letter, sent: bool) -> None:
        """Have the letter outlive this worker. ``sent``: whether its acknowledgement may come any moment."""
        if self._database is not None:
            self._ledger.keep(letter.id, letter.record(time.time()))
            self._schedule(soon=not sent)

    def discard(self, event_id: str) -> None:
        """The letter has arrived, or never can."""
        if self._database is not None:
            self._ledger.discard(event_id)
            self._schedule()

    def _schedule(self, *, soon: bool = False) -> None:
        """Write when the browser's event that is being handled is over, so that all it brings shares a transaction; or
        in a while, with what others bring."""
        if soon and not self._due_soon:
            self._due_soon = True
            js.queueMicrotask(self._on_turn_end)
        elif not soon and not self._due_later:
            self._due_later = True
            js.setTimeout(self._on_timer, PATIENCE_MS)

    def _turn_ended(self, *_: Any) -> None:
        self._due_soon = False
        self._write()

    def _time_came(self, *_: Any) -> None:
        self._due_later = False
        self._write()

    def _write(self) -> None:
        batch = None if self._database is None else self._ledger.take()
        if batch is None:
            return
        self._batch, self._abort_reason = batch, ""
        try:
            transaction = _begin(self._database)
            transaction.oncomplete, transaction.onabort = self._on_complete, self._on_abort
            transaction.objectStore(META).get(CLAIM).onsuccess = self._on_claim
        except JsException as error:  # the database is being closed
            self._failed(say(error))

    def _write_batch(self, event: Any) -> None:
        transaction, claimed = event.target.transaction, int(event.target.result or 0)
        if not self._ledger.admit(claimed):
            return
        try:
            if claimed < self._ledger.generation:  # there was no room for it at the start
                transaction.objectStore(META).put(self._ledger.generation, CLAIM)
            letters = transaction.objectStore(LETTERS)
            for event_id, record in self._batch.items():
                if record is None:
                    letters.delete(event_id)
                else:
                    letters.put(to_js(record))
        except Exception as error:  # whatever it is, the batch is written whole or not at all
            self._abort_reason = say(error)
            transaction.abort()

    def _completed(self, _: Any) -> None:
        if self._database is None:
            return  # lost meanwhile, which was told
        if self._ledger.superseded_by is not None:
            self._close()
            self.why = _taken_by(self._ledger.superseded_by)
            self._superseded(self._ledger.superseded_by)
            return
        self._ledger.done()
        if not self._ledger.failing:
            self._tell("")
        self._schedule()

    def _aborted(self, event: Any) -> None:
        self._failed(self._abort_reason or say(event.target.error))

    def _failed(self, why: str) -> None:
        if self._database is None:
            return
        self._ledger.failed()
        self._tell(why)
        self._schedule()

    def _version_changes(self, _: Any) -> None:
        self._lose("another version of Partyline, or the user, changes or removes the database")

    def _lose(self, why: str) -> None:
        if self._database is not None:
            self._close()
            self._tell(why)

    def _close(self) -> None:
        self._database.close()
        self._database = None

    def _tell(self, why: str) -> None:
        self.why = why
        if bool(why) != bool(self._told):
            self._told = why
            self._trouble(why)


async def open(generation: int, family: str) -> tuple[Vault, Found]:
    """Claim a family's outbox for a generation; returns the hand on it, and what it holds. What is too old is removed.

    Where there is no database to be had, or not in time, the Vault keeps nothing, and its ``why`` says why.
    """
    nothing = Found([], [], [])
    opening = asyncio.ensure_future(_open(generation, family))
    for _ in range(OPEN_SLICES):
        if opening in (await asyncio.wait([opening], timeout=SLICE_SECONDS))[0]:
            break
    else:
        opening.cancel()
        seconds = OPEN_SLICES * SLICE_SECONDS
        why = f"its database did not open within {seconds:.0f} s; what it may hold waits for the next start"
        return Vault(Ledger(generation), None, why), nothing
    try:
        database, ledger, found, why = opening.result()
    except (DatabaseError, JsException) as error:
        return Vault(Ledger(generation), None, say(error)), nothing
    if ledger.superseded_by is not None:
        database.close()
        return Vault(ledger, None, _taken_by(ledger.superseded_by)), nothing
    vault = Vault(ledger, database, why)
    for event_id in (*found.expired, *found.unreadable):
        vault.discard(event_id)
    return vault, found


async def _open(generation: int, family: str) -> tuple[Any, Ledger, Found, str]:
    database = await connect(f"{family}-outbox", VERSION, {META: None, LETTERS: "id"})
    return database, *await _claim(database, generation)


async def _claim(database: Any, generation: int) -> tuple[Ledger, Found, str]:
    """Read the letters, and say that they are this generation's, in one transaction.

    Where there is no room for the claim, what was read is sent all the same; the text says why. It is claimed, then,
    with the first batch that can be written.
    """
    transaction = _begin(database)
    meta, letters = transaction.objectStore(META), transaction.objectStore(LETTERS)
    claim, kept = meta.get(CLAIM), letters.getAll()
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def on_read(_: Any) -> None:
        if int(claim.result or 0) < generation:
            meta.put(generation, CLAIM)

    def end(why: str) -> None:
        if ended.done():  # it took too long, and nobody waits any more
            database.close()
        else:
            ended.set_result(why)

    claim.onsuccess = create_proxy(on_read)
    transaction.oncomplete = create_proxy(lambda _: end(""))
    transaction.onabort = create_proxy(lambda _: end(say(transaction.error)))
    why = await ended
    if why and (claim.error or kept.error):
        raise DatabaseError(why)
    records = json.loads(js.JSON.stringify(kept.result))
    ledger = Ledger(generation, [record["id"] for record in records])
    ledger.admit(int(claim.result or 0))
    ledger.failing = bool(why)
    return ledger, read(records, time.time()), why


def _taken_by(generation: int) -> str:
    return f"generation {generation} has the outbox now"


def _begin(database: Any) -> Any:
    return database.transaction(to_js([META, LETTERS]), "readwrite", to_js({"durability": "relaxed"}))
