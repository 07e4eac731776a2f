"""What a feed is: ``@feed`` over an async generator, and ``Emit``, what it may yield.

    @feed("lab.temperature", every=1.0)
    async def temperature():
        while True:
            yield read_sensor()  # any JSON value

Out comes a ``Source`` for the loader to find; the function itself stays what it was, so tests can call it.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from partyline.topics import is_topic

from ..checks import bad_topic_message

F = TypeVar("F", bound=Callable[[], AsyncIterator[Any]])


@dataclass(frozen=True, slots=True)
class Emit:
    """An event with a topic of its own, and an id where the same event may come from several processes."""

    topic: str
    data: Any
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A feed, declared. ``topic`` is for what is yielded without one; ``file`` is the user's, None for a built-in."""

    name: str
    function: Callable[[], AsyncGenerator[Any, None]]
    topic: str | None = None
    every: float | None = None
    file: Path | None = None


declared: list[Source] = []
"""All that ``@feed`` has seen in this process, in order."""


def feed(topic: str | None = None, *, every: float | None = None, name: str | None = None) -> Callable[[F], F]:
    """Make a feed of an async generator that takes no arguments.

    Args:
        topic: where what it yields goes; without one it must yield ``Emit(topic, data)``.
        every: ask it for the next value each so many seconds; without it the feed waits by itself (``asyncio.sleep``).
        name: what the status and the log call it; the function's name unless given.
    """
    if callable(topic):
        raise TypeError('@feed needs parentheses: @feed("a.topic"), or @feed() to yield Emit(topic, data).')
    if topic is not None and not is_topic(topic):
        raise ValueError(bad_topic_message(topic))
    if every is not None and not (0 < every < math.inf):
        raise ValueError(f"every={every!r} is no period: it takes seconds, more than 0.")

    def declare(function: F) -> F:
        written = getattr(function, "__name__", repr(function))
        called = name if name is not None else written
        if not is_topic(called):
            raise ValueError(f"{called!r} is no name for a feed: give one of A-Z a-z 0-9 _ - as @feed(…, name=…).")
        is_generator: bool = inspect.isasyncgenfunction(function)
        if not is_generator:
            raise TypeError(
                f"{written} is no async generator: write `async def {written}():` with a `yield` in it. "
                "For calls that block: `await asyncio.to_thread(call)`."
            )
        if any(
            each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
            for each in inspect.signature(function).parameters.values()
        ):
            raise TypeError(f"{written} takes arguments, but a feed is started with none: give them defaults.")
        generator = cast("Callable[[], AsyncGenerator[Any, None]]", function)
        declared.append(Source(called, generator, topic, every))
        return function

    return declare
