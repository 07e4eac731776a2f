"""Where packages lie, and which index they come of, unless the settings say otherwise."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import platformdirs

PIP = "pip"
"""The setting that means the index which pip is set to."""

_ASK_PIP = """
from pip._internal.commands import create_command
print(create_command("download").parse_args([])[0].index_url)
"""

logger = logging.getLogger("partyline.packages")


def default_folder(setting: str) -> Path:
    """The folder that is set, or one in the user's cache."""
    return (
        Path(setting).absolute() if setting else platformdirs.user_cache_path("partyline", appauthor=False) / "packages"
    )


def find_index(setting: str) -> str:
    """The address of the index that is set; empty for none. Asks pip, so call it in a thread."""
    if setting != PIP:
        return setting
    # pip says it to nobody but itself, so it is asked in a process of its own
    asked = subprocess.run([sys.executable, "-c", _ASK_PIP], capture_output=True, text=True, check=False)
    if asked.returncode:
        logger.warning("pip does not say which index it is set to, so there is none: %s", asked.stderr.strip()[-200:])
    return asked.stdout.strip()
