"""The feed ``walk``: the prices of a few invented companies, a seeded random walk, twice a second.

Topic ``walk.<ticker>``: ``{"price", "change", "percent"}``, the change since the last tick, in money and in percent.

The walk's value at any tick follows from (seed, ticker, tick) alone and costs 16 hashes, wherever one starts: so all
processes make one walk, and go on with it after a restart. It is Brownian motion in Lévy's construction: a span of
2**16 ticks (9 hours) is pinned at both ends, and the midpoint of a piece of n ticks, given the piece's ends, is their
mean and a normal deviate of the standard deviation sigma * sqrt(n) / 2. The price is its exponential.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncGenerator
from statistics import NormalDist

from .declare import Emit
from .ticks import ticks

RATE = 2
SEED = 20261122
TICKERS = {"fizz": 12.5, "moss": 48.0, "orbit": 310.0, "plum": 95.0, "tide": 150.0}
"""The tickers, and the prices that theirs never wander far from."""

SPAN = 2**16
SIGMA = 0.0008
"""The standard deviation of a tick's change, as a part of the price."""
PIN_SIGMA = 0.1
"""The same of a span's ends, about the ticker's own price."""

_NORMAL = NormalDist()


async def walk() -> AsyncGenerator[Emit, None]:
    """Yield all prices at each tick, for ever."""
    async for tick in ticks(RATE):
        for ticker in TICKERS:
            yield Emit(f"walk.{ticker}", quote(SEED, ticker, tick), str(tick))


def quote(seed: int, ticker: str, tick: int) -> dict[str, float]:
    """What is told of a ticker at a tick."""
    price, before = _price(seed, ticker, tick), _price(seed, ticker, tick - 1)
    change = price - before
    return {"price": price, "change": round(change, 2), "percent": round(100 * change / before, 3)}


def level(seed: int, ticker: str, tick: int) -> float:
    """The walk itself: the logarithm of the price, as a part of the ticker's own."""
    span, offset = divmod(tick, SPAN)
    left, right = (PIN_SIGMA * _deviate(seed, ticker, end, 0) for end in (span, span + 1))
    start, width = 0, SPAN
    while offset != start:
        middle = start + width // 2
        value = (left + right) / 2 + SIGMA * math.sqrt(width) / 2 * _deviate(seed, ticker, span, middle)
        if offset < middle:
            right = value
        else:
            left, start = value, middle
        width //= 2
    return left


def _price(seed: int, ticker: str, tick: int) -> float:
    return round(TICKERS[ticker] * math.exp(level(seed, ticker, tick)), 2)


def _deviate(seed: int, ticker: str, span: int, offset: int) -> float:
    """A standard normal deviate that follows from these alone."""
    digest = hashlib.blake2b(f"{seed} {ticker} {span} {offset}".encode(), digest_size=8).digest()
    return _NORMAL.inv_cdf(((int.from_bytes(digest) >> 12) + 0.5) / 2**52)
