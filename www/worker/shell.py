"""The shell around the session: the only worker file that touches the WebSocket, channels, ports, locks and timers.

``start`` is called once, by boot.js; ``connect`` once for each port. What the browser tells goes to the session as a
fact, and the effects it answers with are carried out here, in order. The outbox's database is ``vault.py``'s affair.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from random import random
from typing import TYPE_CHECKING, Any

import js
from pyodide.ffi import create_once_callable, create_proxy

import vault
from effects import (
    Broadcast,
    Dial,
    Discard,
    Drop,
    Effect,
    Fault,
    Forget,
    HangUp,
    Hear,
    Keep,
    Retire,
    Send,
    Serve,
    Tell,
    Watch,
)
from outbox import Found
from partyline.link import OWN, RUNGS
from publishing import CELLS
from session import Session
from vault import Vault

if TYPE_CHECKING:
    from workshop import Workshop

HANG_SECONDS = 60
"""How long a worker hangs that a tab told to: longer than any tab waits for it."""


class Shell:
    """The session's hands.

    ``channel`` reaches all tabs; ``browser`` is what JavaScript does for Python; ``kept`` is the outbox's home, in
    which an earlier worker left what was ``found``.
    """

    def __init__(self, settings: dict[str, Any], channel: Any, browser: Any, kept: Vault, found: Found) -> None:
        self._place = (int(settings["generation"]), RUNGS.index(settings["rung"]), str(settings["asked"]))
        self._session = Session(
            worker=secrets.token_hex(4),
            random=random,
            build=settings["build"],
            about={
                "generation": self._place[0],
                "rung": settings["rung"],
                "start": settings["start"],
                "start_seconds": settings["start_seconds"],
                "build": settings["build"],
                "python": sys.version.split()[0],
            },
            letters=found.letters,
            outbox_trouble=kept.why,
        )
        self._channel = channel
        self._ports: dict[int, Any] = {}
        self._last_port = 0
        self._socket: Any = None
        self._timer: int | None = None
        self._on_timer = create_proxy(self._tick)
        self._notices: Any = None
        if hasattr(js, "BroadcastChannel") and settings["rung"] != "own":  # such a worker is its tab's affair alone
            self._notices = js.BroadcastChannel.new(settings["notices"])
            self._notices.onmessage = create_proxy(lambda event: self._noticed(event.data))
        js.self.addEventListener("online", create_proxy(lambda _: self._do(self._session.online(time.monotonic()))))

        self._browser = browser
        self._family: str = settings["notices"]
        self._workshop: Workshop | None = None  # until a tab opens a notebook

        self._vault = kept
        self._vault.listen(self._outbox_trouble, self._superseded)
        if found.expired:
            self._do(self._session.outbox_expired(len(found.expired)))

    def connect(self, port: Any, said: str) -> None:
        """Take over a tab's port; ``said`` is the JSON array of the texts that came while Python was loading."""
        self._last_port += 1
        number = self._last_port
        self._ports[number] = port

        def on_message(event: Any) -> None:
            self._tab_said(number, event.data)

        def on_close(_: Any) -> None:  # Chromium tells when the other side is gone
            self._gone(number)

        port.onmessage = create_proxy(on_message)
        port.onclose = create_proxy(on_close)
        for text in json.loads(said):
            self._tab_said(number, text)

    def _tab_said(self, port: int, data: object) -> None:
        if not isinstance(data, str):
            js.console.warn(f"partyline: a tab posted something that is no text: {data!r}")
            return
        self._do(self._session.tab_said(port, data, time.monotonic()))

    def _gone(self, port: int) -> None:
        self._do(self._session.tab_gone(port, time.monotonic()))
        self._drop(port)

    def _tell(self, port: int, text: str) -> None:
        if port in self._ports:
            self._ports[port].postMessage(text)
        elif port == CELLS and self._workshop is not None:
            self._workshop.live.told(text)

    def _cells(self) -> Workshop:
        if self._workshop is None:
            from workshop import Workshop

            self._workshop = Workshop(self._session, self._browser, self._family, self._do, self._tell)
        return self._workshop

    def _forget(self, number: int) -> None:
        if self._workshop is not None:
            self._workshop.desk.gone(number)

    def _drop(self, number: int) -> None:
        self._forget(number)
        port = self._ports.pop(number, None)
        if port is not None:
            proxies = (port.onmessage, port.onclose)
            port.onmessage = port.onclose = None
            port.close()
            for proxy in proxies:
                proxy.destroy()

    def _watch(self, port: int, tab: str) -> None:
        """Ask for the tab's lock, which it holds for as long as it lives."""
        if hasattr(js.navigator, "locks"):
            js.navigator.locks.request(f"partyline-tab-{tab}", create_once_callable(lambda _: self._gone(port)))

    def _noticed(self, text: str) -> None:
        """A tab told the others which worker it follows: where that is a later one, for all, this one has to go."""
        told = json.loads(text)
        if isinstance(told, dict):  # tabs ask each other about a worker that does not answer
            return
        generation, rung, build, *_ = told
        if rung != OWN and (generation, rung, build) > self._place:
            self._do(self._session.superseded())

    def _outbox_trouble(self, why: str) -> None:
        js.console.warn(f"partyline: the outbox is {f'not kept: {why}' if why else 'kept again'}")
        self._do(self._session.outbox_trouble(why))

    def _superseded(self, generation: int) -> None:
        """A later generation has the outbox. This one's tabs may not know: where the browser forgot its record, say."""
        if self._notices is not None:
            self._notices.postMessage(json.dumps([generation, *self._place[1:], time.time()]))
        self._do(self._session.superseded())

    def _tick(self) -> None:
        self._timer = None
        self._do(self._session.tick(time.monotonic()))

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Broadcast(text):
                    self._channel.postMessage(text)
                case Tell(port, text):
                    self._tell(port, text)
                case Hear(bodies, reason):
                    self._cells().live.hear(bodies, reason)
                case Serve(port, request):
                    self._cells().desk.serve(port, request)
                case Send(text):
                    self._socket.send(text)
                case Keep(letter, sent):
                    self._vault.keep(letter, sent)
                case Discard(event_id):
                    self._vault.discard(event_id)
                case Dial():
                    self._dial()
                case HangUp(code, reason):
                    self._hang_up(code, reason)
                case Watch(port, tab):
                    self._watch(port, tab)
                case Drop(port):
                    self._drop(port)
                case Forget(port):
                    self._forget(port)
                case Fault("hang"):
                    js.setTimeout(create_once_callable(hang), 0)
                case Fault() | Retire():
                    js.self.close()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            js.clearTimeout(self._timer)
            self._timer = None
        wake = self._session.next_wake()
        if wake is not None:
            self._timer = js.setTimeout(self._on_timer, max(0.0, (wake - time.monotonic()) * 1000))

    # the WebSocket

    def _dial(self) -> None:
        scheme = "wss" if js.location.protocol == "https:" else "ws"
        socket = js.WebSocket.new(f"{scheme}://{js.location.host}/ws")
        self._socket = socket

        def on_open(_: Any) -> None:
            if socket is self._socket:
                self._do(self._session.socket_opened(time.monotonic()))

        def on_message(event: Any) -> None:
            if socket is self._socket:
                self._do(self._session.socket_said(event.data, time.monotonic()))

        def on_close(event: Any) -> None:
            if socket is self._socket:
                self._socket = None
                self._do(self._session.socket_closed(event.code, event.reason, time.monotonic()))
            for proxy in proxies:
                proxy.destroy()

        proxies = [create_proxy(on_open), create_proxy(on_message), create_proxy(on_close)]
        socket.onopen, socket.onmessage, socket.onclose = proxies

    def _hang_up(self, code: int, reason: str) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close(code, reason)


def hang() -> None:
    """Do nothing, and let nothing be done."""
    until = time.monotonic() + HANG_SECONDS
    while time.monotonic() < until:
        pass


async def start(config: str, channel: Any, browser: Any) -> Shell:
    """Start the line.

    ``config`` is JSON: the worker's ``name``, ``generation`` and ``rung``; ``build``, the hash of our files, and
    ``asked``, the one that its tabs asked for; ``notices``, the channel on which tabs tell each other which worker they
    follow; ``start``, "plain" or "snapshot", and ``start_seconds``, how long Python took.
    """
    settings = json.loads(config)
    js.console.info(f"partyline: worker {settings['name']} on Python {sys.version.split()[0]}")
    if settings["rung"] == RUNGS[OWN]:  # such workers come and go side by side; each sends what it finds, and ids tell
        kept, found = await vault.open(1, f"{settings['notices']}-own")
    else:
        kept, found = await vault.open(int(settings["generation"]), settings["notices"])
    if not kept.opened:
        js.console.warn(f"partyline: the outbox is not kept: {kept.why}")
    for event_id in (*found.expired, *found.unreadable):
        js.console.warn(f"partyline: removed from the outbox, too old or unreadable: {event_id}")
    return Shell(settings, channel, browser, kept, found)
