"""The server's own log, on stderr: lines for people, or one JSON object a line for programs.

In flow logging's records, whose ``extra={"fields": {...}}`` holds what a program may want to sort by; out come lines.
What came from outside may hold line breaks and a terminal's control characters: they are shown escaped, in both.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")


def fields(**values: Any) -> dict[str, dict[str, Any]]:
    """For a logging call's ``extra``: what stands beside the message in a JSON line. None is left out."""
    return {"fields": {name: value for name, value in values.items() if value is not None}}


def set_up(form: str, level: str) -> None:
    """Write everybody's log to stderr, Hypercorn's too, unless somebody has set up logging before."""
    root = logging.getLogger()
    if root.handlers or logging.getLogger("partyline").handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(outside_escaped)
    root.addHandler(handler)
    logging.getLogger("partyline").setLevel(level.upper())

    def take_over(record: logging.LogRecord) -> bool:
        """Hypercorn gives its logger a handler when it starts; a filter of the logger comes before that."""
        handler.handle(record)
        return False

    logging.getLogger("hypercorn.error").addFilter(take_over)


class TextFormatter(logging.Formatter):
    """Time, level, logger, message; then the traceback, if there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, ei: Any) -> str:
        """The traceback, line by line, with all else in it escaped."""
        return "\n".join(escaped(line) for line in super().formatException(ei).split("\n"))


class JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, the fields, ``traceback``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON text, in ASCII."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info != (None, None, None):
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def escaped(text: str) -> str:
    """The text with what cannot be printed in Python's escapes."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def outside_escaped(record: logging.LogRecord) -> bool:
    """A handler's filter: has the message shown escaped, and lets it pass."""
    text = record.getMessage()
    if not text.isprintable():
        record.msg, record.args = escaped(text), ()
    return True
