"""JavaScript that WebDriver's back ends run in pages."""

from __future__ import annotations

import json
from typing import Any

from .driver import DriverError

_EVALUATE = """const done = arguments[arguments.length - 1];
Promise.resolve().then(() => (EXPRESSION)).then(
    value => done({json: JSON.stringify(value) ?? "null"}),
    error => done({error: String(error)}));"""

CLICKABLE = """(element => !element ? "is not there" : element.disabled ? "is disabled" :
    element.getClientRects().length ? "" : "is hidden")(document.querySelector('[data-testid="TEST_ID"]'))"""


def evaluation(expression: str) -> str:
    """The body of an asynchronous script that evaluates an expression; its result is for ``value``."""
    return _EVALUATE.replace("EXPRESSION", expression)


def value(result: dict[str, str]) -> Any:
    """What an ``evaluation`` came to."""
    if "error" in result:
        raise DriverError(result["error"])
    return json.loads(result["json"])
