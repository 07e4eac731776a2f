"""The log in JetStream where one of its parts is slow, or something comes that nobody has thought of."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

import nats
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from server.log import Draft, EventLog, LogBusyError, LogError
from server.log.jetstream import JetStreamLog
from tests.integration.homes import SECONDS, Home, eventually
from tests.nats import Nats

WINDOW_SECONDS = 2.0


@pytest.fixture
async def home(nats_server: Nats, stream: str) -> AsyncIterator[Home]:
    """A home whose stream forgets ids soon."""
    home = Home(nats_server.url(stream))
    async with by_hand(nats_server) as (_, js):
        await js.add_stream(
            name=stream,
            subjects=[f"{stream}.>"],
            description="Partyline event log, epoch 0123abcd",
            duplicate_window=WINDOW_SECONDS,
        )
    yield home
    await home.close_all()


@contextlib.asynccontextmanager
async def by_hand(server: Nats) -> AsyncIterator[tuple[Client, JetStreamContext]]:
    """NATS and JetStream as an administrator sees them."""
    client: Client = await nats.connect(f"nats://127.0.0.1:{server.port}")
    yield client, client.jetstream()
    await client.close()


async def jetstream_log(home: Home) -> JetStreamLog:
    log = await home.open()
    assert isinstance(log, JetStreamLog)
    return log


@contextlib.contextmanager
def blocked(log: JetStreamLog) -> Iterator[Callable[[], None]]:
    """What the log's copy is asked from here on waits; what it was asked before is still done."""
    going_on = threading.Event()
    task = asyncio.create_task(log._mirror.run(going_on.wait))
    try:
        yield going_on.set
    finally:
        going_on.set()
        task.add_done_callback(asyncio.Task.result)


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def persist(log: EventLog, draft: Draft) -> int:
    """Append through all trouble; returns the seq."""
    while True:
        try:
            return (await log.append([draft]))[0].seq
        except LogError:
            await asyncio.sleep(0.05)


async def test_an_id_that_is_looked_up_too_slowly_is_not_taken_twice(
    nats_server: Nats, home: Home, stream: str
) -> None:
    ours, slow = await home.open(), await jetstream_log(home)
    draft = Draft("room", "a", "1")
    with blocked(slow) as go_on:
        await asyncio.sleep(0)  # the blocker comes first
        late = asyncio.ensure_future(slow.append([draft]))
        await until(lambda: slow._mirror._thread._work_queue.qsize() > 0)
        (first,) = await ours.append([draft])
        # JetStream itself has forgotten the id when it takes it a second time
        async with by_hand(nats_server) as (_, js):
            header = {"Nats-Msg-Id": "probe"}
            await js.publish(f"{stream}.probe", b'["probe",""]\n1', headers=header)
            while (await js.publish(f"{stream}.probe", b'["probe",""]\n1', headers=header)).duplicate:
                await asyncio.sleep(0.1)
        go_on()
        with pytest.raises(LogBusyError, match="behind"):
            await asyncio.wait_for(late, SECONDS)
    assert await persist(slow, draft) == first.seq
    async with by_hand(nats_server) as (_, js):
        info = await js.stream_info(stream, subjects_filter=f"{stream}.room")
        assert info.state.subjects == {f"{stream}.room": 1}


async def test_a_copy_is_as_complete_as_the_message_that_says_so(home: Home) -> None:
    ours, slow = await home.open(), await jetstream_log(home)
    session = slow._keeper.session
    assert session is not None
    tail = session.tail
    with blocked(slow) as first_go_on:
        (one,) = await ours.append([Draft("room", "1", "1")])
        await until(lambda: slow._mirror._thread._work_queue.qsize() > 0)
        with blocked(slow) as second_go_on:
            between = time.monotonic()
            await ours.append([Draft("room", "2", "1")])
            await until(lambda: tail._heard[1] > between)
            first_go_on()
            await until(lambda: slow._mirror.last_seq_here == one.seq)
            for _ in range(3):
                await asyncio.sleep(0)
            assert (tail.complete_at or 0.0) < between, "the second event is not there yet"
            second_go_on()
    await eventually(slow.last_seq, one.seq + 1)
    await until(lambda: (tail.complete_at or 0.0) > between)


async def test_nonsense_to_the_consumers_inbox_ends_a_session_and_no_more(
    nats_server: Nats, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    log = await jetstream_log(home)
    assert await persist(log, Draft("room", "1", "1")) == 1
    session = log._keeper.session
    assert session is not None
    inboxes = [each.subject for each in session.connection.nats._subs.values() if each.subject.startswith("_INBOX")]
    async with by_hand(nats_server) as (client, _):
        for inbox in inboxes:
            await client.publish(inbox.removesuffix(".*"), b"hello")
    await until(lambda: log._keeper.session is not session)
    assert await asyncio.wait_for(persist(log, Draft("room", "2", "1")), SECONDS) == 2
    assert log.breaks == 0
    assert "connecting again" in caplog.text


async def test_an_announcement_larger_than_nats_takes_is_told_in_the_log(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    log = await jetstream_log(home)
    await log.announce("one", "x" * 2_000_000)
    assert "NATS takes no 2000000 bytes" in caplog.text
    assert await persist(log, Draft("room", "1", "1")) == 1
