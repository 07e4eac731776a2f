"""Clients that do not read: what Hypercorn 0.18 lacks to hold out against them.

Over HTTP/2 it lets a sender go on whenever what it *took* from a stream's buffer was little, and not when little is
*left* there. From a client whose window is closed it can take nothing, so the whole file, or all that a WebSocket says,
piles up in memory. (HTTP/1.1 has no such buffer.) And at its end it waits for clients to take what they were sent,
however long they need, which for a laptop that was closed is a quarter of an hour.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.protocol import h2

FINISH_SECONDS = 2.5
"""How long who is being answered has when the server ends: more than the goodbye, less than Hypercorn's own 3 s."""

_writers: set[asyncio.StreamWriter] = set()

logger = logging.getLogger("partyline.flow")


class BoundedBuffer(h2.StreamBuffer):
    """What one stream has yet to send. ``push`` returns when there is room for more."""

    async def push(self, data: bytes) -> None:
        """Add to it, and wait while it is above its high-water mark. Raises BufferCompleteError where it is closed."""
        if self._complete:
            raise h2.BufferCompleteError
        self.buffer.extend(data)
        await self._is_empty.clear()
        while len(self.buffer) >= h2.BUFFER_HIGH_WATER and not self._complete:
            await self._paused.clear()
            await self._paused.wait()

    async def pop(self, max_length: int) -> bytes:
        """Take what may be sent, and let the sender go on once the buffer is below its low-water mark."""
        data = bytes(self.buffer[:max_length])
        del self.buffer[: len(data)]
        if len(self.buffer) < h2.BUFFER_LOW_WATER:
            await self._paused.set()
        if not self.buffer:
            await self._is_empty.set()
        return data


class KnownServer(TCPServer):
    """Hypercorn's server of one connection, which can be found again."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        _writers.add(self.writer)

    async def run(self) -> None:
        """Serve the connection until it is closed."""
        try:
            await super().run()
        finally:
            _writers.discard(self.writer)


def install() -> None:
    """Have Hypercorn use these, for all connections of this process from now on."""
    h2.StreamBuffer = BoundedBuffer  # type: ignore[misc]
    run.TCPServer = KnownServer  # type: ignore[attr-defined,assignment]


async def cut_the_last() -> None:
    """Call it when listening has ended: waits a while, and cuts the connections that there are still."""
    await asyncio.sleep(FINISH_SECONDS)
    left = list(_writers)
    for writer in left:
        writer.transport.abort()
    if left:
        logger.warning("= the server ends; connections that were still being answered are cut: %d", len(left))
