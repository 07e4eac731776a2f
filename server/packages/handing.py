"""Hands packages to browsers: from the folder, and what is not there yet from where the settings say (see __init__)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from packaging.utils import canonicalize_name
from quart import Blueprint, Response, ResponseReturnValue, request

from ..assets import Manifest
from ..checks import InputError
from ..files import REVALIDATE, Content, code, respond, tag
from .distribution import Distribution
from .fetching import Fetcher, FetchError, remove_parts, shown
from .index import TYPE, Index, Wheels
from .listing import make_listing
from .place import find_index
from .shelf import Shelf

PYPI_FOLDER = "pypi"
"""Below the folder: what micropip asked for."""

MAX_FILE = 200_000_000
"""The largest file that is fetched, in bytes."""

MAX_PYPI = 2_000_000_000
"""How much is kept of PyPI, in bytes: anybody who has a page may ask for any project."""

AT_ONCE = 4
"""So many of Pyodide's files are fetched at the same time; others wait for their turn. Of PyPI's one by one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+!-]*", re.ASCII)

logger = logging.getLogger("partyline.packages")


class Packages:
    """Packages for cells.

    Args:
        folder: where wheels lie, and where what is fetched is kept.
        source: the address below which Pyodide's files are; empty for none.
        pypi: the address of an index of projects; empty for none, ``pip`` for pip's.
    """

    def __init__(self, folder: Path, source: str, pypi: str) -> None:
        self.folder = folder
        self._source = f"{source.rstrip('/')}/" if source else ""
        self._pypi = pypi
        self._fetcher = Fetcher()
        self._shelf = Shelf()
        self._index: Index | None = None
        self._distribution: Distribution | None = None
        self._lock: Content | None = None
        self._fetching: dict[Path, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._pypi_turn = asyncio.Lock()

    def prepared(self, manifest: Manifest, out: Path) -> Distribution:
        """Pyodide stands ready in ``out``. Reads its lock file."""
        pyodide = manifest.packages["pyodide"]
        lock = (out / pyodide.folder / "pyodide-lock.json").read_bytes()
        self._source = self._source.replace("{version}", pyodide.version)
        self._distribution = Distribution(lock, self.folder)
        self._index = Index(self._find_index, self._fetcher, self._distribution.target)
        remove_parts(self.folder)
        return self._distribution

    async def close(self) -> None:
        """Fetch no more."""
        if self._index is not None:
            self._index.close()
        for task in self._fetching.values():
            task.cancel()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)
        await self._fetcher.close()

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with an app."""
        routes = Blueprint("packages", __name__, url_prefix="/packages")
        add: Callable[..., None] = routes.add_url_rule
        add("/pyodide-lock.json", "lock", self.lock)
        add("/<file>", "package", self.package)
        add("/simple/<project>/", "listing", self.listing)
        add(f"/{PYPI_FOLDER}/<project>/<file>", "wheel", self.wheel)
        return routes

    async def lock(self) -> ResponseReturnValue:
        """What ``import`` can find."""
        return respond(request, await self.merged(), REVALIDATE)

    async def merged(self) -> Content:
        """The lock file, with the wheels that lie in the folder now."""
        raw = await asyncio.to_thread(self._ready()[0].merged)
        if self._lock is None or self._lock.raw != raw:
            self._lock = Content(raw, "application/json", tag(raw), await asyncio.to_thread(code, raw, ".json"))
        return self._lock

    async def package(self, file: str) -> ResponseReturnValue:
        """A file that the lock file names."""
        distribution, _ = self._ready()
        path = self.folder / _checked(file)
        if distribution.sha256(file) is None:
            if path.suffix != ".whl":  # whatever else lies in the folder is nobody's business
                raise _not_here(file)
            return await self._send(path, file)
        try:
            return respond(request, await self.fetch(file), REVALIDATE)
        except FetchError as error:
            raise _unavailable(error) from None

    async def fetch(self, file: str) -> Content:
        """A file of Pyodide's, from the folder, or to it. Raises FetchError."""
        distribution, _ = self._ready()
        sha256 = distribution.sha256(file)
        if sha256 is None:
            raise FetchError(f"Pyodide has no {file}.", absent=True)
        path = self.folder / file
        content = await self._kept(path, sha256)
        if content is None and await asyncio.to_thread(distribution.is_own, file):
            content = await self._kept(path)  # a wheel of the folder's, that has the name of Pyodide's
        if content is None:
            if not self._source:
                raise FetchError(
                    f"{file} is not in this server's folder of packages, and it may not fetch any.", absent=True
                )
            await self._once(path, self._fetch_package(urljoin(self._source, quote(file)), path, sha256))
            content = await self._kept(path, sha256)
        if content is None:
            raise FetchError(f"{path} was changed while it was fetched.")
        return content

    async def listing(self, project: str) -> ResponseReturnValue:
        """The wheels of a project, as micropip asks for them."""
        project = canonicalize_name(_checked(project))
        _, index = self._ready()
        here = await asyncio.to_thread(self._kept_wheels, project)
        listed: Wheels = {}
        try:
            listed = await index.wheels(project)
        except FetchError as error:
            if not here:
                raise _unavailable(error) from None
            logger.info("of %s only what was fetched before can be had: %s", project, error)
        base = urljoin(request.host_url, f"packages/{PYPI_FOLDER}/{project}/")
        raw = await asyncio.to_thread(make_listing, project, base, listed, here)
        if raw is None and not await index.address():
            message = f"This server asks no index of packages (PARTYLINE_PYPI), so {project} cannot be had."
            raise InputError("no_index", message, 404)
        if raw is None:
            raise InputError("not_found", f"The index has no wheel of {project} for Python in browsers.", 404)
        return respond(request, Content(raw, TYPE, tag(raw)), REVALIDATE)

    async def wheel(self, project: str, file: str) -> ResponseReturnValue:
        """A wheel that a listing named."""
        project = canonicalize_name(_checked(project))
        path = self.folder / PYPI_FOLDER / project / _checked(file)
        if not await asyncio.to_thread(path.is_file):
            try:
                listed = (await self._ready()[1].wheels(project)).get(file)
                if listed is None:
                    raise InputError("not_found", f"There is no {file} of {project}.", 404)
                await self._once(path, self._fetch_wheel(listed.url, path, listed.sha256))
            except FetchError as error:
                raise _unavailable(error) from None
        return await self._send(path, file)

    def _ready(self) -> tuple[Distribution, Index]:
        if self._distribution is None or self._index is None:
            raise InputError("not_prepared", "The browser's files are still being prepared.", 503, retry_after=2)
        return self._distribution, self._index

    async def _find_index(self) -> str:
        return await asyncio.to_thread(find_index, self._pypi)

    async def _once(self, path: Path, fetching: Coroutine[Any, Any, None]) -> None:
        """Fetch a file once, however many ask for it."""
        task = self._fetching.get(path)
        if task is None:
            task = self._fetching[path] = asyncio.create_task(fetching)
            task.add_done_callback(lambda done: self._fetched(path, done))
        else:
            fetching.close()
        await asyncio.shield(task)  # others may wait for it, too

    def _fetched(self, path: Path, task: asyncio.Task[None]) -> None:
        del self._fetching[path]
        if not task.cancelled():
            task.exception()  # who waited for it has gone, perhaps

    async def _fetch_package(self, url: str, path: Path, sha256: str) -> None:
        async with self._turns:
            if await self._kept(path, sha256) is not None:  # somebody's fetch ended while we looked for the file
                return
            logger.info("= fetching %s", shown(url))
            await self._fetcher.fetch_file(url, path, sha256, MAX_FILE)
            self._shelf.changed(path)

    async def _fetch_wheel(self, url: str, path: Path, sha256: str) -> None:
        async with self._pypi_turn:
            if await asyncio.to_thread(path.is_file):
                return
            room = MAX_PYPI - await asyncio.to_thread(self._kept_bytes)
            if room <= 0:
                raise FetchError(
                    f"This server has {MAX_PYPI // 1_000_000_000} GB of PyPI's files and keeps no more, so {path.name} "
                    f"cannot be had. Whoever runs it can remove {path.parent.parent}."
                )
            logger.info("= fetching %s", shown(url))
            await self._fetcher.fetch_file(url, path, sha256, min(MAX_FILE, room))
            self._shelf.changed(path)

    async def _kept(self, path: Path, sha256: str | None = None) -> Content | None:
        """What is in the folder, if its hash is this one."""
        try:
            return await self._shelf.read(path, sha256)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FetchError(f"{path} cannot be read: {error.strerror}.") from None

    async def _send(self, path: Path, file: str) -> Response:
        try:
            content = await self._kept(path)
        except FetchError as error:
            raise _unavailable(error) from None
        if content is None:
            raise _not_here(file)
        return respond(request, content, REVALIDATE)

    def _kept_wheels(self, project: str) -> list[Path]:
        return sorted((self.folder / PYPI_FOLDER / project).glob("*.whl"))

    def _kept_bytes(self) -> int:
        total = 0
        for path in (self.folder / PYPI_FOLDER).glob("*/*"):
            with suppress(OSError):  # it went away meanwhile
                total += path.stat().st_size
        return total


def _checked(name: str) -> str:
    """A name that can be a file's and leads nowhere else."""
    if _NAME.fullmatch(name) is None:
        raise _not_here(name)
    return name


def _not_here(name: str) -> InputError:
    return InputError("not_found", f"There is no package {name[:100]!r} here.", 404)


def _unavailable(error: FetchError) -> InputError:
    logger.warning("%s", error)
    if error.absent:
        return InputError("not_found", str(error), 404)
    return InputError("unavailable", str(error), 502)
