"""IndexedDB for Python: opening a database, awaiting its requests, saying what went wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import js
from pyodide.ffi import create_proxy


class DatabaseError(Exception):
    """A database cannot be used; says why."""


async def connect(name: str, version: int, stores: Mapping[str, str | None]) -> Any:
    """Open a database, and make the stores that it lacks: by name the key path of each, None for keys of its own.

    Raises DatabaseError where there is none to be had. Where nobody waits any more, it is closed as it comes.
    """
    if not getattr(js, "indexedDB", None):
        raise DatabaseError("the browser has no IndexedDB")
    request = js.indexedDB.open(name, version)
    opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def on_upgrade(_: Any) -> None:
        for store, key_path in stores.items():
            if not request.result.objectStoreNames.contains(store):
                request.result.createObjectStore(store, to_js({"keyPath": key_path} if key_path else {}))

    def on_success(_: Any) -> None:
        if opened.done():  # it took too long, and nobody waits any more
            request.result.close()
        else:
            opened.set_result(request.result)

    def on_error(_: Any) -> None:
        if not opened.done():
            opened.set_exception(DatabaseError(say(request.error)))

    # held for the worker's life: the answer may come late
    request.onupgradeneeded = create_proxy(on_upgrade)
    request.onsuccess, request.onerror = create_proxy(on_success), create_proxy(on_error)
    return await opened


async def answer(request: Any) -> Any:
    """What a request of a transaction gives. Raises DatabaseError where it fails."""
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def succeeded(_: Any) -> None:
        if not done.done():
            done.set_result(request.result)

    def failed(event: Any) -> None:
        if not done.done():
            done.set_exception(DatabaseError(say(request.error)))

    proxies = create_proxy(succeeded), create_proxy(failed)
    request.onsuccess, request.onerror = proxies
    try:
        return await done
    finally:
        request.onsuccess = request.onerror = None
        for proxy in proxies:
            proxy.destroy()


async def completed(transaction: Any) -> None:
    """Wait until all that a transaction did is kept. Raises DatabaseError where nothing of it is."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ended(_: Any) -> None:
        if not done.done():
            done.set_result(None)

    def aborted(_: Any) -> None:
        if not done.done():
            done.set_exception(DatabaseError(say(transaction.error)))

    proxies = create_proxy(ended), create_proxy(aborted)
    transaction.oncomplete, transaction.onabort = proxies
    try:
        await done
    finally:
        transaction.oncomplete = transaction.onabort = None
        for proxy in proxies:
            proxy.destroy()


def to_js(value: Any) -> Any:
    """A value as JavaScript's, by way of JSON."""
    return js.JSON.parse(json.dumps(value))


def say(error: Any) -> str:
    """An exception's or a DOMException's text, in one line."""
    parts = [getattr(error, "name", ""), getattr(error, "message", "")]
    return ": ".join(part for part in parts if part) or str(error) or repr(error)
