"""A request's body that is larger than is taken: nothing of it is kept, but its end is waited for.

A server that answers and hangs up while the client is still sending makes TCP reset the connection, and the answer,
413, is lost on its way (RFC 9112, section 9.6). So what still comes is read and dropped, for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from quart import Request
from quart.wrappers.request import Body

LINGER_SECONDS = 10.0


class LingeringBody(Body):
    """Quart's, that knows when all of it has come, kept or not."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._ended = asyncio.Event()
        self._appending = False

    def append(self, data: bytes) -> None:
        """Take a part; Quart drops it where it is too much, and calls the body complete then."""
        self._appending = True
        super().append(data)
        self._appending = False

    def set_complete(self) -> None:
        """There will be no more of it, or no more will be kept."""
        super().set_complete()
        if not self._appending:
            self._ended.set()

    async def linger(self) -> None:
        """Wait until all has come, or for ``LINGER_SECONDS``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._ended.wait()


class LingeringRequest(Request):
    """Quart's Request, with such a body."""

    body_class: type[Body] = LingeringBody
