"""matplotlib's backend for cells: figures are shown below the cell, as pictures, when it asks for it or has ended.

Chosen by the environment's MPLBACKEND, so it is imported with ``matplotlib.pyplot``. A backend is a module with a
FigureCanvas: https://matplotlib.org/stable/users/explain/figure/writing_a_backend_pyplot_interface.html

pyplot has one list of open figures, and all notebooks share this Python: here each run of a cell has a list of its own.
"""

from __future__ import annotations

import base64
import importlib
import io
import struct
import weakref
from collections import OrderedDict
from typing import Any, ClassVar

from matplotlib import _pylab_helpers, pyplot
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from runs import Run, current

DPI = 144
"""Pixels to an inch: as many as sharp screens have; pictures are shown at half their size."""

Managers = OrderedDict[Any, Any]


class OpenFigures:
    """pyplot's open figures by number: those of the run that asks. They go when the run does."""

    def __init__(self) -> None:
        self._of_runs: weakref.WeakKeyDictionary[Run, Managers] = weakref.WeakKeyDictionary()
        self._outside: Managers = OrderedDict()

    def __get__(self, instance: object, owner: type) -> Managers:
        run = current.get()
        return self._outside if run is None else self._of_runs.setdefault(run, OrderedDict())


class FigureManager(FigureManagerBase):
    """Shows one figure. ``shown``: it was, and the cell's end need not show it."""

    shown = False

    def show(self) -> None:
        """Show it, and be done with it."""
        data, metadata = picture(self.canvas.figure)
        importlib.import_module("IPython.display").display(data, raw=True, metadata=metadata)  # ipython.py
        pyplot.close(self.canvas.figure)

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """Show all that are open: ``plt.show()``."""
        for manager in list(_pylab_helpers.Gcf.figs.values()):
            manager.show()


class FigureCanvas(FigureCanvasAgg):
    """Draws; its manager shows."""

    manager_class: ClassVar[Any] = FigureManager


def finish() -> None:
    """The cell has ended: show what it has drawn and not shown, and close all."""
    managers = list(_pylab_helpers.Gcf.figs.values())
    try:
        for manager in managers:
            if isinstance(manager, FigureManager) and not manager.shown:
                manager.show()
    finally:
        pyplot.close("all")


def picture(figure: Figure, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figure as a MIME bundle and its metadata: ``_repr_mimebundle_``, which shows it as a value."""
    manager = figure.canvas.manager
    if isinstance(manager, FigureManager):
        manager.shown = True
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DPI, bbox_inches="tight")
    png = file.getvalue()
    width, height = struct.unpack(">II", png[16:24])  # of IHDR, which is always first
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": described(figure)}
    return data, {"image/png": {"width": width // 2, "height": height // 2}}


def described(figure: Any) -> str:
    """What the figure says of itself, for who cannot see it: titles, axes' labels and legends."""
    parts = ["Figure", figure.get_suptitle()]
    for axes in figure.axes:
        parts += [axes.get_title(), axes.get_xlabel(), axes.get_ylabel()]
        parts += [label for label in axes.get_legend_handles_labels()[1] if not label.startswith("_")]
    return ": ".join([parts[0], ", ".join(part for part in parts[1:] if part)]).removesuffix(": ")


_pylab_helpers.Gcf.figs = OpenFigures()  # type: ignore[assignment]  # matplotlib asks for Gcf.figs each time
Figure._repr_mimebundle_ = picture  # type: ignore[attr-defined]
