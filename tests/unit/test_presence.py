"""Who is on the line, over sockets, browsers and processes; and their joins and leaves."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from partyline import protocol
from server.identity import Identities
from server.log import Draft, Event
from server.presence import MAX_LISTED, Entry, Everybody, Roster
from server.visits import GRACE_SECONDS, TOPIC, Visits


def make_roster(*entries: Entry) -> Roster:
    roster = Roster()
    for entry in entries:
        roster.sockets += 1
        roster.add(entry)
    return roster


def test_a_browser_counts_once_however_many_sockets_it_has() -> None:
    first = Entry("a", 2, ["room"])
    roster = make_roster(first, Entry("a", 1, ["host.*"]), Entry("b"))
    roster.sockets += 1  # one that has not said hello
    everybody = Everybody(roster)
    assert (everybody.sockets, everybody.browsers, everybody.tabs) == (4, 2, 4)
    assert everybody.people["a"].topics == {"room", "host.*"}
    roster.discard(first)
    assert Everybody(roster).people["a"].topics == {"host.*"}


def test_processes_are_counted_together() -> None:
    here = make_roster(Entry("a", 1, ["room"]), Entry("b", 1, ["room"]))
    there = make_roster(Entry("b", 2, ["clock"]), Entry("c", 1, ["room"]))
    everybody = Everybody(here, [there.to_text()])
    assert (everybody.sockets, everybody.browsers, everybody.tabs) == (4, 3, 5)
    assert everybody.subscribers() == {"room": 3, "clock": 1}
    header, bodies = protocol.decode(everybody.frame())
    assert header == {
        "kind": "presence",
        "sockets": 4,
        "browsers": 3,
        "tabs": 5,
        "subscribers": {"room": 3, "clock": 1},
    }
    assert bodies == []


def test_a_great_crowd_is_told_by_its_number() -> None:
    there = make_roster(*(Entry(f"browser-{number}") for number in range(MAX_LISTED + 50)))
    assert len(json.loads(there.to_text())["browsers"]) == MAX_LISTED
    assert Everybody(Roster(), [there.to_text()]).browsers == MAX_LISTED + 50


def test_a_roster_stays_within_what_nats_takes_whatever_clients_want() -> None:
    greedy = [Entry(f"greedy-{number}", 1, [f"{topic:0>200}" for topic in range(200)]) for number in range(100)]
    there = make_roster(*greedy, Entry("z", 1, ["room"]))
    text = there.to_text()
    assert len(text) < 1_000_000
    everybody = Everybody(Roster(), [text])
    assert everybody.browsers == 101
    assert everybody.people["z"].topics == {"room"}


class Process:
    """A server process, as far as visits go."""

    def __init__(self, name: str, log: list[Event]) -> None:
        self.visits = Visits(name, Identities("secret").seal)
        self.roster = Roster()
        self.log = log
        self.entries: dict[str, Entry] = {}

    def look(self, now: float, *others: Process) -> list[str]:
        everybody = Everybody(self.roster, [other.roster.to_text() for other in others])
        here = self.roster.people()
        drafts = self.visits.look(everybody.people, now, here=here.keys(), complete=everybody.complete)
        self.roster.visits = {browser: self.visits.of(browser) for browser in here}
        return [self._append(draft) for draft in drafts if draft.id not in {event.id for event in self.log}]

    def come(self, browser: str, elsewhere: str = "") -> list[str]:
        self.entries[browser] = Entry(browser)
        self.roster.add(self.entries[browser])
        draft = self.visits.join(browser, elsewhere)
        self.roster.visits[browser] = self.visits.of(browser)
        return [self._append(draft)] if draft is not None else []

    def go(self, browser: str) -> None:
        self.roster.discard(self.entries.pop(browser))

    def _append(self, draft: Draft) -> str:
        self.log.append(Event(len(self.log) + 1, draft.topic, 0.0, draft.id, draft.data, draft.by))
        assert draft.topic == TOPIC
        data: dict[str, Any] = json.loads(draft.data)
        return f"{data['what']} {data['browser']}"


def test_a_join_and_after_a_grace_a_leave() -> None:
    process = Process("p", [])
    assert process.come("a") == ["join a"]
    assert process.look(1.0) == []
    process.go("a")
    assert process.look(2.0) == []
    assert process.visits.waiting
    assert process.look(2.0 + GRACE_SECONDS) == ["leave a"]
    assert not process.visits.waiting
    assert process.come("a") == ["join a"]


def test_a_reload_is_no_leave() -> None:
    process = Process("p", [])
    process.come("a")
    process.look(0.0)
    process.go("a")
    process.look(1.0)
    assert process.come("a") == []
    assert process.look(2.0) == []
    assert process.look(60.0) == []
    assert not process.visits.waiting


def test_who_goes_on_with_another_process_has_not_left() -> None:
    log: list[Event] = []
    one, two = Process("one", log), Process("two", log)
    assert one.come("a") == ["join a"]
    assert two.look(0.1, one) == []
    # the first process dies; its roster is seen no more
    assert two.look(1.0) == []
    assert two.come("a") == []
    assert two.look(2.0) == []
    assert two.look(60.0) == []
    two.go("a")
    two.look(61.0)
    assert two.look(70.0) == ["leave a"]


def test_who_is_on_two_processes_has_come_once() -> None:
    log: list[Event] = []
    one, two = Process("one", log), Process("two", log)
    assert one.come("a") == ["join a"]
    assert two.come("a", elsewhere=one.visits.of("a")) == []
    one.go("a")
    assert one.look(1.0, two) + two.look(1.0, one) + one.look(60.0, two) == []
    two.go("a")
    one.look(61.0, two)
    assert one.look(70.0, two) == ["leave a"]
    two.look(70.0, one)
    assert two.look(80.0, one) == []


def test_who_was_on_a_process_that_died_has_left_and_is_told_once() -> None:
    log: list[Event] = []
    one, two, three = (Process(name, log) for name in ("one", "two", "three"))
    one.come("a")
    one.look(0.0, two, three)
    two.look(0.0, one, three)
    three.look(0.0, one, two)
    two.look(1.0, three)
    three.look(1.0, two)
    assert two.look(1.0 + GRACE_SECONDS, three) == ["leave a"]
    assert three.look(1.0 + GRACE_SECONDS, two) == []


def test_who_finds_no_place_on_another_process_list_has_not_left() -> None:
    log: list[Event] = []
    one, two = Process("one", log), Process("two", log)
    one.come("z")
    one.look(0.0, two)
    assert two.look(0.0, one) == []
    for number in range(MAX_LISTED):
        one.come(f"a{number}")
    one.look(1.0, two)
    assert "z" not in json.loads(one.roster.to_text())["browsers"]
    assert two.look(1.0, one) == []
    assert two.look(60.0, one) == []
    one.go("z")
    one.look(61.0, two)
    assert one.look(70.0, two) == ["leave z"]
    assert two.look(70.0, one) == []


def test_an_id_of_a_join_or_leave_is_the_same_everywhere_and_cannot_be_known() -> None:
    one, two, stranger = (Visits("p", Identities(secret).seal) for secret in ("s", "s", "another"))
    ids = []
    for visits in (one, two, stranger):
        draft = visits.join("a", "")
        assert draft is not None
        assert draft.id != json.loads(draft.data)["visit"] + "-join"
        ids.append(draft.id)
    assert ids[0] == ids[1] != ids[2]


def test_a_server_that_starts_again_tells_who_never_came_back() -> None:
    log: list[Event] = []
    process = Process("p", log)
    assert process.come("a") + process.come("b") == ["join a", "join b"]
    log.append(Event(9, TOPIC, 0.0, "x", json.dumps({"what": "join", "browser": "c", "visit": "v"}), "somebody"))
    log.append(Event(10, TOPIC, 0.0, "y", "5", "somebody"))
    again = Process("q", log)
    again.visits.recall(log, now=100.0, grace=30.0)
    assert again.come("a") == []
    assert again.look(101.0) == []
    assert again.look(129.0) == []
    assert again.look(131.0) == ["leave b"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0, 8)), max_size=40))
def test_joins_and_leaves_take_turns(steps: list[tuple[str, bool, float]]) -> None:
    process = Process("p", [])
    told: dict[str, list[str]] = {"a": [], "b": []}
    now = 0.0
    for browser, come, pause in steps:
        lines: list[str] = []
        if come and browser not in process.entries:
            lines = process.come(browser)
        elif not come and browser in process.entries:
            process.go(browser)
        now += pause
        for each in lines + process.look(now):
            what, who = each.split()
            told[who].append(what)
    for turns in told.values():
        assert turns == ["join", "leave"] * (len(turns) // 2) + ["join"] * (len(turns) % 2)


ROSTERS = st.fixed_dictionaries(
    {},
    optional={
        "sockets": st.integers() | st.text() | st.floats(),
        "unlisted": st.integers() | st.none(),
        "browsers": st.none()
        | st.dictionaries(
            st.text(),
            st.none()
            | st.fixed_dictionaries(
                {"tabs": st.integers() | st.text(), "topics": st.none() | st.lists(st.text()), "visit": st.text()}
            ),
        ),
    },
)


@given(st.text() | ROSTERS.map(json.dumps) | st.recursive(st.none(), st.lists).map(json.dumps))
def test_what_strangers_announce_does_no_harm(text: str) -> None:
    there = make_roster(Entry("a", 2))
    everybody = Everybody(Roster(), [text, there.to_text()])
    assert everybody.people["a"].tabs >= 2 or "browsers" in text
    protocol.decode(everybody.frame())
