"""One connection to NATS, from the dial to its end. It never reconnects: the log makes a new one.

So each state is one connection's: what waits for an answer fails with it, and nothing that was given up is sent
later. In flow publishes and announcements, out come their answers; ``woken`` is set when something ended it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import Header

from . import Draft, LogError
from .address import Address
from .stream import encode, message_id, subject

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 4.0
PING_SECONDS = 5
CLOSE_SECONDS = 2.0
HEADER_BYTES = 128

logger = logging.getLogger("partyline.log")


class _Client(Client):
    """nats-py's, that proves nothing to a server without TLS where the address asks for TLS."""

    needs_tls = False

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if self.needs_tls and not info.get("tls_required"):
            raise LogError(
                "PARTYLINE_LOG asks for TLS, but the NATS server there does not. Set up TLS, or use nats://."
            )
        await super()._process_info(info, initial_connection)


class Connection:
    """A connection that is open. ``ended`` says why it is no more, and is empty before."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.nats = _Client()
        self.ended = ""
        self.woken = asyncio.Event()
        self.over = asyncio.Event()
        self._last_error: Exception | None = None
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0

    @property
    def js(self) -> JetStreamContext:
        """JetStream over it."""
        return self.nats.jetstream(timeout=ANSWER_SECONDS)

    async def open(self) -> None:
        """Dial. Raises OSError, TimeoutError or nats.errors.Error where that fails."""
        self.nats.needs_tls = self.address.server.startswith("tls:")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.nats.connect(
                    servers=[self.address.server],
                    name="partyline",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    ping_interval=PING_SECONDS,
                    error_cb=self._failed,
                    closed_cb=self._closed,
                    **dict(self.address.secrets),  # type: ignore[arg-type]
                )
        except nats.errors.NoServersError:
            raise self._last_error or ConnectionError("it cannot be reached") from None
        self._inbox = self.nats.new_inbox()
        await self.nats.subscribe(f"{self._inbox}.*", cb=self._answered)

    async def close(self) -> None:
        """Let go, whatever state it is in."""
        self.end("it was closed")
        with contextlib.suppress(TimeoutError, nats.errors.Error, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.nats.close()

    def end(self, why: str) -> None:
        """It is to be used no more; what waits for an answer fails."""
        self.ended = self.ended or why
        self.woken.set()
        self.over.set()
        for future in self._answers.values():
            if not future.done():
                future.set_exception(ConnectionError(self.ended))

    async def subscribe(self, subject: str, told: Callable[[str, bytes], None]) -> None:
        """Have ``told`` called with the subject and the payload of each message."""

        async def heard(message: Msg) -> None:
            told(message.subject, message.data)

        await self.nats.subscribe(subject, cb=heard)

    def fits(self, draft: Draft) -> bool:
        """Whether NATS takes a message of this size."""
        size = len(encode(draft)) + HEADER_BYTES + len(subject(self.address, draft.topic))
        return size <= self.nats.max_payload

    async def publish(self, drafts: Sequence[Draft]) -> list[dict[str, Any] | BaseException]:
        """Publish all, in order; returns JetStream's answers (PubAck), or what became of each instead."""
        if not drafts:
            return []
        futures: list[asyncio.Future[dict[str, Any]]] = []
        for draft in drafts:
            self._number += 1
            token = str(self._number)
            future = self._answers[token] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda _, token=token: self._answers.pop(token))  # type: ignore[misc]
            futures.append(future)
            try:
                await self.nats.publish(
                    subject(self.address, draft.topic),
                    encode(draft),
                    reply=f"{self._inbox}.{token}",
                    headers={Header.MSG_ID.value: message_id(draft)},
                )
            except nats.errors.Error as error:
                future.set_exception(error)
        _, late = await asyncio.wait(futures, timeout=ANSWER_SECONDS)
        if late:
            self.end(f"JetStream did not answer within {ANSWER_SECONDS:.0f} seconds")
        return await asyncio.gather(*futures, return_exceptions=True)

    async def _answered(self, message: Msg) -> None:
        future = self._answers.get(message.subject.rpartition(".")[2])
        if future is None or future.done():
            return
        if not message.data:
            future.set_exception(ConnectionError("no stream takes it"))  # NATS' status 503, no responders
            self.end("the stream is gone")
            return
        future.set_result(json.loads(message.data))

    async def _failed(self, error: Exception) -> None:
        self._last_error = error
        logger.debug("= NATS: %r", error)

    async def _closed(self) -> None:
        self.end(str(self._last_error or "the connection was closed"))
