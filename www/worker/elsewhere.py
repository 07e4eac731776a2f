"""``%%tab`` cells among others that run: each waits for its turn, then a tab runs it, and the kernel goes on.

    its turn ──{"what": "turn", "turn": 3, "cell": id, "source": text}──> the tab where Run was pressed
                                         <──{"do": "ran", "turn": 3, "well": true}──

A tab that goes away has not run it well, so that the kernel takes back what waits.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

GONE = "The tab where these cells were to run was closed or loaded anew. Run them again here."


class Post(Protocol):
    """Tells all tabs that have a notebook open, or the one on a port."""

    def __call__(self, frame: dict[str, Any], port: int | None = None) -> None:
        """Tell ``what`` and more."""


class Turns:
    """The turns of one notebook's tabs.

    Args:
        ports: those of its tabs.
        post: tells them.
    """

    def __init__(self, ports: set[int], post: Post) -> None:
        self._ports = ports
        self._post = post
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[int, asyncio.Future[bool]]] = {}  # by turn: whose it is

    def has_run(self, port: int, cell: str, source: str) -> Callable[[], Coroutine[Any, Any, bool]]:
        """What the kernel does when it is this cell's turn."""
        return lambda: self._turn(port, cell, source)

    def ran(self, turn: int, went_well: bool) -> None:
        """A tab has run the cell of this turn; nobody may wait for it any more."""
        _, future = self._waiting.get(turn, (0, None))
        if future is not None and not future.done():
            future.set_result(went_well)

    def left(self, port: int) -> None:
        """The tab is gone."""
        for turn, (whose, _) in list(self._waiting.items()):
            if whose == port:
                self._say_gone()
                self.ran(turn, went_well=False)

    async def _turn(self, port: int, cell: str, source: str) -> bool:
        if port not in self._ports:
            self._say_gone()
            return False
        turn = next(self._numbers)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = (port, future)
        self._post({"what": "turn", "turn": turn, "cell": cell, "source": source}, port)
        try:
            return await future
        finally:
            del self._waiting[turn]

    def _say_gone(self) -> None:
        self._post({"what": "said", "message": GONE})
