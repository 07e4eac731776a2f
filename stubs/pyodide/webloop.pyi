"""The names of ``pyodide.webloop`` that the worker uses."""

import asyncio
from typing import Any

class WebLoop(asyncio.BaseEventLoop): ...

class WebLoopPolicy:
    def new_event_loop(self) -> Any: ...
