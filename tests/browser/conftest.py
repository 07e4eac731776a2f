"""Fixtures for browser tests, and what a failing one leaves behind.

Every test runs in each engine, one engine after the other, but where it says otherwise:

    @pytest.mark.engines("chromium", why="only there …")   # in these alone
    @pytest.mark.plain_http                                # and in Chromium at an address that is no secure context
    @pytest.mark.shared(FEEDS="host")                      # with a server and a browser that tests share (shared.py)
    @pytest.mark.alone(why="…", RETENTION="9")             # with its own all the same, of these settings

What a failing one leaves is a screenshot of each open page, all consoles and the server's log, below
``build/test/browser/<test>/``.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests import install
from tests.running import ROOT, Server

from .chromium import Chromium
from .driver import Browser, DriverError, Engine, Line
from .firefox import Firefox
from .proxy import Proxy
from .shared import Shared
from .webkit import WebKit

EVIDENCE = ROOT / "build" / "test" / "browser"
BROWSERS = pytest.StashKey[list[Browser]]()
SHARED_LOG = pytest.StashKey[Path]()
FAILED = pytest.StashKey[bool]()

ENGINES = ("chromium", "firefox", "webkit")
PLAIN_HTTP = "chromium_http"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test that asks for a browser its engines. Of session scope: pytest then runs engine after engine."""
    if "engine" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("engines")
    names = list(ENGINES if mark is None else mark.args)
    if not names or not set(names) <= set(ENGINES) or (mark and not mark.kwargs.get("why")):
        pytest.fail(f"{metafunc.definition.nodeid}: engines takes some of {ENGINES}, and why=", pytrace=False)
    if metafunc.definition.get_closest_marker("plain_http"):
        names.append(PLAIN_HTTP)
    metafunc.parametrize("engine", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The browser's process, or what starts its processes, one for all tests."""
    engine = start(request.param)
    yield engine
    engine.close()


def start(name: str) -> Engine:
    """Start an engine; where it is not installed, the test is skipped."""
    if name == "firefox" and (path := install.firefox()):
        return Firefox(path)
    if name == "webkit" and (paths := install.webkit()):
        return WebKit(*paths)
    if name in ("chromium", PLAIN_HTTP) and (path := install.chromium()):
        return Chromium(path, secure=name != PLAIN_HTTP)
    pytest.skip(f"There is no {name}. python tests/install.py installs it, or says how.")


@pytest.fixture
def new_browser(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Callable[..., Browser]]:
    """A function that makes browsers, each with a profile of its own, for the server at an address.

    Tabs that shall be hidden need ``new_browser(url, hides=True)``.
    """
    browsers: list[Browser] = []
    request.node.stash[BROWSERS] = browsers

    def make(url: str, *, hides: bool = False) -> Browser:
        browsers.append(engine.browser(url, hides=hides))
        return browsers[-1]

    with contextlib.ExitStack() as closing:  # one that does not close is told, and the others are closed all the same
        yield make
        for browser in browsers:
            closing.callback(browser.close)


def sharing(node: pytest.Item) -> tuple[bool, dict[str, str]]:
    """Whether a test shares its server and its browser, and the server's settings."""
    alone = node.get_closest_marker("alone")
    if alone and not alone.kwargs.get("why"):
        pytest.fail(f"{node.nodeid}: alone takes why=", pytrace=False)
    mark = alone or node.get_closest_marker("shared")
    settings = {name: value for name, value in mark.kwargs.items() if name != "why"} if mark else {}
    return mark is not None and not alone, settings


@pytest.fixture(scope="session")
def shared(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """What tests of this engine share."""
    shared = Shared(engine, lambda: tmp_path_factory.mktemp("server-shared"))
    yield shared
    shared.close()


@pytest.fixture
def server(request: pytest.FixtureRequest, make_server: Callable[..., Server]) -> Server:
    """A server that runs, with no feeds; or the one that tests share."""
    shares, settings = sharing(request.node)
    if shares:
        server: Server = request.getfixturevalue("shared").server(settings)
        request.node.stash[SHARED_LOG] = server.log_file
    else:
        server = make_server(**settings)
        server.start()
    return server


@pytest.fixture
def browser(request: pytest.FixtureRequest, server: Server, engine: Engine) -> Iterator[Browser]:
    """A browser for ``server``, of the test's engine."""
    if not sharing(request.node)[0]:
        yield request.getfixturevalue("new_browser")(server.url)
        return
    shared: Shared = request.getfixturevalue("shared")
    browser = shared.begin()
    request.node.stash[BROWSERS] = [browser]
    yield browser
    shared.end(failed=request.node.stash.get(FAILED, False))


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
        item.stash[FAILED] = True
        leave_evidence(folder, item.stash.get(BROWSERS, []), server_logs(item))
        report.sections.append(("evidence", f"Screenshots, consoles and the server's log: {folder.relative_to(ROOT)}"))
    return report


def server_logs(item: pytest.Item) -> list[Path]:
    """The logs of the servers that a test had."""
    folder: Path | None = item.funcargs.get("tmp_path")  # type: ignore[attr-defined]
    own = sorted(folder.glob("server-*/server.log")) if folder is not None else []
    return own + ([item.stash[SHARED_LOG]] if SHARED_LOG in item.stash else [])


def leave_evidence(folder: Path, browsers: list[Browser], logs: list[Path]) -> None:
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
    for log in logs:
        shutil.copy(log, folder / f"{log.parent.name}.log")


def write_console(path: Path, lines: list[Line]) -> None:
    """A console as text."""
    path.write_text("".join(f"{line.kind}: {line.text}\n" for line in lines) or "(nothing was said)\n")
