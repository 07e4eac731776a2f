"""The names of Pyodide's ``js`` module that the worker uses. What comes out of the browser is Any until checked."""

from typing import Any

BroadcastChannel: Any
JSON: Any
Object: Any
WebSocket: Any
console: Any
indexedDB: Any
location: Any
navigator: Any
self: Any

async def fetch(address: str) -> Any: ...
def queueMicrotask(callback: Any) -> None: ...
def setTimeout(callback: Any, milliseconds: float) -> int: ...
def clearTimeout(timer: int) -> None: ...
