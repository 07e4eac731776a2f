"""What a learner is told of an exercise: right or not yet, and why; and that no answer ends the lesson."""

from __future__ import annotations

import asyncio
import itertools
import linecache
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import Check, Verdict


class Told:
    """A check, and what it showed last."""

    def __init__(self) -> None:
        self.shown: list[Verdict] = []
        self.check = Check(self.shown.append)  # type: ignore[arg-type]

    def last(self) -> tuple[bool, str]:
        (verdict,) = self.shown
        self.shown.clear()
        return verdict.right, verdict.text


@pytest.fixture
def told() -> Told:
    return Told()


def learner(source: str, name: str = "function") -> Any:
    """A function as a cell defines it, with its source where tracebacks look for it."""
    filename = "lesson-cell-1"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102  # as the kernel does
    return namespace[name]


def test_true_is_right_and_false_shows_the_hint(told: Told) -> None:
    assert told.check(2 + 2 == 4, "a hint") is None
    assert told.last() == (True, "")
    told.check(2 + 2 == 5, "a hint")
    assert told.last() == (False, "a hint")


@pytest.mark.parametrize("answer", [None, 0, "", []])
def test_nothing_is_not_right(told: Told, answer: Any) -> None:
    told.check(answer, "a hint")
    assert told.last() == (False, "a hint")


def test_the_placeholder_is_told_as_such(told: Told) -> None:
    told.check(..., "a hint")
    right, text = told.last()
    assert not right
    assert text == "There is still a `...` where your answer goes. a hint"
    told.check.call(lambda: ..., gives=1)
    assert told.last() == (False, "There is still a `...` where your answer goes.")
    told.check.call(..., 3, gives=1)
    assert told.last() == (False, "There is still a `...` where your answer goes.")
    told.check.call(lambda: [1, ...], gives=[1, 2])  # as of a generator with `yield ...`
    assert told.last() == (False, "There is still a `...` where your answer goes.")
    told.check.call(lambda: np.array([[1, 2], [3, 4]]), gives=1)
    assert "gives `array(" in told.last()[1]


def test_a_teacher_who_forgets_to_call_is_told(told: Told) -> None:
    with pytest.raises(TypeError, match=r"check\.call"):
        told.check(lambda: True)


def test_a_function_that_returns_the_wanted_value(told: Told) -> None:
    told.check.call(learner("def function(a, b): return a + b"), [1], [2], gives=[1, 2], hint="unused")
    assert told.last() == (True, "`function([1], [2])` gives `[1, 2]`.")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def function(n): return n + 1", "`function(1)` gives `2`, and should give `3`. a hint"),
        ("def function(n): print(n)", "`function(1)` gives nothing: is there a `return`? It should give `3`. a hint"),
        (
            "def function(n):\n    return n / 0",
            "`ZeroDivisionError: division by zero` in the line `return n / 0`. Something is divided by 0.",
        ),
        (
            "def function(n):\n    return totl",
            "`NameError: name 'totl' is not defined` in the line `return totl`. Is the name spelt right, and has",
        ),
        ("def function(n): raise OSError", "`function(1)` ended with an error. `OSError` in the line"),
        ("def function(): return 3", "`TypeError: function() takes 0 positional arguments but 1 was given`. A value"),
        ("async def function(n): return 3", "`function(1)` is `async def`, but a plain `def` is wanted here. a hint"),
        ("function = 4", "`4` is no function. a hint"),
        ("def function(n): return function(n)", "The function calls itself without an end."),
        (
            "def function(n): return next(iter([]))",
            "`StopIteration` in the line `def function(n): return next(iter([]))`. `next`",
        ),
        ("def function(n):\n    import json\n    json.loads('{')", "in the line `json.loads('{')`"),
    ],
)
def test_a_wrong_function_is_told_why(told: Told, source: str, said: str) -> None:
    told.check.call(learner(source), 1, gives=3, hint="a hint")
    right, text = told.last()
    assert not right
    assert said in text


def test_a_test_that_raises_is_explained(told: Told) -> None:
    told.check.that(lambda: {}["mean"] == 2, "a hint")
    right, text = told.last()
    assert not right
    assert "`KeyError: 'mean'`" in text
    told.check.that(lambda: True)
    assert told.last() == (True, "")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError, SystemExit])
