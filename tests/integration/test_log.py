"""The contract of the event log, held by each of its homes: SQLite, NATS JetStream, memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from server.log import MAX_READ_BYTES, MAX_WAITING, MAX_WAITING_BYTES, Draft, EventLog, LogBusyError
from tests.integration.homes import Home, eventually


@pytest.fixture
async def log(home: Home) -> EventLog:
    return await home.open()


def drafts(topic: str, *ids: str, data: str = "1") -> list[Draft]:
    return [Draft(topic, event_id, data) for event_id in ids]


async def seqs(log: EventLog, after: int = 0, topics: Sequence[str] | None = None) -> list[int]:
    return [event.seq for event in await log.read(after, 1000, topics)]


async def test_events_get_rising_places_and_come_back_as_they_went_in(log: EventLog) -> None:
    receipts = await log.append([Draft("room", "a", '{"text":"é"}'), Draft("host.cpu", "a", "2", by="feed:host")])
    assert [receipt.seq for receipt in receipts] == [1, 2]
    first, second = await log.read(0, 10)
    assert (first.topic, first.id, first.data) == ("room", "a", '{"text":"é"}')
    assert (second.topic, second.seq) == ("host.cpu", 2)
    assert (first.by, second.by) == ("", "feed:host")
    assert first.time > 1_700_000_000
    assert await log.last_seq() == 2
    assert [await log.reaches(seq) for seq in (0, 2, 3)] == [True, True, False]
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
    assert MAX_WAITING == 20 * 1000
    with pytest.raises(LogBusyError):
        log.append(drafts("room", "one more"))
    await asyncio.gather(*waiting)
    assert not (await log.append(drafts("room", "one more")))[0].duplicate


async def test_too_many_bytes_waiting_are_refused_too(log: EventLog) -> None:
    large = '"' + "x" * (MAX_WAITING_BYTES // 100) + '"'
    waiting = [log.append(drafts("room", str(number), data=large)) for number in range(99)]
    with pytest.raises(LogBusyError):
        waiting.extend(log.append(drafts("room", f"more-{number}", data=large)) for number in range(3))
    await asyncio.gather(*waiting)
    assert not (await log.append(drafts("room", "one more", data=large)))[0].duplicate


async def test_retention_by_topic(home: Home) -> None:
    log = await home.open(retention="100, few.*=3, few.er=1")
    for number in range(8):
        await log.append([Draft(topic, str(number), "1") for topic in ("many", "few.x", "few.er")])
    assert {info.topic: info.count for info in await log.topics()} == {"many": 8, "few.x": 3, "few.er": 1}


async def test_events_go_when_they_are_too_old_also_where_nobody_writes(home: Home) -> None:
    log = await home.open(retention_age="0, short.*=60s, short.er=10s")
    old = await log.append([Draft(topic, "a", "1") for topic in ("for.ever", "short.x", "short.er")])
    home.later(30)
    await eventually(lambda: counts(log), {"for.ever": 1, "short.x": 1, "short.er": 0})
    await log.append(drafts("short.x", "b"))
    home.later(40)
    await eventually(lambda: counts(log), {"for.ever": 1, "short.x": home.later_events, "short.er": 0})
    infos = {info.topic: info for info in await log.topics()}
    assert infos["for.ever"].pruned == 0
    assert infos["short.er"].pruned == infos["short.er"].last_seq == old[2].seq
    assert infos["short.x"].pruned >= old[1].seq
    assert await seqs(log, 0, ["short.er"]) == []


async def counts(log: EventLog) -> dict[str, int]:
    return {info.topic: info.count for info in await log.topics()}


async def test_what_a_server_announces_is_replaced_withdrawn_and_forgotten(home: Home) -> None:
    log = await home.open()
    before = log.announced_version
    await log.announce("one", "here")
    assert log.announced() == {"one": "here"}
    assert log.announced_version != before
    await log.announce("one", "x" * 100_000)
    await log.announce("two", "é")
    assert log.announced() == {"one": "x" * 100_000, "two": "é"}
    await log.announce("one", "")
    assert log.announced() == {"two": "é"}
    before = log.announced_version
    home.later(10)
    await log.announce("one", "again")
    assert log.announced() == {"two": "é", "one": "again"}
    home.later(10)
    assert log.announced() == {"one": "again"}
    assert log.announced_version != before
    with pytest.raises(ValueError, match="cannot name"):
        await log.announce("a.b", "no")


# several logs on one home


async def test_a_log_opened_again_is_the_same_log(shared_home: Home) -> None:
    log = await shared_home.open()
    await log.append(drafts("room", "a", "b"))
    epoch = log.epoch
    await shared_home.close(log)
    log = await shared_home.open()
    assert log.epoch == epoch
    (receipt,) = await log.append(drafts("room", "c"))
    assert receipt.seq == 3
    assert await seqs(log) == [1, 2, 3]


async def test_what_another_process_writes_is_noticed(shared_home: Home) -> None:
    ours, theirs = await shared_home.open(), await shared_home.open()
    assert ours.epoch == theirs.epoch
    await ours.changed(timeout=0.2)  # what opening wrote
    waiting = asyncio.create_task(ours.changed(timeout=30))
    await theirs.append(drafts("room", "a"))
    await asyncio.wait_for(waiting, 10)
    await eventually(lambda: seqs(ours), [1])
    (receipt,) = await ours.append(drafts("room", "a"))
    assert receipt.duplicate


async def test_servers_see_what_each_other_announces(shared_home: Home) -> None:
    ours = await shared_home.open()
    await ours.announce("one", "first")
    theirs = await shared_home.open()
    await theirs.announce("two", "second")

    async def both() -> list[dict[str, str]]:
        await asyncio.gather(ours.changed(0.1), theirs.changed(0.1))
        return [ours.announced(), theirs.announced()]

    await eventually(both, [{"one": "first", "two": "second"}] * 2)
    await ours.announce("one", "")
    await eventually(both, [{"two": "second"}] * 2)
    before = ours.announced_version
    shared_home.later(20)
    assert ours.announced() == {}
    assert ours.announced_version != before


async def test_a_server_that_died_is_forgotten_although_the_clock_is_set_back(shared_home: Home) -> None:
    ours, theirs = await shared_home.open(), await shared_home.open()
    await theirs.announce("dead", "here")

    async def heard() -> dict[str, str]:
        await ours.changed(0.1)
        return ours.announced()

    await eventually(heard, {"dead": "here"})
    shared_home.later(-3600)
    await ours.announce("alive", "here")
    await eventually(heard, {"alive": "here"})
    assert (await shared_home.open()).announced().get("dead") is None


async def test_logs_that_are_made_at_once_agree(shared_home: Home) -> None:
    logs = await asyncio.gather(*(shared_home.open() for _ in range(4)))
    assert len({log.epoch for log in logs}) == 1
    await asyncio.gather(*(log.append(drafts("room", str(each))) for each, log in enumerate(logs)))
    for log in logs:
        await eventually(lambda log=log: seqs(log), [1, 2, 3, 4])


async def test_an_id_that_two_servers_take_at_once_stands_once(shared_home: Home) -> None:
    logs = [await shared_home.open() for _ in range(2)]
    ids = [str(number) for number in range(50)]
    receipts = await asyncio.gather(*(log.append(drafts("room", event_id)) for event_id in ids for log in logs))
    places = {receipt.id: receipt.seq for (receipt,) in receipts}
    assert all(receipt.seq == places[receipt.id] for (receipt,) in receipts)
    assert sorted(receipt.duplicate for (receipt,) in receipts) == [False] * 50 + [True] * 50
    for log in logs:
        await eventually(lambda log=log: seqs(log), list(range(1, 51)))
