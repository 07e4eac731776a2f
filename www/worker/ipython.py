"""Modules by the names of IPython's, so that notebooks and libraries made for Jupyter run: what these use most. Pure.

``get_ipython()`` is None, which libraries take for Python without IPython: https://ipython.readthedocs.io/
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
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
    """A picture, as the bytes of a PNG or JPEG file."""

    def __init__(self, data: bytes, format: str = "png") -> None:
        if format not in ("png", "jpeg"):
            raise ValueError(f"a picture's format is png or jpeg, not {format!r}")
        self.data, self.format = data, format

    def _repr_mimebundle_(self, **_: object) -> reports.Bundle:
        return {f"image/{self.format}": self.data, "text/plain": "<Image>"}


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