def test_a_stop_goes_through(told: Told, stop: type[BaseException]) -> None:
    def stopped() -> None:
        raise stop

    with pytest.raises(stop):
        told.check.that(stopped)
    with pytest.raises(stop):
        told.check.call(stopped, gives=1)


async def test_async_functions(told: Told) -> None:
    await told.check.wait(learner("async def function(n): return n + 1"), 1, gives=2)
    assert told.last() == (True, "`function(1)` gives `2`.")
    await told.check.wait(learner("async def function(n): ..."), 1, gives=2)
    assert "gives nothing: is there a `return`?" in told.last()[1]
    await told.check.wait(learner("def function(n): return n + 1"), 1, gives=2)
    assert told.last() == (False, "`function(1)` gives nothing to await: write `async def`.")
    await told.check.wait(learner("async def function(n): return n / 0"), 1, gives=2)
    assert "ZeroDivisionError" in told.last()[1]
    await told.check.wait(
        learner("import asyncio\nasync def function(n): await asyncio.Event().wait()"), 1, gives=2, seconds=0.01
    )
    assert told.last() == (False, "`function(1)` was not done after 0.01 seconds.")
    await told.check.wait(learner("async def function(n): raise TimeoutError('mine')"), 1, gives=2)
    assert "`TimeoutError: mine`" in told.last()[1]


@pytest.mark.parametrize(
    ("value", "wanted", "same"),
    [
        (0.1 + 0.2, 0.3, True),
        ([0.1 + 0.2, 1], [0.3, 1.0], True),
        ({"mean": 0.1 + 0.2}, {"mean": 0.3}, True),
        ({"mean": 1}, {"mean": 1, "n": 1}, False),
        ((1, 2), [1, 2], False),
        ([1], [1, 2], False),
        (1, True, False),
        (True, True, True),
        (math.inf, math.inf, True),
        (1, "1", False),
        (0.30001, 0.3, False),
    ],
)
def test_what_counts_as_the_same(told: Told, value: Any, wanted: Any, same: bool) -> None:
    told.check.call(lambda: value, gives=wanted)
    assert told.last()[0] is same


class bool_:  # what numpy's type is called before 2.0
    """A truth value that is not Python's own."""

    def __init__(self, value: bool) -> None:
        self._value = value

    def __bool__(self) -> bool:
        return self._value


@pytest.mark.parametrize("truth", [np.bool, bool_])
def test_truth_as_numpy_has_it_is_truth(told: Told, truth: Any) -> None:
    for value, wanted in itertools.product((True, False), repeat=2):
        told.check.call(lambda value=value: [truth(value)], gives=[wanted])
        assert told.last()[0] is (value is wanted)
    told.check.call(lambda: np.int64(1), gives=True)
    assert not told.last()[0]


class Odd:
    """A learner's class that fails where it can."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("no comparison")

    def __bool__(self) -> bool:
        raise ValueError("no one truth")

    def __repr__(self) -> str:
        raise ValueError("no repr")

    __hash__ = None  # type: ignore[assignment]


def test_values_that_fail_by_themselves_are_wrong_answers(told: Told) -> None:
    told.check(Odd(), "a hint")
    assert told.last() == (False, "a hint")
    told.check.call(Odd, gives=1)
    assert "gives `<Odd" in told.last()[1]
    itself: list[Any] = []
    itself.append(itself)
    other: list[Any] = []
    other.append(other)
    told.check.call(lambda: itself, gives=other)
    assert not told.last()[0]


def test_what_is_shown_is_marked_and_harmless() -> None:
    bundle = Verdict(False, "`a < b` is <b>bold</b>")._repr_mimebundle_()
    assert bundle["text/plain"] == "✗ Not yet. `a < b` is <b>bold</b>"
    assert bundle["text/html"].endswith(
        "<strong>✗ Not yet.</strong> <code>a &lt; b</code> is &lt;b&gt;bold&lt;/b&gt;</p>"
    )
    assert Verdict(True, "")._repr_mimebundle_()["text/plain"] == "✓ Right."


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    shown = Verdict(False, text)._repr_mimebundle_()["text/html"]
    inside = shown.split("</strong> ", 1)[1].removesuffix("</p>")
    assert "<" not in inside.replace("<code>", "").replace("</code>", "")
    assert inside.count("<code>") == inside.count("</code>")
