"""The manifest: which files are prepared, where, and from what.

``load_manifest`` is all that a server needs at its start: it returns a Manifest whose every file is there, or None
where ``prepare`` has to run first.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

from server.config import ROOT

from .errors import AssetsError

RECIPE = 2
"""Raise it with every change to what is taken, or how it is made: what older recipes made is then made anew."""

NAME = "manifest.json"


@dataclass(frozen=True)
class AssetFile:
    """A file: its size, and the sizes of its siblings, ``<file>.br`` in brotli and ``<file>.gz`` in gzip.

    None where there is no such sibling: it would not be smaller.
    """

    bytes: int
    br: int | None
    gz: int | None


@dataclass(frozen=True)
class AssetPackage:
    """A package: its version, its folder ``<name>-<hash>`` beside the manifest, and its files by name."""

    version: str
    folder: str
    files: dict[str, AssetFile]


@dataclass(frozen=True)
class Manifest:
    """What is prepared, by package: ``pyodide``, ``pyscript`` and so on, the keys of ``npm.SOURCES``.

    ``recipe`` and ``lock`` say what it was made with and from: RECIPE, and the SHA-256 of ``package-lock.json``.
    """

    recipe: int
    lock: str
    packages: dict[str, AssetPackage]

    def to_json(self) -> str:
        """The manifest as the text that ``from_json`` reads."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @staticmethod
    def from_json(text: str) -> Manifest:
        """Read a manifest. Raises KeyError, TypeError or ValueError where the text is no manifest."""
        value: dict[str, Any] = json.loads(text)
        return Manifest(
            recipe=int(value["recipe"]),
            lock=str(value["lock"]),
            packages={
                name: AssetPackage(
                    version=str(package["version"]),
                    folder=str(package["folder"]),
                    files={file: AssetFile(**sizes) for file, sizes in dict(package["files"]).items()},
                )
                for name, package in dict(value["packages"]).items()
            },
        )


def load_manifest(out: Path, root: Path = ROOT) -> Manifest | None:
    """The manifest in ``out``, or None where ``prepare`` has work to do: nothing is there, or not all of it, or it
    was made from another ``package-lock.json`` than the one in ``root``, or by another recipe.

    Raises:
        AssetsError: ``root`` has no ``package-lock.json``.
    """
    lock = lock_hash(root)
    manifest = read(out)
    if manifest is None or manifest.recipe != RECIPE or manifest.lock != lock:
        return None
    return manifest if all(is_whole(out, package) for package in manifest.packages.values()) else None


def default_out(chosen: str | None = None) -> Path:
    """Where the prepared files stand.

    Args:
        chosen: the setting PARTYLINE_ASSETS; None to read it from the environment. Where it is empty, a checkout
            keeps them in its own ``build/assets``, and an installed package in the user's cache, where each
            lock file has its own folder, so that two installed versions leave each other's files alone.
    """
    if chosen is None:
        chosen = os.environ.get("PARTYLINE_ASSETS", "").strip()
    if chosen:
        return Path(chosen).absolute()
    if (ROOT / "server").is_dir():
        return ROOT / "build" / "assets"
    return platformdirs.user_cache_path("partyline", appauthor=False) / f"assets-{RECIPE}-{lock_hash(ROOT)[:12]}"


def lock_hash(root: Path) -> str:
    """The SHA-256 of ``package-lock.json``, in hex. Raises AssetsError where there is none."""
    path = root / "package-lock.json"
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise AssetsError(
            f"{path} cannot be read ({error.strerror}), so which browser files are wanted is not known. "
            "Restore it with git, or install partyline again."
        ) from error


def read(out: Path) -> Manifest | None:
    """The manifest in ``out`` as it stands, stale or not; None where there is none that can be read."""
    try:
        return Manifest.from_json((out / NAME).read_text(encoding="utf-8"))
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def is_whole(out: Path, package: AssetPackage) -> bool:
    """Whether all of a package's files are there, each with its size."""
    for name, file in package.files.items():
        sizes = {name: file.bytes, f"{name}.br": file.br, f"{name}.gz": file.gz}
        if not all(size is None or _has_size(out / package.folder / each, size) for each, size in sizes.items()):
            return False
    return True


def _has_size(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
