"""Our lessons as the tests see them: their cells, their exercises with the solutions that stand at the end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from partyline.cells import is_for_tab
from tests.running import ROOT

FOLDER = ROOT / "www" / "lessons"
FILES = sorted(FOLDER.glob("*.ipynb"))

_SOLUTION = re.compile(
    r"<details>\n<summary>(?P<name>.+?)</summary>\n\n```python\n(?P<source>.+?)\n```\n\n</details>", re.DOTALL
)


def read(path: Path) -> NotebookNode:
    """The notebook, as nbformat reads it, with nothing converted."""
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def tagged(cell: NotebookNode, tag: str) -> bool:
    """Whether a cell bears a tag: ``exercise``, or ``check``."""
    return tag in cell.metadata.get("tags", [])


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_of_the_tab(cell: NotebookNode) -> bool:
    """Whether a code cell is one for the tab's own Python, ``%%tab``."""
    return is_for_tab(cell.source)


def python_of(cell: NotebookNode) -> str:
    """What stands in a code cell, without the line by which it is one for the tab."""
    return str(cell.source.partition("\n")[2] if is_of_the_tab(cell) else cell.source)


def exercises(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tagged(cell, "exercise")]


def solutions(notebook: NotebookNode) -> list[str]:
    """The solutions, in the order of the exercises: folded, in the last cell."""
    return [found["source"] for found in _SOLUTION.finditer(notebook.cells[-1].source)]


def solved(path: Path) -> NotebookNode:
    """The lesson with each exercise's solution in its place."""
    notebook = read(path)
    for cell, solution in zip(exercises(notebook), solutions(notebook), strict=True):
        cell.source = solution
    return notebook


def compiled(source: str) -> None:
    """Compile a cell as the kernel does. Raises SyntaxError."""
    compile(source, "a cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
