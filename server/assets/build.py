"""Preparing: fetch, pick, compress, put in place, write the manifest.

It can be stopped at any point and run again. All work is done in a folder ``.stage-…``, a package is renamed into
place when it is whole, and the manifest, which says what counts, is replaced last. One process works at a time, others
wait for it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import brotli

from . import npm
from .errors import AssetsError
from .lock import try_lock
from .manifest import NAME, RECIPE, AssetFile, AssetPackage, Manifest, is_whole, load_manifest, lock_hash, read

Fetch = Callable[[Path, Path, npm.Say], Path]
"""Given the root, a folder to work in and ``say``: returns a ``node_modules`` that holds the packages."""

Names = tuple[str, str]  # of a package and its file

_COMPRESSIBLE = (".js", ".mjs", ".css", ".wasm", ".json", ".svg", ".html")
_QUALITY = 11
_CHUNK = 1 << 18  # small enough that Ctrl-C is answered within a second


def prepare(
    root: Path, out: Path, say: npm.Say, fetch: Fetch = npm.fetch, stop: threading.Event | None = None
) -> Manifest:
    """Make ``out`` hold the browser's files that ``root`` locks, if it does not yet.

    Args:
        root: holds ``package.json`` and ``package-lock.json``; it is only read.
        out: the folder of the prepared files; made if missing, and all our own.
        say: is given one line at a time on how it goes, always from the calling thread.
        fetch: fetches the packages; tests give their own.
        stop: set it from another thread to end the work early, with an AssetsError; npm, once begun, ends first.

    Raises:
        AssetsError: it cannot be done; the message says why, and what to do.
    """
    manifest = load_manifest(out, root)
    if manifest is None:
        try:
            with _alone(out, say):
                # while we waited, another process may have done it
                manifest = load_manifest(out, root) or _build(root, out, say, fetch, stop or threading.Event())
        except OSError as error:
            raise AssetsError(
                f"The browser's files cannot be written to {out} ({error}). Make room there or make it writable, or "
                "set PARTYLINE_ASSETS to another folder; then run the same command again."
            ) from error
    say(f"The browser's files are ready in {out}")
    return manifest


def _build(root: Path, out: Path, say: npm.Say, fetch: Fetch, stop: threading.Event) -> Manifest:
    for left in out.glob(".stage-*"):
        shutil.rmtree(left, ignore_errors=True)
    # a name of its own: where we were killed, npm may live on for a moment and write into the old one
    stage = Path(tempfile.mkdtemp(prefix=".stage-", dir=out))
    try:
        lock = lock_hash(root)
        modules = fetch(root, stage, say)
        before = read(out)
        packages: dict[str, AssetPackage] = {}
        contents: dict[str, dict[str, bytes]] = {}
        for name, source in npm.SOURCES.items():
            files = npm.pick(modules, source)
            package = AssetPackage(npm.version_of(modules, source), f"{name}-{_hash(files)}", {})
            made = before.packages.get(name) if before is not None and before.recipe == RECIPE else None
            if made is not None and made.folder == package.folder and is_whole(out, made):
                say(f"{name} {package.version} has not changed")
                packages[name] = replace(made, version=package.version)
            else:
                packages[name] = package
                contents[name] = files
        compressed = _compress_all(contents, say, stop)
        for name, files in contents.items():
            package = packages[name]
            ours = {file: br for (owner, file), br in compressed.items() if owner == name}
            _place(out, stage, package.folder, files, ours)
            sizes = {file: AssetFile(len(content), _size(ours.get(file))) for file, content in files.items()}
            packages[name] = replace(package, files=sizes)
        manifest = Manifest(RECIPE, lock, packages)
        (stage / NAME).write_text(manifest.to_json(), encoding="utf-8")
        os.replace(stage / NAME, out / NAME)
        _remove_old(out, {*npm.SOURCES, *(before.packages if before else ())}, manifest)
        return manifest
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _compress_all(
    contents: Mapping[str, Mapping[str, bytes]], say: npm.Say, stop: threading.Event
) -> dict[Names, bytes]:
    """Compress what can be, on all cores, the largest first; what got no smaller is left out."""
    jobs = [
        (len(content), (name, file), content)
        for name, files in contents.items()
        for file, content in files.items()
        if file.endswith(_COMPRESSIBLE)
    ]
    jobs.sort(reverse=True)
    if jobs:
        say(f"compressing {len(jobs)} files; the largest, of {_human(jobs[0][0])}, can take half a minute")
    smaller: dict[Names, bytes] = {}
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        futures = {pool.submit(_compress, content, stop): (names, size) for size, names, content in jobs}
        for future in as_completed(futures):
            names, size = futures[future]
            result = future.result()
            if result is None:
                raise AssetsError("Preparing the browser's files was stopped. It begins anew when run again.")
            if len(result) < size:
                smaller[names] = result
                say(f"compressed {'/'.join(names)}  {_human(size)} → {_human(len(result))}")
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return smaller


def _compress(content: bytes, stop: threading.Event) -> bytes | None:
    """Compress in chunks, which brotli does without holding the GIL; None where ``stop`` was set meanwhile."""
    compressor = brotli.Compressor(quality=_QUALITY)
    parts = []
    for start in range(0, len(content), _CHUNK):
        if stop.is_set():
            return None
        parts.append(compressor.process(content[start : start + _CHUNK]))
    return b"".join([*parts, compressor.finish()])


def _place(out: Path, stage: Path, folder: str, files: Mapping[str, bytes], compressed: Mapping[str, bytes]) -> None:
    """Write a package's folder in the stage, and rename it into place; a damaged one there goes to the stage."""
    staged = stage / folder
    staged.mkdir()
    for name, content in files.items():
        (staged / name).write_bytes(content)
    for name, content in compressed.items():
        (staged / f"{name}.br").write_bytes(content)
    if (out / folder).exists():
        (out / folder).rename(stage / f"{folder}.damaged")
    staged.rename(out / folder)


def _remove_old(out: Path, names: set[str], manifest: Manifest) -> None:
    """Remove the folders that we made and the manifest no longer names."""
    wanted = {package.folder for package in manifest.packages.values()}
    for path in out.iterdir():
        name, _, digest = path.name.rpartition("-")
        if name in names and len(digest) == 12 and path.name not in wanted:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _alone(out: Path, say: npm.Say) -> Iterator[None]:
    """Hold ``out`` for one process at a time. The system lets go of the lock when its holder dies, however it dies."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "ab") as file:
        if not try_lock(file):
            say("Another process is preparing the browser's files; waiting for it to end")
            while not try_lock(file):
                time.sleep(0.2)
        yield


def _hash(files: Mapping[str, bytes]) -> str:
    """12 hex digits that change with any file's name or content."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()[:12]


def _size(content: bytes | None) -> int | None:
    return None if content is None else len(content)


def _human(size: int) -> str:
    if size >= 100_000:
        return f"{size / 1e6:.2f} MB"
    return f"{size / 1e3:.1f} kB" if size >= 1000 else f"{size} B"
