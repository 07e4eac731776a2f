"""Backpressure for HTTP/2, which Hypercorn 0.18 does not have: a client that does not read costs one chunk a stream.

Hypercorn lets a sender go on whenever what it *took* from a stream's buffer was little, and not when little is *left*
there. From a client whose window is closed it can take nothing, so the whole file, or all that a WebSocket says, piles
up in memory. HTTP/1.1 has no such buffer.
"""

from __future__ import annotations

from hypercorn.protocol import h2


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


def bound_http2_buffers() -> None:
    """Have Hypercorn use these buffers, for all connections from now on."""
    h2.StreamBuffer = BoundedBuffer  # type: ignore[misc]
