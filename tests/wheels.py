"""Wheels for the folders of packages of tests' servers: real ones, fetched once by pip. ``python tests/wheels.py``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "build" / "test-wheels"

PINS = (
    "micropip==0.11.1",
    "msgspec==0.22.0",  # compiled, for Pyodide
    "rich==14.3.3",
    # what rich needs
    "markdown-it-py==4.2.0",
    "mdurl==0.1.2",
    "pygments==2.20.0",
    "humanize==4.15.0",
)
TARGET = ("--python-version", "3.14", "--abi", "cp314", "--abi", "none")
PLATFORMS = ("--platform", "pyemscripten_2026_0_wasm32", "--platform", "any")


def wheel(project: str) -> Path:
    """The wheel of one of the pinned projects."""
    fetch()
    (found,) = FOLDER.glob(f"{project.replace('-', '_')}-*.whl")
    return found


def fetch() -> None:
    """Have all there."""
    done = FOLDER / "done.txt"
    pins = "\n".join(PINS)
    if done.exists() and done.read_text() == pins:
        return
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as name:  # two runs may do so at the same time
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", name]
        subprocess.run([*pip, *TARGET, *PLATFORMS, *PINS], check=True)
        FOLDER.mkdir(exist_ok=True)
        for path in FOLDER.glob("*.whl"):
            if not (folder / path.name).exists():
                path.unlink(missing_ok=True)  # of other pins
        for path in folder.glob("*.whl"):
            path.replace(FOLDER / path.name)
    done.write_text(pins)


if __name__ == "__main__":
    fetch()
