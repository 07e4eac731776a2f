"""Runs a notebook's cells in this CPython: one after the other, in a namespace of their own, with Jupyter's manners.

    submit(cell, source, sink) ──queued──> running ──> done | error        told by ``told(cell, state, count, seconds)``

What a cell prints, displays, asks and raises goes to its ``sink``, and so does what its background tasks do later. When
a cell is run again, what it started before is stopped. A cell that fails, or is stopped, takes the queue with it.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextvars
import sys
import time
import traceback
import types
import weakref
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pyodide.code import CodeRunner

import console
import reports
from guard import Guard
from recall import Recall, size_of
from runs import Run, Task, current
from sources import dedented, forget_lines, keep_lines

MODULE = "__main__"

MAX_SOURCES = 1_000
"""Of so many runs the lines are kept, for tracebacks."""


class Sink(Protocol):
    """Where a run's outputs go; nbformat's outputs, one method each."""

    def stream(self, name: str, text: str) -> None:
        """Text came on ``stdout`` or ``stderr``."""

    def hurry(self) -> None:
        """Show what was said, whatever else is going on."""

    def display(self, data: reports.Bundle, metadata: reports.Bundle, display_id: str | None, *, update: bool) -> None:
        """A MIME bundle is to be shown; with ``update``, in place of those of the same ``display_id``."""

    def result(self, count: int, data: reports.Bundle, metadata: reports.Bundle) -> None:
        """The value of the cell's last expression."""

    def error(self, name: str, value: str, text: str) -> None:
        """An exception ended the cell: its class's name, what it says, and its traceback."""

    def clear(self, *, wait: bool) -> None:
        """Forget what was shown; with ``wait``, as soon as something else is."""

    def ask(self, prompt: str, *, password: bool) -> asyncio.Future[str]:
        """Ask the user for a line of text."""


class Surroundings(Protocol):
    """What cells have around them. ``names``: what they find in their namespace from the start."""

    names: Mapping[str, Any]

    async def prepare(self, run: CellRun, source: str) -> str:
        """Have there what a cell is to import, before it runs; returns the source as Python has it."""

    def finish(self) -> None:
        """The cell that runs has come to its end, a bad one too, and may show what it has left to show."""

    def put_back(self) -> None:
        """Have in its place again what cells have replaced outside of their namespace."""

    def explain(self, error: BaseException) -> None:
        """Add to an error of a cell's what helps its user."""


Told = Callable[[str, str, int | None, float | None], None]


class CellRun(Run):
    """One run of a cell: its ``sink`` hears of all that it does."""

    def __init__(self, job: Job, filename: str, kin: weakref.WeakSet[Task], count: int, guard: Guard) -> None:
        super().__init__(filename, kin)
        self.is_elsewhere = job.elsewhere is not None
        self.is_stopped = False  # then what waited was taken back; what waits now was asked for since
        self.is_told = False  # the error that ended it is shown
        self.guard = guard
        self.cell = job.cell
        self.count = count
        self.sink = job.sink


Elsewhere = Callable[[], Coroutine[Any, Any, bool]]
"""Has a cell run by another interpreter, a tab's; returns whether it went well."""


@dataclass(frozen=True)
class Job:
    """A cell that waits for its turn."""

    cell: str
    source: str
    sink: Sink
    elsewhere: Elsewhere | None


