"""When the server is about to end: the sockets must be told, and closed, before it waits for them.

ASGI tells an app of the end only after all connections are gone, and Hypercorn, on Python 3.12 and later, waits for
them without a limit (``asyncio.Server.wait_closed``). A worker process of ``hypercorn -w`` gets no signal either. What
can be seen in every case is that the process stops listening; so that is watched.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import Any

POLL_SECONDS = 0.1
FIND_POLL_SECONDS = 0.02
FIND_SECONDS = 10.0
GOODBYE_SECONDS = 2.0

logger = logging.getLogger("partyline")


async def listening_ended() -> None:
    """Return when the servers of this process, which may be about to start, have stopped listening."""
    servers = _servers()
    for _ in range(round(FIND_SECONDS / FIND_POLL_SECONDS)):
        if servers:
            break
        await asyncio.sleep(FIND_POLL_SECONDS)
        servers = _servers()
    else:
        logger.warning("= no listening server was found in this process; its end will cut the sockets")
        await asyncio.Event().wait()
    await asyncio.sleep(POLL_SECONDS)  # one that was just made may not listen yet
    while any(server.is_serving() for server in servers):
        await asyncio.sleep(POLL_SECONDS)


def postpone_sigterm() -> None:
    """Give this process ``GOODBYE_SECONDS`` between SIGTERM and its end, where nobody else handles that signal.

    Hypercorn's parent process sends it to its workers as soon as the first of them has ended.
    """
    if sys.platform == "win32" or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_signal_handler(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_signal_handler(signal.SIGTERM, lambda: loop.call_later(GOODBYE_SECONDS, end))


def _servers() -> list[Any]:
    """The servers of asyncio, or of uvloop, in this process.

    The types are asked and not the objects: some, such as proxies to a request, cannot be asked for anything.
    """
    return [each for each in gc.get_objects() if callable(getattr(type(each), "is_serving", None))]
