"""Random schedules: sockets cut, tabs opened, closed, hidden and frozen, workers lost, the log pruned or replaced.

Whatever happened, once the world has healed every tab shows the end of the log without a hole, nothing twice, has its
notebook open, and every publish stands in the log once.
"""

from __future__ import annotations

import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.unit.world import Log, World

TOPICS = ("room", "host.cpu", "host.memory")
PATTERNS = ("room", "host.cpu", "host.*")


class Schedule(RuleBasedStateMachine):
    """Each rule is one thing that can happen next."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.number = 0
        self.forgotten: set[str] = set()  # publishes that went down with their log

    @rule(topic=st.sampled_from(TOPICS), count=st.integers(1, 8))
    def others_publish(self, topic: str, count: int) -> None:
        for _ in range(count):
            self.number += 1
            self.world.log.append(topic, f"other-{self.number}")

    @rule(patterns=st.sets(st.sampled_from(PATTERNS), min_size=1), visible=st.booleans(), locked=st.booleans())
    def open_tab(self, patterns: set[str], visible: bool, locked: bool) -> None:
        if len(self.world.tabs) < 4:
            self.world.open_tab(*sorted(patterns), visible=visible, locked=locked)

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data())
    def close_tab(self, data: st.DataObject) -> None:
        self.world.close_tab(data.draw(st.sampled_from(sorted(self.world.tabs))))

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data(), visible=st.booleans())
    def show_or_hide_tab(self, data: st.DataObject, visible: bool) -> None:
        self.world.show_tab(data.draw(st.sampled_from(sorted(self.world.tabs))), visible)

    @rule()
    def worker_dies(self) -> None:
        self.world.lose_worker()

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data())
    def tab_moves_to_the_next_worker(self, data: st.DataObject) -> None:
        self.world.move_tab(data.draw(st.sampled_from(sorted(self.world.tabs))))

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data())
    def tab_pings(self, data: st.DataObject) -> None:
        self.world.ping(data.draw(st.sampled_from(sorted(self.world.tabs))))

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data(), topic=st.sampled_from(TOPICS))
    def tab_publishes(self, data: st.DataObject, topic: str) -> None:
        self.number += 1
        self.world.publish(data.draw(st.sampled_from(sorted(self.world.tabs))), topic, f"mine-{self.number}")

    @rule()
    def all_goes_well_for_a_while(self) -> None:
        self.world.flow()

    @rule()
    def server_answers(self) -> None:
        self.world.answer()

    @rule(count=st.integers(1, 6))
    def frames_go_up(self, count: int) -> None:
        for _ in range(count):
            self.world.up()

    @rule(count=st.integers(1, 6))
    def frames_come_down(self, count: int) -> None:
        for _ in range(count):
            self.world.down()

    @rule(most=st.integers(1, 5))
    def server_flushes(self, most: int) -> None:
        if self.world.connection is not None:
            self.world.connection.flush(most)

    @rule()
    def socket_dies(self) -> None:
        self.world.cut()

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data(), port=st.integers(0, 3), channel=st.integers(0, 6))
    def tab_hears(self, data: st.DataObject, port: int, channel: int) -> None:
        number = data.draw(st.sampled_from(sorted(self.world.tabs)))
        for _ in range(port):
            self.world.deliver_port(number)
        for _ in range(channel):
            self.world.deliver_channel(number)

    @precondition(lambda self: self.world.tabs)
    @rule(data=st.data())
    def frozen_tab_misses_a_broadcast(self, data: st.DataObject) -> None:
        tab = self.world.tabs[data.draw(st.sampled_from(sorted(self.world.tabs)))]
        if tab.channel:
            tab.channel.popleft()

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 12.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds
        self.world.tick()

    @rule()
    def log_is_pruned(self) -> None:
        self.world.log.pruned = self.world.log.last_seq

    @rule()
    def log_is_replaced(self) -> None:
        self.world.cut()
        self.forgotten |= {event.id for event in self.world.log.history}
        self.world.log = Log(f"epoch-{self.number}-{len(self.world.log.history)}-{self.world.now}")

    def teardown(self) -> None:
        world = self.world
        if world.left:
            world.open_tab("room")
        world.settle()
        for event_id, topic in world.published.items():
            places = [event.seq for event in world.log.of(topic) if event.id == event_id]
            # one whose log was replaced after it was acknowledged is gone with that log, and is not sent again
            assert len(places) == 1 or (not places and event_id in self.forgotten), event_id
        assert world.opened >= set(world.tabs)
        for tab in world.tabs.values():
            for topic in TOPICS:
                truth = [event.seq for event in world.log.of(topic)]
                shown = [event["seq"] for event in tab.store.events(topic)]
                wanted = any(pattern in (topic, topic.split(".")[0] + ".*") for pattern in tab.store.patterns)
                if not wanted:
                    assert shown == []
                    continue
                assert shown == truth[len(truth) - len(shown) :], "a hole, a double or a wrong order"
                kept = [seq for seq in truth if seq > world.log.pruned]
                assert len(shown) >= min(len(kept), 5), "the snapshot is missing"
                assert not shown or not kept or shown[-1] == kept[-1], "the newest event is missing"


Schedule.TestCase.settings = settings(
    max_examples=int(os.environ.get("SCHEDULES", "2000")), stateful_step_count=50, deadline=None
)
TestSchedules = Schedule.TestCase
