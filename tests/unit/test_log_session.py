"""How a session's tasks are ended: for certain, whatever they wait for."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import pytest

from server.log import session
from server.log.session import end


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancel again at once."""
    monkeypatch.setattr(session, "AGAIN_SECONDS", 0.01)


async def test_an_answer_that_comes_with_the_cancellation_holds_nothing_up() -> None:
    """As a look at the stream does that is answered at the moment when the tail fails; it would go on for ever."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    answers = 0

    async def watch() -> None:
        nonlocal answers
        await asyncio.wait_for(answer, 60)
        answers += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    answer.set_result(None)
    await end([task])
    assert task.cancelled()
    assert answers == (sys.version_info < (3, 12)), "the cancellation was passed over, where Python does so"


async def test_who_passes_a_cancellation_over_is_cancelled_again() -> None:
    """Until it ends."""

    async def stubborn() -> None:
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end([task])
    assert task.done()


async def test_how_they_end_does_not_matter() -> None:
    """One that has failed already, one that fails as it ends, one that has ended; and none at all."""

    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("as it ends")

    async def nothing() -> None:
        pass

    done, failing = asyncio.create_task(nothing()), asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end([done, failing])
    assert isinstance(failing.exception(), OSError)
    await end([])
