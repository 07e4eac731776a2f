"""How the notebook's Python is, and whether what one writes is kept: the right end of the bar, and the notes below it.

In flows a ``Remote``; out come restarts. A cell that does not stop is told here, with what ends it.
"""

from pyscript import ffi, window

from dialogs import ask
from dom import find, hide, show

STUCK_MS = 3000  # a cell that still runs so long after Stop cannot be stopped
HELD_MS = 1000  # the same where the worker hears nothing while a cell runs
STUCK = (
    "This cell cannot be stopped: Python is inside something that never looks up, such as one huge sum, or the cell "
    "catches what is to stop it, as a bare “except:” does. Python can be started anew. Your text and outputs stay; "
    "variables are lost, in all notebooks."
)
FORGET = "All variables of this notebook are forgotten, and what runs is stopped. Text and outputs stay."


class KernelBar:
    """The bar's state.

    Args:
        line: the tab's ``Tab``.
        notebook: the ``Remote``.
        unsent: a function that says whether the user has typed what the worker does not know yet.
    """

    def __init__(self, line: "object", notebook: "object", unsent: "object") -> None:
        self._line = line
        self._notebook = notebook
        self._unsent = unsent
        self._stuck = False
        self._stops = []  # of each Stop or restart the cells that it was meant for, and that have run ever since
        self._then = None
        self._shown = None
        find("kernel-replace").addEventListener("click", ffi.create_proxy(lambda event: line.replace_worker()))

    def draw(self) -> None:
        """Show it as it is now."""
        notebook = self._notebook
        if self._stuck or self._stops:
            running = self._running()
            self._stuck = self._stuck and bool(running)
            for meant in self._stops:
                meant[:] = [each for each in meant if each in running]
        told = (notebook.kernel, notebook.suspends, self._kept(), notebook.trouble, self._stuck)
        if told != self._shown:
            self._shown = told
            self._show(*told)
        if self._then is not None and notebook.kernel == "idle":
            then, self._then = self._then, None
            then()

    def _kept(self) -> str:
        """Whether all that was written is kept, in words."""
        notebook = self._notebook
        if not notebook.opened:
            return ""
        if notebook.trouble:
            return "Not kept"
        return "Saving…" if notebook.unsaved or self._unsent() else "Saved"

    def _show(self, kernel: str, suspends: bool, kept: str, trouble: str, stuck: bool) -> None:
        show(find("kernel-status"), kernel)
        find("kernel").dataset.state = kernel
        hide(find("kernel-differs"), suspends)
        saved = find("notebook-saved")
        show(saved, kept)
        saved.dataset.state = kept
        hide(find("notebook-trouble"), not trouble)
        show(find("notebook-trouble"), trouble)
        hide(find("kernel-stuck"), not stuck)
        show(find("kernel-stuck-text"), STUCK if stuck else "")

    def stop(self, cell_id: "str | None") -> None:
        """Interrupt a cell, or what runs; see after a while whether that went well."""
        self._watch([each for each in self._running() if cell_id in (None, each)])
        self._notebook.ask({"do": "stop", "cell": cell_id})

    def _watch(self, meant: "list[str]") -> None:
        """These cells are stopped: see after a while whether they are."""
        notebook = self._notebook

        def look(*_: object) -> None:
            self._stops = [each for each in self._stops if each is not meant]
            if not meant:
                return
            if notebook.suspends:
                self._stuck = True
                self._line.changed()
            else:
                self._line.replace_worker()

        if meant:
            self._stops.append(meant)
            window.setTimeout(ffi.create_proxy(look), STUCK_MS if notebook.suspends else HELD_MS)

    def restart(self, then: "object" = None) -> None:
        """Forget all variables, if the user agrees; then go on."""
        title = "Restart Python and run all cells?" if then is not None else "Restart Python?"
        ask(title, FORGET, "Restart", lambda _: self._restart(then))

    def _restart(self, then: "object") -> None:
        self._then = then
        if self._running() and not self._notebook.suspends:
            self._line.replace_worker()  # this one hears nothing
        else:
            self._watch(self._running())
            self._notebook.ask({"do": "restart"}, self._restarted)

    def _restarted(self, value: object, code: str, message: str) -> None:
        if code:
            self._line.refused = message
        self._line.changed()

    def _running(self) -> "list[str]":
        return [cell["id"] for cell in self._notebook.cells if cell["state"] == "running"]
