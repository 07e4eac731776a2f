"""Fetches files from the internet: whole and as they were promised, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

TIMEOUT_SECONDS = 30.0
"""Of silence, before a fetch is given up."""

PART = ".part"
"""What a file's name ends with until it is whole; it begins with a dot."""

LEFT_SECONDS = 86_400.0
"""A part that is older was left by a server that was killed."""

logger = logging.getLogger("partyline.packages")


class FetchError(Exception):
    """What could not be fetched; the message says what, from where, and why. ``absent``: it is not there at all."""

    def __init__(self, message: str, *, absent: bool = False) -> None:
        super().__init__(message)
        self.absent = absent


class Fetcher:
    """Fetches over HTTP. Names and passwords in addresses go to their host alone, and into no message."""

    def __init__(self) -> None:
        # the system's certificates, as pip and curl have them, not a list of a package's own
        context = ssl.create_default_context()
        self._client = httpx.AsyncClient(
            verify=context, follow_redirects=True, timeout=TIMEOUT_SECONDS, headers={"User-Agent": "partyline"}
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    async def fetch(self, url: str, limit: int, accept: str = "*/*") -> tuple[bytes, str]:
        """The bytes that stand there, and their content type. Raises FetchError, for more than ``limit`` bytes, too."""
        async with self._open(url, accept) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                _check_size(len(body), limit, url)
            return bytes(body), response.headers.get("content-type", "").partition(";")[0].strip().lower()

    async def fetch_file(self, url: str, path: Path, sha256: str, limit: int) -> None:
        """Put the file that stands there at ``path``, if its hash is this one. Raises FetchError; then nothing is
        there that was not before."""
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PART}")
        try:
            await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
            async with self._open(url, "*/*") as response:
                size, found = await _write(response, part, url, limit)
            if found != sha256:
                raise FetchError(f"{shown(url)} is not the file that was promised: {size:,} bytes of sha256 {found}.")
            os.replace(part, path)
        except OSError as error:
            raise FetchError(f"{shown(url)} could not be kept as {path}: {error.strerror}.") from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    @asynccontextmanager
    async def _open(self, url: str, accept: str) -> AsyncIterator[httpx.Response]:
        try:
            async with self._client.stream("GET", url, headers={"Accept": accept}) as response:
                if response.status_code != httpx.codes.OK:
                    absent = response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE)
                    said = f"{response.status_code} {response.reason_phrase}".strip()
                    raise FetchError(f"{shown(url)} answered {said}.", absent=absent)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FetchError(f"{shown(url)} cannot be fetched: {str(error) or type(error).__name__}.") from None


def remove_parts(folder: Path) -> None:
    """Remove what servers that were killed have left half fetched."""
    for part in folder.rglob(f".*{PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > LEFT_SECONDS:
                part.unlink()


def shown(url: str) -> str:
    """An address without the name and password in it."""
    try:
        return str(httpx.URL(url).copy_with(userinfo=b""))
    except httpx.InvalidURL:
        return "An address that is none"


async def _write(response: httpx.Response, part: Path, url: str, limit: int) -> tuple[int, str]:
    """The size and the sha256 of what was written."""
    digest = hashlib.sha256()
    size = 0
    with part.open("xb") as file:  # 64 KB at a time, into the system's cache
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            _check_size(size, limit, url)
            digest.update(chunk)
            file.write(chunk)
    return size, digest.hexdigest()


def _check_size(size: int, limit: int, url: str) -> None:
    if size > limit:
        raise FetchError(f"{shown(url)} has more than {limit:,} bytes.")
