"""Fixtures for browser tests, and what a failing one leaves behind.

That is a screenshot of each open page, all consoles and the server's log, below ``build/test/browser/<test>/``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.install import executable
from tests.running import ROOT, Server

from .chromium import Chromium
from .driver import Browser, DriverError, Engine, Line
from .proxy import Proxy

EVIDENCE = ROOT / "build" / "test" / "browser"
BROWSERS = pytest.StashKey[list[Browser]]()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The browser's process, one for all tests."""
    path = executable()
    if path is None:
        pytest.fail("There is no Chromium. python tests/install.py installs one.", pytrace=False)
    engine = Chromium(path)
    yield engine
    engine.close()


@pytest.fixture
def new_browser(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Browser]]:
    """A function that makes browsers, each with a profile of its own, for the server at an address."""
    browsers: list[Browser] = []
    request.node.stash[BROWSERS] = browsers

    def make(url: str) -> Browser:
        browsers.append(engine.browser(url))
        return browsers[-1]

    yield make
    for browser in browsers:
        browser.close()


@pytest.fixture
def browser(new_browser: Callable[[str], Browser], server: Server) -> Browser:
    """A browser for ``server``."""
    return new_browser(server.url)


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A proxy before ``server``."""
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave the evidence of a failure while the pages are still open."""
    report = yield
    folder = EVIDENCE / re.sub(r"[^\w.-]+", "-", item.name)
    if report.when == "setup":
        shutil.rmtree(folder, ignore_errors=True)
    if report.failed and report.when != "teardown":
        leave_evidence(folder, item.stash.get(BROWSERS, []), item.funcargs.get("tmp_path"))  # type: ignore[attr-defined]
        report.sections.append(("evidence", f"Screenshots, consoles and the server's log: {folder.relative_to(ROOT)}"))
    return report


def leave_evidence(folder: Path, browsers: list[Browser], servers: Path | None) -> None:
    """Write down all that can be seen. What cannot be had is told in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, browser in enumerate(browsers, 1):
        write_console(folder / f"browser-{number}-worker.txt", browser.worker_console)
        for page in browser.pages:
            name = f"browser-{number}-tab-{page.number}{page.path.replace('/', '-').rstrip('-')}"
            try:
                page.screenshot(folder / f"{name}.png")
            except DriverError as error:
                page.console.append(Line("screenshot", f"there is none: {error}"))
            write_console(folder / f"{name}.txt", page.console)
    for log in sorted(servers.glob("server-*/server.log")) if servers is not None else []:
        shutil.copy(log, folder / f"{log.parent.name}.log")


def write_console(path: Path, lines: list[Line]) -> None:
    """A console as text."""
    path.write_text("".join(f"{line.kind}: {line.text}\n" for line in lines) or "(nothing was said)\n")
