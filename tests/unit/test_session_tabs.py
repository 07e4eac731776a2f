"""What the session owes to its tabs: those of a worker before it, hidden ones, silent ones; and faults on demand."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

import session as session_module
import tabs
from effects import Broadcast, Dial, Drop, Effect, Fault, Forget, HangUp, Retire, Send, Watch
from partyline import protocol
from session import Session
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
    told,
    told_seqs,
    welcome,
)

GATHER = session_module.GATHER_SECONDS
HIDDEN = tabs.HIDDEN_SECONDS
QUIET = tabs.QUIET_SECONDS
ANSWER = tabs.ANSWER_SECONDS
DEAF = tabs.DEAF_SECONDS


def kinds(frames: list[dict[str, object]]) -> list[object]:
    return [frame["kind"] for frame in frames]


# a worker that takes over from another


def adopted(*cursors: int) -> Session:
    """A session that took over, whose tabs each brought a cursor for the room."""
    session = make_session(worker="w2")
    for number, seq in enumerate(cursors, 1):
        session.tab_said(number, hello("room", tab=f"t{number}", cursor=("e1", seq)), 0.0)
    return session


def test_a_worker_that_takes_over_gathers_cursors_before_it_dials() -> None:
    session = make_session(worker="w2")
    assert Dial() not in session.tab_said(1, hello("room", cursor=("e1", 50)), 1.0)
    assert Dial() not in session.tab_said(2, hello("room", tab="t2", cursor=("e1", 40)), 1.2)
    assert Dial() not in session.tick(1.2)
    assert session.next_wake() == 1.0 + GATHER  # of the first: who comes later prolongs nothing
    assert Dial() in session.tick(1.0 + GATHER)


def test_nothing_cuts_the_gathering_short() -> None:
    session = adopted(50)
    assert Dial() not in session.tab_said(2, hello("room", tab="t2"), 0.1)  # has no cursor, and may wait, too
    assert Dial() not in session.tab_said(1, hello("room", cursor=("e1", 50)), 0.1)
    assert Dial() not in session.online(0.1)
    assert Dial() in session.tick(GATHER)


def test_a_new_tab_alone_is_not_kept_waiting() -> None:
    assert Dial() in make_session().tab_said(1, hello("room"), 1.0)


def test_it_goes_on_from_the_lowest_cursor() -> None:
    session = adopted(50, 40, 60)
    session.tick(GATHER)
    (frame,) = sent(session.socket_opened(1.0))
    assert frame["cursor"] == {"epoch": "e1", "seq": 40}
    assert frame["resume"] == ["room"]
    assert frame["subscribe"] == ["room"]  # for its history, which tabs to come will want


def test_cursors_are_taken_until_the_socket_is_open() -> None:
    session = adopted(50)
    session.tick(GATHER)
    session.tab_said(2, hello("room", tab="t2", cursor=("e1", 45)), 0.5)
    (frame,) = sent(session.socket_opened(1.0))
    assert frame["cursor"] == {"epoch": "e1", "seq": 45}
    session.tab_said(3, hello("room", tab="t3", cursor=("e1", 30)), 1.1)
    assert session.cursor == 45


def test_topics_of_tabs_without_a_cursor_are_not_resumed() -> None:
    session = adopted(50)
    session.tab_said(2, hello("host.*", tab="t2"), 0.1)
    (frame,) = sent(session.socket_opened(1.0))
    assert frame["resume"] == ["room"]
    assert frame["subscribe"] == ["host.*", "room"]


def test_a_cursor_of_another_log_than_the_first_is_not_taken() -> None:
    session = adopted(50)
    session.tab_said(2, hello("host.*", tab="t2", cursor=("e0", 10)), 0.1)
    (frame,) = sent(session.socket_opened(1.0))
    assert frame["cursor"] == {"epoch": "e1", "seq": 50}
    assert frame["resume"] == ["room"]


def test_tabs_that_brought_a_cursor_are_told_just_what_follows() -> None:
    session = adopted(50)
    joined, end = told(session.tab_said(2, hello("room", tab="t2", cursor=("e1", 60)), 0.1), 2)
    assert (joined["worker"], joined["epoch"], joined["established"]) == ("w2", "e1", ["room"])
    assert (end["kind"], end["topics"], end["seq"]) == ("events", [], 50)


def test_a_log_that_cannot_be_resumed_begins_a_new_era_for_those_who_brought_its_cursor() -> None:
    session = adopted(50)
    session.socket_opened(1.0)
    (effect,) = [each for each in session.socket_said(welcome("e2", 3), 1.0) if isinstance(each, Broadcast)]
    envelope = protocol.decode_header(effect.text.split("\n")[0])
    assert (envelope["era"], envelope["epoch"]) == (1, "e2")
    assert session.cursor == 0


def test_a_first_log_begins_no_new_era() -> None:
    session = make_session()
    session.tab_said(1, hello("room"), 0.0)
    session.socket_opened(1.0)
    (effect,) = [each for each in session.socket_said(welcome("e1", 3), 1.0) if isinstance(each, Broadcast)]
    assert protocol.decode_header(effect.text.split("\n")[0])["era"] == 0


# a late tab with a cursor


def test_a_late_tab_with_a_cursor_gets_only_what_is_after_it() -> None:
    session = live_session("room")
    session.socket_said(events(12, "room", 12), 1.0)
    session.socket_said(events(14, "room", 13), 1.0)
    effects = session.tab_said(2, hello("room", tab="t2", cursor=("e1", 12)), 2.0)
    joined, end = told(effects, 2)
    assert kinds([joined, end]) == ["joined", "events"]
    assert (end["topics"], end["seq"]) == ([["room", 1]], 14)
    assert told_seqs(effects, 2) == [13]
    assert joined["established"] == ["room"]


def test_a_late_tab_that_has_all_gets_nothing_but_its_cursor() -> None:
    session = live_session("room")
    effects = session.tab_said(2, hello("room", tab="t2", cursor=("e1", 10)), 2.0)
    assert told(effects, 2)[1]["topics"] == []
    assert told(effects, 2)[1]["seq"] == 10


def test_one_whose_cursor_is_older_than_the_ring_gets_a_snapshot_that_says_gap() -> None:
    session = live_session("room")
    effects = session.tab_said(2, hello("room", tab="t2", cursor=("e1", 9)), 2.0)
    _, late, end = told(effects, 2)
    assert (late["kind"], late["reason"], late["topics"]) == ("snapshot", "gap", [["room", 2]])
    assert (end["kind"], end["topics"]) == ("events", [])


def test_a_cursor_of_another_log_counts_as_none() -> None:
    session = live_session("room")
    effects = session.tab_said(2, hello("room", tab="t2", cursor=("e0", 10)), 2.0)
    _, late, _ = told(effects, 2)
    assert (late["kind"], late["reason"]) == ("snapshot", "new")


def test_what_is_established_for_a_tab_is_what_its_cursor_may_stand_for() -> None:
    session = adopted(50)
    session.tick(GATHER)
    session.socket_opened(1.0)
    earlier = told(session.tab_said(2, hello("room", tab="t2", cursor=("e1", 40)), 1.1), 2)[0]
    assert earlier["established"] == []  # 41 to 50 will come with the history alone
    later = told(session.tab_said(3, hello("room", tab="t3", cursor=("e1", 50)), 1.1), 3)[0]
    assert later["established"] == ["room"]
    newcomer = told(session.tab_said(4, hello("room", tab="t4"), 1.1), 4)[0]
    assert newcomer["established"] == []  # its history is not here
    session.socket_said(welcome(seq=60, resumed=True), 1.2)
    session.socket_said(snapshot(50, 41, 50), 1.2)
    session.socket_said(subscribed(50, "room"), 1.2)
    assert told(session.tab_said(5, hello("room", tab="t5"), 1.3), 5)[0]["established"] == ["room"]


def test_its_answer_says_which_hello_it_answers_and_how_all_stands() -> None:
    session = live_session("room")
    presence = {"kind": "presence", "sockets": 3, "browsers": 2, "tabs": 5, "subscribers": {}}
    session.socket_said(json.dumps(presence), 1.0)
    effects = session.tab_said(2, hello("room", tab="t2", ref=7), 2.0)
    joined = told(effects, 2)[0]
    last = [each for each in effects if isinstance(each, Broadcast)][-1]
    assert (joined["ref"], joined["tabs"], joined["python"]) == (7, 2, "3.14")
    assert joined["presence"] == presence
    assert joined["n"] == protocol.decode_header(last.text.split("\n")[0])["n"]  # what is told to all after is newer


def test_the_line_says_of_which_build_the_server_is() -> None:
    session = make_session(build="b-old")
    assert told(session.tab_said(1, hello("room"), 0.0))[0]["line"]["build"] == "b-old"
    session.socket_opened(0.0)
    new = json.dumps({**json.loads(welcome()), "build": "b-new"})
    assert broadcast(session.socket_said(new, 0.1))[0]["build"] == "b-new"


# subscribing later


def test_what_a_tab_subscribes_to_later_is_told_where_it_is_here() -> None:
    session = live_session("room", "host.cpu")
    session.tab_said(2, hello("room", tab="t2"), 1.0)
    effects = session.tab_said(2, json.dumps({"kind": "subscribe", "topics": ["host.cpu"]}), 2.0)
    assert kinds(told(effects, 2)) == ["snapshot", "subscribed"]  # no events frame: it would move the cursor
    assert told(effects, 2)[1]["topics"] == ["host.cpu"]
    assert sent(effects) == []
    effects = session.tab_said(2, json.dumps({"kind": "subscribe", "topics": ["host.*"]}), 2.0)
    assert kinds(told(effects, 2)) == ["snapshot"]
    assert sent(effects) == [{"kind": "subscribe", "topics": ["host.*"]}]


# hidden tabs


def hidden_session() -> Session:
    """A live session at seq 10 with a tab that is seen, on port 1, and one that is not, on port 2."""
    session = live_session("room")
    session.tab_said(2, hello("room", tab="t2", cursor=("e1", 10), visible=False), 1.0)
    return session


def test_hidden_tabs_are_told_what_came() -> None:
    session = hidden_session()
    session.socket_said(events(12, "room", 11, 12), 1.0)
    wake = session.next_wake()
    assert wake is not None
    effects = session.tick(wake)
    assert told(effects, 1) == []
    joined, end = told(effects, 2)
    assert (joined["kind"], joined["ref"]) == ("joined", None)
    assert (end["kind"], end["seq"]) == ("events", 12)
    assert told_seqs(effects, 2) == [11, 12]


def test_hidden_tabs_are_told_every_two_seconds_at_most_and_each_event_once() -> None:
    session = hidden_session()
    now, times, seqs = 1.0, [], []
    for seq in range(11, 111):  # ten events a second
        now += 0.1
        session.socket_said(events(seq), now)
        wake = session.next_wake()
        assert wake is not None
        if wake <= now:
            effects = session.tick(now)
            times.append(now)
            seqs += told_seqs(effects, 2)
    assert [after - before >= HIDDEN for before, after in pairwise(times)] == [True] * 4
    seqs += told_seqs(session.tick(now + HIDDEN), 2)
    assert seqs == list(range(11, 111))


def test_hidden_tabs_are_told_nothing_where_there_is_no_news() -> None:
    session = hidden_session()
    assert told(session.tick(10.0), 2) == []
    session.tab_said(1, hello("room", cursor=("e1", 10)), 10.5)  # one that says hello anew is none
    assert told(session.tick(11.0), 2) == []
    session.socket_said(events(11), 11.0)
    assert told_seqs(session.tick(15.0), 2) == [11]
    assert told(session.tick(20.0), 2) == []
    assert session.next_wake() != 15.0 + HIDDEN


def test_news_that_is_no_event_is_told_to_hidden_tabs_too() -> None:
    session = hidden_session()
    session.socket_closed(1006, "gone", 2.0)
    joined = told(session.tick(2.0), 2)[0]
    assert (joined["line"]["state"], joined["line"]["message"]) == ("offline", "gone")


def test_a_tab_that_was_opened_hidden_gets_its_history_without_a_gap() -> None:
    session = live_session("host.cpu")
    effects = session.tab_said(2, hello("room", tab="t2", visible=False), 1.0)
    assert told(effects, 2)[0]["established"] == ["host.cpu"]
    session.socket_said(snapshot(10, 9, 10), 1.1)  # of the same seq as the cursor that the tab was told
    session.socket_said(subscribed(10, "room"), 1.1)
    effects = session.tick(1.1)
    assert told_seqs(effects, 2) == [9, 10]
    assert [frame.get("reason") for frame in told(effects, 2)] == [None, "new", None]
    assert told(effects, 2)[0]["established"] == ["host.cpu", "room"]
    session.socket_said(events(11), 2.0)
    assert told_seqs(session.tick(5.0), 2) == [11]


def test_another_log_is_told_whole_to_hidden_tabs() -> None:
    session = hidden_session()
    session.socket_closed(1006, "", 2.0)
    session.tick(3.0)
    session.socket_opened(5.0)
    session.socket_said(welcome("e2", 3), 5.0)
    session.socket_said(snapshot(3, 2, 3, reason="reset"), 5.0)
    session.socket_said(subscribed(3, "room"), 5.0)
    effects = session.tick(6.0)
    assert told(effects, 2)[0]["era"] == 1
    assert told_seqs(effects, 2) == [2, 3]


def test_a_tab_that_comes_forward_is_told_no_more_digests() -> None:
    session = hidden_session()
    session.tab_said(2, hello("room", tab="t2", cursor=("e1", 10)), 2.0)
    session.socket_said(events(11), 2.0)
    assert told(session.tick(10.0), 2) == []
    assert session.diagnostics()["hidden"] == 0


# cells that cannot be suspended


def holds(effects: list[Effect], *ports: int) -> list[list[object]]:
    """Whether each of these ports is told that the worker may be silent, as often as it is told."""
    return [[frame["on"] for frame in told(effects, port) if frame["kind"] == "hold"] for port in ports]


def test_every_tab_is_told_over_its_port_that_the_worker_may_be_silent() -> None:
    """A hidden tab is not on the channel; and one that just said hello heeds the channel only when it is answered."""
    session = hidden_session()
    assert holds(session.cells_hold(True), 1, 2) == [[True], [True]]
    assert holds(session.cells_hold(False), 1, 2) == [[False], [False]]


def test_the_worker_is_held_until_the_last_such_cell_has_ended() -> None:
    session = hidden_session()
    session.cells_hold(True)
    assert session.cells_hold(True) == []
    assert session.cells_hold(False) == []
    assert holds(session.cells_hold(False), 1, 2) == [[False], [False]]


def test_who_joins_learns_whether_the_worker_is_held() -> None:
    session = hidden_session()
    for on in (True, False):
        session.cells_hold(on)
        assert told(session.tab_said(3, hello("room", tab="t3"), 2.0), 3)[0]["hold"] is on
        session.socket_closed(1006, "gone", 2.0)  # news, for a digest
        assert told(session.tick(10.0 if on else 20.0), 2)[0]["hold"] is on


# tabs that are there, and tabs that are not


def test_a_tab_that_said_hello_on_another_port_before_is_replaced() -> None:
    session = live_session("room")
    assert Forget(1) in session.tab_said(2, hello("room", tab="t1", cursor=("e1", 10)), 1.0)
    assert session.diagnostics()["tabs"] == 1
    assert session.tab_gone(1, 2.0) == []
    assert told(session.tab_said(1, '{"kind": "ping"}', 2.0))[0]["code"] == "hello_first"
    assert session.next_wake() != 2.0 + session_module.IDLE_GRACE


def test_a_tab_with_a_lock_is_watched_once_and_never_asked() -> None:
    session = make_session()
    assert Watch(1, "t1") in session.tab_said(1, hello("room"), 0.0)
    assert Watch(1, "t1") not in session.tab_said(1, hello("room"), 1.0)
    session.socket_opened(1.0)
    for now in range(2, 200):
        assert told(session.tick(float(now))) == []
    assert session.diagnostics()["tabs"] == 1


def test_a_tab_that_has_its_lock_later_is_watched_then() -> None:
    session = make_session()
    effects = session.tab_said(1, hello("room", locked=False), 0.0)
    assert not any(isinstance(each, Watch) for each in effects)
    assert Watch(1, "t1") in session.tab_said(1, hello("room"), 1.0)


def unlocked_session() -> Session:
    session = make_session()
    session.tab_said(1, hello("room", locked=False), 0.0)
    session.socket_opened(0.0)
    session.socket_said(welcome(seq=10), 0.0)
    return session


def test_a_tab_without_a_lock_that_says_nothing_is_asked_and_then_gone() -> None:
    session = unlocked_session()
    assert session.next_wake() == QUIET
    assert told(session.tick(QUIET - 0.1)) == []
    assert told(session.tick(QUIET)) == [{"kind": "ping"}]
    session.socket_said('{"kind": "heartbeat", "seq": 10}', QUIET)
    assert told(session.tick(QUIET + 1)) == []  # it is asked once
    session.tick(QUIET + ANSWER - 0.1)
    assert session.diagnostics()["tabs"] == 1
    effects = session.tick(QUIET + ANSWER)
    assert {"kind": "tabs", "count": 0} in broadcast(effects)
    assert Forget(1) in effects
    assert session.diagnostics()["tabs"] == 0


@pytest.mark.parametrize("answer", ['{"kind": "pong"}', '{"kind": "ping"}', publish("p1"), hello("room", locked=False)])
def test_whatever_a_tab_says_is_a_sign_of_life(answer: str) -> None:
    session = unlocked_session()
    session.tick(QUIET)
    session.tab_said(1, answer, QUIET + 1)
    assert told(session.tick(QUIET + 1 + QUIET - 0.1)) == []
    assert told(session.tick(QUIET + 1 + QUIET)) == [{"kind": "ping"}]


def test_who_was_taken_for_gone_is_asked_to_say_hello() -> None:
    session = unlocked_session()
    session.tick(QUIET)
    session.tick(QUIET + ANSWER)
    assert told(session.tab_said(1, '{"kind": "pong"}', 50.0))[0]["code"] == "hello_first"
    session.tab_said(1, hello("room", locked=False), 50.1)
    assert session.diagnostics()["tabs"] == 1


@pytest.mark.parametrize("said", ["ping", "pong", "ask", "publish", "notebook", "subscribe"])
def test_whatever_is_said_by_who_was_taken_for_gone_it_is_asked_to_say_hello(said: str) -> None:
    session = unlocked_session()
    session.tick(QUIET)
    session.tick(QUIET + ANSWER)
    (answer,) = session.tab_said(1, json.dumps({"kind": said}), 50.0)
    assert told([answer])[0]["code"] == "hello_first"


def test_a_tab_learns_whether_it_was_taken_for_gone() -> None:
    """It may say hello before it hears of that: as it is shown, say."""
    session = make_session()
    again = hello("room", locked=False)
    assert told(session.tab_said(1, again, 0.0))[0]["known"] is False
    assert told(session.tab_said(1, again, 0.0))[0]["known"] is True
    session.tick(QUIET)
    session.tick(QUIET + ANSWER)
    assert told(session.tab_said(1, again, 50.0))[0]["known"] is False


def test_a_digest_is_for_a_tab_that_is_known() -> None:
    session = hidden_session()
    session.socket_said(events(11), 1.0)
    assert told(session.tick(10.0), 2)[0]["known"] is True


def test_a_worker_that_was_deaf_when_the_answer_was_due_asks_again() -> None:
    """A cell held it up; the answer may wait behind the timer."""
    session = unlocked_session()
    session.tick(QUIET)
    late = QUIET + ANSWER + DEAF + 0.1
    effects = session.tick(late)
    assert Forget(1) not in effects
    assert session.diagnostics()["tabs"] == 1
    assert Forget(1) in session.tick(late + ANSWER)


def test_a_goodbye_drops_the_port() -> None:
    session = live_session("room")
    effects = session.tab_said(1, '{"kind": "bye"}', 1.0)
    assert effects[-1] == Drop(1)
    assert session.diagnostics()["tabs"] == 0


def test_a_ping_is_answered_by_the_worker_that_it_is() -> None:
    session = live_session("room")
    assert told(session.tab_said(1, '{"kind": "ping"}', 1.0)) == [{"kind": "pong", "worker": "w1"}]
    assert session.tab_said(1, '{"kind": "pong"}', 1.0) == []


# faults on demand, and the next worker


def test_a_fault_cuts_the_socket_and_it_is_dialled_again() -> None:
    session = live_session("room")
    effects = session.tab_said(1, '{"kind": "fault", "what": "cut"}', 1.0)
    assert isinstance(effects[0], HangUp)
    assert session.state == "offline"
    wake = session.next_wake()
    assert wake is not None
    assert Dial() in session.tick(wake)
    assert session.tab_said(1, '{"kind": "fault", "what": "cut"}', wake) == []  # there is none to cut


@pytest.mark.parametrize("what", ["kill", "hang"])
def test_a_fault_breaks_the_worker(what: str) -> None:
    session = live_session("room")
    assert session.tab_said(1, json.dumps({"kind": "fault", "what": what}), 1.0) == [Fault(what)]


@pytest.mark.parametrize("dialled", [False, True])
def test_a_worker_that_another_one_follows_hangs_up_and_retires(dialled: bool) -> None:
    session = live_session("room")
    if dialled:
        session.socket_closed(1006, "", 1.0)
        session.tick(5.0)
    hang_up, retire = session.superseded()
    assert isinstance(hang_up, HangUp)
    assert retire == Retire()


def test_a_worker_without_a_socket_just_retires() -> None:
    assert make_session().superseded() == [Retire()]


def test_a_worker_that_has_retired_dials_and_sends_no_more() -> None:
    session = live_session("room")
    session.tab_said(1, publish("p1"), 1.0)
    session.superseded()
    effects = [*session.online(2.0), *session.tab_said(2, hello("room", tab="t2"), 2.0)]
    effects += [*session.tab_said(2, publish("p2"), 2.0), *session.tab_gone(1, 2.0), *session.tab_gone(2, 2.0)]
    for now in range(3, 100):
        effects += session.tick(float(now))
    effects += session.tab_said(3, hello("room", tab="t3"), 100.0)
    assert not [each for each in effects if isinstance(each, Dial | Send)]
    assert session.state == "retired"
