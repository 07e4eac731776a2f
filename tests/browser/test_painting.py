"""What is typed is seen first: a key's frame is not shared, and what follows from the key waits for its end."""

from __future__ import annotations

import json

import pytest

from tests.running import Server

from . import notebook
from .driver import Browser, Page, wait

pytestmark = pytest.mark.shared

# All that is drawn or done, in its order, until the test's frames have come. The page's clock and its timers are the
# test's, so that a slow machine changes nothing.
BEGIN = """
    const text = document.body.appendChild(document.createElement('textarea'));
    const press = () => text.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true}));
    const {now} = performance, {setTimeout, clearTimeout} = window, order = window.order = [], timers = new Map();
    let clock = 1e6, frames = 0, last = 1e9;
    performance.now = () => clock;
    window.setTimeout = (call, delay) => (timers.set(last += 1, [clock + delay, call]), last);
    window.clearTimeout = timer => timers.delete(timer);
    const pass = time => {
        clock += time;
        for (const [timer, [due, call]] of timers) if (due <= clock && timers.delete(timer)) call();
    };
    const end = () => {
        Object.assign(performance, {now});
        Object.assign(window, {setTimeout, clearTimeout});
        for (const [, call] of timers.values()) call();
        text.remove();
        order.push('end');
    };
    const each = act => requestAnimationFrame(() => { order.push(`frame ${frames += 1}`); act(); });
    const until = what => order.includes(what) ? end() : each(() => until(what));
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
        until('drawn');
    """
    found = happened(page, script)
    assert found.index("frame 1") < found.index("after") < found.index("drawn")


def test_each_key_has_its_own_frame_however_fast_they_come(server: Server, browser: Browser) -> None:
    """Neither the end of an older key's frame nor its timer ends the wait for a newer one's."""
    page = notebook.open_notebook(browser)
    notebook.wait_opened(page)
    script = """
        const second = () => {
            press();
            painting.after(() => order.push('after 2'));
            painting.request(() => order.push('drawn'));
        };
        press();
        painting.after(() => order.push('after 1'));
        // before the first one's frame has ended; or after it, and before the first one's timer, were it still there
        if (late) painting.after(() => { pass(90); second(); pass(20); });
        else requestAnimationFrame(second);
        const counted = () => order.includes('after 2') && order.includes('drawn') ? end() : each(counted);
        each(counted);
    """
    for late in (False, True):
        found = happened(page, f"const late = {json.dumps(late)}; {script}")
        first, second = found.index("after 1"), found.index("after 2")
        assert any(each.startswith("frame") for each in found[first:second]), found
        assert second < found.index("drawn"), found


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
        const {port1, port2} = new MessageChannel(); // between two frames
        const hold = left => {
            press();
            pass(30);
            port1.onmessage = () => hold(left - 1);
            left ? each(() => port2.postMessage(null)) : end();
        };
        painting.request(() => order.push(`drawn, ${painting.isTyped()}`));
        hold(8);
    """
    found = happened(page, script)
    assert "drawn, true" in found[: found.index("frame 4")], found


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
