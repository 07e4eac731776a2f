"""How long code of cells takes, and what a name stands for: what magics.py's ``%time``, ``%timeit``, ``name?`` become.

%time f()    ->  __time__().of(f())             %%time    ->  __time_cell__(), told when the cell has ended
%time x = 1  ->  with __time__(): x = 1         %timeit f()  ->  __timeit__('f()', globals())
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from timeit import Timer
from types import TracebackType
from typing import Any

import assist

LONG_ENOUGH = 0.1
"""Seconds that a run of loops is to take: browsers' clocks are coarse."""

MOST_SECONDS = 1.0
MOST_RUNS = 7

clock = time.perf_counter


class Time:
    """From when it was made, the wall time; it is printed where all went well."""

    def __init__(self) -> None:
        self._began = clock()

    def of(self, value: object) -> object:
        """The value, which has come about meanwhile."""
        self.tell()
        return value

    def __enter__(self) -> None:
        self._began = clock()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.tell()

    def tell(self) -> None:
        """Print it."""
        print(f"Wall time: {spelled(clock() - self._began)}")


def timeit(statement: str, namespace: dict[str, Any]) -> None:
    """Run a line again and again, for about a second, and print how long it takes. What it sets is forgotten."""
    timer = Timer(statement, timer=clock, globals=namespace)
    began = clock()
    loops, took = _enough(timer)
    times = [took / loops]
    while len(times) < MOST_RUNS and clock() - began + took <= MOST_SECONDS:
        times.append(timer.timeit(loops) / loops)
    runs = f"{len(times)} run{'s' * (len(times) > 1)}"
    each = f"{loops:,} loop{'s' * (loops > 1)} each"
    mean, deviation = statistics.fmean(times), statistics.pstdev(times)
    print(f"{spelled(mean)} ± {spelled(deviation)} per loop (mean ± std. dev. of {runs}, {each})")


def _enough(timer: Timer) -> tuple[int, float]:
    """How many loops take long enough to be timed, and how long they took; as Timer.autorange, which takes longer."""
    power = 1
    while True:
        for loops in (power, 2 * power, 5 * power):
            took = timer.timeit(loops)
            if took >= LONG_ENOUGH:
                return loops, took
        power *= 10


def spelled(seconds: float) -> str:
    """A time to three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * 0.9995:
            return f"{float(f'{seconds / size:.3g}'):,g} {unit}" if seconds < 1000 else f"{seconds:,.0f} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def describe(name: str, namespace: Mapping[str, Any]) -> None:
    """Print what the editor shows of a name: its signature or type, and its documentation."""
    found = assist.hover(name, len(name), dict(namespace))
    print(found["text"] if found is not None else f"There is nothing called {name}.")
