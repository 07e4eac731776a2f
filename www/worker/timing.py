"""How long code of cells takes, and what a name stands for: what magics.py's ``%time``, ``%timeit``, ``name?`` become.

%time f()    ->  __time__().of(f())             %%time    ->  __time_cell__(), told when the cell has ended
%time x = 1  ->  with __time__(): x = 1         %timeit f()  ->  __timeit__('f()', globals())

``%%timeit`` becomes the same as ``%timeit``, with all lines of the cell in it.
"""

from __future__ import annotations

import ast
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, repr=False)
class TimeitResult:
    """What ``%timeit -o`` gives; its names are IPython's.

    Attributes:
        loops: how often the code ran in each run.
        repeat: how many runs there were.
        all_runs: the seconds that each of them took.
    """

    loops: int
    repeat: int
    all_runs: list[float]

    @property
    def timings(self) -> list[float]:
        """Seconds for each loop, run by run."""
        return [seconds / self.loops for seconds in self.all_runs]

    @property
    def best(self) -> float:
        """Those of the fastest run."""
        return min(self.timings)

    @property
    def worst(self) -> float:
        """Those of the slowest."""
        return max(self.timings)

    @property
    def average(self) -> float:
        """Their mean."""
        return statistics.fmean(self.timings)

    @property
    def stdev(self) -> float:
        """How far they are apart."""
        return statistics.pstdev(self.timings)

    def __str__(self) -> str:
        runs = f"{self.repeat} run{'s' * (self.repeat > 1)}"
        each = f"{self.loops:,} loop{'s' * (self.loops > 1)} each"
        mean, deviation = spelled(self.average), spelled(self.stdev)
        return f"{mean} ± {deviation} per loop (mean ± std. dev. of {runs}, {each})"

    def __repr__(self) -> str:
        return f"<TimeitResult : {self}>"


def timeit(
    statement: str,
    namespace: dict[str, Any],
    *,
    setup: str = "",
    filename: str = "<timeit>",
    loops: int | None = None,
    runs: int | None = None,
    quiet: bool = False,
    gives: bool = False,
) -> TimeitResult | None:
    """Run code again and again, for about a second, and print how long it takes. What it sets is forgotten.

    Args:
        statement: what is timed.
        namespace: where it finds its names.
        setup: is run before each run, and not timed.
        filename: what both are compiled under.
        loops: how often it is run in each run; then there are as many runs as shall be, however long they take.
        runs: how many there shall be; the same.
        quiet: print nothing.
        gives: return the result.
    """
    timer = Timer(timer=clock)
    timer.inner = _compiled(statement, setup, namespace, filename)  # type: ignore[attr-defined]
    wanted = runs or (MOST_RUNS if loops else None)
    began = clock()
    if loops:
        all_runs: list[float] = []
    else:
        loops, took = _enough(timer)
        all_runs = [took]
    while len(all_runs) < (wanted or MOST_RUNS) and (wanted or clock() - began + all_runs[0] <= MOST_SECONDS):
        all_runs.append(timer.timeit(loops))
    result = TimeitResult(loops, len(all_runs), all_runs)
    if not quiet:
        if result.worst > 4 * result.best > 0 and result.worst > 1e-6:
            times = f"{result.worst / result.best:.2f} times longer than the fastest"
            print(f"The slowest run took {times}. This could mean that an intermediate result is being cached.")
        print(result)
    return result if gives else None


TEMPLATE = """def timed(__loops__, __clock__):
    __began__ = __clock__()
    for __loop__ in __loops__:
        pass
    return __clock__() - __began__
"""
"""As the module timeit's, but that its names leave the cells' alone, whose ``_i`` for one is a cell's text."""


def _compiled(statement: str, setup: str, namespace: dict[str, Any], filename: str) -> Any:
    """A function for ``Timer.inner``. Raises SyntaxError, also for what is no code but in a function or a loop."""
    for text in (setup, statement):
        compile(text, filename, "exec", dont_inherit=True)
    code = ast.parse(statement).body
    template: Any = ast.parse(TEMPLATE)
    for node in ast.walk(template):
        if isinstance(node, (ast.stmt, ast.expr, ast.arg)):  # where it is stopped there, that is the code's first line
            node.lineno = node.end_lineno = code[0].lineno
            node.col_offset = node.end_col_offset = 0
    function = template.body[0]
    function.body[1].body = code
    function.body[:0] = ast.parse(setup).body
    made: dict[str, Any] = {}
    exec(compile(template, filename, "exec", dont_inherit=True), namespace, made)  # noqa: S102
    return made["timed"]


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
