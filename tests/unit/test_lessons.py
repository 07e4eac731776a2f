"""Our lessons, read: valid notebooks, short, with exercises whose checks tell right from wrong.

tests/integration/test_lessons_run.py runs them.
"""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from checks import Check, Verdict
from tests.running import ROOT
from tests.unit.lessons import FILES, code_cells, compiled, exercises, read, solutions, solved, tagged

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
            compiled(cell.source)
            assert (cell.outputs, cell.execution_count) == ([], None)
            assert cell.source.count("\n") < 20
            assert max(map(len, cell.source.split("\n"))) <= 120
        elif cell.id != "solutions":
            assert len(cell.source.split()) <= WORDS_A_CELL, cell.id


def test_it_needs_nothing_that_is_not_here(path: Path) -> None:
    """Only what the worker has by itself: no package has to be loaded, so a class without the internet can use it."""
    for cell in code_cells(read(path)):
        for node in ast.walk(
            compile(cell.source, "a cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
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
        tree = compile(cell.source, "a cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
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
    namespace: dict[str, Any] = {"check": Check(lambda value: shown.append((here, value)))}  # type: ignore[arg-type]
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


NEEDS_EVENTS = {"06-charts-of-live-data": {"check-rows"}}
"""Checks that want the events of an earlier cell; the run against a server has them."""


@pytest.mark.parametrize("right", [False, True])
async def test_checks_tell_right_from_wrong(path: Path, right: bool) -> None:
    notebook = solved(path) if right else read(path)
    left_out = NEEDS_EVENTS.get(path.stem, set())
    notebook.cells = [cell for cell in notebook.cells if cell.id not in left_out]
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
        "02-what-a-stream-is",
        "def above(numbers, limit):\n    return iter([number for number in numbers if number > limit])",
        "make no list",
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
        "09-publish-your-own",
        "def deliver(what, send):\n    tries = 1\n    while send(what) != 201:\n        tries += 1\n    return tries",
        "`next` found nothing more. 200 means that it is there: do not try again.",
    ),
]
"""What learners write that is nearly right: by lesson, with what helps them."""


@pytest.mark.parametrize(("lesson", "mistake", "helps"), MISTAKES)
async def test_a_mistake_is_told_with_what_helps(lesson: str, mistake: str, helps: str) -> None:
    """And the check comes to an end."""
    notebook = solved(next(path for path in FILES if path.stem == lesson))
    (exercise,) = (cell for cell in exercises(notebook) if defined(mistake) & defined(cell.source))
    exercise.source = f"import statistics\n\n\n{mistake}"
    notebook.cells = [cell for cell in notebook.cells if cell.id not in NEEDS_EVENTS.get(lesson, set())]
    said = [verdict.text for _, verdict in await verdicts(notebook) if not verdict.right]
    assert any(helps in text for text in said), said


def test_the_lessons_are_named_in_the_docs() -> None:
    text = (ROOT / "docs/how-to/teach.md").read_text(encoding="utf-8")
    for path in FILES:
        assert f"`{path.stem}`" in text
