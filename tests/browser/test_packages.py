"""Packages in cells: imported from the server's folder, installed from an index, refused with a reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.index import Index
from tests.running import Server
from tests.wheels import wheel

from . import notebook
from .driver import Browser, wait

RICH = ("rich", "markdown-it-py", "mdurl", "pygments")


@pytest.fixture
def index() -> Iterator[Index]:
    made = Index(wheel("humanize"))
    yield made
    made.close()


@pytest.fixture
def stocked(make_server: Callable[..., Server], index: Index) -> Server:
    """A server whose folder has wheels in it, and that may ask an index."""
    server = make_server(PYPI=index.simple)
    folder = server.folder / "packages"
    folder.mkdir()
    for project in ("micropip", "msgspec", *RICH):
        shutil.copy(wheel(project), folder)
    server.start()
    return server


def test_cells_import_what_lies_in_the_servers_folder(
    stocked: Server, index: Index, new_browser: Callable[..., Browser]
) -> None:
    page = notebook.open_notebook(new_browser(stocked.url))
    notebook.wait_opened(page)
    compiled = notebook.run(page, "import msgspec\nmsgspec.json.decode(msgspec.json.encode({'a': [1, 2.5]}))")
    assert compiled.output == "{'a': [1, 2.5]}"
    pure = "from rich.text import Text\nfrom rich.console import Console\nText('needs others').plain"
    assert notebook.run(page, pure).output == "'needs others'"
    assert index.asked == []
    installed = notebook.run(page, "%pip install humanize\nimport humanize\nhumanize.intcomma(12345)")
    assert installed.output.replace("\n", "") == "Installed: humanize.'12,345'"
    assert [path for path in index.asked if path.startswith("/files/")] == [f"/files/{wheel('humanize').name}"]
    assert page.errors == []


@pytest.mark.engines("chromium", why="it is about answers of the server")
def test_what_cannot_be_had_says_why_and_python_goes_on(
    stocked: Server, index: Index, new_browser: Callable[..., Browser]
) -> None:
    page = notebook.open_notebook(new_browser(stocked.url))
    notebook.wait_opened(page)
    absent = notebook.run(page, "import numpy").output
    assert "No module named 'numpy'\nnumpy could not be loaded. numpy-" in absent
    assert "is not in this server's folder of packages, and it may not fetch any." in absent
    assert "where there is internet: .venv/bin/python -m server.packages numpy" in absent
    unknown = notebook.run(page, "import no_such_thing").output
    assert "%pip install no_such_thing" in unknown
    assert "Python in the browser has no tkinter" in notebook.run(page, "import tkinter").output
    optional = "try:\n    import pandas\nexcept ImportError:\n    print('without')"
    assert notebook.run(page, optional).output == "without"
    # Pyodide writes this one's name as Pillow
    assert notebook.run(page, "try:\n    import PIL\nexcept ImportError:\n    print('without')").output == "without"
    assert "pillow could not be loaded. pillow-" in notebook.run(page, "import PIL.Image").output
    regex = notebook.run(page, "%pip install regex").output
    assert regex.startswith("Not installed: regex.\n")
    assert "ValueError: regex could not be loaded. regex-" in regex
    assert "\n    %pip list\nValueError: %pip list: what works here" in notebook.run(page, "%pip list").output
    magic = notebook.run(page, "1\n%prun 2").output
    assert magic.startswith("Cell [")
    assert "SyntaxError: %prun: IPython's magics are not known here; %pip install, %time and %timeit are" in magic
    refused = notebook.run(page, "%pip install no-such-thing")
    assert refused.state == "error"
    assert "no-such-thing" in refused.output
    index.broken.add(wheel("humanize").name)
    broken = notebook.run(page, "%pip install humanize")
    assert "ValueError: The server has not got a wheel" in broken.output
    index.broken.clear()
    assert notebook.run(page, "%pip install humanize\nimport humanize\nhumanize.ordinal(2)").output.endswith("'2nd'")
    assert notebook.run(page, "1 + 1").output == "2"


@pytest.fixture
def slow(make_server: Callable[..., Server], index: Index) -> Server:
    """A server that has what Pyodide does not from an index, and asks it for Pyodide's own too."""
    server = make_server(PYPI=index.simple, PACKAGES_FROM=index.files)
    folder = server.folder / "packages"
    folder.mkdir()
    for project in ("micropip", "msgspec"):
        shutil.copy(wheel(project), folder)
    server.start()
    return server


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK cannot stop what runs")
def test_stop_while_a_package_loads(slow: Server, index: Index, new_browser: Callable[..., Browser]) -> None:
    """What waits is the cell; what Pyodide has begun goes on, and later loads come after it."""
    page = notebook.open_notebook(new_browser(slow.url))
    notebook.wait_opened(page)
    index.answering.clear()
    cell = notebook.add(page, "import regex")
    notebook.start(page, cell)
    wait(lambda: index.asked, lambda asked: any("regex-" in path for path in asked), "the package to be asked for")
    notebook.stop(page, cell)
    stopped = notebook.wait_state(page, cell, "error")
    assert stopped.output == "KeyboardInterrupt", "no line of ours, and nothing that loads"
    after = notebook.add(page, "import msgspec\nmsgspec.json.encode([1])")
    notebook.start(page, after)
    shown = wait(
        lambda: notebook.look(page, after), lambda cell: cell is not None and "Loading" in cell.output, "a line"
    )
    assert shown is not None
    assert shown.output == "Loading msgspec, after what is loading now…"
    index.answering.set()
    assert notebook.wait_ended(page, after).output == "b'[1]'"
    installed = notebook.run(
        page, "%matplotlib inline\n%pip install -q humanize # quietly\nimport humanize\nhumanize.ordinal(2)"
    )
    assert installed.output.replace("\n", "") == "Installed: humanize.'2nd'"
    refused = notebook.run(page, "import regex").output
    assert "regex could not be loaded. http" in refused
    assert "answered 404" in refused
    assert page.errors == []


@pytest.mark.engines("chromium", why="it is about Python")
def test_what_ends_a_cell_shows_its_figures(browser: Browser) -> None:
    """What the worker asks of our backend for matplotlib, at the end of each cell, a bad one too."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    backend = "import sys, types\nsys.modules['figures'] = types.SimpleNamespace(finish=lambda: print('finished'))"
    assert notebook.run(page, backend).output == "finished"
    assert notebook.run(page, "'value'").output.split("\n") == ["'value'", "finished"]
    assert notebook.run(page, "1 / 0").output.split("\n")[0] == "finished"
    assert notebook.run(page, "import asyncio\nraise asyncio.CancelledError").output.split("\n")[0] == "finished"
