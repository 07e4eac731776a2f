"""What the back ends have in common that speak WebDriver (W3C) to their browser, each through its own library."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable
from itertools import groupby
from typing import Any, ClassVar, TypeVar

from .driver import DriverError, Page, wait

PATIENCE = 120.0  # for a single thing the browser is told; a page that is stuck must not hold up the tests

# WebDriver's own characters for keys (section 17.4.2)
KEYS = {
    "Shift": "\ue008",
    "Control": "\ue009",
    "Alt": "\ue00a",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Tab": "\ue004",
    "Backspace": "\ue003",
    "Home": "\ue011",
    "End": "\ue010",
    "ArrowLeft": "\ue012",
    "ArrowUp": "\ue013",
    "ArrowRight": "\ue014",
    "ArrowDown": "\ue015",
}

_EVALUATE = """const done = arguments[arguments.length - 1];
Promise.resolve().then(() => (EXPRESSION)).then(
    value => done({json: JSON.stringify(value) ?? "null"}),
    error => done({error: String(error)}));"""

_CLICKABLE = """(element => !element ? "is not there" : element.disabled ? "is disabled" :
    element.getClientRects().length ? "" : "is hidden")(document.querySelector('[data-testid="TEST_ID"]'))"""

T = TypeVar("T")


class WebDriverPage(Page):
    """A tab. ``stale`` is what the library raises where an element is no longer in the page."""

    stale: ClassVar[type[Exception]]

    @abstractmethod
    def _run(self, call: Callable[[Any], T]) -> T:
        """Have the library's driver do something in this tab; what goes wrong is a ``DriverError``."""

    @abstractmethod
    def _focused(self, driver: Any) -> Any:
        """The element that has the focus."""

    def click(self, test_id: str) -> None:
        """A click of the mouse, once the element can be clicked on."""
        self._with(test_id, lambda element: element.click())

    def _type(self, test_id: str, text: str) -> None:
        """Key by key. WebKitGTK has no key for a character beyond U+FFFF."""
        self._with(test_id, lambda element: element.send_keys(text.replace("\n", KEYS["Enter"])))

    def press(self, *keys: str) -> None:
        """Sent to the element that has the focus; modifiers are let go of at the end by themselves.

        What is the same key again goes out with the first, since ``d d`` must be quick.
        """
        for key, same in groupby(keys):
            text = "".join(KEYS.get(part, part) for part in key.split("+")) * len(list(same))
            wait(lambda text=text: self._run(lambda driver: self._send(driver, text)), bool, f"{key} to be pressed")

    def _send(self, driver: Any, text: str) -> bool:
        """Whether the element that had the focus stayed there until it was sent this."""
        try:
            self._focused(driver).send_keys(text)
        except self.stale:
            return False
        return True

    def _with(self, test_id: str, act: Callable[[Any], None]) -> None:
        """Do something with an element; anew where it gave way to another between being found and being used."""
        look = _CLICKABLE.replace("TEST_ID", test_id)

        def attempt(driver: Any) -> bool:
            try:
                act(driver.find_element("css selector", f'[data-testid="{test_id}"]'))
            except self.stale:
                return False
            return True

        def done() -> bool:
            wait(lambda: self.evaluate(look), lambda why: why == "", f"{self!r}: {test_id} to be there", PATIENCE)
            return self._run(attempt)

        wait(done, bool, f"{self!r}: {test_id} to stay", PATIENCE)


def evaluation(expression: str) -> str:
    """The body of an asynchronous script that evaluates an expression; its result is for ``value``."""
    return _EVALUATE.replace("EXPRESSION", expression)


def value(result: dict[str, str] | None) -> Any:
    """What an ``evaluation`` came to. Marionette returns None where the page was left before it could answer."""
    if result is None:
        raise DriverError("the page was left before it answered")
    if "error" in result:
        raise DriverError(result["error"])
    return json.loads(result["json"])
