"""The server's own log: nothing from outside can forge a line of it, in text or in JSON."""

from __future__ import annotations

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.logs import FORMATS, JsonFormatter, TextFormatter, escaped, fields, outside_escaped

anything = st.text(st.characters(exclude_categories=()))


def written(form: str, message: str, error: Exception | None = None, **beside: object) -> str:
    """What a record becomes on its way through the handler that the server sets up."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(outside_escaped)
    record = logging.LogRecord("partyline", logging.INFO, __file__, 1, "< %s", (message,), None)
    record.__dict__.update(fields(**beside))
    if error is not None:
        record.exc_info = (type(error), error, None)
    handler.handle(record)
    return stream.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@given(message=anything)
def test_a_message_is_one_line_that_can_be_printed(form: str, message: str) -> None:
    text = written(form, message, path=message)
    assert text.endswith("\n")
    assert text[:-1].isprintable()


@given(message=anything, path=anything)
def test_a_json_line_gives_its_fields_back(message: str, path: str) -> None:
    line = json.loads(written("json", message, path=path, status=None, bytes=5))
    assert line["message"] == f"< {escaped(message)}"
    assert (line["path"], line["bytes"], "status" in line) == (path, 5, False)
    assert (line["level"], line["logger"], line["time"][-6:]) == ("info", "partyline", "+00:00")


@given(message=anything)
def test_a_fault_is_shown_whole_and_escaped(message: str) -> None:
    first, *traceback = written("text", "x", ValueError(message)).split("\n")
    assert first.endswith("< x")
    assert all(line.isprintable() for line in traceback)
    assert "ValueError" in traceback[0]
    line = json.loads(written("json", "x", ValueError(message)))
    assert line["traceback"].startswith("ValueError")


@given(text=anything)
def test_what_can_be_printed_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text or not text.isprintable()
    assert escaped(text).isprintable()
