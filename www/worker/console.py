"""Tells the browser's console what nobody foresaw, where what goes on must go on."""

from __future__ import annotations

import traceback

import js


def error(error: BaseException) -> None:
    """An error, with its traceback."""
    js.console.error("partyline: " + "".join(traceback.format_exception(error)))