class Kernel:
    """The interpreter of one notebook.

    Args:
        guard: stops cells; one for the whole worker.
        name: the notebook's, part of what its code is compiled under.
        hold: is called with True before a cell runs, and with False after it.
        told: is called with a cell's id, its state (queued, running, done, error or idle), its execution count, and how
            long it took in seconds. It does not raise: the kernel must go on.
        given: what cells have around them.
    """

    def __init__(self, guard: Guard, name: str, told: Told, hold: Callable[[bool], None], given: Surroundings) -> None:
        self._guard = guard
        self._name = name
        self._told = told
        self._hold = hold
        self._given = given
        self._queue: deque[Job] = deque()
        self._running: CellRun | None = None
        self._count = 0
        self._serial = 0
        self._runs: dict[str, CellRun] = {}  # the last one of each cell
        self._tasks: weakref.WeakSet[Task] = weakref.WeakSet()
        self._names: dict[str, str] = {}  # what a cell is called in tracebacks, by file name
        self._module = self._fresh()
        self._recall = Recall(self.namespace)
        self._context = contextvars.copy_context()

    def restart(self) -> None:
        """Stop all that runs, and forget all variables, and what was replaced where all notebooks look."""
        self.stop()
        for run in self._runs.values():
            self._guard.stop(run)
        self._guard.put_back()
        self._given.put_back()
        before, self._module = self._module, self._fresh()
        if sys.modules[MODULE] is before:
            sys.modules[MODULE] = self._module
        self._recall = Recall(self.namespace)
        self._context = contextvars.copy_context()
        self._count = 0

    def _fresh(self) -> types.ModuleType:
        """What cells run in: a module, so that what looks for it by its name, as pickle and doctest do, finds them."""
        module = types.ModuleType(MODULE)
        vars(module).update(self._given.names, __builtins__=builtins)
        return module

    @property
    def namespace(self) -> dict[str, Any]:
        """The cells' variables."""
        return vars(self._module)

    @property
    def busy(self) -> str | None:
        """The id of the cell that runs."""
        return None if self._running is None else self._running.cell

    def submit(self, cell: str, source: str, sink: Sink, elsewhere: Elsewhere | None = None) -> None:
        """Run a cell, after those that wait; one that runs ``elsewhere`` takes its turn, too, and has no count."""
        if any(job.cell == cell for job in self._queue):
            return
        self._queue.append(Job(cell, source, sink, elsewhere))
        self._told(cell, "queued", None, None)
        self._next()

    def stop(self, cell: str | None = None) -> None:
        """Interrupt the cell, or the one that runs; what waits is not run. Of one that is done: what it left.

        Where no cell is named, and none runs: what all have left.
        """
        if cell is None or cell == self.busy:
            self._abandon()
            runs = list(self._runs.values()) if self._running is None else [self._running]
        else:
            self._abandon(cell)
            runs = [self._runs[cell]] if cell in self._runs else []
        for run in runs:
            run.is_stopped = True
            self._guard.stop(run)

    def _abandon(self, cell: str | None = None) -> None:
        """Do not run what waits: this cell, or all."""
        waiting = [job for job in self._queue if cell in (None, job.cell)]
        self._queue = deque(job for job in self._queue if job not in waiting)
        for job in waiting:
            self._told(job.cell, "idle", None, None)

    def _next(self) -> None:
        if self._running is not None or not self._queue:
            return
        job = self._queue.popleft()
        before = self._runs.get(job.cell)
        if before is not None:
            self._guard.stop(before)
        self._count += job.elsewhere is None
        self._serial += 1
        filename = f"{self._name}-{job.cell}-{self._serial}"
        run = CellRun(job, filename, self._tasks, self._count, self._guard)
        self._running = self._runs[job.cell] = run
        source = dedented(job.source)
        self._remember(filename, source)
        sys.modules[MODULE] = self._module  # there is one of the name: of the notebook whose cell began last
        if job.elsewhere is None:
            self._recall.entered(self._count, job.source)
        self._told(job.cell, "running", self._count, None)
        began = time.monotonic()
        if job.elsewhere is None:
            self._hold(True)
        doing = self._execute(run, source) if job.elsewhere is None else job.elsewhere()
        task = self._guard.start(run, doing, self._context)
        task.add_done_callback(
            lambda done: self._ended(run, done, time.monotonic() - began), context=contextvars.Context()
        )

    def _tell_end(self, run: CellRun, error: BaseException) -> None:
        """It was stopped before its code began, or after; or what runs it has failed, which the console has, too."""
        try:
            if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
                if not run.is_told:  # else the stop came as it ended anyway
                    run.sink.error("KeyboardInterrupt", "", "KeyboardInterrupt")
                return
            console.error(error)
            text = "".join(traceback.format_exception(error)).rstrip("\n")
            run.sink.error(type(error).__name__, _said(error), text)
        except Exception as again:  # the kernel goes on, or all that waits would wait for ever
            console.error(again)

    async def _execute(self, run: CellRun, source: str) -> bool:
        """Run the source; returns whether it went well. What it raised has gone to the sink."""
        namespace, recall = self.namespace, self._recall  # of a restart come others, where nothing of this run belongs
        try:
            python = await self._given.prepare(run, source)
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = CodeRunner(python, filename=run.filename, flags=flags, dedent=False).compile()
            try:
                value = await code.run_async(namespace)
                if value is not None:
                    size = size_of(value)
                    try:
                        shown = reports.bundle(value)  # before it stands in Out, which may be part of it
                    finally:
                        with self._guard.shield:
                            recall.gave(run.count, value, size)
                    self._guard.hub(run.sink.result, run.count, *shown)
            finally:
                keep_lines(run.filename, source)  # in place of those that it was made into
                self._given.finish()
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and error.args == ("stopped",):
                error = KeyboardInterrupt().with_traceback(error.__traceback__)
            with self._guard.shield:
                self._given.explain(error)
                text = reports.error_text(error, self._names)
                self._guard.hub(run.sink.error, type(error).__name__, _said(error), text)
                run.is_told = True
            return False
        return True

    def _remember(self, filename: str, source: str) -> None:
        """What tracebacks shall call this run's code, and its lines; the oldest are forgotten."""
        self._names[filename] = f"Cell [{self._count}]"
        keep_lines(filename, source)
        if len(self._names) > MAX_SOURCES:
            oldest = next(iter(self._names))
            del self._names[oldest]
            forget_lines(oldest)

    def _ended(self, run: CellRun, task: asyncio.Task[bool], seconds: float) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        went_well = error is None and task.result()
        self._running = None
        if not run.is_elsewhere:
            self._hold(False)
        if error is not None and not (run.is_elsewhere and task.cancelled()):
            self._tell_end(run, error)
        if not went_well and not run.is_stopped:
            self._abandon()
        if run.is_elsewhere:  # how it went is seen there alone
            self._told(run.cell, "idle", None, None)
        else:
            self._told(run.cell, "done" if went_well else "error", run.count, seconds)
        self._next()


def _said(error: BaseException) -> str:
    """What an error says; of one that fails in that, what tracebacks have in its place."""
    try:
        return str(error)
    except BaseException:  # as the module traceback does
        return "<exception str() failed>"


def running() -> CellRun | None:
    """The run that the calling code belongs to; None outside of cells."""
    run = current.get()
    return run if isinstance(run, CellRun) else None
