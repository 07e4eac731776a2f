"""matplotlib's figures below cells: matplotlib itself draws, with our backend; what is shown is looked at here."""

from __future__ import annotations

import base64
import contextvars
import importlib
import struct
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import ipython
import reports
from runs import Run, current


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The MIME bundles that were displayed, and their metadata."""
    for name in drawing():
        monkeypatch.delitem(sys.modules, name)  # as in a new worker: matplotlib looks for IPython when it is imported
    told: list[dict[str, Any]] = []

    def display(value: dict[str, Any], *, raw: bool, metadata: dict[str, Any]) -> None:
        assert raw
        told.append({**value, "metadata": metadata})

    for name in ("IPython", "IPython.display"):
        monkeypatch.setitem(sys.modules, name, None)  # so that what was there is put back
    ipython.install(display)
    monkeypatch.setenv("MPLBACKEND", "module://figures")
    pytest.importorskip("matplotlib")
    yield told
    importlib.import_module("matplotlib.pyplot").close("all")
    for name in drawing():
        del sys.modules[name]


def drawing() -> list[str]:
    """The modules that draw and are imported."""
    return [name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "mpl_toolkits", "figures")]


def in_run(name: str) -> Callable[..., Any]:
    """What calls functions as a cell's run of this name does."""
    context = contextvars.copy_context()
    context.run(current.set, Run(name, weakref.WeakSet()))
    return context.run


def test_figures_are_shown_once_with_what_they_say(shown: list[dict[str, Any]]) -> None:
    from matplotlib import pyplot as plt

    plt.plot([1, 2, 3], label="the room")
    plt.title("Temperature")
    plt.xlabel("time")
    plt.show()
    (figure,) = shown
    assert figure["text/plain"] == "Figure: Temperature, time, the room"
    png = base64.b64decode(figure["image/png"])
    width, height = struct.unpack(">II", png[16:24])
    assert figure["metadata"] == {"image/png": {"width": width // 2, "height": height // 2}}
    assert width > 600
    plt.show()
    assert len(shown) == 1, "what was shown is closed"
    plt.figure()
    _, axes = plt.subplots(2)
    axes[0].set_ylabel("°C")
    plt.show()
    assert [each["text/plain"] for each in shown[1:]] == ["Figure", "Figure: °C"]


def test_what_a_cell_has_drawn_is_shown_at_its_end_and_no_other_cells(shown: list[dict[str, Any]]) -> None:
    """A cell that failed leaves its figures; another draws and ends meanwhile."""
    from matplotlib import pyplot as plt

    import figures

    a, b = in_run("a"), in_run("b")
    a(plt.title, "of a")
    b(figures.finish)
    assert shown == []
    b(plt.title, "of b")
    assert b(plt.get_fignums) == a(plt.get_fignums) == [1], "each has its own, and its own numbers"
    b(plt.show)
    a(plt.xlabel, "x")
    b(figures.finish)
    assert [each["text/plain"] for each in shown] == ["Figure: of b"]
    a(figures.finish)
    assert [each["text/plain"] for each in shown[1:]] == ["Figure: of a, x"]
    assert a(plt.get_fignums) == []


def test_a_figure_that_is_a_value_is_a_picture_and_not_shown_again(shown: list[dict[str, Any]]) -> None:
    from matplotlib import pyplot as plt

    import figures

    cell = in_run("a")
    figure, axes = cell(plt.subplots)
    cell(plt.figure)
    axes.set_title("as a value")
    data, metadata = cell(reports.bundle, figure)
    assert data["text/plain"] == "Figure: as a value"
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["width"] > 300
    cell(figures.finish)
    assert [each["text/plain"] for each in shown] == ["Figure"], "the other one alone"


def test_a_figure_that_cannot_be_drawn_is_closed_all_the_same(shown: list[dict[str, Any]]) -> None:
    from matplotlib import pyplot as plt

    import figures

    cell = in_run("a")
    cell(plt.title, "$\\nonsense$")
    with pytest.raises(ValueError, match="nonsense"):
        cell(figures.finish)
    assert cell(plt.get_fignums) == []
