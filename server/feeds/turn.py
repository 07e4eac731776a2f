"""Whose turn it is to run the feeds of a user's file: one process on a machine, of all that serve the same log.

A feed of the user's may make no ids, so two processes that ran it would publish everything twice. Each process tries
to lock one and the same file; who has it runs the feeds, the others stand by and try again. The system lets go of the
lock when its holder ends, however it ends, ``kill -9`` included.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

import platformdirs

from ..assets.lock import try_lock


def lock_path(log: str, file: Path) -> Path | None:
    """The file to lock: beside the SQLite log, in the user's cache for another; None where each has its own log.

    ``log`` is the log's URL. The name holds the feeds file's too: servers of one log may run different files.
    """
    if log.startswith("memory:"):
        return None
    if log.startswith("sqlite:///"):
        database = Path(log.removeprefix("sqlite:///"))
        return database.with_name(f"{database.name}-feeds-{file.stem}-{_hash(str(file.resolve()))}.lock")
    return platformdirs.user_cache_path("partyline") / f"feeds-{_hash(f'{log} {file.resolve()}')}.lock"


class Turn:
    """The right to run a file's feeds. With ``path`` None it is always ours."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def take(self) -> bool:
        """Whether it is our turn; once it is, it stays so until ``release``. Raises OSError for a bad file."""
        if self.path is None or self._file is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self.path, "ab")  # noqa: SIM115 - it stays open as long as the turn is ours
        if try_lock(file):
            self._file = file
        else:
            file.close()
        return self._file is not None

    def release(self) -> None:
        """Let another process have its turn."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
