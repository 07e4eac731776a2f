"""One open notebook in the worker: its document, its kernel, the tabs that look at it. The desk has one for each.

What tabs do and what cells put out changes the document; each change goes to all tabs, and to the shelf soon after.
Outputs are told at most every ``FLUSH_SECONDS``, however fast they come.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Mapping
from typing import Any

import reports
from document import Document, Told
from guard import Guard
from kernel import Kernel
from outputs import Outputs
from shapes import Refused

FLUSH_SECONDS = 0.05
"""How often at most a cell's new outputs are told to the tabs."""

Post = Callable[[dict[str, Any]], None]


class Opened:
    """A notebook that is open.

    Args:
        document: its cells and all.
        guard: stops cells.
        post: tells all tabs that have it open; a dict with ``what`` and more.
        changed: is called after each change, for who saves.
        hold: is called with True before a cell runs during which this worker may hear nothing, and with False after it.
        given: what cells find in their namespace from the start.
    """

    def __init__(
        self,
        document: Document,
        guard: Guard,
        post: Post,
        changed: Callable[[], None],
        hold: Callable[[bool], None],
        given: Mapping[str, Any],
    ) -> None:
        self.document = document
        self.name: str = document.whole()["name"]
        self.ports: set[int] = set()
        self.asked: dict[str, tuple[str, str, bool, asyncio.Future[str]]] = {}  # by cell: what input() waits for
        self._post = post
        self._changed = changed
        self._kernel = Kernel(guard, self.name, self._cell_is, hold, given)
        self._sinks: dict[str, CellSink] = {}

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
        gone = [cell["id"] for cell in self.document.cells]
        self.tell(self.document.apply(operation, original))
        for cell_id in set(gone) - {cell["id"] for cell in self.document.cells}:
            self._kernel.stop(cell_id)

    def run(self, cells: list[str]) -> None:
        """Run these code cells, one after the other. Raises Refused where one is not there."""
        for cell_id in cells:
            cell = self.document.cell(cell_id)
            if cell["type"] == "code" and cell["state"] not in ("queued", "running"):
                self._kernel.submit(cell_id, cell["source"], self._sink(cell_id))

    def stop(self, cell_id: str | None) -> None:
        """Interrupt a cell, or the one that runs."""
        self._kernel.stop(cell_id)

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

    def _sink(self, cell_id: str) -> CellSink:
        sink = self._sinks[cell_id] = CellSink(self, cell_id)
        return sink

    def is_current(self, sink: CellSink) -> bool:
        """Whether what this sink hears still belongs into its cell: it was not run again since."""
        return self._sinks.get(sink.cell) is sink

    def _cell_is(self, cell_id: str, state: str, count: int | None, seconds: float | None) -> None:
        with contextlib.suppress(Refused):  # the cell was deleted while it ran
            if state == "queued":
                self.tell(self.document.queued(cell_id))
            elif state == "running":
                self.tell(self.document.started(cell_id))
            elif state == "idle":
                self.tell(self.document.idle(cell_id))
            else:
                self._sinks[cell_id].flush()
                self.tell(self.document.finished(cell_id, state, count, seconds))
        if not self.busy or state == "running":
            self._post({"what": "kernel", "state": "busy" if self.busy else "idle"})

    def asks(self, cell_id: str, prompt: str, password: bool) -> asyncio.Future[str]:
        """A cell asks the user something."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.asked[cell_id] = (cell_id, prompt, password, future)
        self._post({"what": "ask", "cell": cell_id, "prompt": prompt, "password": password})

        def answered(_: object) -> None:
            del self.asked[cell_id]
            self._post({"what": "asked", "cell": cell_id})

        future.add_done_callback(answered, context=contextvars.Context())
        return future


class CellSink:
    """Takes what one run of a cell puts out, and has the tabs told of it now and then."""

    def __init__(self, notebook: Opened, cell: str) -> None:
        self.cell = cell
        self._notebook = notebook
        self._outputs = Outputs()
        self._due = False

    def stream(self, name: str, text: str) -> None:
        """As kernel.Sink says; and so the others."""
        self._outputs.stream(name, text)
        self._schedule()

    def display(self, data: reports.Bundle, metadata: reports.Bundle, display_id: str | None, *, update: bool) -> None:
        """A MIME bundle; an update may be of what another cell has shown."""
        if update:
            self._notebook.update_display(str(display_id), data, metadata)
        else:
            self._outputs.display(data, metadata, display_id)
            self._schedule()

    def update(self, display_id: str, data: reports.Bundle, metadata: reports.Bundle) -> None:
        """Show this where what was displayed under the id stands, if it is here."""
        if self._outputs.update(display_id, data, metadata):
            self._schedule()

    def result(self, count: int, data: reports.Bundle, metadata: reports.Bundle) -> None:
        """The last expression's value."""
        self._outputs.result(count, data, metadata)
        self._schedule()

    def error(self, name: str, value: str, text: str) -> None:
        """An exception."""
        self._outputs.error(name, value, text.split("\n"))
        self._schedule()

    def clear(self, *, wait: bool) -> None:
        """Forget what was shown."""
        self._outputs.clear(wait)
        self._schedule()

    def ask(self, prompt: str, *, password: bool) -> asyncio.Future[str]:
        """Ask the user for a line."""
        self.flush()
        return self._notebook.asks(self.cell, prompt, password)

    def flush(self) -> None:
        """Tell the tabs what is new."""
        self._due = False
        delta = self._outputs.take()
        if delta is not None and self._notebook.is_current(self):
            with contextlib.suppress(Refused):  # the cell was deleted while it ran
                self._notebook.tell(self._notebook.document.output(self.cell, delta))

    def _schedule(self) -> None:
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush, context=contextvars.Context())
