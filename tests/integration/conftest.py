"""Fixtures: the event log's homes, the one NATS server that most tests share, and the browser's worker in Node."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.homes import Home, sqlite_home
from tests.integration.worker import NodeWorker, Tab
from tests.nats import Nats
from tests.running import Server

_streams = (f"test-{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    """A NATS server for all tests that leave it alone; each takes a stream of its own."""
    nats = Nats(tmp_path_factory.mktemp("nats"))
    nats.start()
    yield nats
    nats.stop()


@pytest.fixture
def own_nats(tmp_path: Path) -> Iterator[Nats]:
    """A NATS server that the test may kill."""
    folder = tmp_path / "nats"
    folder.mkdir()
    nats = Nats(folder)
    nats.start()
    yield nats
    nats.resume()
    nats.kill()


@pytest.fixture
def stream() -> str:
    """The name of a stream that is not there yet."""
    return next(_streams)


@pytest.fixture
def make_home(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Home]:
    """A function that makes a fresh home of a kind."""

    def make(kind: str) -> Home:
        if kind == "jetstream":
            nats: Nats = request.getfixturevalue("nats_server")
            return Home(nats.url(next(_streams)))
        return Home("memory://") if kind == "memory" else sqlite_home(tmp_path)

    return make


@pytest.fixture(params=["sqlite", "jetstream", "memory"])
async def home(request: pytest.FixtureRequest, make_home: Callable[[str], Home]) -> AsyncIterator[Home]:
    """Each home in turn; all logs are closed after the test."""
    home = make_home(request.param)
    yield home
    await home.close_all()


@pytest.fixture(params=["sqlite", "jetstream"])
async def shared_home(request: pytest.FixtureRequest, make_home: Callable[[str], Home]) -> AsyncIterator[Home]:
    """Each home that several processes can share."""
    home = make_home(request.param)
    yield home
    await home.close_all()


@pytest.fixture(scope="module")
def worker_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The worker's server."""
    server = Server(tmp_path_factory.mktemp("worker"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def worker(worker_server: Server) -> Iterator[NodeWorker]:
    """A worker for all tests of a file; each has a notebook of its own."""
    worker = NodeWorker(worker_server)
    yield worker
    worker.close()


@pytest.fixture
def tab(worker: NodeWorker) -> Tab:
    """One tab of the worker's."""
    return worker.tab()
