"""Files as HTTP sends them: kept in memory, compressed once, named by their content.

In flow a name and the request's headers, out comes a response: the encoding that the browser takes, 304 where it has
the file, 206 for a range of it (RFC 9110, sections 12 to 15). The bytes are shared by all who fetch them, and leave in
chunks, so a client that reads slowly costs one chunk of memory, and a large file holds nobody else up.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import brotli
from quart import Request, Response
from quart.wrappers.response import ResponseBody
from werkzeug.exceptions import PreconditionFailed, RequestedRangeNotSatisfiable

from .assets import Manifest
from .representations import IDENTITY, RangeError, choose_coding, is_unchanged, parse_range

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

CHUNK = 1 << 17
"""How many bytes are sent at once. ``python -m bench.static --chunks`` shows what other sizes would do."""

STALL_SECONDS = 60.0
"""A client that takes no chunk for so long is given up."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".zip": "application/zip",
}
_COMPRESSED = {".ico", ".zip"}
_QUALITY = 5
_LEVEL = 9

# no empty part, none that begins with a dot, and no character that means something to any file system
_NAME = re.compile(r"(?:[\w-][\w.-]*/)*[\w-][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Content:
    """A file's bytes as they are, its type, its entity tag, and by coding its bytes where those are fewer."""

    raw: bytes
    type: str
    etag: str
    coded: Mapping[str, bytes] = field(default_factory=dict)


class Files:
    """The files below a folder. One that changes on disk is read again, so an edit shows on reload."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[str, tuple[tuple[int, int], Content]] = {}

    def find(self, name: str) -> Content | None:
        """The file of this name; None where there is none, or the name, or a link, leads out of the folder."""
        path = self.folder / name
        if _NAME.fullmatch(name) is None or path.suffix not in _TYPES:
            return None
        try:
            stat = path.stat()
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return None
        version = (stat.st_mtime_ns, stat.st_size)
        kept = self._kept.get(name)
        if kept is None or kept[0] != version:
            if not path.is_file() or not path.resolve().is_relative_to(self.folder.resolve()):
                return None
            raw = path.read_bytes()
            kept = self._kept[name] = (version, Content(raw, _TYPES[path.suffix], tag(raw), code(raw, path.suffix)))
        return kept[1]


def load_prepared(out: Path, manifest: Manifest) -> dict[str, Content]:
    """The prepared files that browsers may have, by ``<folder>/<name>``, with what was compressed beside them."""
    contents: dict[str, Content] = {}
    for package in manifest.packages.values():
        for name, file in package.files.items():
            path = out / package.folder / name
            if path.suffix not in _TYPES:
                continue
            raw = path.read_bytes()
            beside = {"br": ("br", file.br), "gzip": ("gz", file.gz)}
            coded = {
                coding: path.with_name(f"{name}.{suffix}").read_bytes()
                for coding, (suffix, size) in beside.items()
                if size is not None
            }
            contents[f"{package.folder}/{name}"] = Content(raw, _TYPES[path.suffix], tag(raw), coded)
    return contents


def code(raw: bytes, suffix: str) -> dict[str, bytes]:
    """The bytes in each coding that makes them fewer."""
    if suffix in _COMPRESSED:
        return {}
    coded = {"br": brotli.compress(raw, quality=_QUALITY), "gzip": gzip.compress(raw, _LEVEL, mtime=0)}
    return {coding: data for coding, data in coded.items() if len(data) < len(raw)}


def tag(raw: bytes) -> str:
    """An entity tag's text for these bytes."""
    return hashlib.sha256(raw).hexdigest()[:20]


def respond(request: Request, content: Content, cache: str) -> Response:
    """The answer to a GET or HEAD for ``content``; ``cache`` is its Cache-Control.

    Raises werkzeug's PreconditionFailed (412) or RequestedRangeNotSatisfiable (416).
    """
    coding = choose_coding(request.headers.get("Accept-Encoding"), content.coded)
    data = content.coded.get(coding, content.raw)
    etag = content.etag if coding == IDENTITY else f"{content.etag}-{coding}"  # each is a representation of its own
    if "If-Match" in request.headers and not request.if_match.contains(etag):
        raise PreconditionFailed
    if request.if_none_match.contains_weak(etag):
        response = Response(b"", 304)
        del response.headers["Content-Type"], response.headers["Content-Length"]
    else:
        response = _send(request, data, etag)
        response.headers["Content-Type"] = content.type
        response.headers["Accept-Ranges"] = "bytes"
        if coding != IDENTITY:
            response.headers["Content-Encoding"] = coding
    response.set_etag(etag)
    response.headers["Cache-Control"] = cache
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _send(request: Request, data: bytes, etag: str) -> Response:
    """The answer with the bytes, or the range of them that is asked for: a range of what is sent, so of the coded."""
    first, end = 0, len(data)
    found = None
    if request.method == "GET" and is_unchanged(request.headers.get("If-Range"), etag):
        try:
            found = parse_range(request.headers.get("Range"), len(data))
        except RangeError as error:
            raise RequestedRangeNotSatisfiable(len(data)) from error
    if found is not None:
        first, end = found
    body = memoryview(data)[first:end] if request.method == "GET" else memoryview(b"")
    response = Response(Chunks(body, CHUNK))
    response.timeout = None  # Quart's own would cut off who needs more than a minute for all of it
    response.headers["Content-Length"] = str(end - first)
    if found is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
    return response


class Chunks(ResponseBody):
    """A body that shares its bytes with others, and copies but the chunk that is being sent.

    Raises TimeoutError where the client takes none for too long.
    """

    def __init__(self, data: memoryview, size: int) -> None:
        self._data = data
        self._size = size
        self._sent = 0
        self._limit = asyncio.timeout(None)

    async def __aenter__(self) -> Chunks:
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._limit.__aexit__(kind, error, trace)

    def __aiter__(self) -> Chunks:
        return self

    async def __anext__(self) -> bytes:
        if self._sent >= len(self._data):
            raise StopAsyncIteration
        if self._sent:
            await asyncio.sleep(0)  # a client that takes all at once would never let the others have a turn
        self._limit.reschedule(asyncio.get_running_loop().time() + STALL_SECONDS)
        chunk = bytes(self._data[self._sent : self._sent + self._size])
        self._sent += len(chunk)
        return chunk
