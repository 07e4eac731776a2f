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
        ("%time f(1)  # once", "__time__().of(f(1))"),
        ("for x in y:\n    %time await f(x)", "for x in y:\n    __time__().of(await f(x))"),
        ("%time x = f(1); y = 'ü'", "with __time__(): x = f(1); y = 'ü'"),
        ("%time f(1);", "with __time__(): f(1);"),
        ("%%time\nx = 1", "__time_cell__()\nx = 1"),
        ("\n# slow\n%%time\nx = 1", "# slow\n__time_cell__()\nx = 1"),
        ("%timeit f('a')  # often", "__timeit__(\"f('a')  # often\", globals())"),
        ("f?", "__help__('f', globals())"),
        ("x = 1\n  ?a.b", "x = 1\n  __help__('a.b', globals())"),
        ("a.ü??", "__help__('a.ü', globals())"),
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
        "x = f?",
        "f(1)?",
        "?",
        "if?",
        'f("""\nf?\n%time x\n""")',
        "",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    assert translated(source, "cell") == source


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("%prun f()", "%prun"),
        ("%%bash", "%%bash"),
        ("  !ls -l", "!ls"),
        ("%%timeit", "%%timeit"),
        ("!time", "!time"),
    ],
)
def test_what_is_not_known_is_a_syntax_error_that_says_what_is(line: str, name: str) -> None:
    with pytest.raises(SyntaxError, match=r"%pip install, %time and %timeit are, and %%tab") as raised:
        translated(f"if x:\n  y\n{line}", "cell")
    error = raised.value
    assert error.msg.startswith(f"{name}: ")
    assert (error.filename, error.lineno, error.text) == ("cell", 3, f"{line}\n")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("%time", "%time: what it times stands after it"),
        ("%timeit", "%timeit: what it times stands after it"),
        ("%time f(", "%time: what it times is one line of Python; %%time as the first line times the whole cell"),
        ("%time for x in y: f(x)", "%time: what it times is one line of Python"),
        ("%timeit -n 10 f()", "%timeit: what it times is one line of Python"),
        ("%%time f()", "%%time: it stands alone in its line"),
        ("x = 1\n%%time", "%%time: it is a cell's first line"),
    ],
)
def test_what_cannot_be_timed_is_told(source: str, says: str) -> None:
    with pytest.raises(SyntaxError) as raised:
        translated(source, "cell")
    assert raised.value.msg.startswith(says)
    assert raised.value.lineno == source.count("\n") + 1


LINES = [
    "%time f(x)",
    "%%time",
    "x?",
    "?print",
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
    try:
        made = translated(source, "cell")
    except SyntaxError as error:
        assert error.msg.startswith("%%time: ")
        return
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
