"""Who is on the line, told: to every connection, to the other processes on the log, and as events in the log itself.

In flow hellos and closed sockets; out come the ``presence`` frame that all connections share, this process' roster for
the others, and joins and leaves (visits.py), which wait here for a log that fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable

from .identity import Identities
from .limits import Buckets
from .log import Draft, EventLog, LogError
from .presence import Entry, Everybody, Person, Roster
from .visits import TOPIC, Visits
from .wire import text_frame

DELAY = 0.1
"""Joins and leaves within this many seconds are told as one."""

DELAY_EACH = 0.0005
"""And for each socket so much more: telling everybody costs the more the more there are."""

MAX_UNTOLD = 10_000
"""How many joins and leaves may wait for a log that fails."""

MAX_TOLD = 1_000
"""How many of them are told at once."""

RECALL_SECONDS = 1.0
"""How long to wait until the log, which could not be read, is asked again who was here."""

RENEW_SECONDS = 5.0
"""How often the other processes are told who is here, though nothing has changed."""

logger = logging.getLogger("partyline.attendance")


def delay(sockets: int) -> float:
    """How long joins and leaves are collected; never so long that the other processes take us for gone."""
    return min(DELAY + DELAY_EACH * sockets, RENEW_SECONDS)


class Attendance:
    """Who is here. ``frame`` is what all are told; ``on_told`` is called when it may be another one.

    Args:
        log: where joins and leaves go, and through which the processes tell each other.
        identities: seals the events, so that nobody can tell them ahead of the server.
        addresses: a visit is counted as what its address publishes.
        heartbeat_ms: who was here when the server ended is gone after 2.5 times as long.
    """

    def __init__(self, log: EventLog, identities: Identities, addresses: Buckets, *, heartbeat_ms: int) -> None:
        self.roster = Roster()
        self.on_told: Callable[[], None] = lambda: None
        self._log = log
        self._addresses = addresses
        self._heartbeat_ms = heartbeat_ms
        self._server = secrets.token_hex(4)
        self._visits = Visits(self._server, identities.seal)
        self._untold: list[Draft] = []  # joins and leaves that the log has not taken
        self._elsewhere: dict[str, str] = {}  # the visits of browsers on other processes
        self._elsewhere_version = -1  # of the announcements that it was read from
        self._changed = asyncio.Event()
        self._own_changed = True
        self.frame = text_frame(self.everybody().frame())

    def everybody(self) -> Everybody:
        """Who is on the line, in all processes."""
        others = [text for server, text in self._log.announced().items() if server != self._server]
        return Everybody(self.roster, others)

    async def join(self, entry: Entry, address: str) -> int:
        """A browser has said hello on a socket. Returns the seq of the event that says so, 0 where there is none.

        The event, and the leave that will follow it, are counted as what its ``address`` publishes.
        """
        if not self._visits.of(entry.browser) and self._visit_elsewhere(entry.browser) is None:
            await asyncio.sleep(self._addresses.of(address).take(2))
        self.roster.add(entry)
        self.changed()
        draft = self._visits.join(entry.browser, self._visit_elsewhere(entry.browser) or "")
        self.roster.visits[entry.browser] = self._visits.of(entry.browser)
        if draft is None:
            return 0
        try:
            (receipt,) = await self._log.append([draft])
        except LogError as error:
            logger.warning("= that %s joined could not be told, and will be: %s", entry.browser, error)
            self._tell_later([draft])
            return 0
        return receipt.seq

    def changed(self) -> None:
        """Who is on this process' sockets has changed: tell everybody, soon."""
        self._own_changed = True
        self._changed.set()

    def others_changed(self) -> None:
        """Another process has told who is on its sockets: tell everybody here, soon."""
        self._changed.set()

    async def run(self) -> None:
        """Tell connections, the other processes and the log who is on the line, until cancelled."""
        now = asyncio.get_running_loop().time
        patience = 2.5 * self._heartbeat_ms / 1000
        await self._recall(patience)
        told = 0.0
        while True:
            await self._wait_for_change(1.0 if self._visits.waiting else RENEW_SECONDS)
            try:
                if self._own_changed or now() - told >= RENEW_SECONDS:
                    told, self._own_changed = now(), False
                    await self._log.announce(self._server, self.roster.to_text())
                await self._tell_presence(now())
            except LogError as error:
                logger.warning("= presence could not be told: %s", error)
            except Exception:
                logger.exception("= presence could not be told")

    async def _recall(self, patience: float) -> None:
        """Read who was here when the server ended."""
        while True:
            try:
                events = await self._log.latest(TOPIC, 1_000)
            except LogError as error:
                logger.warning("= who was here could not be read, and is asked again: %s", error)
                await asyncio.sleep(RECALL_SECONDS)
            else:
                self._visits.recall(events, asyncio.get_running_loop().time(), patience)
                return

    async def _wait_for_change(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return
        await asyncio.sleep(delay(self.roster.sockets))
        self._changed.clear()

    async def _tell_presence(self, now: float) -> None:
        everybody = self.everybody()
        frame = text_frame(everybody.frame())
        if frame != self.frame:
            self.frame = frame
        self.on_told()
        here = self._look_elsewhere(everybody)
        self._tell_later(self._visits.look(everybody.people, now, here=here.keys(), complete=everybody.complete))
        self.roster.visits = {browser: self._visits.of(browser) for browser in here}
        drafts = self._untold[:MAX_TOLD]
        if drafts:
            await self._log.append(drafts)
            del self._untold[: len(drafts)]

    def _visit_elsewhere(self, browser: str) -> str | None:
        """The name of a browser's visit on another process, as that told it last; None where it is on none."""
        if self._elsewhere_version != self._log.announced_version:
            self._look_elsewhere(self.everybody())
        return self._elsewhere.get(browser)

    def _look_elsewhere(self, everybody: Everybody) -> dict[str, Person]:
        """Note who is on the other processes' sockets alone; returns who is on ours."""
        here = self.roster.people()
        self._elsewhere_version = self._log.announced_version
        self._elsewhere = {name: person.visit for name, person in everybody.people.items() if name not in here}
        return here

    def _tell_later(self, drafts: list[Draft]) -> None:
        """Keep joins and leaves until the log has taken them; their ids are idempotent, so each is told once."""
        room = MAX_UNTOLD - len(self._untold)
        self._untold += drafts[:room]
        if len(drafts) > room:
            logger.error("= %d joins and leaves will never be told: the log fails for too long", len(drafts) - room)

    async def close(self) -> None:
        """Tell the other processes that nobody is here any more."""
        with contextlib.suppress(LogError):  # they find out by themselves, a little later
            await self._log.announce(self._server, "")
