"""``python -m server.packages numpy matplotlib``: fetch packages of Pyodide's, and what they need, for later."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from pathlib import Path

from .. import assets
from ..config import ROOT, Settings, SettingsError
from .fetching import FetchError
from .handing import Packages
from .place import default_folder
from .wheels import Target

INSTALLER = "micropip"
"""What ``%pip`` in a cell needs."""


def main(arguments: list[str] | None = None) -> int:
    """Fetch them, saying what is done. Returns 0, or 1 where something could not be had."""
    parser = argparse.ArgumentParser(prog="python -m server.packages", description=__doc__)
    parser.add_argument("project", nargs="+", help="a package of Pyodide's, such as numpy")
    projects: list[str] = parser.parse_args(arguments).project
    try:
        return asyncio.run(_fetch_all(Settings.from_environment(), projects))
    except (SettingsError, assets.AssetsError) as error:
        print(error, file=sys.stderr)
        return 1


async def _fetch_all(settings: Settings, projects: list[str]) -> int:
    out = assets.default_out(settings.assets)
    manifest = assets.prepare(ROOT, out, print)
    packages = Packages(default_folder(settings.packages), settings.packages_from, settings.pypi)
    distribution = packages.prepared(manifest, out)
    files, missing = distribution.closure([INSTALLER, *projects])
    failed = 0
    try:
        for file in files:
            try:
                await packages.fetch(file)
            except FetchError as error:
                print(error, file=sys.stderr)
                failed += 1
            else:
                print(packages.folder / file)
    finally:
        await packages.close()
    if missing:
        print(f"Pyodide has no {', '.join(missing)}. For wheels of PyPI that run in browsers:", file=sys.stderr)
        print(pip_command(distribution.target, packages.folder, missing), file=sys.stderr)
    return 1 if failed or missing else 0


def pip_command(target: Target, folder: Path, projects: list[str]) -> str:
    """How the pip of this Python puts wheels into the folder: a line for a shell."""
    major, minor, *_ = target.python.split(".")
    python, place = shlex.quote(sys.executable), shlex.quote(str(folder))
    return (
        f"    {python} -m pip download -d {place} --only-binary=:all: --python-version {major}.{minor} "
        f"--abi cp{major}{minor} --abi none --platform {target.platform} --platform any --find-links {place} "
        f"{' '.join(projects)}"
    )


if __name__ == "__main__":
    sys.exit(main())
