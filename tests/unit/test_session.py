"""The worker's session: facts in, effects out, with a clock that is a number. What it owes to tabs that come, hide and
go, and to those of a worker before it, stands in ``test_session_tabs.py``."""

from __future__ import annotations

import json

import pytest

import session as session_module
import subscriptions
from effects import Broadcast, Dial, HangUp
from partyline import protocol
from tests.unit.frames import (
    broadcast,
    events,
    hello,
    live_session,
    make_session,
    publish,
    sent,
    snapshot,
    subscribed,
    tabs_told,
    told,
    told_seqs,
    welcome,
)


def test_the_first_tab_makes_it_dial_and_say_hello() -> None:
    session = make_session()
    assert Dial() in session.tab_said(1, hello("room"), 0.0)
    (frame,) = sent(session.socket_opened(1.0))
    assert frame["kind"] == "hello"
    assert frame["tabs"] == 1
    assert frame["cursor"] is None
    assert frame["subscribe"] == ["room"]
    assert frame["resume"] == []


def test_a_second_tab_dials_no_second_socket() -> None:
    session = live_session("room")
    effects = session.tab_said(2, hello("room", tab="t2"), 1.0)
    assert Dial() not in effects
    assert not sent(effects)


def test_a_late_tab_gets_the_list_from_the_rings_without_the_server() -> None:
    session = live_session("room")
    session.socket_said(events(12, "room", 11, 12), 1.0)
    effects = session.tab_said(2, hello("room", tab="t2"), 2.0)
    assert not sent(effects)
    joined, late, end = told(effects, 2)
    assert joined["kind"] == "joined"
    assert joined["line"]["state"] == "live"
    assert joined["tabs"] == 2
    assert (late["kind"], late["seq"], late["reason"]) == ("snapshot", 12, "new")
    assert told_seqs(effects, 2) == [9, 10, 11, 12]
    assert (end["kind"], end["epoch"], end["seq"], end["topics"]) == ("events", "e1", 12, [])


def test_a_topic_added_while_live_is_subscribed_once() -> None:
    session = live_session("room")
    assert sent(session.tab_said(2, hello("host.*", tab="t2"), 1.0)) == [{"kind": "subscribe", "topics": ["host.*"]}]
    assert sent(session.tab_said(3, hello("host.*", tab="t3"), 1.0)) == []


def test_events_are_relayed_as_the_text_that_came() -> None:
    session = live_session("room")
    text = events(11)
    (effect,) = session.socket_said(text, 1.0)
    assert isinstance(effect, Broadcast)
    assert effect.text.split("\n", 1)[1] == text


def test_broadcasts_are_numbered_without_holes() -> None:
    session = live_session("room")
    numbers = [
        json.loads(effect.text.split("\n")[0])["n"]
        for seq in range(11, 15)
        for effect in session.socket_said(events(seq), 1.0)
        if isinstance(effect, Broadcast)
    ]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_a_window_that_came_before_is_dropped_and_counted() -> None:
    session = live_session("room")
    session.socket_said(events(11), 1.0)
    assert session.socket_said(events(11), 1.0) == []
    assert session.diagnostics()["duplicates"] == 1


def test_after_a_loss_it_resumes_at_its_cursor() -> None:
    session = live_session("room")
    session.socket_said(events(11), 1.0)
    effects = session.socket_closed(1006, "", 2.0)
    assert broadcast(effects)[0]["state"] == "offline"
    wake = session.next_wake()
    assert wake == pytest.approx(2.0 + 0.5 * 1.0)
    assert Dial() in session.tick(wake)
    (frame,) = sent(session.socket_opened(wake))
    assert frame["cursor"] == {"epoch": "e1", "seq": 11}
    assert frame["resume"] == ["room"]
    assert frame["subscribe"] == []


def test_a_topic_whose_snapshot_never_came_is_asked_for_again() -> None:
    session = live_session("room")
    session.tab_said(2, hello("host.*", tab="t2"), 1.0)
    session.socket_closed(1006, "", 2.0)
    session.tick(5.0)
    (frame,) = sent(session.socket_opened(5.0))
    assert frame["resume"] == ["room"]
    assert frame["subscribe"] == ["host.*"]


def test_the_backoff_grows_and_is_capped() -> None:
    session = make_session(jitter=1.0)
    session.tab_said(1, hello("room"), 0.0)
    delays = []
    now = 0.0
    for _ in range(8):
        session.socket_closed(1006, "", now)
        wake = session.next_wake()
        assert wake is not None
        delays.append(wake - now)
        now = wake
        assert Dial() in session.tick(now)
    assert delays[:3] == [1.0, 2.0, 4.0]
    assert delays[-1] == session_module.BACKOFF_CAP


