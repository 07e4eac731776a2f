"""What is JetStream's own in the event log: NATS that ends, hangs and comes back, streams that are replaced."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from server.log import Draft, EventLog, LogBusyError, LogError, LogTooLargeError, open_log, session
from server.log.jetstream import JetStreamLog
from tests.integration.homes import Home, eventually
from tests.nats import Nats
from tests.running import free_port


@contextlib.asynccontextmanager
async def by_hand(server: Nats) -> AsyncIterator[JetStreamContext]:
    """JetStream as an administrator sees it."""
    client: Client = await nats.connect(f"nats://127.0.0.1:{server.port}")
    yield client.jetstream()
    await client.close()


def draft(number: int | str, topic: str = "room", data: str = "1") -> Draft:
    return Draft(topic, str(number), data)


async def ids(log: EventLog, topic: str = "room") -> list[str]:
    return [event.id for event in await log.read(0, 100_000, [topic])]


async def persist(log: EventLog, event: Draft) -> int:
    """Append through all trouble, as a publisher does; returns the seq."""
    while True:
        try:
            return (await log.append([event]))[0].seq
        except LogError:
            await asyncio.sleep(0.05)


@pytest.fixture
async def home(own_nats: Nats, stream: str) -> AsyncIterator[Home]:
    """A home on a NATS server that the test may end."""
    home = Home(own_nats.url(stream))
    yield home
    await home.close_all()


async def test_kill_9_of_nats_under_load_loses_and_doubles_nothing(home: Home, own_nats: Nats) -> None:
    logs = [await home.open(retention="100000") for _ in range(2)]
    places: dict[str, int] = {}
    stopping = False

    async def publish(name: str, log: EventLog) -> None:
        number = 0
        while not stopping:
            places[f"{name}-{number}"] = await persist(log, draft(f"{name}-{number}"))
            number += 1

    tasks = [asyncio.create_task(publish(str(number), logs[number % 2])) for number in range(6)]
    for kill in range(5):
        wanted = len(places) + 200
        while len(places) < wanted:
            await asyncio.sleep(0.005)
        assert await logs[0].last_seq() > 0
        own_nats.kill()
        assert len(await ids(logs[kill % 2])) >= 200, "readers keep what they have"
        await asyncio.to_thread(own_nats.start)
    stopping = True
    await asyncio.gather(*tasks)
    late = await home.open(retention="100000")
    for log in (*logs, late):
        await eventually(lambda log=log: log.last_seq(), max(places.values()))  # type: ignore[misc]
        events = await log.read(0, 100_000)
        assert len({event.id for event in events}) == len(events), "an id stands twice"
        stand = {event.id: event.seq for event in events}
        assert {event_id: stand.get(event_id) for event_id in places} == places
    assert [log.breaks for log in logs] == [0, 0], "nothing was lost, so nothing began anew"


async def test_while_nats_is_away_appends_fail_fast_and_reading_goes_on(home: Home, own_nats: Nats) -> None:
    log = await home.open()
    await log.append([draft(1)])
    own_nats.stop()
    for number in (2, 3):
        with pytest.raises(LogError, match=r"sen(d|ding) it again") as caught:
            await asyncio.wait_for(log.append([draft(number)]), 15)
        assert not isinstance(caught.value, LogBusyError)
    assert await ids(log) == ["1"]
    assert (await log.last_seq(), await log.reaches(1), await log.reaches(2)) == (1, True, False)
    await asyncio.to_thread(own_nats.start)
    assert await persist(log, draft(2)) == 2
    await eventually(lambda: ids(log), ["1", "2"])


async def test_a_nats_that_hangs_is_noticed(home: Home, own_nats: Nats) -> None:
    log = await home.open()
    await log.append([draft(1)])
    own_nats.pause()
    with pytest.raises(LogError, match="may or may not be in"):
        await log.append([draft(2)])
    own_nats.resume()
    assert await persist(log, draft(2)) == 2
    assert await ids(log) == ["1", "2"]


async def test_a_stream_that_is_deleted_is_made_again_with_another_epoch(home: Home, own_nats: Nats) -> None:
    logs = [await home.open() for _ in range(2)]
    await logs[0].append([draft(1), draft(2)])
    before = logs[0].epoch
    async with by_hand(own_nats) as js:
        await js.delete_stream(home.url.rpartition("/")[2])
    for log in logs:
        await eventually(lambda log=log: changed_from(log, before), True)  # type: ignore[misc]
        assert log.breaks == 1
        assert await log.last_seq() == 0
    assert logs[0].epoch == logs[1].epoch
    assert await persist(logs[1], draft(1)) == 1
    await eventually(lambda: ids(logs[0]), ["1"])


async def changed_from(log: EventLog, epoch: str) -> bool:
    return log.epoch != epoch


async def test_a_stream_that_lost_its_newest_events_is_another_log(home: Home, own_nats: Nats, stream: str) -> None:
    """As after a crash of NATS' machine: the last events, which were acknowledged, are not on its disk."""
    logs = [await home.open() for _ in range(2)]
    await logs[0].append([draft(number) for number in range(10)])
    await eventually(logs[1].last_seq, 10)
    before = logs[0].epoch
    async with by_hand(own_nats) as js:
        config = (await js.stream_info(stream)).config
        await js.delete_stream(stream)
        await js.add_stream(config)  # the same description, so the same epoch
        for number in range(6):
            await js.publish(f"{stream}.room", f'["{number}",""]\n1'.encode())
    for log in logs:
        await eventually(lambda log=log: changed_from(log, before), True)  # type: ignore[misc]
        assert await ids(log) == ["0", "1", "2", "3", "4", "5"]
    assert logs[0].epoch == logs[1].epoch
    late = await home.open()
    assert late.epoch == logs[0].epoch


