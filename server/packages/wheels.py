"""Wheels as Pyodide's lock file tells of them: a file in, its entry out.

The entry is of pyodide-lock.json (https://pyodide.org/en/stable/development/abi.html has the platform's tags). What a
wheel is: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker
from packaging.metadata import Metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

MAX_METADATA = 5_000_000
"""The largest METADATA that is read, in bytes."""


class WheelError(ValueError):
    """A file that cells cannot use; the message says why."""


@dataclass(frozen=True)
class Target:
    """The Python that runs in browsers, as the lock file's ``info`` has it: "3.14.2", "2026_0", "wasm32"."""

    python: str
    abi: str
    arch: str

    @property
    def platform(self) -> str:
        """The tag of wheels for it (PEP 783)."""
        return f"pyemscripten_{self.abi}_{self.arch}"

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """All tags that it takes."""
        version = Version(self.python)
        python, cpython = (version.major, version.minor), f"cp{version.major}{version.minor}"
        platforms = [self.platform, f"pyodide_{self.abi}_{self.arch}"]  # the second is what it was called before
        own = cpython_tags(python_version=python, abis=[cpython], platforms=platforms)
        return frozenset([*own, *compatible_tags(python_version=python, interpreter=cpython, platforms=platforms)])

    @property
    def environment(self) -> dict[str, str]:
        """What markers of requirements ask for (PEP 508)."""
        version = Version(self.python)
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": self.arch,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Emscripten",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": f"{version.major}.{version.minor}",
            "sys_platform": "emscripten",
            "extra": "",
        }


@dataclass(frozen=True)
class Wheel:
    """A wheel that browsers can use. ``needs``: the names of the projects that it requires."""

    project: str
    version: Version
    file: str
    sha256: str
    imports: list[str]
    needs: list[str]

    def entry(self, known: Iterable[str]) -> dict[str, Any]:
        """What the lock file says of it. It may require what is ``known`` alone: Pyodide loads nothing of an entry that
        names what is not there."""
        there = set(known)
        return {
            "name": self.project,
            "version": str(self.version),
            "file_name": self.file,
            "install_dir": "site",
            "sha256": self.sha256,
            "package_type": "package",
            "imports": self.imports,
            "depends": [name for name in self.needs if name in there],
            "unvendored_tests": False,
        }


def check_tags(file: str, target: Target) -> tuple[str, Version]:
    """The project and version of a wheel of this file name. Raises WheelError where the target cannot use it."""
    try:
        project, version, _, tags = parse_wheel_filename(file)
    except (InvalidWheelFilename, InvalidVersion) as error:
        raise WheelError(f"its name is no wheel's: {error}") from None
    if tags.isdisjoint(target.tags):
        raise WheelError(
            f"it is for {' or '.join(sorted({str(tag) for tag in tags}))}; Python in browsers takes py3-none-any, "
            f"and {target.platform}"
        )
    return project, version


def read_wheel(path: Path, target: Target) -> Wheel:
    """A wheel's entry for the lock file. Raises WheelError."""
    project, version = check_tags(path.name, target)
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                return Wheel(
                    project,
                    version,
                    path.name,
                    sha256,
                    _imports(archive.namelist()),
                    _needs(archive, target.environment),
                )
    except OSError as error:
        raise WheelError(f"it cannot be read: {error.strerror}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise WheelError(f"it is no whole zip file: {error}") from None


def _imports(names: Iterable[str]) -> list[str]:
    """The names that cells can import, of those of all files: top-level modules, and folders with modules in them."""
    found: set[str] = set()
    for name in names:
        top, _, below = name.partition("/")
        stem = top if below else top.partition(".")[0]
        if name.endswith((".py", ".so")) and stem.isidentifier():
            found.add(stem)
    return sorted(found)


def _needs(archive: zipfile.ZipFile, environment: dict[str, str]) -> list[str]:
    infos = [info for info in archive.infolist() if _is_metadata(info.filename)]
    if len(infos) != 1:
        raise WheelError("it has no METADATA")
    if infos[0].file_size > MAX_METADATA:
        raise WheelError("its METADATA is too large")
    metadata = Metadata.from_email(archive.read(infos[0]), validate=False)
    try:
        required: list[Requirement] = metadata.requires_dist or []
        wanted = [each.name for each in required if each.marker is None or each.marker.evaluate(environment)]
    except (InvalidRequirement, InvalidMarker, ValueError, ExceptionGroup) as error:
        raise WheelError(f"its METADATA names a requirement that cannot be read: {error}") from None
    return sorted({canonicalize_name(name) for name in wanted})


def _is_metadata(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder.endswith(".dist-info") and file == "METADATA"
