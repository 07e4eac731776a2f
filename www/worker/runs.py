"""What belongs to a cell: one run of it, with the tasks that it started, known by a context variable. Pure.

The variable is set for a cell's main task (guard.py); tasks and callbacks that code starts inherit it.
"""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from types import FrameType
from typing import Any

Task = asyncio.Task[Any]


class Run:
    """One execution of a cell, and all that it started.

    Args:
        filename: what its code was compiled under.
        kin: takes its tasks, and has those of all runs that may know of each other: one notebook's. Its own, where it
            is not given.
    """

    def __init__(self, filename: str, kin: weakref.WeakSet[Task] | None = None) -> None:
        self.filename = filename
        self.task: Task | None = None
        self.tasks: weakref.WeakSet[Task] = weakref.WeakSet()
        self.kin = self.tasks if kin is None else kin
        self.interrupted: set[Task] = set()  # who is to be stopped at its next line
        self.callbacks_until = 0.0  # and callbacks, until then
        self.gates: dict[object, asyncio.Future[None]] = {}  # what plain code of it waits for, by any key

    def has(self, frame: FrameType | None) -> bool:
        """Whether the cell's own code stands in this stack."""
        while frame is not None and frame.f_code.co_filename != self.filename:
            frame = frame.f_back
        return frame is not None


current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("current", default=None)
"""The run that the code belongs to; None in the hub."""
