"""asyncio as cells find it: the loop that all share, and no tasks but those of their own notebook.

There is one loop in a worker, the hub's. What cells get where they make another one hands on to it: a second loop of
Pyodide's would take the first one's place wherever it is asked for, out of the reach of Stop. What closes a loop, or
cancels all tasks, as debuggers, test runners and ``asyncio.Runner`` do, reaches the cells' own alone.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

from pyodide.webloop import WebLoop, WebLoopPolicy

from runs import Task, current


class CellLoop(WebLoop):
    """What ``asyncio.new_event_loop()`` gives: it has the loop ``hub`` run what it gets, and knows its own tasks."""

    def __init__(self, hub: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        asyncio._set_running_loop(hub)  # Pyodide's loops take that place as they are made
        self._hub = hub
        self.tasks: weakref.WeakSet[Task] = weakref.WeakSet()

    def call_later(self, *given: Any, **options: Any) -> asyncio.Handle:  # type: ignore[override]
        """As the hub's; all else that calls something later comes here."""
        return self._hub.call_later(*given, **options)

    def create_future(self) -> asyncio.Future[Any]:
        """As the hub's."""
        return self._hub.create_future()

    def create_task(self, *given: Any, **options: Any) -> Task:
        """As the hub's."""
        task: Task = self._hub.create_task(*given, **options)
        self.tasks.add(task)
        return task

    def run_until_complete(self, future: Any) -> Any:
        """As the hub's."""
        return self._hub.run_until_complete(future)


def install(hub: asyncio.AbstractEventLoop) -> None:
    """Have cells find all this, once."""
    everywhere = asyncio.all_tasks
    WebLoopPolicy.new_event_loop = lambda _: CellLoop(hub)  # type: ignore[assignment,method-assign]
    asyncio.all_tasks = asyncio.tasks.all_tasks = _their_own(everywhere)


def _their_own(everywhere: Callable[[Any], set[Task]]) -> Callable[..., set[Task]]:
    def all_tasks(loop: asyncio.AbstractEventLoop | None = None) -> set[Task]:
        """Return a set of this notebook's tasks that are not done."""
        run = current.get()
        if run is None:
            return everywhere(loop)
        return {task for task in (loop.tasks if isinstance(loop, CellLoop) else run.kin) if not task.done()}

    return all_tasks