def test_after_a_night_without_the_network_it_still_dials() -> None:
    session = make_session(jitter=1.0)
    session.tab_said(1, hello("room"), 0.0)
    now = 0.0
    for _ in range(5_000):
        session.socket_closed(1006, "", now)
        wake = session.next_wake()
        assert wake == now + session_module.BACKOFF_CAP or now < 60
        assert wake is not None
        now = wake
        assert Dial() in session.tick(now)


def test_a_token_that_the_server_does_not_know_any_more_is_forgotten() -> None:
    session = live_session("room")
    session.socket_said(json.dumps({**json.loads(welcome(seq=10)), "identity": "b1.old"}), 1.0)
    session.socket_closed(1006, "", 2.0)
    (first,) = sent(session.socket_opened(3.0))
    assert first["identity"] == "b1.old"
    refusal = json.dumps({"kind": "error", "code": "bad_identity", "message": "", "retry": False})
    (second,) = sent(session.socket_said(refusal, 3.1))
    assert second == {**first, "identity": None}
    assert sent(session.socket_said(refusal, 3.2)) == []


def test_more_topics_than_the_server_takes_are_refused_and_the_line_goes_on() -> None:
    session = live_session("room")
    many = [f"t{number}" for number in range(protocol.MAX_PATTERNS)]
    effects = session.tab_said(2, hello(*many, tab="t2"), 1.0)
    assert [frame["kind"] for frame in told(effects, 2)] == ["error", "joined", "events"]
    assert told(effects, 2)[0]["code"] == "too_many_topics"
    assert sent(effects) == []
    effects = session.tab_said(2, json.dumps({"kind": "subscribe", "topics": many[1:]}), 2.0)
    assert sent(effects) == [{"kind": "subscribe", "topics": sorted(many[1:])}]
    session.socket_closed(1006, "", 3.0)
    (frame,) = sent(session.socket_opened(4.0))
    assert len(frame["resume"]) + len(frame["subscribe"]) == protocol.MAX_PATTERNS


def test_topics_in_their_grace_make_room() -> None:
    session = live_session("room", "stays")
    session.tab_gone(1, 1.0)
    many = [f"t{number}" for number in range(protocol.MAX_PATTERNS - 1)]
    effects = session.tab_said(2, hello("stays", *many, tab="t2"), 2.0)
    assert [frame["kind"] for frame in told(effects, 2)] == ["joined", "snapshot", "events"]
    assert sent(effects) == [
        {"kind": "unsubscribe", "topics": ["room"]},
        {"kind": "subscribe", "topics": sorted(many)},
    ]


def test_one_id_in_two_topics_is_not_taken_for_one_event() -> None:
    session = live_session("room")
    session.socket_closed(1006, "", 1.0)
    session.tab_said(1, publish("p1", "room"), 2.0)
    (refusal,) = told(session.tab_said(1, publish("p1", "other"), 2.0))
    assert (refusal["kind"], refusal["code"], refusal["id"]) == ("error", "bad_id", "p1")
    assert told(session.tab_said(1, publish("p1", "room"), 2.0)) == []


@pytest.mark.parametrize(
    ("jitter", "within", "waits"), [(0.0, 8, 0.0), (0.25, 8, 2.0), (0.5, 8, 4.0), (0.5, 1e9, 30.0)]
)
def test_a_goodbye_spreads_the_first_dial_over_the_time_it_says(jitter: float, within: float, waits: float) -> None:
    session = make_session(jitter)
    session.tab_said(1, hello("room"), 0.0)
    session.socket_opened(0.0)
    session.socket_said(welcome(), 0.0)
    assert session.socket_said(json.dumps({"kind": "goodbye", "within": within}), 100.0) == []
    session.socket_closed(protocol.CLOSE_RESTART, "", 100.0)
    assert session.next_wake() == 100.0 + waits
    assert Dial() in session.tick(100.0 + waits)


