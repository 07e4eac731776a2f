"""Presence and the log: what is told while the log fails, and after."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from server import line as line_module
from server import visits
from server.config import Settings
from server.fanout import Fanout
from server.identity import Identities
from server.line import Line
from server.log import ANNOUNCED_SECONDS, EventLog, open_log
from server.presence import Entry
from server.rates import Rates

SECONDS = 20


class Breakable:
    """A log in a file, and a second connection that takes its table away and gives it back."""

    def __init__(self, file: Path) -> None:
        self.log: EventLog = open_log(f"sqlite:///{file}", retention=1_000)
        self._file = file

    def break_it(self) -> None:
        self._execute("ALTER TABLE events RENAME TO events_away")

    def mend_it(self) -> None:
        self._execute("ALTER TABLE events_away RENAME TO events")

    async def told(self) -> list[str]:
        told = [json.loads(event.data) for event in await self.log.latest(visits.TOPIC, 100)]
        return [f"{each['what']} {each['browser']}" for each in told]

    def _execute(self, sql: str) -> None:
        connection = sqlite3.connect(self._file)
        connection.execute(sql)
        connection.close()


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Breakable]:
    for name in ("RENEW_SECONDS", "RECALL_SECONDS", "PRESENCE_DELAY"):
        monkeypatch.setattr(line_module, name, 0.02)
    monkeypatch.setattr(visits, "GRACE_SECONDS", 0.02)
    home = Breakable(tmp_path / "events.db")
    await home.log.open()
    yield home
    await home.log.close()


@pytest.fixture
def line(home: Breakable) -> Line:
    fanout = Fanout(home.log, flush_seconds=0.0, buffer_bytes=1_000, rates=Rates(lambda: 0.0))
    return Line(Settings(), home.log, fanout, Identities("secret"))


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await wanted():
            await asyncio.sleep(0.01)


async def presence_told(line: Line, task: asyncio.Task[None]) -> None:
    line.roster.sockets = 7
    line.presence_changed()

    async def told() -> bool:
        return b'"sockets": 7' in line.presence_frame or task.done()

    await until(told)


async def test_a_log_that_fails_at_the_start_does_not_end_presence(
    home: Breakable, line: Line, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module.logger, "handlers", [caplog.handler])
    home.break_it()
    task = asyncio.create_task(line.run_presence())

    async def noticed() -> bool:
        return "is asked again" in caplog.text or task.done()

    await until(noticed)
    home.mend_it()
    await presence_told(line, task)
    assert not task.done()
    task.cancel()


async def test_joins_and_leaves_that_a_failing_log_did_not_take_are_told_later(home: Breakable, line: Line) -> None:
    entry = Entry("a")
    task = asyncio.create_task(line.run_presence())
    await presence_told(line, task)
    home.break_it()
    assert await line.join(entry, "::1") == 0
    line.roster.discard(entry)
    line.presence_changed()

    async def forgotten() -> bool:
        return not line._visits.of("a")

    await until(forgotten)
    home.mend_it()

    async def told() -> bool:
        return len(await home.told()) >= 2

    await until(told)
    assert await home.told() == ["join a", "leave a"]
    task.cancel()


def test_a_crowd_does_not_delay_presence_until_the_others_take_us_for_gone() -> None:
    assert line_module.RENEW_SECONDS + line_module.presence_delay(1_000_000) < ANNOUNCED_SECONDS
