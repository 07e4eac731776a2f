"""Completions, signatures and documentation out of a live namespace."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assist
from partyline.changes import size


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
    return [option["label"] for option in assist.complete(text, size(text), NAMESPACE)["options"]]


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


def test_a_list_that_was_cut_says_so() -> None:
    """What does not stand in it may fit what is typed next, as most of numpy does after ``np.``."""
    many = type("Many", (), dict.fromkeys([f"a{number:03}" for number in range(assist.MAX_COMPLETIONS)] + ["zeros"]))
    whole = assist.complete("many.", 5, {"many": many})
    assert len(whole["options"]) == assist.MAX_COMPLETIONS
    assert whole["cut"] is True
    narrow = assist.complete("many.z", 6, {"many": many})
    assert [option["label"] for option in narrow["options"]] == ["zeros"]
    assert narrow["cut"] is False


def test_what_cells_have_given_is_completed_by_its_number_alone() -> None:
    """Else a thousand of them hide what the user has called so."""
    told = {
        **dict.fromkeys([f"_{number}" for number in range(1_000)] + ["_", "_i", "_i1", "_own", "_1st"], 0),
        "Out": {},
    }

    def offered(text: str) -> list[str]:
        return [option["label"] for option in assist.complete(text, len(text), told)["options"]]

    assert {"_", "_i", "_own"} <= set(offered("_"))
    assert not {"_1", "_i1"} & set(offered("_"))
    assert offered("_99") == ["_99", *[f"_99{digit}" for digit in range(10)]]
    assert offered("_i1") == ["_i1"]
    assert "Out" in offered("O")


def test_where_the_word_begins_is_told() -> None:
    assert assist.complete("a = math.sq", 11, NAMESPACE)["from"] == 9


def test_the_parameter_that_is_written_is_told() -> None:
    told = assist.signature("greet('x', ", 11, NAMESPACE)
    assert told is not None
    start, end = told["active"]
    assert told["text"][start:end] == "times: int = 2"
    assert told["info"] == "Say hello."
    assert assist.signature("greet(max(1, 2), ", 17, NAMESPACE) == told
    assert assist.signature("greet('x')", 10, NAMESPACE) is None
    assert assist.signature("unknown(", 8, NAMESPACE) is None
    assert assist.signature("[1, ", 4, NAMESPACE) is None


def test_hover_tells_what_something_is() -> None:
    told = assist.hover("greet('x')", 2, NAMESPACE)
    assert told is not None
    assert (told["from"], told["to"]) == (0, 5)
    assert told["text"].startswith("greet(name: str, times: int = 2) -> str\n\nSay hello.")
    assert assist.hover("numbers_seen", 3, NAMESPACE) == {"text": "numbers_seen: list", "from": 0, "to": 12}
    assert assist.hover("while True", 2, NAMESPACE) is None
    assert assist.hover("unknown", 2, NAMESPACE) is None
    assert assist.hover("trap", 2, NAMESPACE) == {
        "text": "trap: Trap\n\nAsking for `costly` would run code.",
        "from": 0,
        "to": 4,
    }


def test_completions_bring_the_first_paragraph_of_their_documentation() -> None:
    (option,) = assist.complete("gre", 3, NAMESPACE)["options"]
    assert option == {"label": "greet", "type": "function", "detail": "function", "info": "Say hello."}
    (option,) = assist.complete("num", 3, NAMESPACE)["options"]
    assert "info" not in option, "of a list there is nothing to tell"


def test_no_code_of_the_users_is_run() -> None:
    assert "costly" in labels("trap.c")
    assist.hover("trap.costly", 8, NAMESPACE)
    labels("trap.costly.r")
    assert Trap.asked == 0


def cut(text: str, start: int, end: int) -> str:
    """A part of a text as JavaScript cuts it."""
    return text.encode("utf-16-le")[start * 2 : end * 2].decode("utf-16-le")


def test_offsets_count_as_the_editor_does() -> None:
    """In UTF-16 code units: an emoji is two."""
    assert "append" in labels('m = "🎉"\nprint(numbers_seen.')
    text = '"🎉"; math.sq'
    assert cut(text, assist.complete(text, size(text), NAMESPACE)["from"], size(text)) == "sq"
    assert assist.complete("x = '🎉' + ", 11, NAMESPACE) == {"from": 11, "options": [], "cut": False}
    text = "'🎉', 𝐱.a"  # a letter that is two, too
    told = assist.complete(text, size(text), {"𝐱": [1]})
    assert cut(text, told["from"], size(text)) == "a"
    assert "append" in [option["label"] for option in told["options"]]

    text = "'🎉'; greet('🎉', "
    called = assist.signature(text, size(text), NAMESPACE)
    assert called is not None
    assert cut(called["text"], *called["active"]) == "times: int = 2"
    assert assist.signature(text, size("'🎉'; greet"), NAMESPACE) is None

    text = "'🎉'; greet('🎉')"
    told = assist.hover(text, size("'🎉'; gr"), NAMESPACE)
    assert told is not None
    assert cut(text, told["from"], told["to"]) == "greet"


def test_the_parameter_is_told_as_the_editor_counts() -> None:
    def celebrate(how: str = "🎉🎉", times: int = 2) -> None:
        pass

    told = assist.signature("celebrate('x', ", 15, {"celebrate": celebrate})
    assert told is not None
    assert cut(told["text"], *told["active"]) == "times: int = 2"


@pytest.mark.parametrize("help_with", [assist.complete, assist.signature, assist.hover])
@given(text=st.text(alphabet="math.greet('x') ,[]{}\n\"é𝄞𝐱_1\ud83d\udf89", max_size=40), offset=st.integers(-3, 90))
def test_whatever_is_written_nothing_fails(help_with: Any, text: str, offset: int) -> None:
    """Beyond the text's ends, and between the halves of a character, too."""
    told = help_with(text, offset, NAMESPACE)
    if told is not None and "from" in told:
        assert 0 <= told["from"] <= told.get("to", size(text)) <= size(text)
