"""A simple index (PEP 503, PEP 691): what it has of a project that Python in browsers can use."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from .fetching import Fetcher, FetchError, shown
from .wheels import Target, WheelError, check_tags

TYPE = "application/vnd.pypi.simple.v1+json"

MAX_LISTING = 50_000_000
"""The largest listing of a project that is read, in bytes."""

KEEP_SECONDS = 600.0
"""So long a listing is not asked for again."""

FAILED_SECONDS = 10.0
"""So long one that failed is not."""

MAX_KEPT = 200
"""Of so many projects the listings are kept."""

AT_ONCE = 8
"""So many listings are asked for at the same time."""


@dataclass(frozen=True)
class Listed:
    """A wheel that the index has."""

    file: str
    url: str
    sha256: str
    size: int | None
    yanked: str | bool


Wheels = dict[str, Listed]


class Index:
    """An index.

    Args:
        find: says its address, below which projects are, or that it is empty, for none. It is asked once, when it is
            needed.
        fetcher: fetches.
        target: the Python that its wheels are for.
        now: seconds of a clock that only goes on.
    """

    def __init__(
        self,
        find: Callable[[], Awaitable[str]],
        fetcher: Fetcher,
        target: Target,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._url: str | None = None
        self._fetcher = fetcher
        self._target = target
        self._now = now
        self._finding = asyncio.Lock()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._kept: dict[str, tuple[float, Wheels | FetchError]] = {}
        self._asking: dict[str, asyncio.Task[Wheels]] = {}

    async def address(self) -> str:
        """Where it is; empty where there is none."""
        async with self._finding:
            if self._url is None:
                self._url = (await self._find()).rstrip("/")
        return self._url

    async def wheels(self, project: str) -> Wheels:
        """The wheels of a project, by file name. Raises FetchError."""
        if not await self.address():
            return {}
        kept = self._kept.get(project)
        if kept is not None and self._now() < kept[0]:
            if isinstance(kept[1], FetchError):
                raise kept[1]
            return kept[1]
        asking = self._asking.get(project)
        if asking is None:
            asking = self._asking[project] = asyncio.create_task(self._ask(project))
            asking.add_done_callback(lambda done: self._asked(project, done))
        return await asyncio.shield(asking)  # others may wait for it, too

    def _asked(self, project: str, task: asyncio.Task[Wheels]) -> None:
        del self._asking[project]
        if not task.cancelled():
            task.exception()  # who waited for it has gone, perhaps

    def close(self) -> None:
        """Ask no more."""
        for asking in self._asking.values():
            asking.cancel()

    async def _ask(self, project: str) -> Wheels:
        address = f"{self._url}/{project}/"
        try:
            async with self._turns:
                body, content_type = await self._fetcher.fetch(address, MAX_LISTING, TYPE)
            if content_type != TYPE:
                raise FetchError(f"{shown(address)} answered with {content_type}; an index must know {TYPE} (PEP 691).")
            found = await asyncio.to_thread(self.parse, address, body)
        except FetchError as error:
            self._keep(project, error, FAILED_SECONDS)
            raise
        self._keep(project, found, KEEP_SECONDS)
        return found

    def _keep(self, project: str, answer: Wheels | FetchError, seconds: float) -> None:
        self._kept.pop(project, None)
        self._kept[project] = (self._now() + seconds, answer)
        while len(self._kept) > MAX_KEPT:
            self._kept.pop(next(iter(self._kept)))

    def parse(self, address: str, body: bytes) -> Wheels:
        """What a listing has. Raises FetchError where it is none."""
        try:
            files: list[dict[str, Any]] = json.loads(body)["files"]
            listed = [
                Listed(
                    str(each["filename"]),
                    urljoin(address, each["url"]),
                    str(each["hashes"]["sha256"]),
                    each.get("size"),
                    each.get("yanked", False),
                )
                for each in files
                if str(each["filename"]).endswith(".whl") and "sha256" in each["hashes"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FetchError(f"{shown(address)} answered with what is no listing of a project: {error!r}.") from None
        return {each.file: each for each in listed if self._fits(each.file)}

    def _fits(self, file: str) -> bool:
        try:
            check_tags(file, self._target)
        except WheelError:
            return False
        return True
