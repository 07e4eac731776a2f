"""``find``: the feeds that ``PARTYLINE_FEEDS`` names, built in or in the user's files.

In flow names and paths, out come ``Source``s. What cannot be had stops the start with a SettingsError that says what
is wrong, where it can with file and line.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..config import SettingsError
from .clock import clock
from .declare import Source, declared
from .host import host
from .pendulum import pendulum
from .walk import walk

BUILT_IN = {
    source.name: source
    for source in (Source("clock", clock), Source("host", host), Source("pendulum", pendulum), Source("walk", walk))
}


def find(names: Sequence[str]) -> list[Source]:
    """All feeds of these names and files, in order. Raises SettingsError where one cannot be had."""
    sources: list[Source] = []
    for name in names:
        sources += _from_file(Path(name)) if name.endswith(".py") else [_built_in(name)]
    taken: dict[str, Source] = {}
    for source in sources:
        if source.name in taken:
            places = " and ".join(str(each.file or "Partyline itself") for each in (taken[source.name], source))
            raise SettingsError(
                f"PARTYLINE_FEEDS has two feeds named {source.name!r}, from {places}. "
                "Name each once; in a file, give another with @feed(…, name=…)."
            )
        taken[source.name] = source
    return sources


def _built_in(name: str) -> Source:
    if name not in BUILT_IN:
        raise SettingsError(
            f"PARTYLINE_FEEDS names the feed {name!r}; there are: {', '.join(sorted(BUILT_IN))}, "
            "and files of your own, whose names end in .py."
        )
    return BUILT_IN[name]


def _from_file(path: Path) -> list[Source]:
    path = path.absolute()
    if not path.is_file():
        raise SettingsError(f"PARTYLINE_FEEDS names {path}, but there is no such file.")
    seen = len(declared)
    module = f"_partyline_feeds_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    try:
        _run(module, path)
    except (Exception, SystemExit) as error:
        raise SettingsError(
            f"PARTYLINE_FEEDS names {path}, which cannot be imported. {_place(error, path)}: "
            f"{type(error).__name__}: {error}"
        ) from error
    found = [replace(source, file=path) for source in declared[seen:] if source.function.__module__ == module]
    if not found:
        raise SettingsError(
            f'PARTYLINE_FEEDS names {path}, but there is no feed in it: put @feed("a.topic") over an async generator.'
        )
    return found


def _run(name: str, path: Path) -> None:
    """Run the file as a module of a private name.

    While it is, its folder comes first on the import path, as it does for a script; then last, for what its feeds
    import later, so that no file there can stand in for one of the server's.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("Python knows no way to load such a file")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def _place(error: BaseException, path: Path) -> str:
    """Where in the file it went wrong: ``file:line``."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
