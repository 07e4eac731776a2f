"""One open notebook in the worker: its document, its kernel, the tabs that look at it. The desk has one for each.

What tabs do and what cells put out changes the document; each change goes to all tabs, and to the shelf soon after.
Outputs are told at most every ``FLUSH_SECONDS``, however fast they come; at once where nothing was told for so long:
the cell may give nothing else its turn until it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import time
from collections.abc import Callable
from typing import Any

import console
import reports
from document import Document, Told
from elsewhere import Post, Turns
from guard import Guard
from kernel import Kernel, Surroundings
from outputs import Output, Outputs
from partyline.cells import is_for_tab
from shapes import Refused

FLUSH_SECONDS = 0.05
"""How often at most a cell's new outputs are told to the tabs."""

HURRIES = 10
"""But where the code wants it, as ``print(…, flush=True)`` does: so many times more, now and then."""


class Opened:
    """A notebook that is open.

    Args:
        document: its cells and all.
        guard: stops cells.
        post: tells all tabs that have it open, or the one on a port; a dict with ``what`` and more.
        changed: is called after each change, for who saves.
        hold: is called with True before a cell runs during which this worker may hear nothing, and with False after it.
        given: what cells have around them.
    """

    def __init__(
        self,
        document: Document,
        guard: Guard,
        post: Post,
        changed: Callable[[], None],
        hold: Callable[[bool], None],
        given: Surroundings,
    ) -> None:
        self.document = document
        self.name: str = document.whole()["name"]
        self.ports: set[int] = set()
        self.asked: dict[str, tuple[str, str, bool, asyncio.Future[str]]] = {}  # by cell: what input() waits for
        self._post = post
        self._changed = changed
        self._kernel = Kernel(guard, self.name, self._cell_is, hold, given)
        self._turns = Turns(self.ports, post)
        self._sinks: dict[str, CellSink] = {}
        self._next_sinks: dict[str, CellSink] = {}  # of runs that wait; what the last one left may go on until then

    @property
    def busy(self) -> bool:
        """Whether a cell runs."""
        return self._kernel.busy is not None

    @property
    def namespace(self) -> dict[str, Any]:
        """The cells' variables."""
        return self._kernel.namespace

    def apply(self, operation: object, original: dict[str, Any] | None = None) -> None:
        """Do what a tab wants of the document. Raises Refused."""
        self._change(lambda: self.document.apply(operation, original))

    def adopt(self, whole: object) -> None:
        """Take another copy, as ``Document.adopt`` does. Raises Refused."""
        self._change(lambda: self.document.adopt(whole))

    def bring_back(self, whole: object) -> None:
        """Have the cells of an earlier copy again, as ``Document.bring_back`` does. Raises Refused."""
        self._change(lambda: self.document.bring_back(whole))

    def _change(self, do: Callable[[], Told | None]) -> None:
        """Do this to the document. A cell that runs, or waits, and is not there as code any more is stopped."""
        for sink in self._sinks.values():
            sink.settle()  # what was put out before stands there before
        before = [(cell["id"], cell["state"]) for cell in self.document.cells]
        self.tell(do())
        now = {cell["id"]: cell["state"] for cell in self.document.cells}
        for cell_id, state in before:
            if cell_id not in now or (state in ("queued", "running") and now[cell_id] != state):
                self._kernel.stop(cell_id)

    def run(self, cells: list[str], port: int) -> None:
        """Run these code cells, one after the other; ``%%tab`` cells in the tab on this port.

        Raises Refused where one is not there.
        """
        for cell_id in cells:
            cell = self.document.cell(cell_id)
            if cell["type"] == "code" and cell["state"] not in ("queued", "running"):
                elsewhere = self._turns.has_run(port, cell_id, cell["source"]) if is_for_tab(cell["source"]) else None
                sink = self._next_sinks[cell_id] = CellSink(self, cell_id)
                self._kernel.submit(cell_id, cell["source"], sink, elsewhere)

    def ran(self, turn: int, went_well: bool) -> None:
        """A tab has run the cell whose turn it was."""
        self._turns.ran(turn, went_well)

    def left(self, port: int) -> None:
        """A tab has closed this notebook, or is gone."""
        self.ports.discard(port)
        self._turns.left(port)

    def stop(self, cell_id: str | None) -> None:
        """Interrupt a cell, or the one that runs."""
        self._kernel.stop(cell_id)

    def rename(self, name: str) -> None:
        """It is another notebook from now on; its tabs know already."""
        self.name = name
        self.document.rename(name)

    def restart(self) -> None:
        """Forget all variables."""
        self._kernel.restart()
        self._post({"what": "restarted"})

    def reply(self, cell_id: str, text: str) -> None:
        """The user answered what ``input`` asked. Raises Refused where nothing was asked."""
        if cell_id not in self.asked:
            raise Refused("not_asked", "This cell asks nothing any more.")
        *_, future = self.asked[cell_id]
        if not future.done():
            future.set_result(text)

    def tell(self, change: Told | None) -> None:
        """All tabs shall have this change, and the shelf too."""
        if change is not None:
            self._post({"what": "change", "change": change})
            self._changed()

    def update_display(self, display_id: str, data: reports.Bundle, metadata: reports.Bundle) -> None:
        """Show this in place of what cells displayed under this id."""
        for sink in self._sinks.values():
            sink.update(display_id, data, metadata)

    def is_current(self, sink: CellSink) -> bool:
        """Whether what this sink hears still belongs into its cell: it was not run again since."""
        return self._sinks.get(sink.cell) is sink

    def shown(self, sink: CellSink) -> list[Output] | None:
        """What the sink's cell shows; None where nothing of the sink can be shown there."""
        with contextlib.suppress(Refused):  # the cell was deleted
            cell = self.document.cell(sink.cell)
            if cell["type"] == "code" and self.is_current(sink):
                outputs: list[Output] = cell["outputs"]
                return outputs
        return None

    def _cell_is(self, cell_id: str, state: str, count: int | None, seconds: float | None) -> None:
        try:
            self._tell_state(cell_id, state, count, seconds)
        except Exception as error:  # the kernel goes on, or all that waits would wait for ever
            console.error(error)

    def _tell_state(self, cell_id: str, state: str, count: int | None, seconds: float | None) -> None:
        with contextlib.suppress(Refused):  # the cell was deleted while it ran
            if state == "queued":
                self.tell(self.document.queued(cell_id))
            elif state == "running":
                self._sinks[cell_id] = self._next_sinks.pop(cell_id)
                self.tell(self.document.started(cell_id))
            elif state == "idle":
                self.tell(self.document.idle(cell_id))
            else:
                self._sinks[cell_id].flush()
                self.tell(self.document.finished(cell_id, state, count, seconds))
        if not self.busy or state == "running":
            self._post({"what": "kernel", "state": "busy" if self.busy else "idle"})

    def asks(self, cell_id: str, prompt: str, password: bool) -> asyncio.Future[str]:
        """A cell asks the user something. What it still asks, in another task of it, ends with an error."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if cell_id in self.asked:
            *_, earlier = self.asked[cell_id]
            if not earlier.done():
                earlier.set_exception(EOFError("Another input() of this cell asks now: ask one thing after the other."))
                earlier.exception()  # who waited for it may be stopped by now
        asked = self.asked[cell_id] = (cell_id, prompt, password, future)
        self._post({"what": "ask", "cell": cell_id, "prompt": prompt, "password": password})

        def answered(_: object) -> None:
            if self.asked.get(cell_id) is asked:
                del self.asked[cell_id]
                self._post({"what": "asked", "cell": cell_id})

        future.add_done_callback(answered, context=contextvars.Context())
        return future


class CellSink:
    """Takes what one run of a cell puts out, and has the tabs told of it now and then.

    What the cell shows is the document's: where it was cleared, or something else stands there, what comes goes after
    that. (What a cell shows is never changed in place, so it is another list then.)
    """

    def __init__(self, notebook: Opened, cell: str) -> None:
        self.cell = cell
        self._notebook = notebook
        self._outputs = Outputs()
        self._shown: list[Output] | None = None  # what the cell showed when the tabs were told; None: not what we told
        self._timer: asyncio.Handle | None = None  # while something waits to be told
        self._free_at = 0.0  # from then on it is not too often

    def stream(self, name: str, text: str) -> None:
        """As kernel.Sink says; and so the others. Half a line waits for its other half."""
        self._fitting().stream(name, text)
        self._tell_soon(at_once=text.endswith("\n"))

    def hurry(self) -> None:
        """Tell the tabs now, if not too often."""
        if self._timer is not None and time.monotonic() >= self._free_at - HURRIES * FLUSH_SECONDS:
            self.flush()

    def display(self, data: reports.Bundle, metadata: reports.Bundle, display_id: str | None, *, update: bool) -> None:
        """A MIME bundle; an update may be of what another cell has shown."""
        if update:
            self._notebook.update_display(str(display_id), data, metadata)
        else:
            self._fitting().display(data, metadata, display_id)
            self._tell_soon(at_once=True)

    def update(self, display_id: str, data: reports.Bundle, metadata: reports.Bundle) -> None:
        """Show this where what was displayed under the id stands, if it is here."""
        if self._fitting().update(display_id, data, metadata):
            self._tell_soon(at_once=True)

    def result(self, count: int, data: reports.Bundle, metadata: reports.Bundle) -> None:
        """The last expression's value."""
        self._fitting().result(count, data, metadata)
        self._tell_soon()

    def error(self, name: str, value: str, text: str) -> None:
        """An exception."""
        self._fitting().error(name, value, text.split("\n"))
        self._tell_soon()

    def clear(self, *, wait: bool) -> None:
        """Forget what was shown."""
        self._fitting().clear(wait)
        self._tell_soon()

    def ask(self, prompt: str, *, password: bool) -> asyncio.Future[str]:
        """Ask the user for a line."""
        self.flush()
        return self._notebook.asks(self.cell, prompt, password)

    def settle(self) -> None:
        """Tell the tabs what waits to be told."""
        if self._timer is not None:
            self.flush()

    def flush(self) -> None:
        """Tell the tabs what is new. Where that fails, the console is told, and what comes next is shown again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._free_at = max(self._free_at, time.monotonic()) + FLUSH_SECONDS
        try:
            delta = self._fitting().take()
            if delta is not None and self._notebook.is_current(self):
                self._shown = None
                with contextlib.suppress(Refused):  # the cell was deleted while it ran
                    self._notebook.tell(self._notebook.document.output(self.cell, delta))
                    self._shown = self._notebook.shown(self)
        except Exception as error:
            console.error(error)

    def _fitting(self) -> Outputs:
        """What was put out, as the cell shows it."""
        shown = self._notebook.shown(self)
        if shown is not None and shown is not self._shown:
            self._outputs, self._shown = Outputs(shown=shown), shown
        return self._outputs

    def _tell_soon(self, at_once: bool = False) -> None:
        if at_once and time.monotonic() >= self._free_at:
            self.flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(FLUSH_SECONDS, self.flush, context=contextvars.Context())
