"""The shell around the session: the only worker file that touches the WebSocket, the channel, ports and timers.

``start`` is called once, by boot.js; ``connect`` once for each port. What the browser tells goes to the session as a
fact, and the effects it answers with are carried out here, in order. The outbox's database is ``vault.py``'s affair.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from random import random
from typing import Any

import js
from pyodide.ffi import create_proxy

import vault
from effects import Broadcast, Dial, Discard, Effect, HangUp, Keep, Send, Tell
from outbox import Found
from session import Session
from vault import Vault


class Shell:
    """The session's hands. ``name`` is the worker's name, and the channel's; ``kept`` is the outbox's home, in which an
    earlier worker left what was ``found``."""

    def __init__(self, name: str, kept: Vault, found: Found) -> None:
        self._session = Session(
            worker=secrets.token_hex(4),
            python=sys.version.split()[0],
            random=random,
            letters=found.letters,
            outbox_trouble=kept.why,
        )
        self._channel = js.BroadcastChannel.new(name)
        self._ports: dict[int, Any] = {}
        self._last_port = 0
        self._socket: Any = None
        self._timer: int | None = None
        self._on_timer = create_proxy(self._tick)
        js.self.addEventListener("online", create_proxy(lambda _: self._do(self._session.online(time.monotonic()))))

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

        def on_close(_: Any) -> None:  # Chromium tells when the other side is gone; others need the tab's own goodbye
            self._do(self._session.tab_gone(number, time.monotonic()))
            self._ports.pop(number, None)
            for proxy in proxies:
                proxy.destroy()

        proxies = [create_proxy(on_message), create_proxy(on_close)]
        port.onmessage = proxies[0]
        port.onclose = proxies[1]
        for text in json.loads(said):
            self._tab_said(number, text)

    def _tab_said(self, port: int, data: object) -> None:
        if not isinstance(data, str):
            js.console.warn(f"partyline: a tab posted something that is no text: {data!r}")
            return
        self._do(self._session.tab_said(port, data, time.monotonic()))

    def _outbox_trouble(self, why: str) -> None:
        js.console.warn(f"partyline: the outbox is {f'not kept: {why}' if why else 'kept again'}")
        self._do(self._session.outbox_trouble(why))

    def _superseded(self, generation: int) -> None:
        js.console.warn(f"partyline: generation {generation} has the outbox now; this worker keeps nothing any more")

    def _tick(self) -> None:
        self._timer = None
        self._do(self._session.tick(time.monotonic()))

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Broadcast(text):
                    self._channel.postMessage(text)
                case Tell(port, text):
                    if port in self._ports:
                        self._ports[port].postMessage(text)
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


async def start(config: str) -> Shell:
    """Start the line. ``config`` is JSON: ``{"name": the worker's name, "build": the hash of our files}``, and its
    ``generation``, a number, where there are several."""
    settings = json.loads(config)
    js.console.info(f"partyline: worker {settings['name']} on Python {sys.version.split()[0]}")
    kept, found = await vault.open(settings.get("generation", 1))
    if not kept.opened:
        js.console.warn(f"partyline: the outbox is not kept: {kept.why}")
    for event_id in (*found.expired, *found.unreadable):
        js.console.warn(f"partyline: removed from the outbox, too old or unreadable: {event_id}")
    return Shell(settings["name"], kept, found)
