"""What cells show and ask: ``print``, ``display``, ``clear_output``, ``input``; each goes to the run it belongs to.

``install`` puts them where programs look for them: the standard streams, the builtins, and modules by the names of
IPython's (ipython.py), so that notebooks written for Jupyter run.
"""

from __future__ import annotations

import builtins
import getpass
import io
import sys
import uuid
from collections.abc import Callable
from typing import Any

import ipython
import reports
from kernel import CellRun, running


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``: what a cell writes goes to its sink, all else to ``beyond``."""

    def __init__(self, name: str, beyond: Any) -> None:
        self.name = name
        self._beyond = beyond

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As a terminal's."""
        return "utf-8"

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Show the text; returns its length in characters."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        run = running()
        if run is None:
            self._beyond.write(text)
        else:
            run.guard.hub(run.sink.stream, self.name, text)
        return len(text)

    def flush(self) -> None:
        """Show at once what was written."""
        run = running()
        if run is not None:
            run.guard.hub(run.sink.hurry)


class Handle:
    """What ``display(…, display_id=True)`` returns: shows something else in the same place.

    Example:
        place = display("waiting", display_id=True)
        place.update("done")
    """

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def update(self, value: object, **options: Any) -> None:
        """Show ``value`` in place of what was shown.

        Args:
            value: what to show now.
            options: ``raw`` and ``metadata``, as ``display`` has them.

        Example:
            place.update(line.latest("host.cpu"))
        """
        update_display(value, display_id=self.display_id, **options)


def display(
    *values: object, display_id: str | bool | None = None, raw: bool = False, metadata: dict[str, Any] | None = None
) -> Handle | None:
    """Show values below the cell, each in the richest way that it knows (``_repr_html_`` and its kin, as in Jupyter).

    Args:
        values: what to show.
        display_id: a name for the place, or True for one that is made up.
        raw: each value is a MIME bundle: a dict of texts by MIME type.
        metadata: what stands beside it in the file, by MIME type; a picture's ``width`` for one.

    Returns:
        A handle by which something else can be shown in the same place, where there is a ``display_id``; else None.

    Raises:
        TypeError: ``raw``, and a value is no dict.
        ValueError: it cannot be kept in a notebook: it is no JSON, or nested too deep.

    Example:
        from IPython.display import Markdown

        display(Markdown("**bold**"), [1, 2, 3])
        display({"text/html": "<b>bold</b>"}, raw=True)
    """
    name = uuid.uuid4().hex if display_id is True else display_id or None
    for value in values:
        _show(value, name, raw=raw, metadata=metadata or {}, update=False)
    return Handle(name) if name else None


def update_display(
    value: object, *, display_id: str, raw: bool = False, metadata: dict[str, Any] | None = None
) -> None:
    """Show ``value`` in place of what was displayed under this id.

    Args:
        value: what to show now.
        display_id: the name that ``display`` was given.
        raw: ``value`` is a MIME bundle.
        metadata: as ``display`` has it.

    Example:
        from IPython.display import update_display

        display("waiting", display_id="place")
        update_display("done", display_id="place")
    """
    _show(value, display_id, raw=raw, metadata=metadata or {}, update=True)


def clear_output(wait: bool = False) -> None:
    """Remove what the cell has shown so far.

    Args:
        wait: not before something else is shown, so that nothing flickers.

    Example:
        for event in line.stream("host.cpu"):
            clear_output(wait=True)
            print(event.data["percent"], "%")
    """
    run = running()
    if run is not None:
        run.guard.hub(run.sink.clear, wait=wait)


def _show(value: object, display_id: str | None, *, raw: bool, metadata: dict[str, Any], update: bool) -> None:
    if raw and not isinstance(value, dict):
        raise TypeError(f"display(raw=True) takes a dict of texts by MIME type, not {type(value).__name__}")
    data, about = (dict(value), {}) if raw and isinstance(value, dict) else reports.bundle(value)
    run = running()
    if run is None:
        print(data.get("text/plain", data))
    else:
        run.guard.hub(run.sink.display, data, {**about, **metadata}, display_id, update=update)


class Progress:
    """A line below a cell that says how far something is; called with a text, it says that instead."""

    def __init__(self, run: CellRun) -> None:
        self._run = run
        self._name = uuid.uuid4().hex
        self._shown = False

    def __call__(self, text: str) -> None:
        self._run.guard.hub(self._run.sink.display, {"text/plain": text}, {}, self._name, update=self._shown)
        self._shown = True

    def clear(self) -> None:
        """Take it away, with all that the cell has shown."""
        if self._shown:
            self._run.guard.hub(self._run.sink.clear, wait=False)


_PLACES: list[tuple[object, str, object]] = []
"""Where all this is found: a module, a name in it, and what belongs there."""


def install() -> None:
    """Put all this in its places, once."""
    _PLACES.extend((sys, name, Stream(name, getattr(sys, name))) for name in ("stdout", "stderr"))
    _PLACES.append((getpass, "getpass", _asker(password=True)))
    given = {"print": print, "input": _asker(password=False), "display": display, "clear_output": clear_output}
    _PLACES.extend((builtins, name, value) for name, value in given.items())
    put_back()
    ipython.install(display, update_display, clear_output)


def put_back() -> None:
    """Put in its places what cells have replaced there."""
    for module, name, value in _PLACES:
        setattr(module, name, value)


def _asker(*, password: bool) -> Callable[[object], str]:
    def ask(prompt: object = "") -> str:
        """Ask in the tab that ran the cell, and wait for the answer."""
        run = running()
        if run is None:
            raise EOFError("input() was called outside of a cell, where nobody can be asked")
        if not run.guard.can_suspend:
            raise RuntimeError(
                "input() needs a browser that can suspend Python (JSPI), as Chrome and Firefox can; this one cannot."
            )
        question = str(prompt)
        asked = None
        try:
            with run.guard.shield:
                asked = run.guard.hub(run.sink.ask, question, password=password)
            answer = str(run.guard.wait(asked))
        except BaseException:  # a stop that comes as the shield ends, too: then nobody waits for the answer
            if asked is not None:
                asked.cancel()
            raise
        shown = "·" * 8 if password else answer  # as a terminal would show it
        run.guard.hub(run.sink.stream, "stdout", f"{question}{shown}\n")
        return answer

    return ask
