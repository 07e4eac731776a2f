"""Starting: what a person reads when it cannot be done, and what is left untouched."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import ROOT, Server


def test_it_starts_with_an_empty_folder_and_ends_at_a_signal(make_server: Callable[..., Server]) -> None:
    server = make_server(FEEDS="host")
    server.start()
    process = server.spawned
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    assert "Traceback" not in server.log


def test_a_taken_port_is_told(make_server: Callable[..., Server]) -> None:
    server = make_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        assert server.spawn().wait(timeout=20) != 0
        assert "Address already in use" in server.log
        done = subprocess.run(
            [sys.executable, "-m", "server", "--port", str(server.port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode != 0
    assert f"port {server.port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {0x50617274}")
    connection.execute("PRAGMA user_version = 999")
    connection.execute("CREATE TABLE future (x)")
    connection.commit()
    connection.close()


def rubbish(path: Path) -> None:
    path.write_bytes(os.urandom(5000))


def folder(path: Path) -> None:
    path.mkdir()


NO_GOOD = [(newer, "newer Partyline"), (rubbish, "cannot be opened"), (folder, "cannot be opened")]


@pytest.mark.parametrize(("make", "said"), NO_GOOD)
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_database_that_is_no_good_is_named_and_not_touched(
    make_server: Callable[..., Server], make: Callable[[Path], None], said: str, workers: str
) -> None:
    server = make_server()
    server.hypercorn = ("--workers", workers)
    path = server.folder / "events.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    ended = server.spawn().wait(timeout=30)
    assert ended != 0 or workers == "1"  # Hypercorn forgets the exit code of a worker process
    assert "partyline: " in server.log
    assert said in server.log
    assert str(path) in server.log
    assert "Traceback" not in server.log
    if before is not None:
        assert path.read_bytes() == before
        assert sorted(each.name for each in server.folder.iterdir()) == ["events.db", "server.log"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("FLUSH_MS", "soon"), ("LOG", "postgres://x"), ("FEEDS", "nonsense")],
)
def test_a_bad_setting_is_named(make_server: Callable[..., Server], setting: str, value: str) -> None:
    server = make_server(**{setting: value})
    assert server.spawn().wait(timeout=30) != 0
    assert f"PARTYLINE_{setting}" in server.log
    assert "Traceback" not in server.log


def test_a_misspelt_setting_is_warned_of(make_server: Callable[..., Server]) -> None:
    server = make_server(FLUSHMS="5")
    server.start()
    assert "PARTYLINE_FLUSHMS" in server.log


def test_the_host_feed_tells_real_figures(make_server: Callable[..., Server]) -> None:
    server = make_server(FEEDS="host")
    server.start()
    while len(server.get("/api/topics")["topics"]) < 3:
        pass
    (cpu,) = server.get("/api/topics/host.cpu/events?limit=1")["events"]
    assert 0 <= cpu["data"]["percent"] <= 100
    assert cpu["data"]["cores"] == os.cpu_count()
    (memory,) = server.get("/api/topics/host.memory/events?limit=1")["events"]
    assert 0 < memory["data"]["used"] < memory["data"]["total"]


def test_a_file_limit_that_is_too_low_is_told(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.files = 300
    server.start()
    assert "may open 300 files" in server.log
    assert "ulimit -n" in server.log