@pytest.mark.parametrize("said", [{}, {"within": 0}, {"within": -5}, {"within": float("nan")}])
def test_after_a_goodbye_of_no_time_and_at_the_second_dial_the_backoff_holds(said: dict[str, float]) -> None:
    session = live_session("room")
    session.socket_said(json.dumps({"kind": "goodbye", **said}), 100.0)
    session.socket_closed(protocol.CLOSE_RESTART, "", 100.0)
    assert session.next_wake() == 100.0 + 0.5 * session_module.BACKOFF_BASE
    session.socket_said(json.dumps({"kind": "goodbye", "within": 8}), 100.0)
    session.tick(101.0)
    session.socket_closed(1006, "", 101.0)
    session.tick(105.0)
    session.socket_closed(1006, "", 105.0)
    assert session.next_wake() == 105.0 + 0.5 * session_module.BACKOFF_BASE * 2**2


def test_a_tab_coming_forward_or_the_network_coming_back_hurries_the_dial() -> None:
    session = live_session("room")
    session.socket_closed(1006, "", 2.0)
    assert Dial() in session.online(2.1)
    session.socket_closed(1006, "", 2.2)
    assert Dial() not in session.tab_said(1, hello("room", visible=False), 2.3)
    assert Dial() in session.tab_said(1, hello("room"), 2.4)


def test_a_final_close_code_is_final() -> None:
    session = live_session("room")
    effects = session.socket_closed(protocol.CLOSE_VERSION, "wrong protocol version", 2.0)
    (told,) = broadcast(effects)
    assert (told["kind"], told["state"], told["message"]) == ("line", "failed", "wrong protocol version")
    assert session.next_wake() is None
    assert Dial() not in session.online(3.0)


def test_another_epoch_begins_another_era() -> None:
    session = live_session("room")
    session.socket_closed(1006, "", 1.0)
    session.tick(5.0)
    session.socket_opened(5.0)
    effects = session.socket_said(welcome("e2", 3), 5.0)
    eras = [json.loads(effect.text.split("\n")[0])["era"] for effect in effects if isinstance(effect, Broadcast)]
    assert eras == [1]
    session.socket_said(snapshot(3, 2, reason="reset"), 5.0)
    session.socket_said(subscribed(3, "room"), 5.0)
    late = session.tab_said(2, hello("room", tab="t2"), 6.0)
    assert told_seqs(late, 2) == [2]


def test_what_is_not_acknowledged_is_sent_again_and_told_once() -> None:
    session = live_session("room")
    assert sent(session.tab_said(1, publish("p1"), 1.0))[0]["id"] == "p1"
    session.socket_closed(1006, "", 1.5)
    assert sent(session.tab_said(1, publish("p2"), 1.6)) == []
    session.tick(5.0)
    session.socket_opened(5.0)
    again = sent(session.socket_said(welcome(seq=10, resumed=True), 5.0))
    assert [frame["id"] for frame in again] == ["p1", "p2"]
    ack = json.dumps({"kind": "ack", "id": "p1", "topic": "room", "seq": 11, "epoch": "e1", "duplicate": True})
    assert [frame["id"] for frame in told(session.socket_said(ack, 5.1))] == ["p1"]
    assert session.socket_said(ack, 5.2) == []
    assert session.diagnostics()["outbox"] == 1


def test_a_refused_publish_is_told_and_not_sent_again() -> None:
    session = live_session("room")
    session.tab_said(1, publish("p1"), 1.0)
    refusal = json.dumps({"kind": "error", "id": "p1", "code": "too_deep", "message": "…", "retry": False})
    assert told(session.socket_said(refusal, 1.1))[0]["code"] == "too_deep"
    assert session.diagnostics()["outbox"] == 0


def test_a_publish_that_turns_out_too_large_is_refused_when_the_limit_is_known() -> None:
    session = make_session()
    session.tab_said(1, hello("room"), 0.0)
    session.tab_said(1, publish("large", data="x" * 2000), 0.0)
    session.tab_said(1, publish("small"), 0.0)
    session.socket_opened(0.1)
    effects = session.socket_said(welcome(), 0.2)
    assert [(frame["id"], frame["code"]) for frame in told(effects)] == [("large", "too_large")]
    assert [frame["id"] for frame in sent(effects)] == ["small"]


def test_a_late_tab_is_told_what_is_established() -> None:
    session = live_session("room")
    joined = told(session.tab_said(2, hello("room", "host.*", tab="t2"), 1.0), 2)[0]
    assert joined["established"] == ["room"]
    assert broadcast(session.socket_said(subscribed(10, "host.*"), 1.1))[0]["topics"] == ["host.*"]


