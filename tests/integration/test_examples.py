"""The files of examples/, run as a user runs them, against a real server; one that is killed in between, too."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, Server

EXAMPLES = ROOT / "examples"
SECONDS = 60


class Program:
    """An example in a process of its own; ``said`` is what it has printed."""

    def __init__(self, command: Sequence[str], output: Path, **environment: str) -> None:
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdout=file, stderr=file
            )

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def finish(self) -> int:
        return self.process.wait(SECONDS)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(*command: str, **environment: str) -> Program:
        programs.append(Program(command, tmp_path / f"program-{len(programs)}", **environment))
        return programs[-1]

    yield start
    for program in programs:
        program.process.kill()
        program.process.wait()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def numbers(server: Server, topic: str) -> list[int]:
    """The number in each event's id."""
    return [int(event["id"].rpartition("-")[2]) for event in server.history(topic)]


def sensor(server: str, *more: str) -> list[str]:
    return [sys.executable, str(EXAMPLES / "sensor.py"), server, "lab.load", *more]


def test_the_sensor_in_python_loses_and_doubles_nothing_through_two_kills_of_the_server(
    server: Server, run: Callable[..., Program]
) -> None:
    program = run(*sensor(server.url, "--every", "0.01", "--count", "400"))
    for reached in (30, 150):
        wait_for(lambda reached=reached: server.status()["seq"] >= reached)  # type: ignore[misc]
        server.kill()
        complaints = program.said.count("not published")
        wait_for(lambda complaints=complaints: program.said.count("not published") > complaints)  # type: ignore[misc]
        server.start()
    assert program.finish() == 0, program.said
    assert numbers(server, "lab.load") == list(range(1, 401))
    times = [event["data"]["time"] for event in server.history("lab.load")]
    assert times == sorted(times)
    assert all(event["data"]["load"] >= 0 for event in server.history("lab.load"))


def test_a_reading_that_fails_is_told_and_does_not_end_the_sensor(
    server: Server, run: Callable[..., Program], tmp_path: Path
) -> None:
    source = (EXAMPLES / "sensor.py").read_text()
    failing = source.replace("def measure()", "def good()").replace(
        "class Outbox",
        "readings = iter([good, None, good])\n\n\ndef measure():\n    return next(readings)()\n\n\nclass Outbox",
    )
    program = tmp_path / "sensor.py"
    program.write_text(failing)
    sensor = run(sys.executable, str(program), server.url, "lab.load", "--count", "3", "--every", "0.01")
    assert sensor.finish() == 0
    assert "not measured (TypeError" in sensor.said
    assert len(server.history("lab.load")) == 2


@pytest.mark.parametrize("program", ["sensor.py", "sensor.sh"])
def test_the_sensors_have_their_token_from_the_environment(
    make_server: Callable[..., Server], run: Callable[..., Program], program: str
) -> None:
    server = make_server(TOKEN="s3cret-word")
    server.start()
    if program == "sensor.py":
        command = sensor(server.url, "--count", "1", "--every", "0")
    else:
        command = ["sh", str(EXAMPLES / "sensor.sh"), server.url, "lab.load", "1"]
    refused = run(*command, PARTYLINE_TOKEN="")
    assert refused.finish() == 1
    assert "refuses the reading" in refused.said
    assert "401" in refused.said
    assert "bad_token" in refused.said
    taken = run(*command, PARTYLINE_TOKEN="s3cret-word")
    assert taken.finish() == 0, taken.said
    assert numbers(server, "lab.load") == [1]


def test_the_sensor_with_curl_goes_on_after_a_kill_of_the_server(server: Server, run: Callable[..., Program]) -> None:
    program = run("sh", str(EXAMPLES / "sensor.sh"), server.url, "lab.load", "12", EVERY="0.1")
    wait_for(lambda: server.status()["seq"] >= 3)
    server.kill()
    wait_for(lambda: "not published" in program.said)
    server.start()
    assert program.finish() == 0, program.said
    assert numbers(server, "lab.load") == list(range(1, 13))
    assert all(event["data"]["load"] >= 0 for event in server.history("lab.load"))


def test_the_sensor_waits_as_long_as_a_busy_server_asks_and_then_sends_all_at_once(run: Callable[..., Program]) -> None:
    """The server is one of the standard library's: ours is not to be had busy for just so long."""
    bodies: list[list[dict[str, Any]]] = []

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(503 if len(bodies) == 1 else 201)
            self.send_header("Retry-After", "2")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy) as busy:
        threading.Thread(target=busy.serve_forever, daemon=True).start()
        program = run(*sensor(f"http://127.0.0.1:{busy.server_port}", "--every", "0.01", "--count", "20"))
        assert program.finish() == 0, program.said
        busy.shutdown()
    assert "again in 2 seconds" in program.said
    assert bodies[1][: len(bodies[0])] == bodies[0], "the same again, with the same ids"
    taken = list(itertools.chain(*bodies[1:]))
    assert [int(str(reading["id"]).rpartition("-")[2]) for reading in taken] == list(range(1, 21))


def test_ones_own_feeds_run_in_the_server(make_server: Callable[..., Server]) -> None:
    server = make_server(FEEDS=str(EXAMPLES / "my_feeds.py"))
    server.start()
    wait_for(lambda: server.status()["topics"] == 3 and server.status()["seq"] >= 8)
    assert {feed["name"]: feed["state"] for feed in server.status()["feeds"]} == {
        "disk": "running",
        "greenhouse": "running",
    }
    for event in server.history("disk.free"):
        assert 0 < event["data"]["free"] <= event["data"]["total"]
    for event in server.history("greenhouse.temperature"):
        assert 10 < event["data"]["celsius"] < 30


# The docs


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def test_each_feed_in_the_how_to_runs(make_server: Callable[..., Server], tmp_path: Path) -> None:
    found = blocks("docs/how-to/own-feed.md", "python")
    assert len(found) >= 3
    for index, block in enumerate(found):
        (tmp_path / f"feeds_{index}.py").write_text(block)
    (tmp_path / "thermometer.py").write_text("def read() -> float:\n    return 21.5\n")
    server = make_server(FEEDS=",".join(str(tmp_path / f"feeds_{index}.py") for index in range(len(found))))
    server.start()
    wait_for(lambda: all(feed["events"] for feed in server.status()["feeds"]))
    assert [feed["failures"] for feed in server.status()["feeds"]] == [0] * len(server.status()["feeds"])
    assert "Traceback" not in server.log


def test_each_command_in_the_how_to_of_sensors_works(server: Server) -> None:
    found = blocks("docs/how-to/sensor.md", "sh")
    assert len(found) >= 3
    for block in found:
        before = server.status()["seq"]
        commands = block.replace("http://localhost:8000", server.url).replace("python3 ", f"{sys.executable} ")
        commands = re.sub(r"(sensor\.sh .* lab\.load)$", r"\1 1", commands, flags=re.MULTILINE)
        commands = re.sub(r"(sensor\.py .* lab\.load)$", r"\1 --count 1 --every 0", commands, flags=re.MULTILINE)
        done = subprocess.run(
            ["sh", "-eu", "-c", commands], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        assert '"error"' not in done.stdout
        assert server.status()["seq"] > before, block
