"""The tail of a stream: an ordered push consumer that feeds a mirror.

The consumer is ephemeral and unacknowledged, with idle heartbeats and flow control. Its own sequence numbers must be
without a hole, and something must be heard within a few heartbeats; anything else ends the tail with a TailError,
and the log makes a new connection and goes on from where the mirror stands. See NATS' ADR-17, ordered consumer.

``complete_at`` is when the mirror was last known to have all of the stream: a message said that none is pending, or
a heartbeat came, which a consumer sends only when it has nothing to send. Who was not running for a while (a machine
that slept) must not believe an old heartbeat; so a long silence before one ends the tail as well.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, Header

from . import Event
from .address import Address
from .connection import Connection
from .mirror import Mirror
from .stream import decode

MAX_BATCH = 2_000
HEARTBEAT_SECONDS = 1.0
MISSED_HEARTBEATS = 5

logger = logging.getLogger("partyline.log")


class TailError(ConnectionError):
    """The tail is broken. ``afresh``: the mirror has missed messages for good and must be loaded anew."""

    def __init__(self, why: str, *, afresh: bool = False) -> None:
        super().__init__(why)
        self.afresh = afresh


class Tail:
    """Feeds ``mirror`` over ``connection``. ``told`` is called after each batch."""

    def __init__(
        self, connection: Connection, address: Address, mirror: Mirror, window: float, told: Callable[[], None]
    ) -> None:
        self.mirror = mirror
        self.complete_at: float | None = None
        self.completed = asyncio.Event()
        self._connection = connection
        self._address = address
        self._heartbeat = min(HEARTBEAT_SECONDS, window / 8)
        self._silence = max(self._heartbeat * MISSED_HEARTBEATS, 1.0)
        self._told = told
        self._incoming: list[tuple[float, Msg]] = []  # with the time when each was heard
        self._some = connection.woken
        self._heard = (time.time(), time.monotonic())
        self._consumer_seq = 0
        self._seen = mirror.last_seq_here
        self._strangers = 0

    async def run(self) -> None:
        """Consume until trouble: raises TailError, or nats.errors.Error."""
        js: JetStreamContext = self._connection.js
        inbox = self._connection.nats.new_inbox()
        await self._connection.nats.subscribe(inbox, cb=self._heard_message)
        config = ConsumerConfig(
            deliver_subject=inbox,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self.mirror.last_seq_here + 1,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            idle_heartbeat=self._heartbeat,
            flow_control=True,
            mem_storage=True,
            inactive_threshold=60,
            num_replicas=1,
        )
        asked = time.monotonic()
        info = await js.add_consumer(self._address.stream, config)
        self._heard = (time.time(), time.monotonic())
        if info.num_pending == 0:
            await self._is_complete(asked)
        while True:
            try:
                async with asyncio.timeout(self._silence):
                    await self._some.wait()
            except TimeoutError:
                raise TailError("nothing was heard from the consumer") from None
            self._some.clear()
            while self._incoming and not self._connection.ended:
                batch, self._incoming = self._incoming[:MAX_BATCH], self._incoming[MAX_BATCH:]
                await self._take(batch)
            if self._connection.ended:
                raise TailError(self._connection.ended)

    async def _heard_message(self, message: Msg) -> None:
        now = (time.time(), time.monotonic())
        if max(now[0] - self._heard[0], now[1] - self._heard[1]) > self._silence:
            self._connection.end("the consumer was silent for too long")
        self._heard = now
        self._incoming.append((now[1], message))
        self._some.set()

    async def _take(self, batch: list[tuple[float, Msg]]) -> None:
        events: list[Event] = []
        answers: list[str] = []
        messages, loaded = 0, 0
        complete_at: float | None = None
        for heard, message in batch:
            headers = message.headers or {}
            if headers.get(Header.STATUS) is not None and not message.data:
                stalled = headers.get(Header.CONSUMER_STALLED)
                answers += [reply for reply in (message.reply, stalled) if reply]
                complete_at = heard if not answers and self._check_heartbeat(headers) else None
                continue
            seq, pending, at = self._place(message)
            messages += 1
            loaded += self.mirror.may_miss(seq)
            complete_at = heard if pending == 0 else None
            event = decode(self._address, message.subject, message.data, seq, at)
            if event is not None:
                events.append(event)
            else:
                self._warn_of_stranger(message)
        if messages:
            await self.mirror.take(events, loaded, self._seen)
        if complete_at is not None:  # not the time of what came while the copy was busy
            await self._is_complete(complete_at)
        for answer in answers:
            await self._connection.nats.publish(answer)
        if messages:
            self._told()

    async def _is_complete(self, at: float) -> None:
        await self.mirror.end_load()
        self._seen = self.mirror.last_seq_here
        self.complete_at = at
        self.completed.set()

    def _check_heartbeat(self, headers: dict[str, str]) -> bool:
        """Whether it says that all was sent. Raises TailError where it says that something was lost."""
        last = headers.get(Header.LAST_CONSUMER)
        if last is None:
            return False
        if int(last) != self._consumer_seq:
            raise TailError(f"message {self._consumer_seq} of the consumer came, {last} were sent")
        return True

    def _place(self, message: Msg) -> tuple[int, int, float]:
        """A message's seq in the stream, how many are to come, and its time.

        Raises TailError where one before it is missing.
        """
        fields = message.reply.split(".")
        # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, or with a domain and an
        # account after ACK, and a token at the end: NATS' ADR-15
        first = 5 if len(fields) == 9 else 7
        seq, consumer_seq, nanoseconds, pending = (int(field) for field in fields[first : first + 4])
        if consumer_seq != self._consumer_seq + 1:
            raise TailError(f"message {self._consumer_seq + 1} of the consumer is missing")
        if seq != self._seen + 1 and not self.mirror.may_miss(seq - 1):
            raise TailError(f"the stream has removed messages {self._seen + 1} to {seq - 1}", afresh=True)
        self._consumer_seq, self._seen = consumer_seq, seq
        return seq, pending, nanoseconds / 1e9

    def _warn_of_stranger(self, message: Msg) -> None:
        self._strangers += 1
        if self._strangers == 1:
            logger.warning(
                "= a message on %.100r is no event of Partyline's and is passed over, as all others such",
                message.subject,
            )
