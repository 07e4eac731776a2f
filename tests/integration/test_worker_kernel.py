"""How cells are run, in the worker's own Python: their text, their errors, the module that they are, and its end."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from tests.integration.worker import NodeWorker, Tab


def printed(cell: dict[str, Any]) -> str:
    """All that a cell shows; its result and what went wrong, too."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output["traceback"])
        for output in cell["outputs"]
    )


def result(tab: Tab, name: str, *sources: str) -> str:
    """What the last of these cells shows, in a new notebook."""
    tab.open(name, *sources)
    cells = "abcdefgh"[: len(sources)]
    return printed(tab.run(name, *cells)[cells[-1]])


def test_lines_of_spaces_in_strings_stay(tab: Tab) -> None:
    assert result(tab, "spaces", 'len("""\n    \n""")') == "6"


@pytest.mark.parametrize(
    ("name", "source", "shown"),
    [
        ("whole", "\n    x = 1\n# further out\n    if x:\n        x = 2\n    x", "2"),
        ("strings", '    len("""\n  \n       \n    """)', "8"),  # two spaces, a line end; three; its own indent goes
        ("comment", "  # said\n    x = 3\n    x", "3"),
    ],
)
def test_a_cell_that_is_indented_as_a_whole_runs(tab: Tab, name: str, source: str, shown: str) -> None:
    assert result(tab, f"indented-{name}", source) == shown


def test_a_traceback_of_a_cell_that_is_indented_marks_what_failed(tab: Tab) -> None:
    assert "\n    1 / 0\n    ~~^~~\n" in result(tab, "marks", "    1 / 0")


NO_WORDS = "class Silent(Exception):\n    def __str__(self): raise ValueError('no words')\nraise Silent"


def test_an_exception_that_cannot_say_what_it_is_is_shown(tab: Tab) -> None:
    tab.open("silent", NO_WORDS)
    (output,) = tab.run("silent", "a")["a"]["outputs"]
    assert output["ename"] == "Silent"
    assert output["evalue"] == "<exception str() failed>"
    assert output["traceback"][-1] == "Silent: <exception str() failed>"


BREAKS = """import reports
kept = reports.error_text
def broken(*_): raise OSError('no more reports')
reports.error_text = broken
1 / 0"""


def test_what_fails_as_an_error_is_told_is_shown_and_the_rest_goes_on(worker: NodeWorker, tab: Tab) -> None:
    """A cell may break what the kernel stands on, for they share one Python."""
    tab.open("broken", BREAKS, "reports.error_text = kept", "1")
    try:
        cell = tab.run("broken", "a")["a"]
    finally:
        tab.run("broken", "b")
    assert cell["state"] == "error"
    assert cell["outputs"][-1]["ename"] == "OSError"
    assert "ZeroDivisionError" in "\n".join(cell["outputs"][-1]["traceback"])
    worker.wait_console("in broken\n.*\nOSError: no more reports\n")
    assert tab.run("broken", "c")["c"]["state"] == "done"


ENDS = """import asyncio
from kernel import Kernel
kept = Kernel._execute
async def ends(*_):
    Kernel._execute = kept
    raise {0}
Kernel._execute = ends"""


@pytest.mark.parametrize("error", ["asyncio.CancelledError", "KeyboardInterrupt"])
def test_a_stop_that_comes_before_the_cells_code_is_shown(tab: Tab, error: str) -> None:
    tab.open(error, ENDS.format(error), "1", "2")
    tab.run(error, "a")
    cell = tab.run(error, "b")["b"]
    assert (cell["state"], printed(cell)) == ("error", "KeyboardInterrupt")
    assert tab.run(error, "c")["c"]["state"] == "done"


MAIN = {
    "pickle": ("class Point:\n    x = 1", "import pickle\npickle.loads(pickle.dumps(Point())).x == 1"),
    "doctest": (
        "def twice(x):\n    '''\n    >>> twice(2)\n    4\n    '''\n    return 2 * x",
        "import doctest\ntuple(doctest.testmod()) == (0, 1)",
    ),
    "unittest": (
        "import unittest\nclass Sums(unittest.TestCase):\n    def test(self): self.assertEqual(1 + 1, 2)",
        "unittest.main(argv=[''], exit=False).result.testsRun == 1",
    ),
    "timeit": ("def f(): pass", "import timeit\ntimeit.timeit('f()', 'from __main__ import f', number=1) < 9"),
    "hints": ("class Node:\n    after: 'Node'", "import typing\ntyping.get_type_hints(Node)['after'] is Node"),
    "dataclass": (
        "import dataclasses\nfrom typing import ClassVar",
        """from __future__ import annotations
@dataclasses.dataclass
class Point:
    count: ClassVar[int] = 0
    x: int = 0
[field.name for field in dataclasses.fields(Point)] == ['x']""",
    ),
    "import": ("x = 5", "import __main__, builtins\n__main__.x == 5 and __builtins__ is builtins"),
}


@pytest.mark.parametrize("name", MAIN)
def test_cells_are_the_module_main(tab: Tab, name: str) -> None:
    assert result(tab, f"main-{name}", *MAIN[name]).splitlines()[-1] == "True"


