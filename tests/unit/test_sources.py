"""A cell's text as Python compiles it: the indent of the whole goes, and nothing else."""

from __future__ import annotations

import pytest

from sources import dedented


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 1\n    \ny = '''\n    \n'''",
        "# said\nif x:\n    y = 1",
        "\n\nx\n  ",
        "    # far out\nx = 1",
        "   \n",
        "%%time\n  x",
    ],
)
def test_what_is_not_indented_stays_what_it_is(text: str) -> None:
    assert dedented(text) == text


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("  x\n  y", "x\ny"),
        ("\tif x:\n\t\ty", "if x:\n\ty"),
        ("\n    x\n\n    y\n", "\nx\n\ny\n"),
        ("    x\n# further out\n    y", "x\n# further out\ny"),
        ("  # said\n    x\n    y", "  # said\nx\ny"),
        ("    x = '''\n  \n       \n    '''", "x = '''\n  \n   \n'''"),
        ("    x\n  y", "x\n  y"),  # an error of the user's, which Python tells
    ],
)
def test_the_first_lines_indent_goes(text: str, source: str) -> None:
    assert dedented(text) == source
