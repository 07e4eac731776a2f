"""Files as HTTP sends them: kept in memory, compressed once, named by their content.

In flow a path and the request's headers, out comes a response: 304 where the browser has it (RFC 9110, section 13),
``Content-Encoding: br`` where it takes that. A file that changes on disk is read again, so an edit shows on reload.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import brotli
from quart import Request, Response
from werkzeug.security import safe_join

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

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
_COMPRESSED = {".br", ".ico", ".zip"}
_QUALITY = 5


@dataclass(frozen=True)
class Content:
    """A file's bytes, as they are and in brotli (None where that is not smaller), its type and its entity tag."""

    raw: bytes
    brotli: bytes | None
    type: str
    etag: str


class Files:
    """The files below a folder. ``precompressed`` says that ``name.br`` lies beside what is worth compressing."""

    def __init__(self, folder: Path, *, precompressed: bool = False) -> None:
        self.folder = folder
        self.precompressed = precompressed
        self._kept: dict[str, tuple[tuple[int, int], Content]] = {}

    def find(self, name: str) -> Content | None:
        """The file of this name; None where there is none, or the name leads out of the folder."""
        joined = safe_join(str(self.folder), name)
        if joined is None or Path(joined).suffix not in _TYPES:
            return None
        path = Path(joined)
        try:
            stat = path.stat()
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return None
        version = (stat.st_mtime_ns, stat.st_size)
        kept = self._kept.get(joined)
        if kept is None or kept[0] != version:
            if not path.is_file():
                return None
            kept = self._kept[joined] = (version, self._load(path))
        return kept[1]

    def _load(self, path: Path) -> Content:
        raw = path.read_bytes()
        packed: bytes | None = None
        beside = path.with_name(path.name + ".br")
        if self.precompressed:
            packed = beside.read_bytes() if beside.is_file() else None
        else:
            packed = compress(raw, path.suffix)
        return Content(raw, packed, _TYPES[path.suffix], entity_tag(raw))


def compress(raw: bytes, suffix: str) -> bytes | None:
    """The bytes in brotli, or None where that would not be smaller."""
    if suffix in _COMPRESSED:
        return None
    packed: bytes = brotli.compress(raw, quality=_QUALITY)
    return packed if len(packed) < len(raw) else None


def entity_tag(raw: bytes) -> str:
    """An ETag's text for these bytes."""
    return hashlib.sha256(raw).hexdigest()[:20]


def respond(request: Request, content: Content, cache: str) -> Response:
    """The answer to a GET or HEAD for ``content``; ``cache`` is its Cache-Control."""
    packed = content.brotli if request.accept_encodings.quality("br") > 0 else None
    etag = content.etag + ("-br" if packed is not None else "")  # each encoding is a representation of its own
    response = Response(b"", 304)
    if not request.if_none_match.contains_weak(etag):
        response = Response(packed if packed is not None else content.raw, 200, content_type=content.type)
        if packed is not None:
            response.headers["Content-Encoding"] = "br"
    response.set_etag(etag)
    response.headers["Cache-Control"] = cache
    response.headers["Vary"] = "Accept-Encoding"
    return response
