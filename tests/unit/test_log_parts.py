"""The pure parts of the event log: addresses, what servers announce, retention, messages on a stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.log import ANNOUNCED_SECONDS, Draft, LogError, open_log, shown
from server.log.address import Address
from server.log.announcements import Announcements
from server.log.retention import Retention
from server.log.stream import decode, encode, message_id, subject
from server.rules import PerTopic

ADDRESS = Address.parse("nats://localhost/events")


@pytest.mark.parametrize(
    ("url", "server", "secrets"),
    [
        ("nats://host/s", "nats://host:4222", {}),
        ("tls://host:5000/s", "tls://host:5000", {}),
        ("nats://[::1]:5000/s", "nats://[::1]:5000", {}),
        ("nats://me:p%40ss@host/s", "nats://host:4222", {"user": "me", "password": "p@ss"}),
        ("nats://t0ken@host/s", "nats://host:4222", {"token": "t0ken"}),
    ],
)
def test_an_address(url: str, server: str, secrets: dict[str, str]) -> None:
    address = Address.parse(url)
    assert (address.server, address.stream, dict(address.secrets)) == (server, "s", secrets)


@pytest.mark.parametrize(
    "url",
    ["nats://me:secret@/s", "nats://me:secret@host", "nats://me:secret@host:x/s", "nats://me:secret@host/a.b",
     "nats://me:secret@host/s?x", "nats://me:secret@host/s/t", "nats://me:secret@[host/s",
     "nats://me:secret/x@host/s", "nats://me:1/secret@host/s", "nats://me:secret#x@host/s", "nats://me:1?secret@host/s",
     "nats://1/secret@host/s", "nats://secret/x@host/s", "natz://me:secret/x@host/s",
     "me:secret@host/s", "nats://me:x@y/secret@host/s"],
)  # fmt: skip
def test_no_error_shows_a_password(url: str) -> None:
    with pytest.raises(LogError, match="PARTYLINE_LOG") as caught:
        open_log(url, retention=1)
    assert "secret" not in str(caught.value)
    assert "secret" not in shown(url)


def test_sqlites_own_name_of_memory_is_told_ours() -> None:
    with pytest.raises(LogError, match="memory://"):
        open_log("sqlite:///:memory:", retention=1)


def test_an_address_is_shown_without_secrets() -> None:
    assert shown("nats://me:secret@host:1/s") == "nats://…@host:1/s"
    assert shown("nats://me:se/cr@et@host:1/s") == "nats://…@host:1/s"
    assert shown("nats://host:1/s") == "nats://host:1/s"
    assert shown("sqlite:///a@b.db") == "sqlite:///a@b.db"
    assert repr(Address.parse("nats://me:secret@host:1/s")) == "nats://host:1/s"


def test_announcements_are_replaced_withdrawn_and_forgotten() -> None:
    now = 100.0
    announcements = Announcements(lambda: now)
    versions = [announcements.version]

    def changed() -> bool:
        versions.append(announcements.version)
        return versions[-1] != versions[-2]

    announcements.take("a", "1")
    assert changed()
    announcements.take("b", "1")
    assert changed()
    announcements.take("b", "1")
    assert not changed()
    now += ANNOUNCED_SECONDS - 1
    announcements.take("b", "1")
    assert not changed()
    now += 1
    assert changed()
    assert announcements.texts() == {"b": "1"}
    announcements.take("b", "")
    assert changed()
    assert announcements.texts() == {}


def test_a_server_that_died_is_forgotten_although_the_clock_was_set_back() -> None:
    now = 10_000.0
    announcements = Announcements(lambda: now)
    announcements.take("dead", "1")
    now -= 3600
    announcements.take("alive", "1")
    assert announcements.texts() == {"alive": "1"}


def test_a_tenth_more_is_let_be() -> None:
    retention = Retention(PerTopic(100, (("few", 3),)), PerTopic(0))
    assert [retention.excess("room", count) for count in (100, 110, 111)] == [False, False, True]
    assert [retention.excess("few", count) for count in (3, 4)] == [False, True]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS, TEXTS, st.sampled_from(["1", '"é"', '{"a":[1,2]}']))
def test_an_event_comes_out_of_its_message_as_it_went_in(event_id: str, by: str, data: str) -> None:
    draft = Draft("host.cpu", event_id, data, by)
    event = decode(ADDRESS, subject(ADDRESS, "host.cpu"), encode(draft), 7, 1.5)
    assert event is not None
    assert (event.seq, event.topic, event.time, event.id, event.data, event.by) == (
        7,
        "host.cpu",
        1.5,
        event_id,
        data,
        by,
    )


@given(st.binary(max_size=60), st.text(max_size=20))
def test_what_is_no_message_of_ours_is_none_or_an_event_that_can_be_told(payload: bytes, name: str) -> None:
    event = decode(ADDRESS, f"events.{name}", payload, 1, 1.0)
    assert event is None or "\n" not in event.to_json()


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_a_message_id_is_one_events(one: tuple[str, str], other: tuple[str, str]) -> None:
    topic = "room"
    same = message_id(Draft(topic, one[0], one[1])) == message_id(Draft(topic, other[0], other[1]))
    assert same == (one[0] == other[0])
    assert message_id(Draft("room", one[0], "1")) != message_id(Draft("hall", one[0], "1"))