@pytest.fixture
def late_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that lost its connection stays away long enough for the test to do something behind its back."""
    monkeypatch.setattr("server.log.keeper.RETRY_SECONDS", (2.0, 2.0))


async def restart(own_nats: Nats) -> None:
    own_nats.kill()
    await asyncio.to_thread(own_nats.start)


@pytest.mark.usefixtures("late_return")
async def test_a_stream_with_other_events_in_the_same_places_is_another_log(
    home: Home, own_nats: Nats, stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = await home.open()
    await log.append([draft(number) for number in range(5)])
    before = log.epoch
    await restart(own_nats)
    async with by_hand(own_nats) as js:
        config = (await js.stream_info(stream)).config
        await js.delete_stream(stream)
        await js.add_stream(config)
        for number in range(10, 20):
            await js.publish(f"{stream}.room", f'["{number}",""]\n1'.encode())
    await eventually(lambda: changed_from(log, before), True)
    assert await ids(log) == [str(number) for number in range(10, 20)]
    assert "lost its newest events" in caplog.text


@pytest.mark.usefixtures("late_return")
@pytest.mark.parametrize("quiet", [True, False])
async def test_what_was_removed_before_it_could_be_read_is_no_silent_gap(
    home: Home, own_nats: Nats, stream: str, quiet: bool
) -> None:
    log = await home.open()
    await log.append([draft(number) for number in range(5)])
    if quiet:  # it proves that the stream is the same
        await log.append([draft("q", topic="quiet")])
    epoch = log.epoch
    await restart(own_nats)
    async with by_hand(own_nats) as js:
        config = (await js.stream_info(stream)).config
        await js.update_stream(config, max_msgs_per_subject=3)
        for number in range(50):
            last = (await js.publish(f"{stream}.room", f'["n{number}",""]\n1'.encode())).seq
    await eventually(log.last_seq, last)
    assert (log.epoch, log.breaks) == (epoch, 1)
    assert await ids(log) == ["n47", "n48", "n49"]
    infos = {info.topic: info for info in await log.topics()}
    assert infos["room"].pruned == last - 3
    assert infos["room"].count == 3
    assert await ids(log, "quiet") == (["q"] if quiet else [])
    (receipt,) = await log.append([draft("new", topic="new")])
    infos = {info.topic: info for info in await log.topics()}
    assert infos["new"].pruned == last, "of a topic that is new here nobody knows what was there before"
    assert receipt.seq == last + 1


async def test_a_consumer_that_passes_messages_over_is_noticed(
    home: Home, own_nats: Nats, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that all was sent, and the stream says that there is more: then all is read anew."""
    monkeypatch.setattr(session, "WATCH_SECONDS", 0.05)
    log = await home.open()
    await log.append([draft(number) for number in range(5)])
    async with by_hand(own_nats) as js:
        await js.purge_stream(stream)
    real = session.look

    async def claims_more(*args: Any) -> Any:
        state = await real(*args)
        return replace(state, last_seq=state.last_seq + 3) if state is not None and not log.breaks else state

    monkeypatch.setattr(session, "look", claims_more)

    async def broken() -> int:
        return log.breaks

    await eventually(broken, 1)
    monkeypatch.undo()
    (receipt,) = await log.append([draft("new")])
    assert receipt.seq == 6
    assert await ids(log) == ["new"]


