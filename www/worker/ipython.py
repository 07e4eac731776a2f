"""Modules by the names of IPython's, so that notebooks and libraries made for Jupyter run: what these use most. Pure.

``get_ipython()`` is None, which libraries take for Python without IPython: https://ipython.readthedocs.io/
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import reports

VERSION = (9, 0, 0)
"""The IPython whose ways these modules have; matplotlib asks."""


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


class Math(Text):
    """A formula in LaTeX, without dollars."""

    mime = "text/latex"

    def __init__(self, data: str) -> None:
        super().__init__(f"$\\displaystyle {data}$")


class JSON:
    """Data, shown as JSON."""

    def __init__(self, data: object) -> None:
        self.data = data

    def _repr_json_(self) -> object:
        return self.data


class Image:
    """A picture: a PNG, JPEG or GIF file on Python's own disk, or its bytes.

    Args:
        data: the bytes, or the file's name.
        url: is refused, since the page takes pictures from nowhere else.
        filename: the file's name.
        format: png, jpeg or gif; seen from the bytes unless given.
        width: how wide it is shown, in pixels.
        height: how high.
        alt: what it shows, for who cannot see it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is of another format, or an address.
    """

    def __init__(
        self,
        data: bytes | str | Path | None = None,
        url: str | None = None,
        filename: str | Path | None = None,
        format: str | None = None,
        width: float | None = None,
        height: float | None = None,
        alt: str | None = None,
    ) -> None:
        if isinstance(data, (str, Path)):
            data, filename = None, data
        if url is not None or (isinstance(filename, str) and _ADDRESS.match(filename)):
            raise ValueError(f"{url or filename}: the page takes no pictures from other addresses")
        if filename is not None:
            data = _contents(filename)
        if not isinstance(data, (bytes, bytearray)):
            raise TypeError(f"a picture is bytes, or the name of a file, not {type(data).__name__}")
        self.data = bytes(data)
        self.format = _format(self.data) if format is None else format.lower().replace("jpg", "jpeg")
        if self.format not in _STARTS:
            raise ValueError(f"a picture's format is png, jpeg or gif, not {format!r}")
        self.size = {name: value for name, value in (("width", width), ("height", height)) if value is not None}
        if not all(isinstance(value, (int, float)) for value in self.size.values()):
            raise TypeError("a picture's width and height are numbers of pixels")
        self.alt = alt

    def _repr_mimebundle_(self, **_: object) -> tuple[reports.Bundle, reports.Bundle]:
        mime = f"image/{self.format}"
        return {mime: self.data, "text/plain": self.alt or "<Image>"}, {mime: self.size} if self.size else {}


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|data:")
_STARTS = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8"}


def _format(data: bytes) -> str:
    for name, start in _STARTS.items():
        if data.startswith(start):
            return name
    raise ValueError("these bytes are no picture in PNG, JPEG or GIF; format= says so of one that is")


def _contents(filename: str | Path) -> bytes:
    try:
        return Path(filename).read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no file {str(filename)!r} on Python's own disk, which is in the browser, not the computer's"
        ) from None


def install(*functions: Callable[..., Any]) -> None:
    """Put the modules where ``import`` finds them; ``functions`` are those of ``IPython.display``."""
    shown = _module("IPython.display", "What Partyline has of IPython.display.")
    for each in (*functions, HTML, Markdown, SVG, Latex, Math, JSON, Image):
        setattr(shown, each.__name__, each)
    package = _module("IPython", "Partyline is not IPython; it has IPython.display alone.")
    vars(package).update(display=shown, get_ipython=get_ipython, version_info=VERSION)


def _module(name: str, says: str) -> ModuleType:
    module = ModuleType(name, says)
    module.__spec__ = ModuleSpec(name, None, is_package=name == "IPython")  # without one, find_spec(name) raises
    module.__path__ = []
    sys.modules[name] = module
    return module


def get_ipython() -> None:
    """There is no shell of IPython's here."""
