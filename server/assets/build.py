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
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from . import npm
from .compress import compress_all
from .errors import AssetsError
from .lock import try_lock
from .manifest import NAME, RECIPE, AssetFile, AssetPackage, Manifest, is_whole, load_manifest, lock_hash, read

Fetch = Callable[[Path, Path, npm.Say], Path]
"""Given the root, a folder to work in and ``say``: returns a ``node_modules`` that holds the packages."""


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
        compressed = compress_all(contents, say, stop)
        for name, files in contents.items():
            package = packages[name]
            ours = {file: compressed.get((name, file), {}) for file in files}
            _place(out, stage, package.folder, files, ours)
            sizes = {file: {suffix: len(data) for suffix, data in ours[file].items()} for file in files}
            entries = {file: AssetFile(len(files[file]), **{"br": None, "gz": None, **sizes[file]}) for file in files}
            packages[name] = replace(package, files=entries)
        manifest = Manifest(RECIPE, lock, packages)
        (stage / NAME).write_text(manifest.to_json(), encoding="utf-8")
        os.replace(stage / NAME, out / NAME)
        _remove_old(out, {*npm.SOURCES, *(before.packages if before else ())}, manifest)
        return manifest
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _place(
    out: Path, stage: Path, folder: str, files: Mapping[str, bytes], compressed: Mapping[str, Mapping[str, bytes]]
) -> None:
    """Write a package's folder in the stage, and rename it into place; a damaged one there goes to the stage."""
    staged = stage / folder
    staged.mkdir()
    for name, content in files.items():
        (staged / name).write_bytes(content)
    for name, coded in compressed.items():
        for suffix, content in coded.items():
            (staged / f"{name}.{suffix}").write_bytes(content)
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
