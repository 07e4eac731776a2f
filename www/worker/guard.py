"""Keeps the hub alive while cells run, and stops them: at any line, in ``time.sleep``, at an ``await``.

Everything in the worker shares one thread. While cells run, turns.js has CPython call ``_interrupted`` every few
milliseconds, inside the cell: it suspends the cell's stack (JavaScript Promise Integration), so that the socket, the
tabs and the timers are served, a Stop among them; then it goes on, or raises KeyboardInterrupt.

What belongs to a cell is told by a context variable, which the tasks and callbacks that it starts inherit: the hub's
own code never sees the exception. Code that a cell calls, but that must run whole, stands in ``with guard.shield:``.

Where the engine cannot suspend a stack (``can_suspend``), a cell that runs without awaiting holds up all else.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import sys
import time
import weakref
from collections.abc import Awaitable, Coroutine, Iterator
from types import FrameType
from typing import Any, SupportsIndex

from pyodide.ffi import can_run_sync, run_sync

Task = asyncio.Task[Any]


CALLBACK_SECONDS = 1.0
"""So long after a Stop the cell's callbacks are stopped too, which no task runs."""


class Run:
    """One execution of a cell, and all that it started; ``filename`` is what its code was compiled under."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.task: Task | None = None
        self.tasks: weakref.WeakSet[Task] = weakref.WeakSet()
        self.interrupted: set[Task] = set()  # who is to be stopped at its next line
        self.callbacks_until = 0.0  # and callbacks, until then
        self.gates: dict[Task | None, asyncio.Future[None]] = {}  # what plain code of it waits for

    def has(self, frame: FrameType | None) -> bool:
        """Whether the cell's own code stands in this stack."""
        while frame is not None and frame.f_code.co_filename != self.filename:
            frame = frame.f_back
        return frame is not None


current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("current", default=None)
"""The run that the code belongs to; None in the hub."""


class Guard:
    """Stops runs. ``turns`` is what turns.js exports."""

    def __init__(self, turns: Any) -> None:
        self._turns = turns
        self._shields = 0
        self._missed = False
        self._busy: set[Run] = set()
        self._sleep = time.sleep

    def install(self) -> None:
        """Take over the signal, ``time.sleep`` and the making of tasks. Call it once, in the event loop."""
        signal.signal(signal.SIGINT, self._interrupted)
        time.sleep = self.sleep
        loop = asyncio.get_running_loop()
        self._create_task = loop.create_task
        loop.create_task = self._make_task  # type: ignore[assignment,method-assign]  # Pyodide's set_task_factory drops contexts
        loop._keyboard_interrupt_handler = lambda: None  # type: ignore[attr-defined]  # a task that was stopped

    @property
    def can_suspend(self) -> bool:
        """Whether the code that asks can be suspended: plain loops can be stopped then, and wait for events."""
        return bool(can_run_sync())

    def start(self, run: Run, coro: Coroutine[Any, Any, Any], context: contextvars.Context) -> Task:
        """Make ``coro`` the run's main task, in this context; all that it starts belongs to the run."""
        context.run(current.set, run)
        run.task = asyncio.get_running_loop().create_task(coro, context=context)
        return run.task

    def _leave(self, run: Run) -> None:
        """A task of the run is done: where it was the last one, nothing of it needs to be watched."""
        if all(task.done() for task in run.tasks):
            self._busy.discard(run)
        self._turns.running = bool(self._busy)

    def stop(self, run: Run) -> None:
        """Interrupt all that runs for it: once, as Ctrl-C does."""
        for task in [task for task in run.tasks if not task.done()]:
            if getattr(task, "_fut_waiter", None) is not None:
                task.cancel("stopped")
            else:
                run.interrupted.add(task)
        run.callbacks_until = time.monotonic() + CALLBACK_SECONDS
        for gate in list(run.gates.values()):
            if not gate.done():
                gate.set_result(None)

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Wait in plain code, while the world turns. Raises KeyboardInterrupt where the cell is stopped meanwhile."""
        run = current.get()
        if run is None:
            return run_sync(awaitable)
        task = asyncio.current_task()
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wanted = asyncio.ensure_future(awaitable)
        wanted.add_done_callback(lambda _: None if gate.done() else gate.set_result(None))
        run.gates[task] = gate
        try:
            run_sync(gate)
        finally:
            del run.gates[task]
        if task in run.interrupted:
            run.interrupted.remove(task)
            wanted.cancel()
            raise KeyboardInterrupt
        return wanted.result()

    def sleep(self, seconds: float | SupportsIndex) -> None:
        """Suspend the calling cell for so many seconds; ``time.sleep``."""
        if (seconds := float(seconds)) < 0:
            raise ValueError("sleep length must be non-negative")
        if current.get() is None or not can_run_sync():
            self._sleep(seconds)
        else:
            self.wait(asyncio.sleep(seconds))

    @property
    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        """What stands in it is neither stopped nor suspended; the stop comes right after it."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self._missed and not self._shields:
            self._missed = False
            self._turn(sys._getframe())

    def _interrupted(self, _: int, frame: FrameType | None) -> None:
        if self._shields:
            self._missed = True
        else:
            self._turn(frame)

    def _turn(self, frame: FrameType | None) -> None:
        run = current.get()
        if run is None or not can_run_sync():
            return
        task = asyncio.current_task()
        if task is None and not run.has(frame):  # asyncio's own callbacks have the cell's context, and must run whole
            return
        run_sync(self._turns.breathe())
        if task is None:
            if time.monotonic() < run.callbacks_until:
                raise KeyboardInterrupt
        elif task in run.interrupted:
            run.interrupted.discard(task)
            raise KeyboardInterrupt

    def _make_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> Task:
        task: Task = self._create_task(coro, **options)
        context: contextvars.Context | None = options.get("context")
        run = current.get() if context is None else context.get(current)
        if run is not None:
            run.tasks.add(task)
            self._busy.add(run)
            self._turns.running = True
            # not the method of Pyodide's, which counts: a task that nobody awaits must be told of when it fails
            asyncio.Task.add_done_callback(task, lambda _: self._leave(run))
        return task
