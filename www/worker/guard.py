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
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from types import CodeType, FrameType
from typing import Any, SupportsIndex, TypeVar

from pyodide.ffi import can_run_sync, run_sync

import loops
from runs import Run, Task, current

AGAIN_SECONDS = 0.02
"""How often a task that is to be stopped is looked at: as often as it is interrupted."""

CALLBACK_SECONDS = 1.0
"""So long after a Stop the cell's callbacks are stopped too, which no task runs."""


Result = TypeVar("Result")

ASYNCIO = asyncio.__path__[0]
"""Where its Python stands: it changes what it loops over where another task comes in between."""


class Guard:
    """Stops runs. ``turns`` is what turns.js exports."""

    def __init__(self, turns: Any) -> None:
        self._turns = turns
        self._shields = 0
        self._missed = False
        self._busy: set[Run] = set()
        self._sleep = time.sleep
        self._set_handler = signal.signal
        self._get_handler = signal.getsignal
        self._handler: Any = signal.default_int_handler  # what cells find for SIGINT, and have set for it

    def install(self) -> None:
        """Take over the signal, ``time.sleep`` and the making of tasks. Call it once, in the event loop."""
        signal.signal(signal.SIGINT, self._interrupted)
        signal.signal = self._remember_handler
        signal.getsignal = self._tell_handler
        self.put_back()
        loop = asyncio.get_running_loop()
        loops.install(loop)
        self._run_plainly = loop.run_until_complete
        loop.run_until_complete = self._run_until_complete  # type: ignore[method-assign]
        self._create_task = loop.create_task
        loop.create_task = self._make_task  # type: ignore[assignment,method-assign]  # Pyodide's set_task_factory drops contexts
        loop._keyboard_interrupt_handler = lambda: None  # type: ignore[attr-defined]  # a task that was stopped

    def put_back(self) -> None:
        """Have ``time.sleep`` in its place again, and SIGINT's handler, which cells may have replaced."""
        time.sleep = self.sleep
        self._handler = signal.default_int_handler

    def _remember_handler(self, signalnum: int, handler: Any) -> Any:
        """Set what is called on a signal, and return what was before; ``signal.signal``.

        The world turns by SIGINT's handler, and Stop is always KeyboardInterrupt: what a cell sets for it, as debuggers
        do, is given back to who asks, and never called.
        """
        if signalnum != signal.SIGINT:
            return self._set_handler(signalnum, handler)
        if not callable(handler) and handler not in (signal.SIG_IGN, signal.SIG_DFL):
            raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
        before, self._handler = self._handler, handler
        return before

    def _tell_handler(self, signalnum: int) -> Any:
        """What is called on a signal; ``signal.getsignal``."""
        return self._handler if signalnum == signal.SIGINT else self._get_handler(signalnum)

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
                self._insist(run, task)
        run.callbacks_until = time.monotonic() + CALLBACK_SECONDS
        for gate in list(run.gates.values()):
            if not gate.done():
                gate.set_result(None)

    def _insist(self, run: Run, task: Task) -> None:
        """A task that has not come to a line where it can be interrupted may wait by now: it is stopped there."""
        if task.done() or task not in run.interrupted:
            run.interrupted.discard(task)
        elif getattr(task, "_fut_waiter", None) is not None:
            run.interrupted.discard(task)
            task.cancel("stopped")
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(AGAIN_SECONDS, self._insist, run, task, context=contextvars.Context())

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Wait in plain code, while the world turns. Raises KeyboardInterrupt where the cell is stopped meanwhile."""
        run = current.get()
        if run is None:
            return run_sync(awaitable)
        task = asyncio.current_task()
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wanted = asyncio.ensure_future(awaitable)
        wanted.add_done_callback(lambda _: None if gate.done() else gate.set_result(None))
        place = object()  # many callbacks may wait at once, and none of them has a task
        run.gates[place] = gate
        try:
            self._suspend(gate)
        finally:
            del run.gates[place]
        if task is None:
            stopped = time.monotonic() < run.callbacks_until
        else:
            stopped = task in run.interrupted
            run.interrupted.discard(task)
        if stopped:
            wanted.cancel()
            raise KeyboardInterrupt
        return wanted.result()

    def _suspend(self, gate: asyncio.Future[None]) -> None:
        """Let the world turn until this is done.

        The way there and back must be whole: Pyodide makes a promise of it first. ``_interrupted`` knows it by this
        function's code, which stands in this stack alone; a shield would hold for other cells' stacks as well.
        """
        _suspended(gate)

    def _run_until_complete(self, future: Any) -> Any:
        """The loop's, which ``asyncio.run`` calls: what it waits for, and the waiting, end with Stop."""
        if current.get() is None or not can_run_sync():
            return self._run_plainly(future)
        return self.wait(asyncio.ensure_future(future))

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

    def hub(self, call: Callable[..., Result], *given: Any, **options: Any) -> Result:
        """Call what is the hub's, from a cell: whole, and as none of its code, so that what begins is the hub's."""
        with self.shield:
            return contextvars.Context().run(call, *given, **options)

    def _interrupted(self, _: int, frame: FrameType | None) -> None:
        if self._shields:
            self._missed = True
        elif frame is None or not (
            frame.f_code.co_filename.startswith(ASYNCIO)  # whose own work must be whole
            or _stands_in(frame, Guard._suspend.__code__)
        ):
            self._turn(frame)

    def _turn(self, frame: FrameType | None) -> None:
        run = current.get()
        if run is None or not can_run_sync():
            return
        task = asyncio.current_task()
        if task is None and not run.has(frame):  # asyncio's own callbacks have the cell's context, and must run whole
            return
        if task is not None and task.done():  # it is about to leave its context, which the next cell's task enters
            return
        _suspended(self._turns.breathe())
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
            run.kin.add(task)
            self._busy.add(run)
            self._turns.running = True
            # not the method of Pyodide's, which counts: a task that nobody awaits must be told of when it fails
            asyncio.Task.add_done_callback(task, lambda _: self._leave(run))
        return task


def _stands_in(frame: FrameType | None, code: CodeType) -> bool:
    """Whether a function of this code stands in this stack."""
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame is not None


def _suspended(awaitable: Awaitable[Any]) -> None:
    """Let the world turn until this is done. Where a cell is being debugged, the hub's code is not."""
    events = sys.monitoring  # type: ignore[attr-defined]  # the server's Python may be older
    tool = events.DEBUGGER_ID
    traced = events.get_events(tool) if events.get_tool(tool) else 0
    if not traced:
        run_sync(awaitable)
        return
    events.set_events(tool, 0)
    try:
        run_sync(awaitable)
    finally:
        if events.get_tool(tool):  # it may have come to its end meanwhile
            events.set_events(tool, traced)
