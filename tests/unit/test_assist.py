"""Completions, signatures and documentation out of a live namespace."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assist


class Trap:
    """Asking for ``costly`` would run code."""

    asked = 0

    @property
    def costly(self) -> int:
        """It counts."""
        Trap.asked += 1
        return 1


def greet(name: str, times: int = 2) -> str:
    """Say hello.

    As often as wanted.
    """
    return name * times


NAMESPACE: dict[str, Any] = {"math": math, "greet": greet, "trap": Trap(), "numbers_seen": [1]}


def labels(text: str) -> list[str]:
    return [option["label"] for option in assist.complete(text, len(text), NAMESPACE)["options"]]


def test_names_attributes_keywords_and_modules_are_completed() -> None:
    assert labels("num") == ["numbers_seen"]
    assert {"sin", "sqrt"} <= set(labels("x = math.s"))
    assert "while" in labels("wh")
    assert "append" in labels("numbers_seen.ap")
    assert "math" in labels("import ma")
    assert "sin" in labels("from math import si")
    assert labels("x = ") == []
    assert labels("unknown.") == []
    assert "__add__" not in labels("numbers_seen.")
    assert "__add__" in labels("numbers_seen.__a")


def test_where_the_word_begins_is_told() -> None:
    assert assist.complete("a = math.sq", 11, NAMESPACE)["from"] == 9


def test_the_parameter_that_is_written_is_told() -> None:
    told = assist.signature("greet('x', ", 11, NAMESPACE)
    assert told is not None
    start, end = told["active"]
    assert told["text"][start:end] == "times: 'int' = 2"
    assert told["info"] == "Say hello."
    assert assist.signature("greet(max(1, 2), ", 17, NAMESPACE) == told
    assert assist.signature("greet('x')", 10, NAMESPACE) is None
    assert assist.signature("unknown(", 8, NAMESPACE) is None
    assert assist.signature("[1, ", 4, NAMESPACE) is None


def test_hover_tells_what_something_is() -> None:
    told = assist.hover("greet('x')", 2, NAMESPACE)
    assert told is not None
    assert (told["from"], told["to"]) == (0, 5)
    assert told["text"].startswith("greet(name: 'str', times: 'int' = 2) -> 'str'\n\nSay hello.")
    assert assist.hover("numbers_seen", 3, NAMESPACE) == {"text": "numbers_seen: list", "from": 0, "to": 12}
    assert assist.hover("while True", 2, NAMESPACE) is None
    assert assist.hover("unknown", 2, NAMESPACE) is None


def test_no_code_of_the_users_is_run() -> None:
    assert "costly" in labels("trap.c")
    assist.hover("trap.costly", 8, NAMESPACE)
    labels("trap.costly.r")
    assert Trap.asked == 0


@pytest.mark.parametrize("help_with", [assist.complete, assist.signature, assist.hover])
@given(text=st.text(alphabet="math.greet('x') ,[]{}\n\"é𝄞_1", max_size=40), data=st.data())
def test_whatever_is_written_nothing_fails(help_with: Any, text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    help_with(text, offset, NAMESPACE)
