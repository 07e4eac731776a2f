"""docs/how-to/many-servers.md: the command lines and the NATS configuration in it work as they stand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.nats import Nats
from tests.running import ROOT, Server

TEXT = (ROOT / "docs/how-to/many-servers.md").read_text(encoding="utf-8")


def lines(pattern: str) -> list[str]:
    """The lines of code blocks that match."""
    return [
        line for block in re.findall(r"```\w+\n(.*?)```", TEXT, re.DOTALL) for line in re.findall(pattern, block, re.M)
    ]


@pytest.fixture
def there(tmp_path: Path) -> Callable[[str], str]:
    """A function that puts the test's folder in place of the text's."""
    return lambda text: text.replace("/var/lib/nats", str(tmp_path)).replace("/var/lib/partyline", str(tmp_path))


def serve(make_server: Callable[..., Server], log: str, command: str) -> None:
    server = make_server(LOG=log)
    words = shlex.split(command)
    assert words[0] == "hypercorn"
    server.hypercorn = tuple(words[words.index("--workers") : words.index("--workers") + 2])
    server.start()
    assert server.post("room", {"data": 1})[0] == 201
    assert len(server.history("room")) == 1
    server.stop()


def test_the_sqlite_line(make_server: Callable[..., Server], there: Callable[[str], str]) -> None:
    (line,) = lines(r"^PARTYLINE_LOG=sqlite.*$")
    log, command = line.removeprefix("PARTYLINE_LOG=").split(" ", 1)
    serve(make_server, there(log), command)


def test_the_nats_lines(make_server: Callable[..., Server], there: Callable[[str], str], tmp_path: Path) -> None:
    (start,) = lines(r"^nats-server .*$")
    (line,) = lines(r"^PARTYLINE_LOG=nats.*$")
    log, command = line.removeprefix("PARTYLINE_LOG=").split(" ", 1)
    nats = Nats(tmp_path)
    nats.command = shlex.split(there(start).replace("4222", str(nats.port)).replace("0.0.0.0", "127.0.0.1"))
    nats.start()
    try:
        serve(make_server, log.replace("4222", str(nats.port)), command)
    finally:
        nats.stop()


def test_the_nats_configuration(
    make_server: Callable[..., Server], there: Callable[[str], str], tmp_path: Path
) -> None:
    (block,) = re.findall(r"```text\n(# nats.conf.*?)```", TEXT, re.DOTALL)
    (log,) = re.findall(r"`(nats://partyline:\S+)`", TEXT)
    nats = Nats(tmp_path)
    config = tmp_path / "nats.conf"
    config.write_text(there(block).replace("0.0.0.0:4222", f"127.0.0.1:{nats.port}"))
    nats.command = ["nats-server", "-c", str(config)]
    nats.start()
    try:
        serve(make_server, log.replace("host:4222", f"127.0.0.1:{nats.port}"), "hypercorn --workers 0")
    finally:
        nats.stop()
