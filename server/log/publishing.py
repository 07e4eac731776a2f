"""Publishing a group of appends over a session: looked up, sent in order, acknowledged together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import Draft, LogBusyError, LogError, LogTooLargeError, Receipt
from .session import Session

READABLE_SECONDS = 2.0
"""How long a receipt waits until the event can be read here."""


@dataclass(frozen=True)
class Job:
    """An append: its drafts, and the future of its receipts."""

    drafts: Sequence[Draft]
    future: asyncio.Future[list[Receipt]]

    def fail(self, error: Exception) -> None:
        """Tell who waits, if it is still there and knows no better."""
        if not self.future.done():
            self.future.set_exception(error)


async def publish(session: Session, jobs: Sequence[Job]) -> None:
    """Publish all drafts, in order, and give each job its receipts or its error."""
    complete_at = session.tail.complete_at or 0.0
    _check_in_time(session, complete_at)
    jobs = [job for job in jobs if _fits(session, job)]
    drafts = [draft for job in jobs for draft in job.drafts]
    known = await session.mirror.known(drafts)
    _check_in_time(session, complete_at)  # again: the look may have waited for others
    answers = iter(
        await session.connection.publish([draft for draft, seq in zip(drafts, known, strict=True) if not seq])
    )
    outcomes = iter(
        [
            Receipt(seq, draft.id, True) if seq else _receipt(draft, next(answers))
            for draft, seq in zip(drafts, known, strict=True)
        ]
    )
    settled = [(job, [next(outcomes) for _ in job.drafts]) for job in jobs]
    highest = max((each.seq for _, each_job in settled for each in each_job if isinstance(each, Receipt)), default=0)
    await _readable(session, highest)
    for job, results in settled:
        receipts = [each for each in results if isinstance(each, Receipt)]
        failures = [each for each in results if isinstance(each, LogError)]
        if failures:
            job.fail(failures[0])
        elif not job.future.done():
            job.future.set_result(receipts)


def _check_in_time(session: Session, complete_at: float) -> None:
    """An id that was not in the copy then is in JetStream's window still. Raises LogBusyError where it may not be."""
    if time.monotonic() - complete_at > session.state.duplicate_seconds / 2:
        raise LogBusyError("This server is behind with reading the log; try again in a moment.")


def _fits(session: Session, job: Job) -> bool:
    large = next((draft for draft in job.drafts if not session.connection.fits(draft)), None)
    if large is not None:
        limit = session.connection.nats.max_payload
        job.fail(
            LogTooLargeError(
                f"The event {large.id!r} is larger than the {limit} bytes that NATS takes, its max_payload."
            )
        )
    return large is None


def _receipt(draft: Draft, answer: dict[str, Any] | BaseException) -> Receipt | LogError:
    if isinstance(answer, dict) and "error" not in answer:
        return Receipt(answer["seq"], draft.id, bool(answer.get("duplicate")))
    why = answer["error"].get("description") if isinstance(answer, dict) else answer
    return LogError(
        f"JetStream has not acknowledged it: {why}. It may or may not be in the log; "
        "sending it again with the same id is safe."
    )


async def _readable(session: Session, seq: int) -> None:
    reached = asyncio.create_task(session.mirror.reached(seq, READABLE_SECONDS))
    over = asyncio.create_task(session.connection.over.wait())
    await asyncio.wait([reached, over], return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    over.cancel()
