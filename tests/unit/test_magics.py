"""Lines of IPython's in cells: what becomes Python, what is left alone, what is refused and how."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magics import to_install, translated


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%pip install a", "await __pip__('install a')"),
        ("!pip install a", "await __pip__('install a')"),
        ("x = 1\n%pip install 'a>=1'  # isn't it\nx", "x = 1\nawait __pip__(\"install 'a>=1'  # isn't it\")\nx"),
        ("if x:\n    %pip install a\n    y", "if x:\n    await __pip__('install a')\n    y"),
        ("try:\n    a\nexcept ImportError:\n    %pip install a", "except ImportError:\n    await __pip__('install a')"),
        ("%matplotlib inline\nimport a", "pass\nimport a"),
        ("%matplotlib\nawait a\n!pip install b", "pass\nawait a\nawait __pip__('install b')"),
        ("    %pip install a\n    b", "    await __pip__('install a')\n    b"),
        ('%pip install a\ns = """\n%pip install b\n!ls\n"""', 's = """\n%pip install b\n!ls\n"""'),
    ],
)
def test_what_becomes_python(source: str, python: str) -> None:
    made = translated(source, "cell")
    assert made.endswith(python)
    assert made.count("\n") == source.count("\n"), "tracebacks name the cell's own lines"
    assert "%pip" not in made.split('"""')[0]


@pytest.mark.parametrize(
    "source",
    [
        's = """\n%pip install b\n%matplotlib inline\n!ls\n"""',
        "await a\nasync for b in c:\n    await d",
        "(a\n%pip)",
        "f(a\n!= b)",
        's = """\n%pip install a',
        "for x in:\n    %pip install a",
        "files = !ls",
        "",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    assert translated(source, "cell") == source


@pytest.mark.parametrize(("line", "name"), [("%timeit f()", "%timeit"), ("%%bash", "%%bash"), ("  !ls -l", "!ls")])
def test_what_is_not_known_is_a_syntax_error_that_says_what_is(line: str, name: str) -> None:
    with pytest.raises(SyntaxError, match=r"%pip install is, and %%tab") as raised:
        translated(f"if x:\n  y\n{line}", "cell")
    error = raised.value
    assert error.msg.startswith(f"{name}: ")
    assert (error.filename, error.lineno, error.text) == ("cell", 3, f"{line}\n")


LINES = [
    "%pip install a",
    "%matplotlib inline",
    "x = 1",
    "await x",
    "if x:",
    "    %pip install b",
    '"""',
    "print(",
    ")",
]


@given(st.lists(st.sampled_from(LINES), max_size=8).map("\n".join))
def test_python_is_never_touched(source: str) -> None:
    made = translated(source, "cell")
    try:
        ast.parse(source)
    except SyntaxError:
        assert translated(made, "cell") == made
    else:
        assert made == source


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("install a", ["a"]),
        ("install a 'b>=1' \"c[d]\"", ["a", "b>=1", "c[d]"]),
        ("install -q --upgrade -qU a -U --quiet", ["a"]),
        ("install a # isn't it", ["a"]),
    ],
)
def test_what_pip_is_to_install(command: str, names: list[str]) -> None:
    assert to_install(command) == names


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("list", "%pip list: what works here is"),
        ("", "what works here is"),
        ("install", "it names no package"),
        ("install -q", "it names no package"),
        ("install # a", "it names no package"),
        ("install -r needs.txt", "the option -r does nothing here"),
        ("install a; import a", "what follows 'a;' belongs on a line of its own"),
        ("install a ;import a", "what follows ';import' belongs on a line of its own"),
        ("install a && b", "what follows '&&' belongs"),
        ("install 'a", "No closing quotation"),
    ],
)
def test_what_pip_is_not_to_do(command: str, says: str) -> None:
    with pytest.raises(ValueError, match="on a line of its own") as raised:
        to_install(command)
    assert says in str(raised.value)
