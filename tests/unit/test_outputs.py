"""A cell's outputs: streams as a terminal shows them, limits, clearing and updates; and what is told of them."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipynb
import outputs as outputs_module
from outputs import MAX_DEPTH, OutputError, Outputs
from partyline.cells import changed
from shapes import new_cell, new_notebook
from tests.unit.notebooks import over_the_wire

BUNDLE: dict[str, Any] = {"text/plain": "a figure", "application/json": {"x": [1, None]}}


def shown(*texts: str) -> str:
    outputs = Outputs()
    for text in texts:
        outputs.stream("stdout", text)
    return "".join(output["text"] for output in outputs.outputs())


def texts(outputs: Outputs) -> list[str]:
    return [output["text"] for output in outputs.outputs()]


def test_a_line_is_overwritten() -> None:
    assert shown("one\n10%", "\r20%", "\r\x1b[K9%\n") == "one\n9%\n"


def test_streams_are_joined_while_nothing_else_comes() -> None:
    outputs = Outputs()
    for name, text in [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", ""), ("stdout", "d")]:
        outputs.stream(name, text)
    outputs.display(BUNDLE, {})
    outputs.stream("stdout", "e")
    assert [(each.get("name"), each.get("text")) for each in outputs.outputs()] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
        (None, None),
        ("stdout", "e"),
    ]


def test_clear_at_once_or_with_what_comes_next() -> None:
    outputs = Outputs()
    outputs.stream("stdout", "a")
    outputs.clear(wait=True)
    assert texts(outputs) == ["a"]
    outputs.stream("stdout", "b")
    assert texts(outputs) == ["b"]
    outputs.clear()
    assert outputs.outputs() == []
    outputs.stream("stdout", "c")
    outputs.clear(wait=True)
    outputs.clear()
    outputs.stream("stdout", "d")
    outputs.stream("stdout", "e")
    assert texts(outputs) == ["de"]


def test_displays_are_updated_by_their_id() -> None:
    outputs = Outputs()
    outputs.display(BUNDLE, {}, display_id="x")
    outputs.display(BUNDLE, {}, display_id="y")
    outputs.display(BUNDLE, {}, display_id="x")
    outputs.take()
    assert outputs.update("x", {"text/plain": "new"}, {"m": 1})
    assert [each["data"]["text/plain"] for each in outputs.outputs()] == ["new", "a figure", "new"]
    delta = outputs.take()
    assert delta is not None
    assert [part["at"] for part in delta["parts"]] == [0, 2]
    assert not outputs.update("z", BUNDLE, {})
    assert outputs.take() is None


def test_output_is_cut_after_so_many_lines() -> None:
    outputs = Outputs(max_lines=3)
    outputs.stream("stdout", "1\n2\n3\n")
    assert texts(outputs) == ["1\n2\n3\n"]
    outputs.stream("stdout", "4")
    outputs.stream("stderr", "5")
    outputs.display(BUNDLE, {})
    at_once = Outputs(max_lines=3)
    at_once.stream("stdout", "1\n2\n3\n4")
    assert texts(at_once) == texts(outputs) == ["1\n2\n3\n", "… output was cut after 3 lines\n"]


def test_output_is_cut_after_so_many_characters() -> None:
    outputs = Outputs(max_characters=5_000)
    for number in range(1_000_000):
        outputs.stream("stdout", f"\r{number}")  # what is overwritten does not count
    outputs.stream("stdout", "\r" + "x" * 10_000)
    assert texts(outputs) == ["x" * 5_000, "… output was cut after 5,000 characters\n"]


def test_bars_below_each_other_go_on_for_ever() -> None:
    outputs = Outputs(max_characters=100, max_lines=3)
    for number in range(1_000):
        outputs.stream("stderr", f"\r{number}\x1b[K")
        outputs.stream("stderr", f"\n\r{number}\x1b[K\x1b[A")
    assert texts(outputs) == ["999\n999"]
    outputs.stream("stderr", "\r\x1b[J" + "x\n" * 4)
    assert texts(outputs) == ["x\n" * 3, "… output was cut after 3 lines\n"]


def test_colours_that_are_gone_over_again_and_again_count() -> None:
    outputs = Outputs(max_characters=500)
    outputs.stream("stdout", "\x1b[1m\x1b[3m\x1b[4m\x1b[31m" + "x" * 100 + "\x1b[0m")
    for _ in range(40):
        outputs.stream("stdout", "y\b\b\b")
    assert len(texts(outputs)[0]) == 500
    assert texts(outputs)[1:] == ["… output was cut after 500 characters\n"]


def test_what_is_displayed_counts_and_a_large_one_is_told() -> None:
    outputs = Outputs(max_characters=1_000)
    outputs.stream("stdout", "abc")
    outputs.display({"text/plain": "x" * 2_000}, {})
    assert texts(outputs) == ["abc", "… output was cut after 3 characters, since 2,024 more came at once\n"]


def test_an_update_counts_and_one_that_is_too_large_changes_nothing() -> None:
    outputs = Outputs(max_characters=1_000)
    outputs.display({"text/plain": ""}, {}, display_id="x")
    assert outputs.update("x", {"text/plain": "x" * 900}, {})
    assert outputs.update("x", {"text/plain": "y" * 2_000}, {})
    assert outputs.outputs()[0]["data"] == {"text/plain": "x" * 900}
    assert [each.get("text") for each in outputs.outputs()] == [
        None,
        "… output was cut after 924 characters, since an update of 2,024 came\n",
    ]


def test_output_is_cut_after_so_many_outputs() -> None:
    outputs = Outputs(max_outputs=3)
    for _ in range(10):
        outputs.stream("stdout", "a")
        outputs.stream("stderr", "b")
    assert texts(outputs) == ["a", "b", "a", "… output was cut after 3 outputs\n"]


def test_the_last_words_are_heard_after_the_limit() -> None:
    outputs = Outputs(max_lines=1)
    outputs.stream("stdout", "a\nb\n")
    outputs.result(7, BUNDLE, {})
    outputs.error("ValueError", "v" * 1_000_000, ["first", "x" * 1_000_000, "last"])
    kinds = [each["output_type"] for each in outputs.outputs()]
    assert kinds == ["stream", "stream", "execute_result", "error"]
    error = outputs.outputs()[-1]
    assert (error["traceback"][0], error["traceback"][-1]) == ("first", "last")
    assert len(str(error)) < 200_000
    outputs.result(8, {"text/plain": "x" * 300_000}, {})
    assert len(outputs.outputs()) == 4


def test_after_clearing_the_limits_begin_anew() -> None:
    outputs = Outputs(max_lines=1)
    for _ in range(3):
        outputs.stream("stdout", "a\nb\n")
        assert len(outputs.outputs()) == 2
        outputs.clear(wait=True)
    outputs.stream("stdout", "c")
    assert texts(outputs) == ["c"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"text/plain": 1}, "text/plain must be a str, not int"),
        ({"application/json": float("nan")}, "can't be JSON"),
        ({"application/json": {1, 2}}, "can't be JSON"),
        ({1: "x"}, "no MIME type"),
        (["text/plain"], "a dict"),
    ],
)
def test_what_can_not_be_saved_is_not_displayed(data: Any, says: str) -> None:
    outputs = Outputs()
    for show in (lambda: outputs.display(data, {}), lambda: outputs.result(1, data, {})):
        with pytest.raises(OutputError, match=says):
            show()
    with pytest.raises(OutputError, match=says):
        outputs.update("x", data, {})
    assert outputs.outputs() == []


def nested(levels: int) -> Any:
    inner: Any = 1
    for level in range(levels):
        inner = [inner] if level % 2 else {"x": inner}
    return inner


def test_what_is_displayed_is_as_deep_as_a_file_can_be() -> None:
    outputs = Outputs()
    outputs.display({"application/json": nested(MAX_DEPTH - 1)}, {})
    cell = {**new_cell("a"), "outputs": outputs.outputs()}
    again = ipynb.read(ipynb.write(new_notebook("hello", [cell])), "hello", lambda: "b").notebook["cells"][0]
    assert again["outputs"] == [{**outputs.outputs()[0], "trusted": False}]
    cyclic: list[Any] = []
    cyclic.append(cyclic)
    for deep in (nested(MAX_DEPTH), nested(100_000), cyclic):
        with pytest.raises(OutputError, match="deeper"):
            outputs.display({"application/json": deep}, {})


PIECES = [
    "a",
    "bc",
    "😀",
    "\r",
    "\n",
    "\b",
    "\x1b[A",
    "\x1b[B",
    "\x1b[K",
    "\x1b[2K",
    "\x1b[J",
    "\x1b[31m",
    "\x1b[0m",
    "\x1b[",
]
TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join)
ACT = st.one_of(
    st.tuples(st.just("stream"), st.sampled_from(["stdout", "stderr"]), TEXT),
    st.tuples(st.just("display"), st.just({"text/plain": "x"}), st.just({}), st.sampled_from([None, "i", "j"])),
    st.tuples(st.just("update"), st.sampled_from(["i", "j"]), st.just({"text/plain": "new"}), st.just({})),
    st.tuples(st.just("result"), st.integers(1, 9), st.just({"text/plain": "r"}), st.just({})),
    st.tuples(st.just("error"), st.just("E"), st.just("v"), st.just(["t"])),
    st.tuples(st.just("clear"), st.booleans()),
    st.tuples(st.just("take")),
)


@given(st.lists(ACT, max_size=30), st.integers(1, 60), st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=500)
def test_who_takes_what_changed_has_all(acts: list[Any], characters: int, lines: int, count: int) -> None:
    outputs = Outputs(characters, lines, count)
    has: list[Any] = []
    for name, *arguments in [*acts, ("take",)]:
        if name != "take":
            getattr(outputs, name)(*arguments)
            continue
        before = outputs.outputs()
        delta = over_the_wire(outputs.take())
        assert delta is not None or has == before
        has = changed(has, delta) if delta is not None else has
        assert has == outputs.outputs()
        assert outputs.take() is None
    streams = [each["text"] for each in has if "text" in each and not each["text"].startswith("…")]
    assert sum(map(len, streams)) <= characters
    assert "".join(streams).count("\n") <= lines
    assert len([each for each in has if each["output_type"] in ("stream", "display_data")]) <= count + 1
    cells = [
        nbformat.v4.new_code_cell("", id="a", execution_count=1, outputs=[nbformat.from_dict(each) for each in has])
    ]
    nbformat.validate(nbformat.v4.new_notebook(cells=cells))


@given(st.lists(TEXT, max_size=12))
@settings(max_examples=300)
def test_who_takes_after_each_write_has_all(pieces: list[str]) -> None:
    outputs = Outputs()
    has: list[Any] = []
    for piece in pieces:
        outputs.stream("stdout", piece)
        delta = outputs.take()
        has = has if delta is None else changed(has, over_the_wire(delta))
        assert has == outputs.outputs()


def test_a_progress_bar_is_told_by_its_line_alone() -> None:
    outputs = Outputs()
    outputs.stream("stdout", "before\n10%")
    outputs.take()
    outputs.stream("stdout", "\r20%")
    assert outputs.take() == {"length": 1, "parts": [{"at": 0, "keep": 7, "text": "20%"}]}


def test_a_flood_costs_what_is_new() -> None:
    outputs = Outputs()
    sent = 0
    for number in range(4_000):
        outputs.stream("stdout", f"line {number}\n")
        delta = outputs.take()
        assert delta is not None
        sent += len(str(delta))
    assert sent < 100 * 4_000
    assert outputs_module.MAX_LINES > 4_000


def test_a_long_line_in_small_pieces() -> None:
    outputs = Outputs()
    for _ in range(200_000):
        outputs.stream("stdout", "x")
    assert texts(outputs) == ["x" * 200_000]


def test_what_is_there_already_stays_above_and_is_not_told_again() -> None:
    there = [{"output_type": "stream", "name": "stdout", "text": "there"}]
    outputs = Outputs(shown=there)
    assert outputs.take() is None
    outputs.stream("stdout", "more")
    assert outputs.take() == {"length": 2, "parts": [{"at": 1, "output": {**there[0], "text": "more"}}]}
    assert outputs.outputs()[:1] == there
    outputs.clear()
    assert outputs.take() == {"length": 0, "parts": []}


def test_what_is_there_already_counts() -> None:
    outputs = Outputs(max_characters=50, shown=[{"output_type": "stream", "name": "stdout", "text": "x" * 50}])
    outputs.stream("stdout", "more")
    assert [each["text"] for each in outputs.outputs()] == ["x" * 50, "… output was cut after 50 characters\n"]
