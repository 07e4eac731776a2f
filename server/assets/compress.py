"""Compressing: each file once, in each coding, so that serving it costs no more than sending it.

In flow a package's files, out come for each the codings that make it smaller. Browsers take brotli only over HTTPS and
from localhost; a class that reaches its teacher's machine over plain HTTP gets gzip, which is a quarter larger.
"""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Protocol

import brotli

from .errors import AssetsError

Names = tuple[str, str]  # of a package and its file

_COMPRESSIBLE = (".js", ".mjs", ".css", ".wasm", ".json", ".svg", ".html")
_CHUNK = 1 << 18  # small enough that Ctrl-C is answered within a second


class _Compressor(Protocol):
    def process(self, data: bytes, /) -> bytes: ...
    def finish(self) -> bytes: ...


class _Gzip:
    """zlib under brotli's names, in gzip's format (RFC 1952) with no time in it: the same bytes whenever made."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(9, wbits=31)
        self.process = self._zlib.compress
        self.finish = self._zlib.flush


_COMPRESSORS: dict[str, Callable[[], _Compressor]] = {"br": lambda: brotli.Compressor(quality=11), "gz": _Gzip}


def compress_all(
    contents: Mapping[str, Mapping[str, bytes]], say: Callable[[str], None], stop: threading.Event
) -> dict[Names, dict[str, bytes]]:
    """Compress what can be, on all cores, the largest first: the bytes by package and file, then by suffix.

    What got no smaller is left out. Raises AssetsError where ``stop`` was set meanwhile; it is set afterwards.
    """
    jobs = [
        (len(content), (name, file), content)
        for name, files in contents.items()
        for file, content in files.items()
        if file.endswith(_COMPRESSIBLE)
    ]
    jobs.sort(reverse=True)
    if jobs:
        say(f"compressing {len(jobs)} files; the largest, of {_human(jobs[0][0])}, can take half a minute")
    smaller: dict[Names, dict[str, bytes]] = {}
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        futures = {
            pool.submit(_compress, make(), content, stop): (names, suffix, size)
            for size, names, content in jobs
            for suffix, make in _COMPRESSORS.items()
        }
        for future in as_completed(futures):
            names, suffix, size = futures[future]
            result = future.result()
            if result is None:
                raise AssetsError("Preparing the browser's files was stopped. It begins anew when run again.")
            if len(result) < size:
                smaller.setdefault(names, {})[suffix] = result
                say(f"compressed {'/'.join(names)}.{suffix}  {_human(size)} → {_human(len(result))}")
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return smaller


def _compress(compressor: _Compressor, content: bytes, stop: threading.Event) -> bytes | None:
    """Compress in chunks, which is done without holding the GIL; None where ``stop`` was set meanwhile."""
    parts = []
    for start in range(0, len(content), _CHUNK):
        if stop.is_set():
            return None
        parts.append(compressor.process(content[start : start + _CHUNK]))
    return b"".join([*parts, compressor.finish()])


def _human(size: int) -> str:
    if size >= 100_000:
        return f"{size / 1e6:.2f} MB"
    return f"{size / 1e3:.1f} kB" if size >= 1000 else f"{size} B"
