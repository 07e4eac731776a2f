"""Fixtures for all tests: a real server, whose log is shown where the test fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.running import Server

settings.register_profile("partyline", deadline=None)  # a loaded machine's pauses say nothing of the code
settings.load_profile("partyline")


@pytest.fixture
def make_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Server]]:
    """A function that makes servers, not started yet, with settings of their own; all are ended after the test."""
    servers: list[Server] = []

    def make(**settings: str) -> Server:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, **settings))  # type: ignore[arg-type]
        return servers[-1]

    yield make
    for server in servers:
        server.kill()
        request.node.add_report_section("teardown", f"server on port {server.port}", server.log[-20_000:])


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A server that runs, with no feeds."""
    server = make_server()
    server.start()
    return server
