"""The session and its outbox: what is to be kept beyond the worker's life, and what tabs are told of what waits."""

from __future__ import annotations

import json

from effects import Broadcast, Discard, Effect, Keep, Send
from outbox import Letter
from partyline import protocol
from session import Session
from tests.unit.test_session import broadcast, hello, live_session, publish, sent, told, welcome

ACK = {"kind": "ack", "topic": "room", "seq": 11, "epoch": "e1", "duplicate": False}


def letter(event_id: str, number: int) -> Letter:
    return Letter(event_id, "room", publish(event_id), 0, number)


def left_behind(*event_ids: str) -> Session:
    """The session of a worker whose predecessor left letters."""
    letters = [letter(event_id, number) for number, event_id in enumerate(event_ids, 1)]
    return Session(worker="w2", about={"python": "3.14"}, random=lambda: 0.5, letters=letters)


def ack(event_id: str) -> str:
    return json.dumps({**ACK, "id": event_id})


def kept(effects: list[Effect]) -> list[str]:
    return [effect.letter.id for effect in effects if isinstance(effect, Keep)]


def discarded(effects: list[Effect]) -> list[str]:
    return [effect.id for effect in effects if isinstance(effect, Discard)]


def counts(effects: list[Effect]) -> list[int]:
    """How much waits, as the tabs are told."""
    return [frame["count"] for frame in broadcast(effects) if frame["kind"] == "outbox"]


def test_what_is_published_is_kept_once_until_it_is_acknowledged() -> None:
    session = live_session("room")
    effects = session.tab_said(1, publish("p1"), 1.0)
    assert kept(effects) == ["p1"]
    assert [effect.sent for effect in effects if isinstance(effect, Keep)] == [True]
    assert [frame["id"] for frame in sent(effects)] == ["p1"]
    assert kept(session.tab_said(1, publish("p1"), 1.1)) == []
    assert discarded(session.socket_said(ack("p1"), 1.2)) == ["p1"]
    assert discarded(session.socket_said(ack("p1"), 1.3)) == []


def test_what_is_published_while_the_line_is_away_is_in_a_hurry_to_be_kept() -> None:
    session = live_session("room")
    session.socket_closed(1006, "", 1.0)
    effects = session.tab_said(1, publish("p1"), 1.1)
    assert [(effect.letter.id, effect.sent) for effect in effects if isinstance(effect, Keep)] == [("p1", False)]


def test_what_is_refused_for_good_is_kept_no_more_and_what_is_refused_for_now_is() -> None:
    session = live_session("room")
    refusal = {"kind": "error", "id": "p1", "code": "busy", "message": "…", "retry": True}
    session.tab_said(1, publish("p1"), 1.0)
    assert discarded(session.socket_said(json.dumps(refusal), 1.1)) == []
    assert discarded(session.socket_said(json.dumps({**refusal, "retry": False}), 1.2)) == ["p1"]


def test_what_turns_out_too_large_is_kept_no_more() -> None:
    session = left_behind("small")
    session.tab_said(1, hello("room"), 0.0)
    session.tab_said(1, publish("large", data="x" * 2000), 0.0)
    session.socket_opened(0.1)
    effects = session.socket_said(welcome(), 0.2)
    assert discarded(effects) == ["large"]
    assert [frame["id"] for frame in sent(effects)] == ["small"]


def test_what_an_earlier_worker_left_is_sent_first_and_in_order() -> None:
    session = left_behind("z", "a")
    assert session.next_wake() is None  # not before there is a tab
    session.tab_said(1, hello("room"), 0.0)
    session.tab_said(1, publish("m"), 0.0)
    session.socket_opened(0.1)
    effects = session.socket_said(welcome(), 0.2)
    assert [frame["id"] for frame in sent(effects)] == ["z", "a", "m"]
    assert kept(effects) == []
    effects = session.socket_said(ack("z"), 0.3)
    assert discarded(effects) == ["z"]
    assert told(effects) == []