def test_each_notebook_is_a_main_of_its_own(tab: Tab) -> None:
    tab.open("own-main", "class Own:\n    pass", "import pickle\ntype(pickle.loads(pickle.dumps(Own()))) is Own")
    tab.run("own-main", "a")
    assert result(tab, "other-main", "import sys\nhasattr(sys.modules['__main__'], 'Own')") == "False"
    assert printed(tab.run("own-main", "b")["b"]) == "True"


def test_what_restart_forgets_is_gone(tab: Tab) -> None:
    """The module is another one, and nothing holds on to what was in the former."""
    keeps = "import sys, weakref\nclass Big:\n    pass\nbig = Big()\nsys.big = weakref.ref(big)\nbig"
    tab.open("forgets", keeps, "import gc, sys, __main__\ngc.collect()\nsys.big(), hasattr(__main__, 'big')")
    tab.run("forgets", "a")
    tab.ask("restart", name="forgets")
    assert printed(tab.run("forgets", "b")["b"]) == "(None, False)"


REPLACES = """import builtins, getpass, io, signal, sys, time
sys.stdout = sys.stderr = io.StringIO()
for name in ('print', 'input', 'display', 'clear_output'):
    setattr(builtins, name, None)
getpass.getpass = time.sleep = None
signal.signal(signal.SIGINT, signal.SIG_IGN)
raise SystemExit"""
USES = """import getpass, signal, sys, time
print('printed')
print('told', file=sys.stderr)
builtins = __builtins__
print([callable(each) for each in (input, clear_output, builtins.display, getpass.getpass)])
time.sleep(0.01)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"""


def test_restart_puts_back_what_cells_have_replaced(tab: Tab) -> None:
    tab.open("replaces", REPLACES, USES)
    tab.run("replaces", "a")
    tab.ask("restart", name="replaces")
    assert printed(tab.run("replaces", "b")["b"]) == "printed\ntold\n[True, True, True, True]\nTrue\n"


def test_values_and_sources_are_found_by_the_names_of_ipython(tab: Tab) -> None:
    last = "(_, __, dict(Out), _1, list(In), _i, _i1)"
    tab.open("recall", "6 * 7", "_ + 1;", "None", last)
    cells = tab.run("recall", *"abcd")
    assert printed(cells["b"]) == printed(cells["c"]) == ""
    value = (42, "", {1: 42}, 42, ["", "6 * 7", "_ + 1;", "None", last], "None", "6 * 7")
    assert ast.literal_eval(printed(cells["d"])) == value
    cells = tab.run("recall", "a", "d")
    assert (cells["a"]["count"], cells["d"]["count"]) == (5, 6)
    assert ast.literal_eval(printed(cells["d"]))[:3] == (42, value, {1: 42, 4: value, 5: 42})


def test_values_and_sources_are_each_notebooks_own_and_restart_forgets_them(tab: Tab) -> None:
    tab.open("recall-one", "'one'", "(_, Out, In)")
    tab.run("recall-one", "a")
    assert result(tab, "recall-other", "(_, Out, In)") == "('', {}, ['', '(_, Out, In)'])"
    assert printed(tab.run("recall-one", "b")["b"]) == "('one', {1: 'one'}, ['', \"'one'\", '(_, Out, In)'])"
    tab.ask("restart", name="recall-one")
    assert printed(tab.run("recall-one", "b")["b"]) == "('', {}, ['', '(_, Out, In)'])"


def test_a_value_that_cannot_be_shown_and_a_cell_that_cannot_be_read_are_found_too(tab: Tab) -> None:
    silent = "class Silent:\n    def __repr__(self): raise ValueError('no words')\nSilent()"
    tab.open("recall-errors", silent, "1 +", "(type(_).__name__, In[2], _i)")
    tab.run("recall-errors", "a")
    tab.run("recall-errors", "b")
    assert printed(tab.run("recall-errors", "c")["c"]) == "('Silent', '1 +', '1 +')"


def test_what_is_timed_has_its_result_its_imports_and_its_own_lines(tab: Tab) -> None:
    setup = "%%timeit -n 2 -r 3 -o ran = []; from time import sleep\nsleep(0.05)\nran.append(_i)\nassert len(ran) < 3"
    tab.open("timed", "'first'", setup, "(_.loops, _.repeat, len(_.all_runs))", "\n%%timeit\nx = 1\n1 / 0")
    cells = tab.run("timed", *"abc")
    told, value = cells["b"]["outputs"]
    assert re.fullmatch(
        r"[\d.]+ \w+ ± [\d.]+ \w+ per loop \(mean ± std\. dev\. of 3 runs, 2 loops each\)\n", told["text"]
    )
    assert value["data"]["text/plain"] == f"<TimeitResult : {told['text'][:-1]}>"
    assert printed(cells["c"]) == "(2, 3, 3)"
    error = printed(tab.run("timed", "d")["d"]).splitlines()
    assert error[0] == "Traceback (most recent call last):"
    assert [line for line in error if "Cell" in line] == ["Cell [4], line 2", "Cell [4], line 4, in timed"]
    assert "    1 / 0" in error