def test_a_publish_refused_for_now_is_sent_again_later() -> None:
    session = live_session("room")
    session.tab_said(1, publish("p1"), 1.0)
    refusal = json.dumps({"kind": "error", "id": "p1", "code": "busy", "message": "…", "retry": True})
    assert session.socket_said(refusal, 1.1) == []
    wake = session.next_wake()
    assert wake == pytest.approx(2.1)
    assert [frame["id"] for frame in sent(session.tick(wake))] == ["p1"]
    assert sent(session.tick(wake + 0.1)) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nonsense", "not_json"),
        ("[]", "not_object"),
        ("{}", "no_kind"),
        ('{"kind": "dance"}', "unknown_kind"),
        ('{"kind": "subscribe", "topics": "room"}', "bad_topic"),
        ('{"kind": "subscribe", "topics": [{}]}', "bad_topic"),
        ('{"kind": "publish", "topic": "room", "data": 1}', "bad_id"),
        ('{"kind": "publish", "id": "a", "topic": "r r", "data": 1}', "bad_topic"),
        ('{"kind": "publish", "id": "a", "topic": "room", "data": "%s"}' % ("x" * 2000), "too_large"),
        ('{"kind": "publish", "id": "a", "topic": "room", "data": NaN}', "bad_number"),
        ('{"kind": "hello", "protocol": 99}', "wrong_version"),
        (hello("room", browser=""), "bad_browser"),
        (hello("room", tab=""), "bad_tab"),
        (hello("room", tab=None), "bad_tab"),
        (hello("room", cursor=("e1", "12")), "bad_cursor"),
        (json.dumps({**json.loads(hello("room")), "cursor": 12}), "bad_cursor"),
        ('{"kind": "fault", "what": "dance"}', "bad_fault"),
        ('{"kind": "fault"}', "bad_fault"),
    ],
)
def test_what_a_tab_says_wrongly_is_refused_and_nothing_is_sent(text: str, code: str) -> None:
    session = live_session("room")
    effects = session.tab_said(1, text, 1.0)
    assert [frame["code"] for frame in told(effects)] == [code]
    assert not sent(effects)


@pytest.mark.parametrize("text", [publish("p1"), '{"kind": "ping"}', '{"kind": "subscribe", "topics": ["room"]}'])
def test_a_tab_must_say_hello_first(text: str) -> None:
    session = live_session("room")
    effects = session.tab_said(7, text, 1.0)
    assert [frame["code"] for frame in told(effects, 7)] == ["hello_first"]
    assert len(effects) == 1


@pytest.mark.parametrize(
    "text", ["?", "[]", '{"kind": "events"}', '{"kind": "events", "seq": 11, "topics": [["room", 1]]}']
)
def test_a_servers_frame_that_makes_no_sense_moves_no_cursor(text: str) -> None:
    session = live_session("room")
    effects = session.socket_said(text, 1.0)
    assert isinstance(effects[0], HangUp)
    assert session.cursor == 10
    assert session.state == "offline"
    assert session.diagnostics()["dropped"] == 1


def test_a_kind_from_a_newer_server_is_passed_over() -> None:
    session = live_session("room")
    assert session.socket_said('{"kind": "novelty"}', 1.0) == []
    assert session.state == "live"


def test_a_silent_server_is_hung_up_on() -> None:
    session = live_session("room")
    wake = session.next_wake()
    assert wake == pytest.approx(2.5 * 15)
    assert isinstance(session.tick(wake)[0], HangUp)
    assert session.state == "offline"


def test_a_heartbeat_moves_the_cursor_and_is_a_sign_of_life() -> None:
    session = live_session("room")
    session.socket_said('{"kind": "heartbeat", "seq": 50}', 30.0)
    assert session.cursor == 50
    assert session.next_wake() == pytest.approx(30.0 + 2.5 * 15)


def test_topics_leave_with_the_last_tab_that_wants_them_after_a_grace() -> None:
    session = live_session("room", "host.*")
    session.tab_said(2, hello("room", tab="t2"), 1.0)
    assert sent(session.tab_gone(1, 2.0)) == []
    assert sent(session.tick(2.0 + subscriptions.GRACE)) == [{"kind": "unsubscribe", "topics": ["host.*"]}]


def test_a_topic_wanted_again_within_the_grace_stays() -> None:
    session = live_session("room", "host.*")
    session.tab_said(2, hello("room", tab="t2"), 1.0)
    session.tab_gone(1, 2.0)
    effects = session.tab_said(3, hello("host.*", tab="t3"), 3.0)
    assert sent(effects) == []
    assert "snapshot" in [frame["kind"] for frame in told(effects, 3)]
    assert sent(session.tick(2.0 + subscriptions.GRACE)) == []


