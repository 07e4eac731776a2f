"""Lines of IPython's in cells: what becomes Python, what is left alone, what is refused and how."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magics import timed, to_install, translated


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
        ("%timeit -n 10 f()", "__timeit__('f()', globals(), loops=10)"),
        ("%timeit -r3 -qo  -n10  -1", "__timeit__('-1', globals(), runs=3, quiet=True, gives=True, loops=10)"),
        ("%timeit -1 + x", "__timeit__('-1 + x', globals())"),
        ("%timeit -(x)", "__timeit__('-(x)', globals())"),
        ("if x:\n    a.b = %timeit -o f()", "    a.b = __timeit__('f()', globals(), gives=True)"),
        ("x= %time await f()", "x = __time__().of(await f())"),
        ("%%timeit\nf()", "__timeit__('\\nf()', globals(), setup='', filename='cell')\n"),
        ("\n#\n%%timeit -r 5\nx", "#\n__timeit__('\\n\\n\\nx', globals(), setup='', filename='cell', runs=5)\n"),
        ("\n%%timeit x\ny\n", "\n__timeit__('\\n\\ny\\n', globals(), setup='\\nx', filename='cell')\n\n"),
        ("%%timeit\n%time f()\n", "__timeit__('\\n__time__().of(f())\\n', globals(), setup='', filename='cell')\n\n"),
        (
            "%%timeit x = 1\nx?",
            "__timeit__(\"\\n__help__('x', globals())\", globals(), setup='x = 1', filename='cell')\n",
        ),
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
        ("%timeit -n 10", "%timeit: what it times stands after it"),
        ("%timeit for x in y: f(x)", "%timeit: what it times is one line of Python; %%timeit as the first line times"),
        ("%timeit -n f()", "%timeit: -n takes a whole number from 1 on; "),
        ("%timeit -r 0 f()", "%timeit: -r takes a whole number from 1 on; "),
        ("%timeit -n 9999999999 f()", "%timeit: -n takes a whole number from 1 on; "),
        ("%timeit -n10x f()", "%timeit: -n takes a whole number from 1 on; "),
        ("%timeit -p 3 f()", "%timeit: there is no option -p; "),
        ("%timeit -ox f()", "%timeit: there is no option -ox; "),
        ("%timeit --loops 3 f()", "%timeit: there is no option --loops; "),
        ("x = 1\n%%timeit\nf()", "%%timeit: it is a cell's first line"),
        ("%%timeit f()", "%%timeit: it times the lines below it, and there are none; %timeit times its own line"),
        ("%%timeit x = (\nf()", "%%timeit: what stands after it is one line of Python, which is run first"),
        ("x = %time y = 1", "%time: what it times has no value"),
        ("%%time f()", "%%time: it stands alone in its line"),
        ("x = 1\n%%time", "%%time: it is a cell's first line"),
    ],
)
def test_what_cannot_be_timed_is_told(source: str, says: str) -> None:
    with pytest.raises(SyntaxError) as raised:
        translated(source, "cell")
    assert raised.value.msg.startswith(says)
    line = next(number for number, text in enumerate(source.split("\n"), 1) if "%" in text)
    assert (raised.value.lineno, raised.value.text) == (line, source.split("\n")[line - 1] + "\n")


def test_what_the_options_of_timeit_are_is_told() -> None:
    with pytest.raises(
        SyntaxError, match=r"-n N \(loops\), -r R \(runs\), -q \(print nothing\) and -o \(give the result"
    ):
        translated("%timeit -x f()", "cell")


def test_what_timed_code_imports_is_found() -> None:
    made = translated("import a\n%timeit import b\nx = %timeit -o import c.d", "cell")
    assert [text.strip() for text in timed(made)] == ["import b", "import c.d"]
    made = translated("%%timeit import a\nimport b\nfrom c import d", "cell")
    assert [text.strip() for text in timed(made)] == ["import b\nfrom c import d", "import a"]
    assert timed("f('x')\n__timeit__(f, 1)\nx = (") == []


LINES = [
    "%time f(x)",
    "%%time",
    "%%timeit x = 1",
    "%timeit -n 3 f(x)",
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
        assert error.msg.startswith("%%time")
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
