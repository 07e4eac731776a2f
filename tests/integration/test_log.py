"""The contract of the event log, held by each of its homes; and what is SQLite's own."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from server.log import MAX_READ_BYTES, MAX_WAITING, Draft, EventLog, LogBusyError, LogError, open_log
from server.log.sqlite_file import SCHEMA_VERSION


@pytest.fixture(params=["sqlite", "memory"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventLog]:
    log = open_log("memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'log.db'}", retention=100)
    await log.open()
    yield log
    await log.close()


def drafts(topic: str, *ids: str, data: str = "1") -> list[Draft]:
    return [Draft(topic, event_id, data) for event_id in ids]


async def seqs(log: EventLog, after: int = 0, topics: Sequence[str] | None = None) -> list[int]:
    return [event.seq for event in await log.read(after, 1000, topics)]


async def test_events_get_rising_places_and_come_back_as_they_went_in(log: EventLog) -> None:
    receipts = await log.append([Draft("room", "a", '{"text":"é"}'), Draft("host.cpu", "a", "2")])
    assert [receipt.seq for receipt in receipts] == [1, 2]
    first, second = await log.read(0, 10)
    assert (first.topic, first.id, first.data) == ("room", "a", '{"text":"é"}')
    assert (second.topic, second.seq) == ("host.cpu", 2)
    assert first.time > 1_700_000_000
    assert await log.last_seq() == 2
    assert len(log.epoch) >= 8


async def test_the_same_id_in_a_topic_is_taken_once(log: EventLog) -> None:
    (first,) = await log.append(drafts("room", "a"))
    again, other = await log.append([*drafts("room", "a", data="9"), *drafts("hall", "a")])
    assert again.duplicate
    assert again.seq == first.seq
    assert not other.duplicate
    assert other.seq > first.seq
    assert [event.data for event in await log.read(0, 10, ["room"])] == ["1"]


async def test_the_same_id_twice_in_one_batch(log: EventLog) -> None:
    one, two = await log.append(drafts("room", "a", "a"))
    assert (one.duplicate, two.duplicate) == (False, True)
    assert one.seq == two.seq


async def test_appends_keep_the_order_of_their_calls(log: EventLog) -> None:
    await asyncio.gather(*(log.append(drafts("room", f"id-{number}")) for number in range(200)))
    events = await log.read(0, 1000)
    assert [event.id for event in events][-100:] == [f"id-{number}" for number in range(100, 200)]


async def test_reading_by_cursor_topic_limit_and_end(log: EventLog) -> None:
    await log.append([Draft("a" if number % 2 else "b", str(number), "1") for number in range(10)])
    assert await seqs(log, 4) == [5, 6, 7, 8, 9, 10]
    assert await seqs(log, 0, ["a"]) == [2, 4, 6, 8, 10]
    assert await seqs(log, 0, ["a", "nothing"]) == [2, 4, 6, 8, 10]
    assert await seqs(log, 0, []) == []
    assert [event.seq for event in await log.read(0, 3)] == [1, 2, 3]
    assert [event.seq for event in await log.read(2, 10, ["b"], until=7)] == [3, 5, 7]
    assert [event.seq for event in await log.latest("a", 2)] == [8, 10]
    assert [event.seq for event in await log.latest("a", 2, until=7)] == [4, 6]
    assert await log.count(4, ["a", "b"], most=100) == 6
    assert await log.count(4, ["a", "b"], most=2) == 2


async def test_a_page_of_large_events_is_cut_short(log: EventLog) -> None:
    large = '"' + "x" * (MAX_READ_BYTES // 4) + '"'
    await log.append(drafts("room", *"abcdefgh", data=large))
    page = await log.read(0, 1000)
    assert 1 <= len(page) < 8
    assert await seqs(log, page[-1].seq) != []
    assert 1 <= len(await log.latest("room", 8)) < 8


async def test_topics_are_told_with_their_counts(log: EventLog) -> None:
    await log.append([*drafts("room", "a", "b"), *drafts("host.cpu", "c")])
    infos = {info.topic: info for info in await log.topics()}
    assert (infos["room"].last_seq, infos["room"].count, infos["room"].pruned) == (2, 2, 0)
    assert infos["host.cpu"].last_seq == 3


async def test_retention_keeps_the_newest_and_tells_what_is_gone(log: EventLog) -> None:
    await log.append(drafts("quiet", "q"))
    for start in range(0, 300, 30):
        await log.append(drafts("busy", *(str(number) for number in range(start, start + 30))))
    (busy, quiet) = await log.topics()
    kept = await seqs(log, 0, ["busy"])
    assert 100 <= len(kept) <= 110
    assert kept[-1] == 301
    assert busy.count == len(kept)
    assert busy.pruned == kept[0] - 1
    assert (quiet.count, quiet.pruned) == (1, 0)
    assert await seqs(log, 0, ["quiet"]) == [1]


async def test_changed_wakes_for_an_append_and_ends_without_one(log: EventLog) -> None:
    waiting = asyncio.create_task(log.changed(timeout=30))
    await log.append(drafts("room", "a"))
    await asyncio.wait_for(waiting, 10)
    await asyncio.wait_for(log.changed(timeout=0.01), 10)


async def test_too_much_waiting_is_refused_at_once_and_whole(log: EventLog) -> None:
    waiting = [log.append(drafts("room", *(f"{batch}-{number}" for number in range(1000)))) for batch in range(20)]
    assert MAX_WAITING == 20_000
    with pytest.raises(LogBusyError):
        log.append(drafts("room", "one more"))
    await asyncio.gather(*waiting)
    assert not (await log.append(drafts("room", "one more")))[0].duplicate


# SQLite's own


def sqlite_log(path: Path) -> EventLog:
    return open_log(f"sqlite:///{path}", retention=100)


async def test_a_log_opened_again_is_the_same_log(tmp_path: Path) -> None:
    log = sqlite_log(tmp_path / "log.db")
    await log.open()
    await log.append(drafts("room", "a", "b"))
    epoch = log.epoch
    await log.close()
    log = sqlite_log(tmp_path / "log.db")
    await log.open()
    assert log.epoch == epoch
    (receipt,) = await log.append(drafts("room", "c"))
    assert receipt.seq == 3
    await log.close()


async def test_what_another_process_writes_is_noticed(tmp_path: Path) -> None:
    ours, theirs = sqlite_log(tmp_path / "log.db"), sqlite_log(tmp_path / "log.db")
    await ours.open()
    await theirs.open()
    assert ours.epoch == theirs.epoch
    await ours.changed(timeout=0.1)  # what opening wrote
    waiting = asyncio.create_task(ours.changed(timeout=30))
    await theirs.append(drafts("room", "a"))
    await asyncio.wait_for(waiting, 10)
    assert await seqs(ours) == [1]
    (receipt,) = await ours.append(drafts("room", "a"))
    assert receipt.duplicate
    await ours.close()
    await theirs.close()


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
        await asyncio.gather(*(log.append(drafts("room", str(each))) for each, log in enumerate(logs)))
        assert await seqs(logs[0]) == [1, 2, 3, 4]
        await asyncio.gather(*(log.close() for log in logs))
