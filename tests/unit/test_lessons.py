"""Our lessons, read: valid notebooks, short, with exercises whose checks tell right from wrong.

tests/integration/test_lessons_run.py runs them.
"""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest

from checks import Check, Verdict
from tests.running import ROOT
from tests.unit.lessons import FILES, code_cells, compiled, exercises, python_of, read, solutions, solved, tagged

MINUTES = 15
WORDS_A_CELL = 170
SHORT = ("a", "an", "and", "be", "is", "of", "or", "the", "to")


def test_there_are_the_lessons_of_the_course() -> None:
    assert len(FILES) >= 8
    assert [path.stem[:2] for path in FILES] == [f"{number:02}" for number in range(1, len(FILES) + 1)]


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_it_is_valid_as_jupyter_would_write_it(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert path.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


def test_it_has_a_title_a_summary_and_takes_a_quarter_of_an_hour_at_most(path: Path) -> None:
    notebook = read(path)
    about = notebook.metadata.partyline
    assert 0 < about.minutes <= MINUTES
    assert 20 < len(about.summary) < 140
    assert re.match(r"# \S", notebook.cells[0].source)
    headings = [line for cell in notebook.cells for line in cell.source.split("\n") if line.startswith("# ")]
    assert [heading for heading in headings if cell_type(notebook, heading) == "markdown"] == headings[:1]


def cell_type(notebook: nbformat.NotebookNode, line: str) -> str:
    return str(next(cell.cell_type for cell in notebook.cells if line in cell.source.split("\n")))


def test_its_cells_are_short_and_hold_no_outputs(path: Path) -> None:
    for cell in read(path).cells:
        assert cell.source.strip() == cell.source
        if cell.cell_type == "code":
            compiled(python_of(cell))
            assert (cell.outputs, cell.execution_count) == ([], None)
            assert cell.source.count("\n") < 20
            assert max(map(len, cell.source.split("\n"))) <= 120
        elif cell.id != "solutions":
            assert len(cell.source.split()) <= WORDS_A_CELL, cell.id


def test_it_needs_nothing_that_is_not_here(path: Path) -> None:
    """Only what the worker has by itself: no package has to be loaded, so a class without the internet can use it."""
    for cell in code_cells(read(path)):
        for node in ast.walk(
            compile(python_of(cell), "a cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        ):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= {"partyline", "pyodide", "js", *STANDARD}, names


STANDARD = {
    "asyncio",
    "collections",
    "datetime",
    "itertools",
    "json",
    "math",
    "random",
    "secrets",
    "statistics",
    "sys",
    "time",
}


def test_it_names_what_cells_have_before_it_uses_it(path: Path) -> None:
    """``line``, ``chart`` and ``check`` are there without import; lessons show where they come from all the same."""
    imported: set[str] = set()
    for cell in code_cells(read(path)):
        tree = compile(python_of(cell), "a cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "partyline"]
        imported |= {alias.name for node in imports for alias in node.names}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert used & {"line", "chart", "check"} <= imported, cell.id


def test_each_exercise_has_a_gap_a_check_after_it_and_a_solution(path: Path) -> None:
    notebook = read(path)
    assert len(exercises(notebook)) == len(solutions(notebook)) >= 1
    for at, cell in enumerate(notebook.cells):
        if tagged(cell, "exercise"):
            assert "..." in cell.source
            assert tagged(notebook.cells[at + 1], "check")
            assert notebook.cells[at - 1].cell_type == "markdown", "what is to be done stands above it"
        else:
            assert "..." not in cell.source or cell.cell_type == "markdown"
        if tagged(cell, "check"):
            assert "check" in cell.source
    for cell, solution in zip(exercises(notebook), solutions(notebook), strict=True):
        compiled(solution)
        assert defined(cell.source) == defined(solution)
        assert "..." not in solution


def defined(source: str) -> set[str]:
    """The names that a cell makes."""
    tree = compile(source, "a cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            made.add(node.name)
        elif isinstance(node, ast.Assign):
            made |= {name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
    return made


async def verdicts(notebook: nbformat.NotebookNode) -> list[tuple[str, Verdict]]:
    """Run the exercises and checks on this Python, with the cells that bear the tag ``setup``: they need no browser."""
    shown: list[tuple[str, Verdict]] = []
    here = ""
    namespace: dict[str, Any] = {
        "check": Check(lambda value: shown.append((here, value))),  # type: ignore[arg-type]
        "past": [SimpleNamespace(time=1.5, data={"used": 7_891_234_567})],  # what an earlier cell has of the line
    }
    for cell in code_cells(notebook):
        if not any(tagged(cell, tag) for tag in ("setup", "exercise", "check")):
            continue
        here = cell.id
        source = cell.source.replace("from partyline import check\n", "")
        code = compile(source, f"cell {cell.id}", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        waiting = eval(code, namespace)  # noqa: S307  # as the kernel does
        if waiting is not None:
            await waiting
    return shown


@pytest.mark.parametrize("right", [False, True])
async def test_checks_tell_right_from_wrong(path: Path, right: bool) -> None:
    notebook = solved(path) if right else read(path)
    async with asyncio.timeout(60):
        shown = await verdicts(notebook)
    checked = {cell.id for cell in notebook.cells if tagged(cell, "check")}
    assert {cell for cell, _ in shown} == checked
    for cell in checked:
        told = [verdict for where, verdict in shown if where == cell]
        if right:
            assert all(verdict.right for verdict in told), [(cell, verdict.text) for verdict in told]
        else:
            assert not all(verdict.right for verdict in told), cell
            assert all(verdict.text for verdict in told if not verdict.right), f"{cell} says no why"


MISTAKES = [
    (
        "01-hello-live-python",
        "def average(numbers):\n    return statistics.median(numbers)",
        "gives `2`, and should give `3`. The sum is 9",
    ),
    (
        "01-hello-live-python",
        "def average(numbers):\n    return (numbers[0] + numbers[-1]) / 2",
        "The sum is 9, and there are 3 numbers.",
    ),
    ("01-hello-live-python", "def average(numbers):\n    return sum(numbers) // len(numbers)", "throws away"),
    (
        "02-what-a-stream-is",
        "def above(numbers, limit):\n    for number in numbers:\n        if number >= limit:\n            yield number",
        "`above_as_list([4], 4)` gives `[4]`, and should give `[]`. 4 is not larger than 4.",
    ),
    (
        "02-what-a-stream-is",
        "def above(numbers, limit):\n    return iter([number for number in numbers if number > limit])",
        "make no list",
    ),
    (
        "04-broadcasting",
        "def fresh(events, last):\n    return [event for event in events if event['seq'] != last]",
        "4 was shown long ago",
    ),
    (
        "04-broadcasting",
        (
            "def keep(events, event, most):\n    together = [*events, event]\n"
            "    return together[1:] if len(together) > most else together"
        ),
        "`keep([1, 2, 3, 4], 5, 2)` gives `[2, 3, 4, 5]`",
    ),
    (
        "05-asyncio-in-the-browser",
        "async def double_all(numbers):\n    return await asyncio.gather(*[double_later(each) for each in [1, 2, 3]])",
        "It should double whatever list it is given.",
    ),
    (
        "05-asyncio-in-the-browser",
        "async def double_all(numbers):\n    return [await double_later(number) for number in numbers]",
        "The three must wait at the same time.",
    ),
    ("06-charts-of-live-data", "def gigabytes(count):\n    return count // 10_000_000 / 100", "do not cut"),
    (
        "06-charts-of-live-data",
        (
            "def to_rows(events):\n    for event in events:\n"
            "        return [{'time': event.time, 'gb': gigabytes(event.data['used'])}]"
        ),
        "`return` after the loop",
    ),
    (
        "06-charts-of-live-data",
        "def to_rows(events):\n    return [{'time': each.time, 'gb': gigabytes(each.data['used'])} for each in past]",
        "No events make no rows",
    ),
    (
        "07-windows-rates-anomalies",
        (
            "def rate(times):\n    if len(times) < 2 or times[0] == times[1]:\n        return 0\n"
            "    return (len(times) - 1) / (times[-1] - times[0])"
        ),
        "Two may come at the same moment",
    ),
    (
        "07-windows-rates-anomalies",
        "def rate(times):\n    return 1 / (times[1] - times[0]) if len(times) > 1 and times[1] > times[0] else 0",
        "From the first event to the last",
    ),
    (
        "07-windows-rates-anomalies",
        "def rate(times):\n    passed = times[-1] - times[0]\n    return (len(times) - 1) / passed if passed else 0",
        "look at `len(times)` first",
    ),
    (
        "07-windows-rates-anomalies",
        "def is_odd(value, window):\n    return abs(value - statistics.mean(window)) > statistics.stdev(window)",
        "less than three times the spread",
    ),
    (
        "07-windows-rates-anomalies",
        "def is_odd(value, window):\n    return abs(value - statistics.mean(window)) > 4 * statistics.stdev(window)",
        "more than three times the spread",
    ),
    (
        "07-windows-rates-anomalies",
        "def is_odd(value, window):\n    return abs(value - statistics.mean(window)) > 3 * statistics.pstdev(window)",
        "22.5 is 2.5 from the average",
    ),
    (
        "07-windows-rates-anomalies",
        "def is_odd(value, window):\n    return abs(value - statistics.mean(window)) > 2.5 * statistics.stdev(window)",
        "22.5 is 2.5 from the average",
    ),
    ("07-windows-rates-anomalies", "def is_odd(value, window):\n    return abs(value - 20) > 2.7", "use `spread`"),
    (
        "08-break-it",
        (
            "def missing(numbers, last):\n"
            "    return [each for each in range(min(numbers), last + 1) if each not in numbers]"
        ),
        "1 can be missing, too.",
    ),
    (
        "08-break-it",
        (
            "def once(events):\n    first = []\n    for event in events:\n        if event not in first:\n"
            "            first.append(event)\n    return first"
        ),
        "keep the first of each",
    ),
    (
        "08-break-it",
        "def once(events):\n    return list({event['id']: event for event in events}.values())",
        "keep the first of each",
    ),
    (
        "08-break-it",
        (
            "def once(events):\n    seen = []\n    return [each for each in events if not (each['n'] in seen or"
            " seen.append(each['n']))]"
        ),
        "and yet they are two events",
    ),
    (
        "09-publish-your-own",
        "def deliver(what, send):\n    tries = 1\n    while send(what) == 503:\n        tries += 1\n    return tries",
        "`tries(503, 429, 201)` gives `2`, and should give `3`. 429 means that it is not there, either: try again.",
    ),
    (
        "09-publish-your-own",
        (
            "def deliver(what, send):\n    tries = 1\n    while send('anything') not in (200, 201):\n"
            "        tries += 1\n    return tries"
        ),
        "send was called with 'anything', not with what deliver was given",
    ),
    (
        "09-publish-your-own",
        "def deliver(what, send):\n    tries = 1\n    while send(what) != 201:\n        tries += 1\n    return tries",
        "`next` found nothing more. 200 means that it is there: do not try again.",
    ),
]
"""What learners write that is nearly right: by lesson, with what helps them."""


def answered(lesson: str, answer: str) -> nbformat.NotebookNode:
    """The lesson, solved, but for one exercise, which has this answer."""
    notebook = solved(next(path for path in FILES if path.stem == lesson))
    (exercise,) = (cell for cell in exercises(notebook) if defined(answer) & defined(cell.source))
    exercise.source = f"import asyncio\nimport statistics\n\nimport numpy\n\n\n{answer}"
    return notebook


@pytest.mark.parametrize(("lesson", "mistake", "helps"), MISTAKES)
async def test_a_mistake_is_told_with_what_helps(lesson: str, mistake: str, helps: str) -> None:
    """And the check comes to an end."""
    notebook = answered(lesson, mistake)
    said = [verdict.text for _, verdict in await verdicts(notebook) if not verdict.right]
    assert any(helps in text for text in said), said


ALSO_RIGHT = [
    (
        "02-what-a-stream-is",
        "def above(numbers, limit):\n    return (number for number in numbers if number > limit)",
    ),
    (
        "04-broadcasting",
        (
            "def keep(events, event, most):\n    together = events + [event]\n    while len(together) > most:\n"
            "        del together[0]\n    return together"
        ),
    ),
    (
        "05-asyncio-in-the-browser",
        (
            "async def double_all(numbers):\n    async with asyncio.TaskGroup() as group:\n"
            "        tasks = [group.create_task(double_later(number)) for number in numbers]\n"
            "    return [task.result() for task in tasks]"
        ),
    ),
    (
        "07-windows-rates-anomalies",
        (
            "def is_odd(value, window):\n    window = numpy.array(window)\n"
            "    return numpy.abs(value - window.mean()) > 3 * window.std(ddof=1)"
        ),
    ),
    ("08-break-it", "def missing(numbers, last):\n    return sorted({*range(1, last + 1)} - {*numbers})"),
    (
        "09-publish-your-own",
        "def deliver(what, send):\n    return 1 if send(what) in {200, 201} else 1 + deliver(what, send)",
    ),
]
"""What is right, too, though it is not the solution that we show."""


@pytest.mark.parametrize(("lesson", "answer"), ALSO_RIGHT)
async def test_other_right_answers_are_right(lesson: str, answer: str) -> None:
    notebook = answered(lesson, answer)
    assert [verdict.text for _, verdict in await verdicts(notebook) if not verdict.right] == []


def test_the_lessons_are_named_in_the_docs() -> None:
    text = (ROOT / "docs/how-to/teach.md").read_text(encoding="utf-8")
    for path in FILES:
        assert f"`{path.stem}`" in text
