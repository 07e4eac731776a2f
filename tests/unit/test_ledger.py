"""What the outbox's database is told: in order, whole batches, by the highest generation alone. And random schedules of
workers that publish, die, hang, run out of room and are superseded, against a database that is a dict."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger import Batch, Ledger
from outbox import Letter, Outbox, Record, read
from partyline import protocol


def record(event_id: str) -> Record:
    return {"id": event_id}


def test_what_comes_while_a_batch_is_on_its_way_is_the_next_batch() -> None:
    ledger = Ledger(1)
    ledger.keep("a", record("a"))
    ledger.keep("b", record("b"))
    assert ledger.take() == {"a": record("a"), "b": record("b")}
    ledger.discard("a")
    ledger.keep("c", record("c"))
    assert ledger.take() is None
    ledger.done()
    assert ledger.take() == {"a": None, "c": record("c")}
    ledger.done()
    assert ledger.take() is None


def test_a_letter_that_arrived_before_its_turn_is_never_written() -> None:
    ledger = Ledger(1)
    ledger.keep("a", record("a"))
    ledger.discard("a")
    assert ledger.take() is None


def test_a_letter_of_an_earlier_worker_is_deleted_even_if_it_was_published_anew() -> None:
    ledger = Ledger(2, ["a"])
    ledger.discard("a")
    ledger.keep("a", record("a"))
    ledger.discard("a")
    assert ledger.take() == {"a": None}


def test_where_there_is_no_room_deletes_are_tried_alone_and_then_all_again() -> None:
    ledger = Ledger(1, ["old"])
    ledger.keep("a", record("a"))
    ledger.discard("old")
    assert ledger.take() == {"a": record("a"), "old": None}
    ledger.failed()
    assert ledger.failing
    assert ledger.take() == {"old": None}
    ledger.done()
    assert ledger.failing
    assert ledger.take() == {"a": record("a")}
    ledger.done()
    assert not ledger.failing


def test_where_nothing_helps_it_waits_for_something_new() -> None:
    ledger = Ledger(1, ["old"])
    ledger.keep("a", record("a"))
    ledger.discard("old")
    for batch in ({"a": record("a"), "old": None}, {"old": None}):
        assert ledger.take() == batch
        ledger.failed()
    assert ledger.take() is None
    ledger.keep("b", record("b"))
    assert ledger.take() == {"a": record("a"), "old": None, "b": record("b")}
    ledger.done()
    assert not ledger.failing


def test_a_higher_generations_claim_ends_it_and_an_equal_one_does_not() -> None:
    ledger = Ledger(3)
    ledger.keep("a", record("a"))
    assert ledger.take()
    assert ledger.admit(0)
    assert ledger.admit(3)
    assert not ledger.admit(4)
    assert ledger.superseded_by == 4
    ledger.keep("b", record("b"))
    assert ledger.take() is None


def test_what_was_not_taken_cannot_be_done() -> None:
    with pytest.raises(RuntimeError):
        Ledger(1).done()
    with pytest.raises(RuntimeError):
        Ledger(1).failed()


@dataclass
class Worker:
    """A worker's pure parts, and the batch that is on its way from it."""

    ledger: Ledger
    outbox: Outbox
    batch: Batch | None = None


class Schedule(RuleBasedStateMachine):
    """Each rule is one thing that can happen next. A worker that is superseded may be long in noticing."""

    @initialize()
    def begin(self) -> None:
        self.disk: dict[str, str] = {}
        self.claim = 0
        self.published: list[str] = []  # in order, of all workers
        self.must_be_there: set[str] = set()  # written, and not discarded since
        self.workers: list[Worker] = []
        self.start(higher=True)

    @rule(higher=st.booleans())
    def start(self, higher: bool) -> None:
        """A worker starts: of the next generation, or, where the last one ended, of the same."""
        if higher:
            self.claim += 1
        else:
            self.workers = [each for each in self.workers if each.ledger.generation < self.claim]
        found = read([json.loads(text) for _, text in sorted(self.disk.items())], 0.0)
        assert found.unreadable == found.expired == []
        ids = [letter.id for letter in found.letters]
        assert set(ids) >= self.must_be_there, "lost"
        assert ids == [each for each in self.published if each in ids], "another order than that of publishing"
        self.workers.append(Worker(Ledger(self.claim, ids), Outbox(found.letters)))

    def pick(self, data: st.DataObject) -> Worker:
        return data.draw(st.sampled_from(self.workers[::-1]))

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), count=st.integers(1, 3))
    def publish(self, data: st.DataObject, count: int) -> None:
        worker = self.pick(data)
        for _ in range(count):
            event_id = f"{data.draw(st.sampled_from('zma'))}{len(self.published)}"
            self.published.append(event_id)
            frame = protocol.encode({"kind": "publish", "id": event_id, "topic": "room", "data": 0})
            letter = Letter(event_id, "room", frame, 1)
            assert worker.outbox.add(letter)
            worker.ledger.keep(event_id, letter.record(0.0))
        self.write(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        worker = self.pick(data)
        if len(worker.outbox):
            event_id = data.draw(st.sampled_from([letter.id for letter in worker.outbox]))
            worker.outbox.remove(event_id)
            worker.ledger.discard(event_id)
            if worker.ledger.generation == self.claim:
                self.must_be_there.discard(event_id)
        self.write(worker)

    def write(self, worker: Worker) -> None:
        if worker.batch is None:
            worker.batch = worker.ledger.take()

    @precondition(lambda self: any(each.batch is not None for each in self.workers))
    @rule(data=st.data(), what=st.sampled_from(["written", "no room", "no room", "written, then the worker dies"]))
    def answer(self, data: st.DataObject, what: str) -> None:
        """The database answers a batch."""
        worker = data.draw(st.sampled_from([each for each in self.workers if each.batch is not None]))
        if not self.commit(worker, fails=what == "no room") or what.endswith("dies"):
            self.workers.remove(worker)
        else:
            self.write(worker)

    def commit(self, worker: Worker, fails: bool) -> bool:
        batch, worker.batch = worker.batch, None
        assert batch
        admitted = worker.ledger.admit(self.claim)
        assert admitted == (worker.ledger.generation == self.claim)
        if not admitted:
            return False
        if fails:
            worker.ledger.failed()
            return True
        for event_id, kept in batch.items():
            if kept is None:
                self.disk.pop(event_id, None)
            else:
                self.disk[event_id] = json.dumps(kept)
                if worker.outbox.get(event_id):
                    self.must_be_there.add(event_id)
        worker.ledger.done()
        return True

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.must_be_there <= self.disk.keys()

    def teardown(self) -> None:
        """Once the last worker has written all it has to, the disk holds just its letters."""
        if not any(each.ledger.generation == self.claim for each in self.workers):
            self.start(higher=False)
        worker = next(each for each in self.workers if each.ledger.generation == self.claim)
        if worker.batch is not None:
            self.commit(worker, fails=False)
        event_id = f"last{len(self.published)}"
        worker.outbox.add(Letter(event_id, "room", "", 1))
        worker.ledger.keep(event_id, record(event_id))
        while (batch := worker.ledger.take()) is not None:
            worker.batch = batch
            assert self.commit(worker, fails=False)
        assert self.disk.keys() == {letter.id for letter in worker.outbox}


Schedule.TestCase.settings = settings(max_examples=300, stateful_step_count=40)
TestSchedules = Schedule.TestCase
