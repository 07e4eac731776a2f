"""The fan-out: windows encoded once, kept within bounds, and the rates they are counted into."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

from partyline import protocol
from server.fanout import WINDOW_BYTES, Fanout, Window, encode_snapshot
from server.log import Draft, Event, open_log
from server.rates import WINDOW_SECONDS, Rates


def event(seq: int, topic: str, data: str = "1") -> Event:
    return Event(seq, topic, 1767225600.5, f"id-{seq}", data)


def test_a_window_holds_for_each_set_of_topics_just_theirs_and_one_seq() -> None:
    window = Window("e", 9, [event(7, "room"), event(8, "host.cpu"), event(9, "host.memory")])
    message = window.message(frozenset({"room", "host.cpu"}))
    assert message is not None
    header, bodies = protocol.decode(message)
    assert header["kind"] == "events"
    assert header["seq"] == 9
    assert header["topics"] == [["room", 1], ["host.cpu", 1]]
    assert [[each["seq"] for each in json.loads(body)] for body in bodies] == [[7], [8]]
    assert window.message(frozenset({"other"})) is None


def test_a_frame_is_made_once_for_all_who_want_the_same() -> None:
    window = Window("e", 7, [event(7, "room")])
    frame = window.frame(frozenset({"room"}))
    assert frame is not None
    assert window.frame(frozenset({"room", "other"})) is frame
    assert window.frame(frozenset({"ro.*", "room"})) is frame
    assert window.frame(frozenset({"other"})) is None


def test_an_event_is_told_with_its_data_as_it_was_given() -> None:
    told = json.loads(event(7, "room", '{"text":"é\\n"}').to_json())
    assert told == {"seq": 7, "topic": "room", "time": 1767225600.5, "id": "id-7", "by": "", "data": {"text": "é\n"}}


def test_a_snapshot_of_an_empty_topic_is_told_too() -> None:
    header, bodies = protocol.decode(encode_snapshot("e", 3, "room", [], protocol.NEW))
    assert header["topics"] == [["room", 0]]
    assert bodies == ["[]"]


def make_fanout(buffer_bytes: int) -> Fanout:
    log = open_log("memory://", retention=10)
    return Fanout(log, flush_seconds=0.0, buffer_bytes=buffer_bytes, rates=Rates(lambda: 0.0))


async def test_old_windows_go_when_the_buffer_is_full_and_the_newest_stays() -> None:
    fanout = make_fanout(buffer_bytes=2 * WINDOW_BYTES + 250)
    for seq in range(1, 6):
        fanout.publish([event(seq, "room")])
    assert fanout.position == 5
    assert fanout.next_number == 5
    newest = fanout.window(4)
    assert newest is not None
    assert newest.seq == 5
    assert fanout.window(0) is None
    fanout.publish([event(6, "room", json.dumps("x" * 1000))])
    assert fanout.window(4) is None
    assert fanout.window(5) is not None


async def test_it_goes_on_to_the_logs_end_where_what_was_there_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    log = open_log(f"sqlite:///{file}", retention=10)
    await log.open()
    fanout = Fanout(log, flush_seconds=0.0, buffer_bytes=1_000, rates=Rates(lambda: 0.0))
    await fanout.open()
    await log.append([Draft("room", "a", "1"), Draft("room", "b", "2")])
    connection = sqlite3.connect(file)
    connection.execute("DELETE FROM events WHERE id = 'b'")
    connection.commit()
    connection.close()
    running = asyncio.create_task(fanout.run())
    async with asyncio.timeout(20):
        while fanout.position < 2:
            await asyncio.sleep(0.01)
    assert fanout.next_number == 1
    running.cancel()
    await log.close()


def test_rates_are_of_the_last_seconds() -> None:
    now = 100.0
    rates = Rates(lambda: now)
    rates.add("room", 20)
    assert rates.rate("room") == 20 / WINDOW_SECONDS
    now += WINDOW_SECONDS / 2
    rates.add("room", 10)
    assert rates.rate("room") == 30 / WINDOW_SECONDS
    now += WINDOW_SECONDS / 2
    assert rates.rate("room") == 10 / WINDOW_SECONDS
    assert rates.rate("nobody") == 0.0