async def test_an_id_past_the_duplicate_window_is_known(own_nats: Nats, home: Home, stream: str) -> None:
    async with by_hand(own_nats) as js:
        await js.add_stream(
            name=stream,
            subjects=[f"{stream}.>"],
            description="Partyline event log, epoch 0123abcd",
            duplicate_window=1.0,
        )
        ours, theirs = await home.open(), await home.open()
        assert ours.epoch == "0123abcd"
        (first,) = await ours.append([draft(1)])
        # JetStream itself has forgotten the id when it takes it a second time
        header = {"Nats-Msg-Id": "probe"}
        await js.publish(f"{stream}.probe", b'["probe",""]\n1', headers=header)
        while (await js.publish(f"{stream}.probe", b'["probe",""]\n1', headers=header)).duplicate:
            await asyncio.sleep(0.1)
        for log in (ours, theirs, await home.open()):
            (again,) = await persisted(log, draft(1))
            assert (again, len(await ids(log))) == (first.seq, 1)
        assert (await js.stream_info(stream, subjects_filter=f"{stream}.room")).state.subjects == {f"{stream}.room": 1}


@contextlib.contextmanager
def stopped_reading(log: JetStreamLog) -> Iterator[None]:
    """The log's copy takes nothing in meanwhile, as on a machine that is too slow."""
    going_on = threading.Event()
    blocked = asyncio.create_task(log._mirror.run(going_on.wait))
    try:
        yield
    finally:
        going_on.set()
        blocked.add_done_callback(asyncio.Task.result)


async def test_a_server_that_is_behind_knows_what_was_given_out_and_takes_nothing(
    own_nats: Nats, home: Home, stream: str
) -> None:
    async with by_hand(own_nats) as js:
        await js.add_stream(
            name=stream,
            subjects=[f"{stream}.>"],
            description="Partyline event log, epoch 0123abcd",
            duplicate_window=2.0,
        )
    ours, behind = await home.open(), await home.open()
    assert isinstance(behind, JetStreamLog)
    with stopped_reading(behind):
        (receipt,) = await ours.append([draft(1)])
        assert await behind.last_seq() < receipt.seq
        assert [await behind.reaches(seq) for seq in (receipt.seq, receipt.seq + 1)] == [True, False]
        session = behind._keeper.session
        assert session is not None
        while time.monotonic() - (session.tail.complete_at or 0.0) <= session.state.duplicate_seconds / 2:
            await asyncio.sleep(0.05)
        with pytest.raises(LogBusyError, match="behind"):
            await asyncio.wait_for(behind.append([draft(1)]), 10)
    assert await persist(behind, draft(1)) == receipt.seq
    assert await ids(behind) == ["1"]


async def persisted(log: EventLog, event: Draft) -> list[int]:
    return [await persist(log, event)]


async def test_what_is_no_event_is_passed_over(own_nats: Nats, home: Home, stream: str) -> None:
    log = await home.open()
    async with by_hand(own_nats) as js:
        for payload in (b"", b"\xff", b"hello", b"[1,2]\n3", b'["a",""]\nno json', b'["a",""]\n1\n2', os.urandom(99)):
            await js.publish(f"{stream}.room", payload)
        await js.publish(f"{stream}.a b".replace(" ", "$"), b'["a",""]\n1')
    assert await persist(log, draft(1)) == 9
    assert await ids(log) == ["1"]


