"""What cells show and ask: ``print``, ``display``, ``clear_output``, ``input``; each goes to the run it belongs to.

``install`` puts them where programs look for them: the standard streams, the builtins, and a module
``IPython.display``, so that notebooks written for Jupyter run. Of that one it has what notebooks use most.
"""

from __future__ import annotations

import builtins
import getpass
import io
import sys
import types
import uuid
from collections.abc import Callable
from typing import Any

import reports
from kernel import running


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
            with run.guard.shield:
                run.sink.stream(self.name, text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back here."""


class Handle:
    """What ``display(…, display_id=True)`` returns: shows something else in the same place."""

    def __init__(self, display_id: str) -> None:
        self.display_id = display_id

    def update(self, value: object, **options: Any) -> None:
        """Show ``value`` in place of what was shown."""
        update_display(value, display_id=self.display_id, **options)


def display(
    *values: object, display_id: str | bool | None = None, raw: bool = False, metadata: dict[str, Any] | None = None
) -> Handle | None:
    """Show values below the cell, each in the richest way that it knows; with ``raw``, each is a MIME bundle.

    With a ``display_id``, returns a handle by which something else can be shown in its place.
    """
    name = uuid.uuid4().hex if display_id is True else display_id or None
    for value in values:
        _show(value, name, raw=raw, metadata=metadata or {}, update=False)
    return Handle(name) if name else None


def update_display(
    value: object, *, display_id: str, raw: bool = False, metadata: dict[str, Any] | None = None
) -> None:
    """Show ``value`` in place of what was displayed under this id."""
    _show(value, display_id, raw=raw, metadata=metadata or {}, update=True)


def clear_output(wait: bool = False) -> None:
    """Remove what the cell has shown; with ``wait``, not before something else is shown, so that nothing flickers."""
    run = running()
    if run is not None:
        with run.guard.shield:
            run.sink.clear(wait=wait)


def _show(value: object, display_id: str | None, *, raw: bool, metadata: dict[str, Any], update: bool) -> None:
    if raw and not isinstance(value, dict):
        raise TypeError(f"display(raw=True) takes a dict of texts by MIME type, not {type(value).__name__}")
    data, about = (dict(value), {}) if raw and isinstance(value, dict) else reports.bundle(value)
    run = running()
    if run is None:
        print(data.get("text/plain", data))
    else:
        with run.guard.shield:
            run.sink.display(data, {**about, **metadata}, display_id, update=update)


class Text:
    """Shown as its kind of text; the base of the classes below."""

    mime = "text/plain"

    def __init__(self, data: str) -> None:
        self.data = data

    def _repr_mimebundle_(self, **_: object) -> reports.Bundle:
        return {self.mime: self.data, "text/plain": f"<{type(self).__name__}>"}


class HTML(Text):
    """A text that is HTML; it is shown without what could run."""

    mime = "text/html"


class Markdown(Text):
    """A text in Markdown."""

    mime = "text/markdown"


class SVG(Text):
    """A drawing in SVG."""

    mime = "image/svg+xml"


class Latex(Text):
    """A text in LaTeX."""

    mime = "text/latex"


class JSON:
    """Data, shown as JSON."""

    def __init__(self, data: object) -> None:
        self.data = data

    def _repr_json_(self) -> object:
        return self.data


class Image:
    """A picture, as the bytes of a PNG or JPEG file."""

    def __init__(self, data: bytes, format: str = "png") -> None:
        if format not in ("png", "jpeg"):
            raise ValueError(f"a picture's format is png or jpeg, not {format!r}")
        self.data, self.format = data, format

    def _repr_mimebundle_(self, **_: object) -> reports.Bundle:
        return {f"image/{self.format}": self.data, "text/plain": "<Image>"}


def install() -> None:
    """Put all this in its places, once."""
    sys.stdout = Stream("stdout", sys.stdout)
    sys.stderr = Stream("stderr", sys.stderr)
    builtins.input = _asker(password=False)  # type: ignore[assignment]
    getpass.getpass = _asker(password=True)  # type: ignore[assignment]
    for name in ("display", "clear_output"):
        setattr(builtins, name, globals()[name])
    shown = types.ModuleType("IPython.display", "What Partyline has of IPython.display.")
    for each in (display, update_display, clear_output, HTML, Markdown, SVG, Latex, JSON, Image):
        setattr(shown, each.__name__, each)
    package = types.ModuleType("IPython", "Partyline is not IPython; it has IPython.display alone.")
    package.display = shown  # type: ignore[attr-defined]
    sys.modules.update({"IPython": package, "IPython.display": shown})


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
        answer = str(run.guard.wait(run.sink.ask(str(prompt), password=password)))
        run.sink.stream("stdout", f"{prompt}{'·' * 8 if password else answer}\n")  # as a terminal would show it
        return answer

    return ask
