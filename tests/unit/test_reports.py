"""How values and errors of cells are shown."""

from __future__ import annotations

import functools
import linecache

import pytest

import reports

NAMES = {"cell-1": "Cell [1]", "cell-2": "Cell [2]"}


def failing(source: str, filename: str = "cell-1", namespace: dict[str, object] | None = None) -> BaseException:
    """What the source raises when it is run as a cell."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        exec(compile(source, filename, "exec"), {} if namespace is None else namespace)  # noqa: S102
    except BaseException as error:
        return error
    raise AssertionError("it raised nothing")


def test_a_traceback_has_the_lines_of_cells_alone() -> None:
    text = reports.error_text(failing("import json\n\njson.loads('{')"), NAMES)
    assert text.splitlines()[:3] == ["Traceback (most recent call last):", "Cell [1], line 3", "    json.loads('{')"]
    assert "json/" not in text
    assert text.splitlines()[-1].startswith("json.decoder.JSONDecodeError: ")


def test_a_function_of_an_earlier_cell_is_named_with_its_cell() -> None:
    namespace: dict[str, object] = {}
    source = "def half(x):\n    return x / 0\n"
    linecache.cache["cell-1"] = (len(source), None, source.splitlines(keepends=True), "cell-1")
    exec(compile(source, "cell-1", "exec"), namespace)  # noqa: S102
    text = reports.error_text(failing("half(1)", "cell-2", namespace), NAMES)
    assert [line for line in text.splitlines() if line.startswith("Cell")] == [
        "Cell [2], line 1",
        "Cell [1], line 2, in half",
    ]


def test_causes_contexts_and_groups_are_shown() -> None:
    source = "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('worse') from error"
    text = reports.error_text(failing(source), NAMES)
    assert text.count("Cell [1]") == 2
    assert "direct cause" in text
    group = reports.error_text(failing("raise ExceptionGroup('many', [KeyError('a'), OSError('b')])"), NAMES)
    assert "KeyError: 'a'" in group
    assert "OSError: b" in group


def test_without_a_cells_line_all_is_shown_but_the_workers_own_files() -> None:
    class Broken:
        def _repr_html_(self) -> str:
            raise OSError("no more")

    class Nested:
        def _repr_json_(self) -> object:
            return functools.reduce(lambda inner, _: [inner], range(reports.MAX_DEPTH + 1), [])

    with pytest.raises(OSError, match="no more") as raised:
        reports.bundle(Broken())
    text = reports.error_text(raised.value, NAMES)
    assert "test_reports.py" in text
    assert "worker/reports.py" not in text
    with pytest.raises(ValueError, match="deeper") as ours:
        reports.bundle(Nested())
    error = ours.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # without this file's own frame
    assert reports.error_text(error, NAMES).startswith("ValueError: ")


def test_a_syntax_error_shows_its_line_and_no_machinery() -> None:
    with pytest.raises(SyntaxError) as raised:
        compile("for x in:\n    pass", "cell-1", "exec")
    text = reports.error_text(raised.value, NAMES)
    assert text.splitlines()[0] == "Cell [1], line 1"
    assert text.splitlines()[-1].startswith("SyntaxError: ")
    assert "Traceback" not in text


def test_an_error_without_a_cell_keeps_all() -> None:
    text = reports.error_text(failing("1 / 0", "other.py"), NAMES)
    assert 'File "other.py", line 1' in text


class Rich:
    """Shows itself in several ways."""

    def _repr_html_(self) -> str:
        return "<b>rich</b>"

    def _repr_png_(self) -> bytes:
        return b"\x89PNG"

    def _repr_json_(self) -> object:
        return {"a": [1, None]}

    def _repr_svg_(self) -> None:
        return None

    def __repr__(self) -> str:
        return "Rich()"


def test_a_value_is_shown_in_all_the_ways_it_knows() -> None:
    data, metadata = reports.bundle(Rich())
    assert data == {
        "text/html": "<b>rich</b>",
        "image/png": "iVBORw==",
        "application/json": {"a": [1, None]},
        "text/plain": "Rich()",
    }
    assert metadata == {}
    assert reports.bundle(Rich)[0] == {"text/plain": repr(Rich)}


def test_a_mimebundle_of_its_own_comes_first() -> None:
    class Own(Rich):
        def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, object]]:
            return {"text/html": "own"}, {"text/html": {"width": 1}}

    data, metadata = reports.bundle(Own())
    assert data["text/html"] == "own"
    assert metadata == {"text/html": {"width": 1}}


def test_wide_containers_are_laid_out_and_long_texts_cut() -> None:
    assert reports.text([1, 2]) == "[1, 2]"
    assert max(map(len, reports.text(list(range(500))).splitlines())) <= reports.WIDTH
    text = reports.text("x" * 2 * reports.MAX_TEXT)
    assert len(text) < 1.1 * reports.MAX_TEXT
    assert text.endswith("characters more)")


def test_json_that_is_nested_too_deep_is_refused() -> None:
    class Deep:
        def _repr_json_(self) -> object:
            value: list[object] = []
            for _ in range(100_000):
                value = [value]
            return value

    with pytest.raises(ValueError, match="nested deeper"):
        reports.bundle(Deep())
