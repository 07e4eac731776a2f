"""Random schedules against each home of the log, compared with a model in plain Python."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.log import Draft, Event, EventLog, Receipt
from tests.integration.homes import Home, eventually

RETENTION = 10
TOPICS = ("room", "host.cpu", "host.memory")
LOGS = 2

DRAFTS = st.builds(
    Draft,
    st.sampled_from(TOPICS),
    st.integers(0, 40).map(str),
    st.sampled_from(["1", '{"text":"é"}', "[]"]),
    st.sampled_from(["", "feed:host"]),
)
APPEND = st.tuples(st.just("append"), st.integers(0, LOGS - 1), st.lists(DRAFTS, min_size=1, max_size=12))
TOGETHER = st.tuples(st.just("together"), st.lists(DRAFTS, min_size=2, max_size=12))
REOPEN = st.tuples(st.just("reopen"), st.integers(0, LOGS - 1))
SCHEDULES = st.lists(st.one_of(APPEND, APPEND, TOGETHER, REOPEN), min_size=1, max_size=12)


class Model:
    """What a log must be: all events ever, in order."""

    def __init__(self) -> None:
        self.events: dict[int, tuple[str, str, str, str]] = {}

    def took(self, draft: Draft, receipt: Receipt) -> None:
        """A draft's receipt: a new place after all others, or that of an event of the same id."""
        assert receipt.id == draft.id
        if receipt.duplicate:
            assert self.events[receipt.seq][:2] == (draft.topic, draft.id)
            return
        kept = self.of(draft.topic)[-RETENTION:]
        assert draft.id not in [self.events[seq][1] for seq in kept], "an id that is kept got a second place"
        self.events[receipt.seq] = (draft.topic, draft.id, draft.data, draft.by)

    def of(self, topic: str) -> list[int]:
        """The seqs of a topic's events."""
        return sorted(seq for seq, event in self.events.items() if event[0] == topic)

    async def check(self, log: EventLog) -> None:
        """Compare all that a log can be asked."""
        last = max(self.events, default=0)
        await eventually(log.last_seq, last)
        infos = {info.topic: info for info in await log.topics()}
        assert sorted(infos) == sorted({event[0] for event in self.events.values()})
        kept: list[int] = []
        for topic, info in infos.items():
            mine = self.of(topic)
            events = await log.read(0, 1000, [topic])
            seqs = [event.seq for event in events]
            assert seqs == mine[-len(seqs) :]
            assert len(seqs) >= min(RETENTION, len(mine))
            assert (info.count, info.last_seq) == (len(seqs), mine[-1])
            gone = mine[-len(seqs) - 1] if len(mine) > len(seqs) else 0
            assert gone <= info.pruned < seqs[0], "what is gone is not told"
            assert [event.seq for event in await log.latest(topic, 3, until=last)] == seqs[-3:]
            assert await log.count(seqs[0], [topic], most=5) == min(5, len(seqs) - 1)
            kept += seqs
        everything = await log.read(0, 1000)
        assert [event.seq for event in everything] == sorted(kept)
        assert all(self.same(event) for event in everything)
        assert [event.seq for event in await log.read(last // 2, 4, until=last)] == [
            seq for seq in sorted(kept) if seq > last // 2
        ][:4]

    def same(self, event: Event) -> bool:
        """Whether an event came out as it went in."""
        return self.events[event.seq] == (event.topic, event.id, event.data, event.by)


async def follow(home: Home, schedule: list[tuple[object, ...]]) -> None:
    count = 1 if home.url == "memory://" else LOGS
    logs = [await home.open(retention=str(RETENTION)) for _ in range(count)]
    model = Model()
    try:
        for step in schedule:
            match step:
                case ("append", int(number), list(drafts)):
                    last = max(model.events, default=0)
                    receipts = await logs[number % count].append(drafts)
                    new = [receipt.seq for receipt in receipts if not receipt.duplicate]
                    assert new == sorted(new), "the batch lost its order"
                    assert not new or new[0] > last
                    for draft, receipt in zip(drafts, receipts, strict=True):
                        model.took(draft, receipt)
                case ("together", list(drafts)):
                    appends = [logs[number % count].append([draft]) for number, draft in enumerate(drafts)]
                    pairs = zip(drafts, await asyncio.gather(*appends), strict=True)
                    for draft, (receipt,) in sorted(pairs, key=lambda pair: (pair[1][0].seq, pair[1][0].duplicate)):
                        model.took(draft, receipt)
                case ("reopen", int(number)) if count > 1:
                    await home.close(logs[number])
                    logs[number] = await home.open(retention=str(RETENTION))
        for log in logs:
            await model.check(log)
    finally:
        await home.close_all()


@pytest.mark.parametrize("kind", ["sqlite", "jetstream", "memory"])
def test_any_schedule_ends_in_what_the_model_says(kind: str, make_home: Callable[[str], Home]) -> None:
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SCHEDULES)
    def run(schedule: list[tuple[object, ...]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            home = make_home(kind)
            if kind == "sqlite":
                home.url = f"sqlite:///{Path(folder) / 'log.db'}"
            asyncio.run(follow(home, schedule))

    run()
