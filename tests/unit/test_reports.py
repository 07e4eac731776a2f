"""How values and errors of cells are shown."""

from __future__ import annotations

import functools
import linecache
from typing import Any
from unittest.mock import Mock

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
        def __repr__(self) -> str:
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


def test_what_a_library_raised_first_is_told_in_a_line() -> None:
    """An error that a library makes of another one, as zoneinfo and pandas do: no frame of theirs helps."""
    text = reports.error_text(failing("from zoneinfo import ZoneInfo\nZoneInfo('Mars/Base')"), NAMES)
    lines = [line for line in text.splitlines() if line]
    assert "Error" in lines[0]
    assert lines[1:-1] == [
        "During handling of the above exception, another exception occurred:",
        "Traceback (most recent call last):",
        "Cell [1], line 2",
        "    ZoneInfo('Mars/Base')",
        *[line for line in lines[5:-1] if set(line) <= set(" ~^")],
    ]
    assert lines[-1].startswith("zoneinfo._common.ZoneInfoNotFoundError: ")


def test_a_cells_line_anywhere_in_the_chain_is_enough() -> None:
    cause = failing("1 / 0", "cell-1")
    outer = failing("raise OSError('worse')", "other.py")
    outer.__cause__ = cause
    text = reports.error_text(outer, NAMES)
    assert "Cell [1], line 1" in text
    assert "other.py" not in text
    group = ExceptionGroup("many", [outer])
    assert "other.py" not in reports.error_text(group, NAMES)
    outer.__cause__ = None
    assert "other.py" in reports.error_text(group, NAMES)


def test_a_magic_has_no_marks_below_it() -> None:
    """They would be those of the Python that it was made into."""
    error = failing("print(abs(1 / 0))")
    linecache.cache["cell-1"] = (1, None, ["%time 1 / 0"], "cell-1")
    text = reports.error_text(error, NAMES)
    assert text.splitlines()[1:] == ["Cell [1], line 1", "    %time 1 / 0", "ZeroDivisionError: division by zero"]


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


def test_what_has_every_attribute_is_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    class Proxy:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"no connection for {name}")

        def __repr__(self) -> str:
            return "<proxy>"

    assert reports.bundle(Proxy()) == ({"text/plain": "<proxy>"}, {})
    mock = Mock()
    assert reports.bundle(mock) == ({"text/plain": repr(mock)}, {})
    asked: list[str] = []

    class Table:
        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return {"columns": 1}[name]

    assert list(reports.bundle(Table())[0]) == ["text/plain"]
    assert len(asked) == 1
    assert capsys.readouterr().err == ""


def test_a_way_that_fails_is_told_and_the_others_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    class Half(Rich):
        def _repr_mimebundle_(self, **_: object) -> object:
            raise NotImplementedError

        def _repr_html_(self) -> str:
            raise OSError("no more")

    data, _ = reports.bundle(Half())
    assert sorted(data) == ["application/json", "image/png", "text/plain"]
    assert capsys.readouterr().err == "Half._repr_html_() failed, and is not shown: OSError: no more\n"

    class Odd:
        def _repr_mimebundle_(self, **_: object) -> object:
            return "no bundle"

    assert list(reports.bundle(Odd())[0]) == ["text/plain"]
    assert "Odd._repr_mimebundle_() failed" in capsys.readouterr().err

    class Stopped:
        def _repr_html_(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reports.bundle(Stopped())


def test_texts_in_containers_are_whole() -> None:
    said = "a very long dinner with many words " * 8
    for value in ([said, 1], {"said": said}, (said,), [{"deep": [said]}], {said.encode()}, [bytearray(said.encode())]):
        assert repr(said)[1:-1] in reports.text(value)


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
