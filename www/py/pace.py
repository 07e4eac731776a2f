"""When a page is drawn: once a frame, however much has changed, and where only events flow twenty times a second.

    pace = Pace(draw, window, ffi.create_proxy)
    pace.soon()        something changed: draw() is called at the next frame
    pace.flow()        events came, and nothing else: draw() is called within EVENTS_DRAW_MS and a frame
    pace.turned()      the tab was hidden, or is looked at again

A hidden tab has no frames; HIDDEN_DRAW_MS stand for one there.
Who types beside a thousand events a second needs the processor, too: meanwhile TYPED_DRAW_MS stand for EVENTS_DRAW_MS,
and a frame that shows a key is no one else's (js/painting.js). What was asked for before a drawing is in it, so nothing
is drawn twice.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Callable
    from typing import Any

HIDDEN_DRAW_MS = 250  # between a change and its drawing in a hidden tab, which has no frames
EVENTS_DRAW_MS = 50  # between two drawings of events, where they come so fast that each frame would be one
TYPED_DRAW_MS = 100  # the same while the user types: what is typed is looked at

SOON = "soon"
FLOW = "flow"


class Pace:
    """One page's.

    Args:
        draw: shows all that there is to show; called without arguments.
        window: the browser's, or what stands for it: ``painting`` (js/painting.js, for frames), ``setTimeout``,
            ``clearTimeout``, ``performance.now`` and ``document.hidden`` are used.
        proxy: makes a function of Python's one that the window can call.
    """

    def __init__(self, draw: "Callable[[], None]", window: "Any", proxy: "Callable[[Any], Any]") -> None:
        self._draw = draw
        self._window = window
        self._drawn = 0.0  # when the last drawing began, in milliseconds of the page's clock
        self._waits = ""  # SOON or FLOW while a drawing is asked for
        self._frame: "int | None" = None
        self._timer: "int | None" = None
        self._on_time = proxy(self._time_came)

    def soon(self) -> None:
        """Something changed."""
        if self._waits != SOON:
            self._wait_soon()

    def flow(self) -> None:
        """Events came, and nothing else changed."""
        if self._waits:
            return
        between = TYPED_DRAW_MS if self._window.painting.isTyped() else EVENTS_DRAW_MS
        rest = self._drawn + between - self._window.performance.now()
        if rest <= 0:
            self._wait_soon()
        else:
            self._waits = FLOW
            self._timer = self._window.setTimeout(self._on_time, rest)

    def turned(self) -> None:
        """The tab was hidden, or is looked at again: a frame that was asked for before may never come."""
        self._wait_soon()

    def _wait_soon(self) -> None:
        self._forget()
        self._waits = SOON
        if self._window.document.hidden:  # its title and counts shall be right when it is looked at
            self._timer = self._window.setTimeout(self._on_time, HIDDEN_DRAW_MS)
        else:
            self._frame = self._window.painting.request(self._on_time)

    def _forget(self) -> None:
        if self._frame is not None:
            self._window.painting.cancel(self._frame)
        if self._timer is not None:
            self._window.clearTimeout(self._timer)
        self._frame = self._timer = None

    def _time_came(self, *_: object) -> None:
        self._frame = self._timer = None
        if self._waits == FLOW:
            self._wait_soon()
        else:
            self._waits = ""
            self._drawn = self._window.performance.now()
            self._draw()
