"""``check``: tells a learner whether an exercise is solved, and where it is not, why, in words for a beginner.

    from partyline import check

    check(total == 10, "The numbers from 1 to 4 add up to 10.")
    check.call(average, [1, 2, 3], gives=2, hint="Did you divide by how many there are?")
    check.that(lambda: average([4])["mean"] > 0, "…")    # where it may raise
    await check.wait(first, "clock", gives=…)            # of an async function

Each shows "Right" or "Not yet" with the reason below the cell, and never raises for what the learner did: a notebook
runs from top to bottom while its exercises are open. An ``...`` that still stands in for the answer is told as such.
"""

from __future__ import annotations

import asyncio
import html
import inspect
import math
import reprlib
import traceback
from collections.abc import Callable
from typing import Any

MIME = "text/html"

EXPLAINED: dict[type[Exception], str] = {
    NameError: "Is the name spelt right, and has the cell run that makes it?",
    ZeroDivisionError: "Something is divided by 0. What if there is nothing to count?",
    IndexError: "A list has no such place. The first is 0, and the last is -1.",
    KeyError: "The dict has no such key. Print the dict to see which it has.",
    AttributeError: "The value has nothing of that name. Print it, and its type(…), to see what it is.",
    TypeError: "A value is of another kind than this line can use, or a function got the wrong number of arguments.",
    ValueError: "The value is of the right kind, but this line cannot use it.",
    StopIteration: "`next` found nothing more.",
    RecursionError: "The function calls itself without an end.",
}
"""What a beginner may look for, by the kind of exception."""

# on a ground of their own, so that they can be read on light pages and on dark ones
_GREEN = "color: #14532d; background-color: #dcfce7"
_RED = "color: #7f1d1d; background-color: #fee2e2"
_BOX = "padding: 0.4rem 0.75rem; border-radius: 0.375rem"

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxset = _SHORT.maxdict = 10
_SHORT.maxstring = _SHORT.maxother = 120


class Verdict:
    """What is shown: whether it is right, and what there is to say."""

    def __init__(self, right: bool, text: str) -> None:
        self.right = right
        self.text = text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        head, colors = ("✓ Right.", _GREEN) if self.right else ("✗ Not yet.", _RED)
        said = html.escape(self.text).split("`")
        marked = "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(said))
        return {
            MIME: f'<p style="{colors}; {_BOX}"><strong>{head}</strong> {marked}</p>',
            "text/plain": f"{head} {self.text}".rstrip(),
        }