def test_a_tab_that_sends_its_pending_again_takes_its_letters_over() -> None:
    session = left_behind("p1")
    session.tab_said(1, hello("room"), 0.0)
    session.tab_said(2, hello("room"), 0.0)
    assert kept(session.tab_said(2, publish("p1"), 0.0)) == []
    session.socket_opened(0.1)
    session.socket_said(welcome(), 0.2)
    effects = session.socket_said(ack("p1"), 0.3)
    assert told(effects, 1) == []
    assert [frame["id"] for frame in told(effects, 2)] == ["p1"]


def test_a_full_outbox_refuses_what_is_new_and_not_what_it_has() -> None:
    session = left_behind(*(f"p{number}" for number in range(1000)))
    session.tab_said(1, hello("room"), 0.0)
    assert told(session.tab_said(1, publish("p5"), 0.0)) == []
    assert [frame["code"] for frame in told(session.tab_said(1, publish("new"), 0.0))] == ["outbox_full"]


def test_tabs_are_told_how_much_waits_while_the_line_is_away_and_that_nothing_does() -> None:
    session = live_session("room")
    assert counts(session.tab_said(1, publish("p1"), 1.0)) == []
    assert counts(session.socket_closed(1006, "", 1.1)) == [1]
    assert counts(session.tab_said(1, publish("p2"), 1.2)) == [2]
    assert counts(session.tab_said(1, publish("p2"), 1.3)) == []
    assert told(session.tab_said(2, hello("room"), 1.4), 2)[0]["outbox"] == 2
    session.tick(9.0)
    session.socket_opened(9.0)
    assert counts(session.socket_said(welcome(seq=10, resumed=True), 9.1)) == []
    assert counts(session.socket_said(ack("p1"), 9.2)) == []
    assert counts(session.socket_said(ack("p2"), 9.3)) == [0]


def test_while_all_goes_well_nothing_is_told_of_it() -> None:
    session = live_session("room")
    effects = session.tab_said(1, publish("p1"), 1.0) + session.socket_said(ack("p1"), 1.1)
    assert not any(isinstance(effect, Broadcast) for effect in effects)
    assert [type(effect) for effect in effects[:2]] == [Keep, Send]


def test_a_tab_that_joins_while_something_is_on_its_way_hears_when_it_has_arrived() -> None:
    session = live_session("room")
    session.tab_said(1, publish("p1"), 1.0)
    assert told(session.tab_said(2, hello("room"), 1.1), 2)[0]["outbox"] == 1
    assert counts(session.socket_said(ack("p1"), 1.2)) == [0]


def test_letters_that_no_tab_waits_for_are_told_of() -> None:
    session = left_behind("a", "b")
    joined = told(session.tab_said(1, hello("room"), 0.0))[0]
    assert joined["outbox"] == 2
    session.socket_opened(0.1)
    session.socket_said(welcome(), 0.2)
    assert counts(session.socket_said(ack("a"), 0.3) + session.socket_said(ack("b"), 0.3)) == [0]


def test_trouble_with_keeping_is_told_to_all_tabs_or_to_the_next() -> None:
    session = live_session("room")
    (frame,) = broadcast(session.outbox_trouble("QuotaExceededError: full"))
    assert (frame["kind"], "QuotaExceededError" in frame["message"]) == ("error", True)
    assert session.diagnostics()["outbox_trouble"] == "QuotaExceededError: full"
    assert session.outbox_trouble("") == []
    assert session.diagnostics()["outbox_trouble"] == ""

    lost = Session(worker="w3", about={"python": "3.14"}, random=lambda: 0.5, outbox_trouble="it did not open")
    told_of = [frame["message"] for frame in told(lost.tab_said(1, hello("room"), 0.0)) if frame["kind"] == "error"]
    assert [message.endswith("it did not open") for message in told_of] == [True]

    late = left_behind()
    assert late.outbox_expired(2) == []
    frames = told(late.tab_said(1, hello("room"), 0.0))
    assert next(frame["message"] for frame in frames if frame["kind"] == "error").startswith("2 messages")
    frames = told(late.tab_said(2, hello("room"), 0.0), 2)
    assert [frame["kind"] for frame in frames] == [protocol.JOINED]
