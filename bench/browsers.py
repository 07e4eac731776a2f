"""The browsers that benches measure in: ``for name, engine in engines(["firefox"])``."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator

from tests import install
from tests.browser.chromium import Chromium
from tests.browser.driver import Engine
from tests.browser.firefox import Firefox

ENGINES: dict[str, tuple[Callable[[], str | None], Callable[[str], Engine]]] = {
    "chromium": (install.chromium, Chromium),
    "firefox": (install.firefox, Firefox),
}


def add_argument(parser: argparse.ArgumentParser) -> None:
    """``--browser``, which may be given several times."""
    parser.add_argument("--browser", action="append", choices=ENGINES, help="which browsers (default: both)")


def engines(names: list[str] | None) -> Iterator[tuple[str, Engine]]:
    """One after the other, each with its version, and ended before the next; what is not installed is said."""
    for name in names or ENGINES:
        find, make = ENGINES[name]
        path = find()
        if path is None:
            print(f"{name} is not installed, and was not measured (python tests/install.py installs it)")
            continue
        with contextlib.closing(make(path)) as engine:
            yield install.version(path), engine
