"""Presence and the log: what is told while the log fails, and after."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from server import attendance as attendance_module
from server import visits
from server.attendance import Attendance
from server.identity import Identities
from server.limits import Buckets
from server.log import ANNOUNCED_SECONDS, EventLog, open_log
from server.presence import Entry

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
    for name in ("RENEW_SECONDS", "RECALL_SECONDS", "DELAY"):
        monkeypatch.setattr(attendance_module, name, 0.02)
    monkeypatch.setattr(visits, "GRACE_SECONDS", 0.02)
    home = Breakable(tmp_path / "events.db")
    await home.log.open()
    yield home
    await home.log.close()


@pytest.fixture
def attendance(home: Breakable) -> Attendance:
    return Attendance(home.log, Identities("secret"), Buckets(100, time.monotonic), heartbeat_ms=15_000)


async def until(wanted: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await wanted():
            await asyncio.sleep(0.01)


async def presence_told(attendance: Attendance, task: asyncio.Task[None]) -> None:
    attendance.roster.sockets = 7
    attendance.changed()

    async def told() -> bool:
        return b'"sockets": 7' in attendance.frame or task.done()

    await until(told)


async def test_a_log_that_fails_at_the_start_does_not_end_presence(
    home: Breakable, attendance: Attendance, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attendance_module.logger, "handlers", [caplog.handler])
    home.break_it()
    task = asyncio.create_task(attendance.run())

    async def noticed() -> bool:
        return "is asked again" in caplog.text or task.done()

    await until(noticed)
    home.mend_it()
    await presence_told(attendance, task)
    assert not task.done()
    task.cancel()


async def test_joins_and_leaves_that_a_failing_log_did_not_take_are_told_later(
    home: Breakable, attendance: Attendance
) -> None:
    entry = Entry("a")
    task = asyncio.create_task(attendance.run())
    await presence_told(attendance, task)
    home.break_it()
    assert await attendance.join(entry, "::1") == 0
    attendance.roster.discard(entry)
    attendance.changed()

    async def forgotten() -> bool:
        return not attendance._visits.of("a")

    await until(forgotten)
    home.mend_it()

    async def told() -> bool:
        return len(await home.told()) >= 2

    await until(told)
    assert await home.told() == ["join a", "leave a"]
    task.cancel()


def test_a_crowd_does_not_delay_presence_until_the_others_take_us_for_gone() -> None:
    assert attendance_module.RENEW_SECONDS + attendance_module.delay(1_000_000) < ANNOUNCED_SECONDS


async def test_who_is_on_another_process_does_not_join_again(home: Breakable, attendance: Attendance) -> None:
    """What that process told counts at once, though nobody here was told of it yet."""
    others = {"sockets": 1, "unlisted": 0, "browsers": {"fox": {"tabs": 1, "topics": [], "visit": "other-1"}}}
    await home.log.announce("other", json.dumps(others))
    assert await attendance.join(Entry("fox"), "::1") == 0
    assert await attendance.join(Entry("hen"), "::1") > 0
    assert attendance.roster.visits["fox"] == "other-1"
    assert await home.told() == ["join hen"]
