"""What is SQLite's own in the event log: files that are not for us, older versions, processes on one file."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest

from server.log import Draft, EventLog, LogError, open_log
from server.log.retention import Retention
from server.log.sqlite import SqliteLog
from server.log.sqlite_file import APPLICATION_ID, SCHEMA_VERSION, check, connect, migrate
from server.log.store import Store
from server.rules import PerTopic
from tests.integration.homes import sqlite_home


def sqlite_log(path: Path) -> EventLog:
    return open_log(f"sqlite:///{path}", retention=100)


def not_ours(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()


def from_a_newer_version(path: Path) -> None:
    log = sqlite_log(path)
    asyncio.run(log.open())
    asyncio.run(log.close())
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"Dear diary, today I met a fox.\n" * 100)


@pytest.mark.parametrize(
    ("make", "said"),
    [(not_ours, "not an event log"), (from_a_newer_version, "newer Partyline"), (no_database, "not a database")],
)
def test_a_file_that_is_not_for_us_is_refused_and_not_touched(tmp_path: Path, make: object, said: str) -> None:
    path = tmp_path / "log.db"
    make(path)  # type: ignore[operator]
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(LogError, match=said) as caught:
        asyncio.run(sqlite_log(path).open())
    assert "not touched" in str(caught.value)
    assert str(path) in str(caught.value)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="folder"):
        asyncio.run(sqlite_log(tmp_path / "nowhere" / "log.db").open())


async def test_processes_that_make_the_same_log_at_once_agree(tmp_path: Path) -> None:
    for number in range(10):
        logs = [sqlite_log(tmp_path / f"{number}.db") for _ in range(4)]
        await asyncio.gather(*(log.open() for log in logs))
        assert len({log.epoch for log in logs}) == 1
        await asyncio.gather(*(log.append([Draft("room", str(each), "1")]) for each, log in enumerate(logs)))
        assert [event.seq for event in await logs[0].read(0, 10)] == [1, 2, 3, 4]
        await asyncio.gather(*(log.close() for log in logs))


def test_a_log_that_another_process_is_just_making_is_not_foreign(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(100)]
    made: list[Path] = []

    def make() -> None:
        for path in paths:
            with contextlib.closing(connect(str(path))) as connection:
                migrate(connection)
            made.append(path)

    maker = threading.Thread(target=make)
    maker.start()
    for path in paths:
        while path not in made and maker.is_alive():
            check(path)
    maker.join()
    assert made == paths


VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL, time REAL NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_by_id ON events (topic, id);
CREATE INDEX events_by_topic ON events (topic, seq);
CREATE TABLE topics (
    topic TEXT PRIMARY KEY, last_seq INTEGER NOT NULL, count INTEGER NOT NULL, pruned INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO meta VALUES ('epoch', 'abcd0123');
INSERT INTO events VALUES (7, 'room', 1767225600.5, 'a', '{"text":"old"}');
INSERT INTO topics VALUES ('room', 7, 1, 6);
"""


async def test_a_log_of_version_1_is_brought_to_this_one(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = WAL; {VERSION_1}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    logs = [sqlite_log(path), sqlite_log(path)]
    await asyncio.gather(*(log.open() for log in logs))
    for log in logs:
        assert log.epoch == "abcd0123"
        (old,) = await log.read(0, 10)
        assert (old.seq, old.id, old.data, old.by, old.time) == (7, "a", '{"text":"old"}', "", 1767225600.5)
        (info,) = await log.topics()
        assert (info.last_seq, info.count, info.pruned) == (7, 1, 6)
    again, new = await logs[0].append([Draft("room", "a", "1"), Draft("room", "b", "1", by="me")])
    assert (again.seq, again.duplicate, new.seq) == (7, True, 8)
    assert [event.by for event in await logs[1].read(0, 10)] == ["", "me"]
    await logs[0].announce("one", "here")
    await logs[1].changed(1)
    assert logs[1].announced() == {"one": "here"}
    for log in logs:
        await log.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()


async def test_a_smaller_retention_is_applied_to_topics_nobody_writes_to(tmp_path: Path) -> None:
    home = sqlite_home(tmp_path)
    log = await home.open()
    await log.append([Draft("room", str(number), "1") for number in range(50)])
    await home.close(log)
    log = await home.open(retention="10")
    while (infos := await log.topics())[0].count != 10:
        await asyncio.sleep(0.01)
    assert infos[0].pruned == 40
    await home.close_all()


async def test_a_process_that_prunes_while_another_does_goes_on_writing(tmp_path: Path) -> None:
    """Both were started with a smaller retention; the other is done while ours is between two looks."""
    keep = Retention(PerTopic(10), PerTopic(0))
    path = tmp_path / "log.db"
    log = SqliteLog(str(path), Retention(PerTopic(1000), PerTopic(0)), prune_seconds=0.01)
    await log.open()
    await log.append([Draft("room", str(number), "1") for number in range(50)])
    pruned = asyncio.Event()
    loop = asyncio.get_running_loop()

    def prune(statement: str) -> None:
        """Another process prunes, just before our look for the last event that goes."""
        if "OFFSET" in statement and not pruned.is_set():
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                Store(other).prune(keep, 0.0)
                other.execute("COMMIT")
            loop.call_soon_threadsafe(pruned.set)

    log._write_connection.set_trace_callback(prune)
    log.retention = keep
    await asyncio.wait_for(pruned.wait(), 20)
    (receipt,) = await asyncio.wait_for(log.append([Draft("room", "new", "1")]), 20)
    assert receipt.seq == 51
    assert (await log.topics())[0].pruned == 40
    await log.close()


async def test_pruning_that_fails_in_any_way_does_not_end_the_writer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(statement: str) -> None:
        if "FROM topics ORDER BY" in statement:
            log._writing.execute = broken  # type: ignore[assignment]

    def broken(*_: object) -> sqlite3.Cursor:
        log._writing.execute = log._write_connection.execute
        raise TypeError("nobody thought of this")

    log = SqliteLog(str(tmp_path / "log.db"), Retention(PerTopic(10), PerTopic(0)), prune_seconds=0.01)
    await log.open()
    await log.append([Draft("room", "a", "1")])
    log._write_connection.set_trace_callback(fail)
    async with asyncio.timeout(20):
        while "could not be pruned" not in caplog.text:
            await asyncio.sleep(0.01)
    (receipt,) = await asyncio.wait_for(log.append([Draft("room", "b", "1")]), 20)
    log._write_connection.set_trace_callback(None)
    assert receipt.seq == 2
    await log.close()
