"""What interrupts cells leaves the kernel's own work alone, in the worker's Python."""

from __future__ import annotations

from tests.integration.worker import NodeWorker

SLOW = """import asyncio, time
loop = asyncio.get_running_loop()
plain = loop.call_soon
def call_soon(*given, **more):
    handle = plain(*given, **more)
    until = time.perf_counter() + 0.04
    while time.perf_counter() < until:
        pass
    return handle
loop.call_soon = call_soon"""
"""A cell after which the loop takes its time between a task's end and what that calls for."""


def test_a_cell_that_is_interrupted_as_it_ends_lets_the_next_one_run(worker: NodeWorker) -> None:
    """Its task is done then, and still in its context, which the next cell's task is to enter."""
    tab = worker.tab()
    tab.open("ends", SLOW, "1", "2", "loop.call_soon = plain")
    cells = tab.run("ends", "a", "b", "c", "d")
    assert [cells[name]["state"] for name in "abcd"] == ["done"] * 4
    assert "cannot enter context" not in worker.console
