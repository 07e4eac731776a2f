"""Small helpers for elements. All text goes in through ``textContent``, so nothing that arrives is ever markup."""

from pyscript import document


def find(test_id: str) -> "object":
    """The element with this ``data-testid``; a page that lacks it is broken, so none raises KeyError."""
    element = document.querySelector(f'[data-testid="{test_id}"]')
    if element is None:
        raise KeyError(test_id)
    return element


def find_all(selector: str) -> "list":
    """All elements that match a CSS selector, in the page's order."""
    found = document.querySelectorAll(selector)
    return [found.item(index) for index in range(found.length)]


def make(tag: str, text: str = "", **attributes: str) -> "object":
    """A new element. Underscores in attribute names stand for hyphens; ``class_`` is ``class``."""
    element = document.createElement(tag)
    if text:
        element.textContent = text
    for name, value in attributes.items():
        element.setAttribute(name.strip("_").replace("_", "-"), value)
    return element


def hide(element: "object", hidden: bool) -> None:
    """Take an element from sight, or bring it back; where it is so already, the browser has nothing to work out."""
    if element.hidden != hidden:
        element.hidden = hidden


def show(element: "object", text: str) -> None:
    """Set an element's text, if it is another one than before: a text set anew is read aloud anew."""
    if element.textContent != text:
        element.textContent = text
