"""The names of Pyodide's ``js`` module that the worker uses. What comes out of the browser is Any until checked."""

from typing import Any

BroadcastChannel: Any
WebSocket: Any
console: Any
location: Any
navigator: Any
self: Any

def setTimeout(callback: Any, milliseconds: float) -> int: ...
def clearTimeout(timer: int) -> None: ...
