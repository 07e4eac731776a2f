"""A tab's worker: carries out what ``partyline/link.py`` decides. The only tab file that touches channels and timers.

What the worker says goes to the tab as text; what the tab says goes to the worker that is followed at that moment. When
it is another one than before, ``opened`` is called, and the tab must say hello.
"""

import json
import time

from pyscript import document, ffi, window

from partyline import link, protocol
from partyline.link import Link

KEY = "partyline-worker"
LOWER_RUNG_SECONDS = 600  # so long tabs to come begin on a rung that is not the best, because the best failed
NOT_ABLE = (
    "?ladder={} cannot be had here; this browser has: {}. An elected worker needs Web Locks, which browsers have over "
    "HTTPS and on localhost alone."
)
NO_WORKER = "Python could not start: {} Reload the page; if that does not help, allow this site's data."


class Worker:
    """The worker that this tab follows, whichever it is.

    Args:
        tab: this tab's id.
        opened: called when another worker is followed than before.
        told, heard: called with what the worker posted to this tab, and to all.
        failed: called with a message when no worker can be had.
        turned_silent: called when ``silent`` is true from now on.
    """

    def __init__(
        self,
        tab: str,
        opened: "object",
        told: "object",
        heard: "object",
        failed: "object",
        turned_silent: "object",
    ) -> None:
        page = document.documentElement.dataset
        self._tab = tab
        self._opened = opened
        self._failed = failed
        self._turned_silent = turned_silent
        self._told = ffi.create_proxy(told)
        self._heard = ffi.create_proxy(heard)
        self._broken = ffi.create_proxy(lambda why: self._check())
        self._url = ""
        self._on_timer = ffi.create_proxy(self._tick)
        self._on_notice = ffi.create_proxy(lambda event: self._noticed(event.data))
        self._timer = None
        self._worker = None
        self._notices = None
        self._listening = True
        able = list(window.workers.rungs())
        forced = window.URLSearchParams.new(window.location.search).get("ladder") or ""
        self._rungs = [rung for rung in able if rung == forced] if forced else able
        self._key = f"{KEY}-{forced}" if forced else KEY  # those that are forced are apart from all others
        self._refusal = "" if self._rungs else NOT_ABLE.format(forced, ", ".join(able))
        # where stacks cannot be suspended any cell may hold the worker up, for as long as it runs
        busy = float(page.busy) if hasattr(window.WebAssembly, "Suspending") else None
        self._link = Link(page.build, self._rungs, float(page.silence), busy) if self._rungs else None

    @property
    def rung(self) -> str:
        """The rung of the ladder that the worker stands on; empty for none."""
        return self._link.rung if self._worker else ""

    @property
    def silent(self) -> bool:
        """Whether the worker answers nothing, since a cell holds it up."""
        return self._link is not None and self._link.silent

    @property
    def alone(self) -> bool:
        """Whether this tab has a worker of its own, though nobody asked for that."""
        return self.rung == "own" and self._key == KEY

    def start(self) -> None:
        """Find a worker, or start one."""
        if self._link is None:
            self._failed(self._refusal)
            return
        window.workers.lock()
        self._notices = window.guard.channel(self._key)
        if self._notices:
            self._notices.onmessage = self._on_notice
        self._act(self._link.start(self._kept(), now()))

    def stop(self) -> None:
        """Leave the worker; ``start`` may be called again."""
        self._close()
        if self._notices:
            self._notices.close()
            self._notices = None
        if self._timer is not None:
            window.clearTimeout(self._timer)
            self._timer = None
        if window.workers.unlock:
            window.workers.unlock()

    def post(self, header: dict) -> None:
        """Say something to the worker. Where there is none, it is not said."""
        if self._worker:
            self._worker.post(json.dumps(header))

    def post_file(self, header: dict, file: "object", failed: "object") -> None:
        """The same, with a file's text as ``text``; ``failed`` hears why it could not be read."""
        if self._worker:
            window.workers.postFile(self._worker, json.dumps(header), file, ffi.create_proxy(failed))

    def listen(self, on: bool) -> None:
        """Hear what is said to all tabs, or do not."""
        self._listening = on
        if self._worker:
            self._worker.listen(on)

    def word(self, running: bool) -> None:
        """The worker said something; ``running`` where it was Python that did."""
        self._act(self._link.word(running, now()))

    def gave_up(self) -> None:
        """The worker said that it cannot start Python."""
        self._act(self._link.gave_up(now()))

    def replace(self) -> None:
        """Give the worker up for the next one, as the user wishes."""
        self._act(self._link.replace(now()))

    def hold(self, on: bool) -> None:
        """The worker says that it may be silent for long, or that this is over."""
        self._link.hold(on, now())
        self._set_timer()

    def woke(self) -> None:
        """This tab was asleep, and is not any more."""
        if self._worker:
            self._act(self._link.woke(now()))

    def _act(self, actions: "list") -> None:
        for action in actions:
            if action[0] == link.OPEN:
                self._open(action[1])
            elif action[0] == link.KEEP:
                self._keep(action[1])
                if self._notices:
                    self._notices.postMessage(self._text(action[1]))
            elif action[0] == link.NOTE:
                self._keep(action[1])
            elif action[0] == link.ASK:
                self.post({"kind": protocol.PING})
            elif action[0] in (link.INQUIRE, link.HELD):
                self._say(action[0], action[1])
            elif action[0] == link.SILENT:
                self._turned_silent()
            elif action[0] == link.CHECK:
                self._check()
            elif action[0] == link.FAIL:
                self._close()
                self._failed(NO_WORKER.format(window.guard.why or "its worker's script could not be loaded."))
        self._set_timer()

    def _open(self, record: "tuple") -> None:
        self._close()
        generation, rung, build = record
        rung = link.RUNGS[rung]
        name = f"partyline-{build}-{generation}-{rung}{self._key[len(KEY) :]}"
        self._url = f"/worker/boot.js?build={build}&generation={generation}&rung={rung}&notices={self._key}"
        self._worker = window.workers.open(rung, self._url, name, self._tab, self._told, self._heard, self._broken)
        if not self._worker:
            self._act(self._link.broken(now()))
            return
        self._worker.listen(self._listening)
        self._opened()
        self._say(link.INQUIRE, record)

    def _say(self, kind: str, record: "tuple") -> None:
        """Something about a worker, to the other tabs."""
        if self._notices:
            self._notices.postMessage(json.dumps({"kind": kind, "record": list(record)}))

    def _check(self) -> None:
        """The worker does not come: is it the rung, or can its script not be had just now?"""
        worker = self._worker

        def answered(there: bool) -> None:
            if worker is self._worker:
                self._act(self._link.broken(now(), not there))

        window.workers.reach(self._url, ffi.create_proxy(answered))

    def _close(self) -> None:
        if self._worker:
            self.post({"kind": protocol.BYE})  # it may be there still, and count this tab
            self._worker.close()
            self._worker = None

    def _kept(self) -> "tuple | None":
        text = window.workers.kept(self._key)
        try:
            generation, rung, build, at = json.loads(text or "")
            if rung and time.time() - at > LOWER_RUNG_SECONDS:
                build = ""  # so it is not taken, and the next generation begins on the best rung
            return (int(generation), int(rung), str(build))
        except (ValueError, TypeError):
            return None  # nothing was kept, or something that is no record

    def _keep(self, record: "tuple") -> None:
        window.workers.keep(self._key, self._text(record))

    def _text(self, record: "tuple") -> str:
        return json.dumps(list(record) + [time.time()])

    def _noticed(self, text: str) -> None:
        said = json.loads(text)
        if isinstance(said, dict):  # about a worker that is followed; a list is the record of one to follow
            record = tuple(said["record"])
            inquires = said["kind"] == link.INQUIRE
            self._act(self._link.inquired(record, now()) if inquires else self._link.held(record, now()))
            return
        generation, rung, build, _ = said
        actions = self._link.told((generation, rung, build), now())
        if actions and actions[0][0] == link.OPEN:
            window.workers.keep(self._key, text)  # who said it may have had no place to keep it
        self._act(actions)

    def _tick(self, *_: "object") -> None:
        self._timer = None
        self._act(self._link.tick(now()))

    def _set_timer(self) -> None:
        if self._timer is not None:
            window.clearTimeout(self._timer)
            self._timer = None
        due = self._link.next_due()
        if due is not None:
            self._timer = window.setTimeout(self._on_timer, max(0, int((due - now()) * 1000)) + 1)


def now() -> float:
    """Seconds of a clock that only goes on."""
    return window.performance.now() / 1000
