"""What a page says in passing: a quiet line at its foot, read aloud politely, that goes by itself after a while.

said = Said(); said.say("Cell deleted.", "Undo", undo)
"""

from pyscript import document, ffi, window

from dom import make

SECONDS = 10
BUTTON_SECONDS = 30  # for who reads slowly, or has it read, and wants to press it


class Said:
    """The line. It stays while it has the focus, or the pointer is on it."""

    def __init__(self) -> None:
        self._element = make("div", class_="said", data_testid="said")
        self._element.hidden = True
        region = make("div", role="status")  # always there: what comes into it is read, what comes with it may not be
        region.append(self._element)
        self._timer = None
        self._hide = ffi.create_proxy(self._late)
        document.body.append(region)

    def say(self, text: str, label: str = "", act: "object" = None) -> None:
        """Say this, with a button or without."""
        self._element.replaceChildren(make("span", text))
        if label:
            button = make("button", label, type="button", data_testid="said-button")

            def clicked(event: "object") -> None:
                self.clear()
                act()

            button.addEventListener("click", ffi.create_proxy(clicked))
            self._element.append(button)
        self._element.hidden = False
        self._wait()

    def clear(self) -> None:
        """Say nothing."""
        self._element.hidden = True

    def over(self) -> None:
        """What a button here would undo is no longer what was done last."""
        if self._element.querySelector("button") is not None:
            self.clear()

    def _wait(self) -> None:
        if self._timer is not None:
            window.clearTimeout(self._timer)
        has_button = self._element.querySelector("button") is not None
        self._timer = window.setTimeout(self._hide, (BUTTON_SECONDS if has_button else SECONDS) * 1000)

    def _late(self, *_: object) -> None:
        if self._element.matches(":hover, :focus-within"):
            self._wait()
        else:
            self.clear()
