"""The stream in JetStream that holds the events: made, recognised as ours, kept in line with the settings.

Subjects are ``<stream>.<topic>``. A message's first line is a JSON array ``[id, by]``, the second the event's data.
The epoch stands in the stream's description, so it lives and dies with the stream: one that was deleted and made
again has another. A stream that has lost its newest messages (NATS' machine crashed before they were on its disk) is
another log too: who notices writes an epoch made from the old one, so all who notice agree.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError, NotFoundError

from partyline.topics import is_topic

from . import Draft, Event, LogError
from .address import Address
from .retention import Retention

DUPLICATE_SECONDS = 120.0

SLACK = 10_000
"""So many more of a topic than the retention are kept in the stream: a burst must reach all servers' copies first."""

_MARK = "Partyline event log, epoch "
_ALREADY_IN_USE = 10058

logger = logging.getLogger("partyline.log")


@dataclass(frozen=True)
class StreamState:
    """The stream at a moment. ``whole`` is whether no message of it was ever removed."""

    epoch: str
    last_seq: int
    messages: int
    whole: bool
    duplicate_seconds: float


async def look(js: JetStreamContext, address: Address) -> StreamState | None:
    """The stream's state; None where there is none. Raises LogError where it is not ours."""
    try:
        info = await js.stream_info(address.stream)
    except NotFoundError:
        return None
    return _state(info, address)


async def prepare(js: JetStreamContext, address: Address, retention: Retention) -> StreamState:
    """Have the stream there, and as the settings want it; returns its state. Raises LogError where it is not ours."""
    most = retention.count.largest + retention.count.largest // 10 + SLACK
    for _ in range(5):
        state = await look(js, address)
        if state is None:
            try:
                await js.add_stream(_config(address, secrets.token_hex(8), most))
            except BadRequestError as error:
                if error.err_code != _ALREADY_IN_USE:  # another server has just made it
                    raise LogError(f"The stream {address} cannot be made: {error.description}.") from error
            continue
        config = (await js.stream_info(address.stream)).config
        kept = config.max_msgs_per_subject
        if kept != most:
            level = logging.WARNING if kept == -1 or most < kept else logging.INFO
            logger.log(level, "= the stream %s keeps %d events of a topic from now on, not %d", address, most, kept)
            await js.update_stream(config, max_msgs_per_subject=most)
        return state
    raise LogError(f"The stream {address} is deleted again and again. Find out by whom.")


async def renew_epoch(js: JetStreamContext, address: Address, old: str) -> None:
    """The stream has lost events that were acknowledged: give it the epoch that follows ``old``."""
    info = await js.stream_info(address.stream)
    if _state(info, address).epoch == old:
        new = hashlib.sha256(f"after {old}".encode()).hexdigest()[:16]
        logger.error("= the stream %s has lost its newest events; its epoch is %s now, not %s", address, new, old)
        await js.update_stream(info.config, description=_MARK + new)


def _config(address: Address, epoch: str, most: int) -> StreamConfig:
    return StreamConfig(
        name=address.stream,
        subjects=[f"{address.stream}.>"],
        description=_MARK + epoch,
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_msgs_per_subject=most,
        duplicate_window=DUPLICATE_SECONDS,
    )


def _state(info: StreamInfo, address: Address) -> StreamState:
    epoch = re.fullmatch(re.escape(_MARK) + "([0-9a-f]+)", info.config.description or "")
    if epoch is None:
        raise LogError(
            f"{address} is a stream, but not an event log of Partyline's. It was not touched. "
            "Name another stream in PARTYLINE_LOG."
        )
    state = info.state
    whole = state.first_seq <= 1 and not state.num_deleted
    return StreamState(epoch[1], state.last_seq, state.messages, whole, info.config.duplicate_window)


def subject(address: Address, topic: str) -> str:
    """The subject that carries a topic's events."""
    return f"{address.stream}.{topic}"


def message_id(draft: Draft) -> str:
    """For the header Nats-Msg-Id: the same for the same id in the same topic, and safe in a header."""
    return hashlib.sha256(f"{draft.topic}\0{draft.id}".encode()).hexdigest()


def encode(draft: Draft) -> bytes:
    """An event as a message."""
    return f"{json.dumps([draft.id, draft.by])}\n{draft.data}".encode()


def decode(address: Address, subject: str, payload: bytes, seq: int, time: float) -> Event | None:
    """The event that a message holds; None for what is no event of ours, as anyone on NATS may publish."""
    topic = subject.removeprefix(f"{address.stream}.")
    try:
        head, data = payload.decode().split("\n")
        event_id, by = json.loads(head)
        json.loads(data)
    except (ValueError, TypeError, RecursionError):
        return None
    if not (is_topic(topic) and isinstance(event_id, str) and isinstance(by, str)):
        return None
    return Event(seq, topic, time, event_id, data, by)