def test_without_tabs_it_hangs_up_and_takes_up_again_with_the_next() -> None:
    session = live_session("room")
    session.tab_gone(1, 1.0)
    effects = session.tick(1.0 + session_module.IDLE_GRACE)
    assert HangUp(1000, "no tab is left") in effects
    assert session.state == "idle"
    assert Dial() in session.tab_said(2, hello("room", tab="t2"), 9.5)
    (frame,) = sent(session.socket_opened(7.0))
    assert frame["resume"] == ["room"]


def test_a_reload_within_the_grace_keeps_the_socket() -> None:
    session = live_session("room")
    session.tab_said(1, '{"kind": "bye"}', 1.0)
    effects = session.tab_said(2, hello("room", tab="t2"), 1.3)
    assert Dial() not in effects
    assert HangUp(1000, "no tab is left") not in session.tick(10.0)
    assert session.sockets_opened == 1


def test_tabs_are_counted() -> None:
    session = live_session("room")
    assert broadcast(session.tab_said(2, hello("room", tab="t2"), 1.0))[0] == {"kind": "tabs", "count": 2}
    assert broadcast(session.tab_gone(1, 1.0))[0] == {"kind": "tabs", "count": 1}
    assert session.tab_gone(1, 1.0) == []


def test_diagnostics_are_answered() -> None:
    session = live_session("room")
    (answer,) = told(session.tab_said(1, '{"kind": "ask", "ref": 5, "what": "diagnostics"}', 1.0))
    assert (answer["kind"], answer["ref"]) == ("answer", 5)
    wanted = [
        "generation",
        "worker",
        "hidden",
        "epoch",
        "seq",
        "tabs",
        "topics",
        "sockets_opened",
        "gaps",
        "duplicates",
        "dropped",
        "python",
    ]
    assert set(wanted) <= set(answer["value"])
    (unknown,) = told(session.tab_said(1, '{"kind": "ask", "ref": 6, "what": "?"}', 1.0))
    assert "error" in unknown


def test_a_heartbeat_is_answered() -> None:
    session = live_session("room")
    assert sent(session.socket_said('{"kind": "heartbeat", "seq": 12}', 20.0)) == [{"kind": "alive"}]


def test_the_server_knows_how_many_tabs_there_are() -> None:
    session = live_session("room")
    assert tabs_told(session.tab_said(2, hello("room", tab="t2"), 1.0)) == [2]
    assert tabs_told(session.tab_said(2, hello("room", tab="t2"), 1.0)) == []  # the same tab, anew
    assert tabs_told(session.tab_gone(2, 2.0)) == [1]
    session.socket_closed(1006, "", 3.0)
    assert tabs_told(session.tab_said(3, hello("room", tab="t3"), 4.0)) == []
    (frame,) = sent(session.socket_opened(5.0))
    assert frame["tabs"] == 2
    assert tabs_told(session.tab_said(4, hello("room", tab="t4"), 5.0)) == []  # not before it was welcomed
    assert tabs_told(session.socket_said(welcome(seq=10, resumed=True), 6.0)) == [3]


def test_it_stays_who_it_is_without_a_cookie() -> None:
    session = live_session()
    (frame,) = sent(session.socket_opened(0.0))
    assert frame["identity"] is None
    told = {**json.loads(welcome()), "browser": "b9", "identity": "token of b9"}
    effects = session.socket_said(json.dumps(told), 1.0)
    assert broadcast(effects)[0]["browser"] == "b9"
    session.socket_closed(1006, "", 2.0)
    (frame,) = sent(session.socket_opened(3.0))
    assert frame["identity"] == "token of b9"


def test_who_joins_between_a_snapshot_and_its_end_has_it_too() -> None:
    session = make_session()
    session.tab_said(1, hello("room"), 0.0)
    session.socket_opened(0.0)
    session.socket_said(welcome(seq=10), 0.0)
    session.socket_said(snapshot(10, 9, 10), 0.0)  # broadcast before the second tab hears anything
    joined, late, end = told(session.tab_said(2, hello("room", tab="t2"), 0.0), 2)
    assert joined["n"] >= 1
    assert (late["kind"], late["topics"]) == ("snapshot", [["room", 2]])
    assert (end["kind"], end["topics"]) == ("events", [])
    session.socket_closed(1006, "", 1.0)  # and then the rest of it never comes
    kinds = [frame["kind"] for frame in told(session.tab_said(3, hello("room", tab="t3"), 1.0), 3)]
    assert kinds == ["joined", "events"]
