"""WebDriver BiDi (W3C): the part of Firefox's driver that Marionette has not, over a WebSocket.

Commands go out and are answered; events come in between, in a thread, and go to ``heard``.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

from .driver import DriverError

PATIENCE = 120.0


class BiDi:
    """A session's socket. ``heard(method, params)`` is called in a thread for each event."""

    def __init__(self, url: str, heard: Callable[[str, dict[str, Any]], None]) -> None:
        self._heard = heard
        self._answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._last = 0
        opened: Future[ClientConnection] = Future()
        self._thread = threading.Thread(target=self._listen, args=(url, opened), name="bidi", daemon=True)
        self._thread.start()
        self._socket = opened.result(PATIENCE)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        self._last += 1
        try:
            self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
            while (answer := self._answers.get(timeout=PATIENCE))["id"] != self._last:
                pass  # a command's that was given up
        except (ConnectionClosed, queue.Empty) as error:
            raise DriverError(f"Firefox did not answer to {method}: {error!r}") from None
        if "result" not in answer:
            raise DriverError(f"Firefox refused {method}: {answer.get('error')}: {answer.get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        self._thread.join(PATIENCE)

    def _listen(self, url: str, opened: Future[ClientConnection]) -> None:
        try:
            with connect(url, max_size=None, proxy=None, ping_interval=None, open_timeout=PATIENCE) as socket:
                opened.set_result(socket)
                for text in socket:
                    message = json.loads(text)
                    if message["type"] == "event":
                        self._heard(message["method"], message["params"])
                    else:
                        self._answers.put(message)
        except (OSError, WebSocketException) as error:  # the browser is gone, and who waits for it is told by `send`
            if not opened.done():
                opened.set_exception(error)