async def test_a_foreign_stream_is_refused_and_not_touched(own_nats: Nats, home: Home, stream: str) -> None:
    async with by_hand(own_nats) as js:
        before = await js.add_stream(name=stream, subjects=[f"{stream}.>"], description="recipes", max_msgs=7)
        log = home.make()
        for attempt in (lambda: asyncio.to_thread(log.check), log.open):
            with pytest.raises(LogError, match=r"not an event log of Partyline's\. It was not touched"):
                await attempt()
        assert (await js.stream_info(stream)).config == before.config


async def test_a_subject_that_is_taken_is_told(own_nats: Nats, home: Home, stream: str) -> None:
    async with by_hand(own_nats) as js:
        await js.add_stream(name="other", subjects=[f"{stream}.>"])
        with pytest.raises(LogError, match=f"{stream} cannot be made: subjects overlap"):
            await home.open()


async def test_no_nats_is_told_with_its_address_and_without_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = free_port()
    log = Home(f"nats://me:secret@127.0.0.1:{port}/s").make()
    with caplog.at_level("INFO", "partyline.log"), pytest.raises(LogError) as caught:
        await asyncio.to_thread(log.check)
    for said in (str(caught.value), caplog.text):
        assert f"127.0.0.1:{port}" in said
        assert "secret" not in said
    assert "nats-server -js" in str(caught.value)


async def test_a_nats_without_jetstream_or_tls_is_told(own_nats: Nats, stream: str) -> None:
    log = open_log(own_nats.url(stream).replace("nats:", "tls:"), retention=10)
    with pytest.raises(LogError, match="asks for TLS"):
        await asyncio.to_thread(log.check)
    own_nats.stop()
    own_nats.command = [each for each in own_nats.command if each != "-js"]
    await asyncio.to_thread(own_nats.start)
    without = Home(own_nats.url(stream)).make()
    with pytest.raises(LogError, match="nats-server -js"):
        await asyncio.to_thread(without.check)
    with pytest.raises(LogError, match="has no JetStream"):
        await without.open()


async def test_user_and_password(own_nats: Nats, stream: str) -> None:
    own_nats.kill()
    own_nats.command += ["--user", "me", "--pass", "p@ss/word"]
    await asyncio.to_thread(own_nats.start)
    host = f"127.0.0.1:{own_nats.port}/{stream}"
    right = Home(f"nats://me:p%40ss%2Fword@{host}")
    log = await right.open()
    assert await persist(log, draft(1)) == 1
    await right.close_all()
    with pytest.raises(LogError, match="Authorization Violation"):
        await Home(f"nats://me:wrong@{host}").open()


async def test_an_event_larger_than_nats_takes_is_refused_alone(own_nats: Nats, home: Home, stream: str) -> None:
    own_nats.stop()
    config = own_nats.folder / "small.conf"
    config.write_text("max_payload: 10000\n")
    own_nats.command += ["-c", str(config)]
    await asyncio.to_thread(own_nats.start)
    log = await home.open()
    large = log.append([draft(1), draft(2, data=f'"{"x" * 10_000}"')])
    small = log.append([draft(3)])
    with pytest.raises(LogTooLargeError, match="max_payload"):
        await large
    assert (await small)[0].seq == 1
    assert (await log.append([draft(4, data=f'"{"x" * 9_500}"')]))[0].seq == 2
    assert await ids(log) == ["3", "4"]


async def test_the_streams_limits_follow_the_settings(own_nats: Nats, home: Home, stream: str) -> None:
    async with by_hand(own_nats) as js:
        await home.close(await home.open(retention="10"))
        small = (await js.stream_info(stream)).config
        log = await home.open(retention="10, room=200000")
        large = (await js.stream_info(stream)).config
        assert small.max_msgs_per_subject > 10
        assert large.max_msgs_per_subject > 200_000
        assert (small.description, small.duplicate_window) == (large.description, 120.0)
        assert await persist(log, draft(1)) == 1
