"""One socket: the shell around its ``Peer``.

Each connection has two tasks. The reader hands what the socket says to the peer and queues the effects; the sender
carries them out in order, and between them sends the fan-out's next windows. One sender means one order: a snapshot
is taken at the place in the stream where it is sent, so nothing falls between a topic's history and its live events.

While the sender has nothing to do, the fan-out's windows go to the socket without it (``Connection.offer``); as soon
as the socket takes no more, or something else is to be said, it is the sender's turn again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from partyline import __version__, protocol

from . import peer
from .attendance import Attendance
from .config import Settings
from .fanout import Fanout, Frame, Window
from .identity import Identities
from .limits import Buckets, TokenBucket
from .log import EventLog, LogBusyError, LogError, LogTooLargeError, Receipt
from .logs import fields
from .metrics import Traffic, size
from .peer import Append, Close, Effect, Peer, Say, Start, Subscribe, Tabs, Unsubscribe
from .presence import Entry
from .replay import Replay
from .wire import LineSocket, Outlet, text_frame

MAX_IN_HAND = 64
"""How many frames of one connection may wait for their answer; past that its socket is not read."""

HELLO_SECONDS = 10.0
"""A socket that has not said hello by then is closed."""

SILENT_PERIODS = 2.5
"""A client that was not heard of, or took nothing, for so many heartbeats is given up; it will come back and resume."""

CLOSE_SECONDS = 1.0
"""How long a socket has to take that it is closed."""

SLOWED_SECONDS = 10.0
"""How often at most a client that says too much is told that it is read no faster."""

ENDINGS = {
    protocol.CLOSE_RESTART: "restart",
    protocol.CLOSE_SILENT: "silent",
    protocol.CLOSE_VERSION: "version",
    protocol.CLOSE_POLICY: "policy",
}
"""Why a connection ended, by the code that we closed it with; besides, "client", "slow" and "failed"."""

logger = logging.getLogger("partyline.line")


@dataclass(frozen=True)
class Shared:
    """What all connections of a process stand on.

    ``log`` counts what they append; ``build`` tells the hash of what a browser's worker is made of.
    """

    settings: Settings
    log: EventLog
    fanout: Fanout
    replay: Replay
    identities: Identities
    addresses: Buckets
    attendance: Attendance
    build: Callable[[], str]


class Connection:
    """One socket. ``position`` is the seq up to which it has been sent all that is in its ``patterns``.

    Args:
        shared: what all connections stand on.
        socket: it has been accepted.
        browser: the public id of the browser behind it, as it has proven.
        keeps_cookie: whether its cookie proved that; who has none is told a token in the welcome.
        address: where it comes from.
    """

    def __init__(self, shared: Shared, socket: LineSocket, browser: str, *, keeps_cookie: bool, address: str) -> None:
        self._shared = shared
        self.socket = socket
        self.address = address
        self.patterns: frozenset[str] = frozenset()
        self.position = 0
        self.entry: Entry | None = None  # from hello on
        self.ended = "client"
        self.traffic = Traffic()
        self._close_code: int | None = None
        self._presence_told: bytes | None = None
        self._presence_due = False
        self._keeps_cookie = keeps_cookie
        self._number = 0
        self._breaks = shared.fanout.breaks
        self._peer = Peer(browser, max_frame=shared.settings.max_frame, browser_of=shared.identities.browser_of)
        self._outlet = Outlet(socket)
        self._effects: deque[tuple[Effect, bool]] = deque()
        self._in_hand = asyncio.Semaphore(MAX_IN_HAND)
        self._wake = asyncio.Event()
        self._parked = False
        self._held = False  # the reader has a message in hand, and takes no other yet
        self._open = True
        self._now = asyncio.get_running_loop().time
        self._period = shared.settings.heartbeat_ms / 1000
        self._opened_at = self._sent_at = self._heard_at = self._asked_at = self._now()
        self._bucket = TokenBucket(shared.settings.rate, self._now)
        self._slowed_at = -SLOWED_SECONDS

    @property
    def name(self) -> str:
        """What the log calls it."""
        return self.entry.browser if self.entry is not None else f"a new connection from {self.address}"

    @property
    def lag(self) -> int:
        """How many windows it has not been sent yet."""
        return self._shared.fanout.next_number - self._number if self.entry is not None else 0

    def log_opened(self) -> None:
        """A line in the log."""
        logger.info("< a socket of %s is open", self.address, extra=fields(remote=self.address))

    def log_closed(self) -> None:
        """A line in the log, with what it was and why it ended."""
        traffic, seconds = self.traffic, self._now() - self._opened_at
        extra = fields(
            remote=self.address,
            browser=self.entry.browser if self.entry is not None else None,
            reason=self.ended,
            code=self._close_code,
            duration_ms=round(seconds * 1000, 3),
            received=traffic.received,
            received_bytes=traffic.received_bytes,
            sent=traffic.sent,
            sent_bytes=traffic.sent_bytes,
        )
        logger.info(
            "= the socket of %s is closed (%s) after %.1f s, %d messages from it and %d to it",
            self.name, self.ended, seconds, traffic.received, traffic.sent, extra=extra,
        )  # fmt: skip

    def do(self, effect: Effect, *, in_hand: bool = False) -> None:
        """Queue an effect for the sender; ``in_hand`` where it answers a frame of the client's."""
        self._effects.append((effect, in_hand))
        self._wake.set()

    def tell_presence(self) -> None:
        """Send the line's presence frame, at once or soon, if it is another one than was sent last."""
        frame = self._shared.attendance.frame
        if self.entry is None or self._presence_told is frame:
            return
        if self._parked and not self._wake.is_set() and self._outlet.offer(frame):
            self._presence_told = frame
            self._count(Frame(frame, 0), self._now())
            return
        self._presence_due = True
        self._wake.set()

    def offer(self, number: int, window: Window, now: float) -> None:
        """The fan-out has a new window: send it at once where nothing stands in the way, else wake the sender."""
        if self._parked and number == self._number and not self._wake.is_set() and not window.lost:
            frame = window.frame(self.patterns)
            if frame is None or self._outlet.offer(frame.data):
                self.position, self._number = window.seq, number + 1
                if frame is not None:
                    self._count(frame, now)
                return
        self._wake.set()

    def passed_over(self) -> None:
        """The fan-out has moved on without a window: who waits for it must look."""
        self._wake.set()

    async def run(self) -> None:
        """Serve the connection until it is closed; the server cancels it when the client goes."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(self._read())
            await self._send()
            reader.cancel()

    # the reader

    async def _read(self) -> None:
        while True:
            message: str | bytes = await self.socket.receive()
            self._held = True
            self.traffic.received += 1
            self.traffic.received_bytes += size(message)
            await self._slow_down()
            for effect in self._peer.receive(message):
                await self._in_hand.acquire()
                if isinstance(effect, Append):
                    await self._append(effect)
                else:
                    self.do(effect, in_hand=True)
            self._held, self._heard_at = False, self._now()

    async def _slow_down(self) -> None:
        """Read no faster than is allowed: what comes faster waits in the client's own socket."""
        wait = self._bucket.take()
        if wait <= 0:
            return
        if self._now() - self._slowed_at >= SLOWED_SECONDS:
            self._slowed_at = self._now()
            message = f"More than {self._bucket.rate:g} frames a second: they are read no faster. Nothing is lost."
            self.do(Say(peer.refusal("slowed", message)))
        await asyncio.sleep(wait)

    async def _append(self, effect: Append) -> None:
        draft = effect.draft

        def answered(future: asyncio.Future[list[Receipt]]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            if error is not None:
                refusal = peer.refusal("log_failed", str(error), draft.id, retry=True)
                if isinstance(error, LogTooLargeError):
                    refusal = peer.refusal("too_large", str(error), draft.id)
                self.do(Say(refusal), in_hand=True)
                return
            receipt = future.result()[0]
            text = peer.ack(self._shared.log.epoch, draft.topic, draft.id, receipt.seq, receipt.duplicate)
            self.do(Say(text), in_hand=True)

        wait = self._shared.addresses.of(self.address).take()
        if wait > 0:
            await asyncio.sleep(wait)
        try:
            asyncio.ensure_future(self._shared.log.append([draft])).add_done_callback(answered)
        except LogBusyError as error:
            self.do(Say(peer.refusal("busy", str(error), draft.id, retry=True)), in_hand=True)

    # the sender

    async def _send(self) -> None:
        while self._open:
            self._wake.clear()
            try:
                while self._effects and self._open:
                    effect, in_hand = self._effects.popleft()
                    await self._carry_out(effect)
                    if in_hand:
                        self._in_hand.release()
                await self._send_windows()
                if self._presence_due and self._open:
                    self._presence_due = False
                    self._presence_told = self._shared.attendance.frame
                    await self._send_frame(Frame(self._presence_told, 0))
                if self._open:
                    await self._wait()
            except LogError as error:
                logger.error("= the connection of %s ends: %s", self.name, error)
                await self._close(protocol.CLOSE_RESTART, "the log could not be read")
            except TimeoutError:
                logger.warning("= %s takes nothing any more and is given up", self.name)
                self._open = False
                self.ended = "slow"
                self._outlet.abort()

    async def _wait(self) -> None:
        """Wait for something to do; say a heartbeat, or give up, when the time for it has come."""
        if not self._wake.is_set():
            self._parked = self.entry is not None
            try:
                async with asyncio.timeout_at(self._due()):
                    await self._wake.wait()
                return
            except TimeoutError:
                pass
            finally:
                self._parked = False
        now = self._now()
        if self._due() > now:
            return
        if self.entry is None:
            await self._close(protocol.CLOSE_SILENT, "no hello came in time")
        elif now >= self._heard() + SILENT_PERIODS * self._period:
            logger.warning("= %s is silent and is given up", self.name)
            await self._close(protocol.CLOSE_SILENT, "nothing was heard from the client")
            self._outlet.abort()
        else:
            self._asked_at = now
            await self._say({"kind": protocol.HEARTBEAT, "seq": self.position})

    def _due(self) -> float:
        """When the next heartbeat must be said, or the client be given up."""
        if self.entry is None:
            return self._opened_at + HELLO_SECONDS
        heard = self._heard()
        asked = max(heard, self._asked_at) + self._period
        return min(self._sent_at + self._period, asked, heard + SILENT_PERIODS * self._period)

    def _heard(self) -> float:
        """When the client was heard of last. While we read no further it may well speak: that is no silence of its."""
        return self._now() if self._held else self._heard_at

    async def _send_text(self, text: str) -> None:
        await self._send_frame(Frame(text_frame(text), 0))

    async def _send_frame(self, frame: Frame) -> None:
        """Send a frame. Raises TimeoutError where the client takes nothing, LogError where the log began anew."""
        self._check_log()
        async with asyncio.timeout(SILENT_PERIODS * self._period):
            await self._outlet.send(frame.data)
        self._count(frame, self._now())

    def _count(self, frame: Frame, now: float) -> None:
        traffic = self.traffic
        traffic.sent += 1
        traffic.sent_bytes += len(frame.data)
        traffic.deliveries += frame.events
        self._sent_at = now

    def _check_log(self) -> None:
        if self._breaks != self._shared.log.breaks:
            raise LogError("the log began anew")

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Say(text):
                if text.startswith('{"kind": "error"'):
                    self._shared.fanout.metrics.refusals["socket", json.loads(text)["code"]] += 1
                    logger.warning("> %s %.300s", self.name, text)
                await self._send_text(text)
            case Start():
                await self._start(effect)
            case Subscribe(patterns):
                await self._subscribe(patterns, protocol.NEW)
            case Unsubscribe(patterns):
                self._set_patterns(self.patterns - patterns)
            case Tabs(count):
                if self.entry is not None:
                    self.entry.tabs = count
                    self._shared.attendance.changed()
            case Close(code, reason):
                await self._close(code, reason)

    async def _close(self, code: int, reason: str) -> None:
        self._open = False
        self.ended, self._close_code = ENDINGS[code], code
        await self.hang_up(code, reason)

    async def hang_up(self, code: int, reason: str) -> None:
        """Close the socket; one that takes nothing is cut."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.socket.close(code, reason)
        except TimeoutError:
            self._outlet.abort()

    async def _say(self, header: protocol.Header) -> None:
        await self._send_text(protocol.encode(header))

    def _set_patterns(self, patterns: frozenset[str]) -> None:
        self.patterns = patterns
        if self.entry is not None:
            self.entry.patterns = patterns
            self._shared.attendance.changed()

    async def _start(self, start: Start) -> None:
        shared = self._shared
        cursor = start.cursor if start.cursor is not None and start.cursor[0] == shared.log.epoch else None
        if cursor is not None and not await shared.log.reaches(cursor[1]):
            cursor = None
        self.entry = Entry(start.browser, start.tabs)
        joined = await shared.attendance.join(self.entry, self.address)
        # its own join comes before its welcome; and a cursor may be of a process whose tail is ahead of ours
        while shared.fanout.position < max(joined, cursor[1] if cursor is not None else 0):
            await self._wake.wait()
            self._check_log()
            self._wake.clear()
        self.position, self._number = shared.fanout.position, shared.fanout.next_number
        await self._say(self._welcome(start, resumed=cursor is not None))
        if cursor is not None:
            self._set_patterns(start.resume)
            until, self.position = self.position, cursor[1]
            await self._catch_up(until, self._number)
        elif start.resume:
            await self._subscribe(start.resume, protocol.NEW if start.cursor is None else protocol.RESET)
        if start.subscribe:
            await self._subscribe(start.subscribe, protocol.NEW)

    def _welcome(self, start: Start, *, resumed: bool) -> protocol.Header:
        settings = self._shared.settings
        welcome: protocol.Header = {
            "kind": protocol.WELCOME,
            "protocol": protocol.VERSION,
            "version": __version__,
            "build": self._shared.build(),
            "browser": start.browser,
            "epoch": self._shared.log.epoch,
            "seq": self.position,
            "resumed": resumed,
            "heartbeat": self._period,
            "limits": {"frame": settings.max_frame, "topics": protocol.MAX_PATTERNS, "rate": settings.rate},
        }
        if not self._keeps_cookie:
            welcome["identity"] = self._shared.identities.token(start.browser)
        return welcome

    async def _subscribe(self, patterns: frozenset[str], reason: str) -> None:
        """Send snapshots as things stand at our position; live events follow from there."""
        async for frame in self._shared.replay.first(patterns, self.position, reason):
            await self._send_frame(frame)
        self._set_patterns(self.patterns | patterns)
        await self._say({"kind": protocol.SUBSCRIBED, "topics": sorted(patterns), "seq": self.position})

    async def _send_windows(self) -> None:
        fanout = self._shared.fanout
        while self.entry is not None and self._number < fanout.next_number and self._open:
            window = fanout.window(self._number)
            if window is None or not window.is_whole(self.patterns):  # too far behind for the buffer, or for retention
                await self._catch_up(fanout.position, fanout.next_number)
                continue
            frame = window.frame(self.patterns)
            if frame is not None:
                await self._send_frame(frame)
            self.position = window.seq
            self._number += 1
            if self._effects:
                return  # answers go between windows

    async def _catch_up(self, until: int, number: int) -> None:
        """Send from the log what lies between our position and ``until``; go on with the window ``number`` then."""
        async for place, frame in self._shared.replay.missed(self.patterns, self.position, until):
            await self._send_frame(frame)
            self.position = place
        self.position, self._number = until, number
