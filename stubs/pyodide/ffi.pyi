"""The names of ``pyodide.ffi`` that the worker uses."""

from collections.abc import Callable
from typing import Any

def create_proxy(obj: Callable[..., Any]) -> Any: ...

class JsException(Exception): ...