class Check:
    """Tells a learner whether an exercise is solved, and where it is not, why: "Right" or "Not yet", below the cell.

    It never raises for what the learner did, so that a notebook runs from top to bottom while its exercises are open.
    An ``...`` that still stands in for the answer is told as such.

    Example:
        from partyline import check

        check(total == 10, "The numbers from 1 to 4 add up to 10.")
    """

    def __init__(self, show: Callable[[object], object]) -> None:
        self._show = show  # displays a Verdict

    def __call__(self, right: object, hint: str = "") -> None:
        """Show that it is right where ``right`` is true, else the hint.

        Args:
            right: a comparison, or what else is true or false.
            hint: what the learner may look for; text in backquotes is shown as code.

        Raises:
            TypeError: a function was given, which ``check.call`` is for.

        Example:
            check(seen == 5, "Count again: `seen` is how many events came.")
        """
        if callable(right):
            raise TypeError("check(…) takes True or False. To check a function, use check.call(function, …, gives=…).")
        if right is ...:
            self._wrong(_OPEN, hint)
        elif _is_true(right):
            self._show(Verdict(True, ""))
        else:
            self._wrong(hint)

    def that(self, test: Callable[[], object], hint: str = "") -> None:
        """The same for a function that tells: what it raises is explained to the learner.

        Args:
            test: a function without parameters, a ``lambda`` for one, that is true where it is right.
            hint: what the learner may look for.

        Example:
            check.that(lambda: answer["mean"] > 0, "Has the dict a `mean`?")
        """
        try:
            right = test()
        except Exception as error:
            self._wrong(_explain(error), hint)
        else:
            self(right, hint)

    def call(self, function: Any, *arguments: Any, gives: object, hint: str = "") -> None:
        """Call the learner's function; it is right where it returns what ``gives`` says.

        Numbers may differ by what rounding makes of them. What the function raises is explained.

        Args:
            function: what the learner has written.
            arguments: what it is called with.
            gives: what it should return.
            hint: what the learner may look for.

        Example:
            check.call(average, [1, 2, 3], gives=2, hint="Did you divide by how many there are?")
        """
        told = _call_text(function, arguments)
        if not callable(function):
            self._wrong(_OPEN if function is ... else f"`{_short(function)}` is no function.", hint)
            return
        try:
            value = function(*arguments)
        except Exception as error:
            self._wrong(f"`{told}` ended with an error. {_explain(error)}", hint)
            return
        if inspect.iscoroutine(value):
            value.close()
            self._wrong(f"`{told}` is `async def`, but a plain `def` is wanted here.", hint)
            return
        self._judge(told, value, gives, hint)

    async def wait(self, function: Any, *arguments: Any, gives: object, hint: str = "", seconds: float = 10) -> None:
        """The same for an ``async def``.

        Args:
            function: what the learner has written.
            arguments: what it is called with.
            gives: what it should return.
            hint: what the learner may look for.
            seconds: how long it may take.

        Example:
            await check.wait(first_word, "room", gives="hello", seconds=5)
        """
        told = _call_text(function, arguments)
        limit = asyncio.timeout(seconds)
        try:
            value = function(*arguments)
            if not inspect.isawaitable(value):
                self._wrong(f"`{told}` gives nothing to await: write `async def`.", hint)
                return
            async with limit:
                value = await value
        except Exception as error:
            late = f"`{told}` was not done after {seconds:g} seconds."
            self._wrong(late if limit.expired() else f"`{told}` ended with an error. {_explain(error)}", hint)
        else:
            self._judge(told, value, gives, hint)

    def _judge(self, told: str, value: object, gives: object, hint: str) -> None:
        if _is_equal(value, gives):
            self._show(Verdict(True, f"`{told}` gives `{_short(value)}`."))
        elif value is ... or (isinstance(value, (list, tuple)) and any(each is ... for each in value)):
            self._wrong(_OPEN, hint)
        elif value is None:
            self._wrong(f"`{told}` gives nothing: is there a `return`? It should give `{_short(gives)}`.", hint)
        else:
            self._wrong(f"`{told}` gives `{_short(value)}`, and should give `{_short(gives)}`.", hint)

    def _wrong(self, *said: str) -> None:
        self._show(Verdict(False, " ".join(part for part in said if part)))

    def __repr__(self) -> str:
        return "<check: check(answer == 4, 'a hint'), check.call(function, 2, gives=4), check.that(lambda: …)>"


_OPEN = "There is still a `...` where your answer goes."


def _is_equal(value: object, wanted: object) -> bool:
    """What a comparison raises is no equality: the learner's own ``__eq__``, a list that holds itself, an array."""
    try:
        return _same(value, wanted)
    except Exception:
        return False


_TRUTHS = ("bool", "bool_")
"""What types of truth values are called: Python's, and numpy's, before its 2.0 and since."""


def _same(value: object, wanted: object) -> bool:
    """Whether they are equal, numbers but for rounding, in lists and dicts too."""
    if isinstance(wanted, bool):
        return type(value).__name__ in _TRUTHS and bool(value) is wanted
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)) and isinstance(wanted, (int, float)):
        return value == wanted or math.isclose(value, wanted, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(value, (list, tuple)) and isinstance(wanted, (list, tuple)):
        alike = isinstance(value, list) == isinstance(wanted, list) and len(value) == len(wanted)
        return alike and all(_same(one, other) for one, other in zip(value, wanted, strict=True))
    if isinstance(value, dict) and isinstance(wanted, dict):
        return value.keys() == wanted.keys() and all(_same(value[key], wanted[key]) for key in wanted)
    return bool(value == wanted)


def _is_true(value: object) -> bool:
    """Also of what has no one truth, as an array: that is not right."""
    try:
        return bool(value)
    except Exception:
        return False


def _explain(error: Exception) -> str:
    """An exception in a sentence or two: what it was, where, and what to look for."""
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    lines = [
        frame.line
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.line and not frame.filename.endswith(".py")  # cells stand in no file
    ]
    where = f" in the line `{lines[-1].strip()}`" if lines else ""
    kind = next((each for each in type(error).__mro__ if each in EXPLAINED), None)
    return f"`{said}`{where}. {EXPLAINED[kind] if kind is not None else ''}".rstrip()


def _call_text(function: object, arguments: tuple[Any, ...]) -> str:
    return f"{getattr(function, '__name__', _short(function))}({', '.join(map(_short, arguments))})"


def _short(value: object) -> str:
    try:
        return _SHORT.repr(value).replace("`", "'")
    except Exception as error:  # the learner's own __repr__
        return f"<{type(value).__name__}, whose repr ended with {type(error).__name__}>"
