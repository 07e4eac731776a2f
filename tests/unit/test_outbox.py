"""The outbox: letters in their order, within bounds, and what is left of them in records."""

from __future__ import annotations

import json

import pytest

import outbox as outbox_module
from outbox import MAX_AGE, Letter, Outbox, Record, read
from partyline import protocol

NOW = 1_800_000_000.0


def letter(event_id: str, data: object = "x", port: int = 1) -> Letter:
    frame = protocol.encode({"kind": "publish", "id": event_id, "topic": "room", "data": data})
    return Letter(event_id, "room", frame, port)


def kept(*letters: Letter, at: float = NOW) -> list[Record]:
    """What a database gives back of letters."""
    records: list[Record] = json.loads(json.dumps([each.record(at) for each in letters]))
    return records


def filled(*event_ids: str) -> Outbox:
    box = Outbox()
    for event_id in event_ids:
        assert box.add(letter(event_id))
    return box


def test_a_letter_comes_back_from_its_record_without_its_tab() -> None:
    (first, second) = filled("a", "b")
    found = read(kept(first, second), NOW)
    assert found.letters == [
        Letter(each.id, "room", each.frame, port=0, number=number) for number, each in enumerate((first, second), 1)
    ]
    assert (found.expired, found.unreadable) == ([], [])


def test_letters_are_in_their_order_whatever_the_databases_and_new_ones_come_after() -> None:
    box = filled("z", "m", "a")
    box.remove("m")
    records = kept(*box)
    assert [each.id for each in read(reversed(records), NOW).letters] == ["z", "a"]
    again = Outbox(read(reversed(records), NOW).letters)
    again.add(letter("b"))
    assert [each.id for each in read(kept(*reversed(list(again))), NOW).letters] == ["z", "a", "b"]


def test_a_tab_that_publishes_the_same_again_takes_its_letter_over() -> None:
    box = Outbox(read(kept(*filled("a")), NOW).letters)
    again = letter("a", port=7)
    assert not box.add(again)
    assert len(box) == 1
    found = box.get("a")
    assert found is not None
    assert (found.port, found.number) == (7, 1)


def test_what_is_too_old_is_told_apart_and_what_is_from_the_future_is_sent() -> None:
    old, week, future = filled("old", "week", "future")
    records = kept(old, at=NOW - MAX_AGE - 1) + kept(week, at=NOW - 7 * 86_400) + kept(future, at=NOW + 86_400)
    found = read(records, NOW)
    assert found.expired == ["old"]
    assert [each.id for each in found.letters] == ["week", "future"]


@pytest.mark.parametrize(
    "change",
    [
        {"topic": "r r"},
        {"topic": "other"},
        {"frame": "nonsense"},
        {"frame": 5},
        {"frame": '{"kind": "publish", "id": "b", "topic": "room", "data": 1}'},
        {"number": None},
        {"number": "many"},
        {"time": []},
        {"id": ""},
        {"id": 7},
    ],
)
def test_a_record_that_is_no_letter_is_told_apart_and_stops_no_other(change: Record) -> None:
    first, second = kept(*filled("a", "b"))
    found = read([{**first, **change}, second], NOW)
    assert found.unreadable == [change.get("id", "a")]
    assert [each.id for each in found.letters] == ["b"]


@pytest.mark.parametrize("name", ["id", "topic", "frame", "number", "time"])
def test_a_record_that_lacks_something_is_no_letter(name: str) -> None:
    (record,) = kept(*filled("a"))
    del record[name]
    assert read([record], NOW).unreadable == [record.get("id")]


def test_it_is_full_by_count_and_by_size_and_has_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MAX_LETTERS", 2)
    box = filled("a", "b")
    assert box.full
    box.remove("a")
    assert not box.full
    monkeypatch.setattr(outbox_module, "MAX_CHARACTERS", 1000)
    box.add(letter("large", "x" * 1000))
    box.remove("b")
    assert box.full
    assert Outbox(box).full
    box.remove("large")
    box.remove("large")
    assert not box.full
