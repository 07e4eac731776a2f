"""The SQLite file of an event log: is it ours, how it is opened, its tables and their version.

Looking at a file never changes it: one that is not ours, or newer than we are, stays as it was.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from pathlib import Path

from . import ANNOUNCED_SECONDS, LogError
from .store import TABLES

SCHEMA_VERSION = 2
APPLICATION_ID = 0x50617274  # "Part": says whose file this is, https://www.sqlite.org/pragma.html#pragma_application_id

BUSY_SECONDS = 10.0

_ANNOUNCED = """
CREATE TABLE announced (server TEXT PRIMARY KEY, time REAL NOT NULL, text TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('announced', '0');
"""

_SCHEMA = f"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT; {TABLES} {_ANNOUNCED}"

_MIGRATIONS = {
    1: f"""ALTER TABLE events ADD COLUMN "by" TEXT NOT NULL DEFAULT ''; {_ANNOUNCED}""",
}
"""What makes of each version the next."""


def connect(path: str | None) -> sqlite3.Connection:
    """A connection to the file, or to a new database in memory; in autocommit, for use in any one thread at a time."""
    connection = sqlite3.connect(
        path if path is not None else ":memory:", isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False
    )
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on the disk
    return connection


def check(path: Path) -> None:
    """Look at the file without changing it. Raises LogError where it is not ours, or newer than we are."""
    may_write = os.R_OK | os.W_OK
    if not path.parent.exists():
        raise LogError(cannot_open(path, f"the folder {path.parent} does not exist; make it first"))
    if not path.parent.is_dir() or not os.access(path.parent, may_write):
        raise LogError(cannot_open(path, f"{path.parent} is not a folder that this user may write"))
    if path.is_dir() or (path.exists() and not os.access(path, may_write)):
        raise LogError(cannot_open(path, "it is not a file that this user may write"))
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise LogError(cannot_open(path, error)) from error
    if application != APPLICATION_ID and tables:  # without tables, another process is just making it
        raise LogError(
            f"{path} is a database, but not an event log of Partyline's. It was not touched. "
            "Set PARTYLINE_LOG to another file."
        )
    if version > SCHEMA_VERSION:
        raise LogError(
            f"The event log {path} is from a newer Partyline (schema {version}; this one knows {SCHEMA_VERSION}). "
            "It was not touched. Install the newer version, or set PARTYLINE_LOG to another file."
        )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn WAL mode on. Where another process is just doing so, SQLite says busy at once, whatever the time-out."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def migrate(connection: sqlite3.Connection) -> str:
    """Make the tables, or bring older ones to this version; returns the epoch. Two processes may do so at once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _execute_all(connection, _SCHEMA)
            connection.execute("INSERT INTO meta VALUES ('epoch', ?)", (secrets.token_hex(8),))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
            _execute_all(connection, _MIGRATIONS[older])
        if version != SCHEMA_VERSION:
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        (epoch,) = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return str(epoch)


def _execute_all(connection: sqlite3.Connection, script: str) -> None:
    """Not ``executescript``, which would commit first."""
    for statement in script.split(";"):
        connection.execute(statement)


def write_announced(connection: sqlite3.Connection, server: str, now: float, text: str) -> None:
    """Keep what a server announces, inside the caller's transaction."""
    connection.execute(
        "INSERT INTO announced VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET time = excluded.time, text = excluded.text",
        (server, now, text),
    )
    connection.execute("DELETE FROM announced WHERE time < ? OR text = ''", (now - ANNOUNCED_SECONDS,))
    connection.execute("UPDATE meta SET value = CAST(value + 1 AS TEXT) WHERE key = 'announced'")


def read_announced(connection: sqlite3.Connection, known: int) -> tuple[int, dict[str, tuple[float, str]]] | None:
    """What all servers announce, and its number; None where that is still ``known``."""
    (value,) = connection.execute("SELECT value FROM meta WHERE key = 'announced'").fetchone()
    if int(value) == known:
        return None
    rows = connection.execute("SELECT server, time, text FROM announced")
    return int(value), {server: (at, text) for server, at, text in rows}


def cannot_open(path: object, why: object) -> str:
    """The words for a file that cannot be opened."""
    return (
        f"The event log {path} cannot be opened: {why}. It was not touched. "
        "Check the file and its folder, or set PARTYLINE_LOG to another."
    )
