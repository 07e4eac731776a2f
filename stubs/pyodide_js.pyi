"""The names of Pyodide's ``pyodide_js`` module that the worker uses: the interpreter as JavaScript has it."""

from typing import Any

loadedPackages: Any
lockfile: Any

async def loadPackage(names: Any, options: Any) -> Any: ...
