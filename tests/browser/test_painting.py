"""What is typed is seen first: a key's frame is not shared, and what follows from the key waits for its end."""

from __future__ import annotations

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

pytestmark = pytest.mark.shared

# All that is drawn or done, in its order, until the test's frames have come. The page's clock is the test's, and timers
# do not go off, so that a slow machine changes nothing.
BEGIN = """
    const text = document.body.appendChild(document.createElement('textarea'));
    const press = () => text.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true}));
    const {now} = performance, {setTimeout} = window, order = window.order = [];
    let clock = 1e6, frames = 0;
    performance.now = () => clock;
    window.setTimeout = () => 0;
    const end = () => {
        Object.assign(performance, {now});
        Object.assign(window, {setTimeout});
        text.remove();
        order.push('end');
    };
    const each = act => requestAnimationFrame(() => { order.push(`frame ${frames += 1}`); act(); });
"""


def happened(page: Page, script: str) -> list[str]:
    """What the script put into ``order``."""
    notebook.run_script(page, BEGIN + script)
    found: list[str] = wait(lambda: page.evaluate("order"), lambda seen: "end" in seen, "the frames")
    return found[: found.index("end")]


def test_nothing_else_is_drawn_in_the_frame_of_a_key(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    script = """
        press();
        painting.after(() => order.push('after'));
        painting.request(() => order.push('drawn'));
        each(() => each(() => each(end)));
    """
    # each frame's own callback was asked for after the drawing was, so it stands behind it
    assert happened(page, script) == ["frame 1", "after", "drawn", "frame 2", "frame 3"]


def test_where_nobody_types_all_is_drawn_at_the_next_frame(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    script = """
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true})); // a command
        const typed = painting.isTyped();
        painting.cancel(painting.request(() => order.push('cancelled')));
        painting.request(() => order.push(`drawn, ${typed}`));
        each(end);
    """
    assert happened(page, script) == ["drawn, false", "frame 1"]


def test_who_holds_a_key_down_sees_the_rest_all_the_same(server: Server, browser: Browser) -> None:
    """A key for each frame: what is to be drawn waits for some of them."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    script = """
        const hold = left => {
            press();
            clock += 30;
            left ? each(() => painting.after(() => hold(left - 1))) : end();
        };
        painting.request(() => order.push(`drawn, ${painting.isTyped()}`));
        hold(8);
    """
    found = happened(page, script)
    assert found[:5] == ["frame 1", "frame 2", "frame 3", "drawn, true", "frame 4"]


def test_one_that_fails_takes_no_other_with_it(server: Server, browser: Browser) -> None:
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    script = """
        addEventListener('error', event => { event.preventDefault(); order.push(event.message); }, {once: true});
        painting.after(() => { throw new Error('cannot'); });
        painting.after(() => order.push('done'));
        painting.flush();
        each(end);
    """
    found = happened(page, script)
    assert "cannot" in found[0]
    assert found[1:] == ["done", "frame 1"]
