"""How much one client may ask of us: token buckets, by connection and by address; and how many sockets fit in at all.

https://en.wikipedia.org/wiki/Token_bucket. The clock is an argument.
"""

from __future__ import annotations

import contextlib
import sys
from collections import OrderedDict
from collections.abc import Callable

BURST_SECONDS = 4.0
"""How many seconds' worth may be used at once by who was quiet before."""

MAX_ADDRESSES = 10_000


class TokenBucket:
    """``rate`` tokens come in a second, up to what ``BURST_SECONDS`` bring. ``now`` gives seconds, monotonic."""

    def __init__(self, rate: float, now: Callable[[], float]) -> None:
        self.rate = rate
        self._now = now
        self._tokens = self._most = rate * BURST_SECONDS
        self._at = now()

    def take(self, count: float = 1.0) -> float:
        """Take tokens, into debt if need be; returns for how many seconds the taker should wait, 0 for none."""
        self._refill()
        self._tokens -= count
        return max(0.0, -self._tokens / self.rate)

    def try_take(self, count: float = 1.0) -> float:
        """Take tokens only if there is no debt; returns 0 if so, else in how many seconds to try again."""
        wait = self.wait()
        if not wait:
            self._tokens -= count
        return wait

    def wait(self) -> float:
        """In how many seconds there is something to take again; 0 where there is now."""
        self._refill()
        return 0.0 if self._tokens > 0 else (1.0 - self._tokens) / self.rate

    @property
    def is_full(self) -> bool:
        """Whether a new bucket would be no different."""
        self._refill()
        return self._tokens >= self._most

    def _refill(self) -> None:
        now = self._now()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self.rate)
        self._at = now


class Buckets:
    """A bucket for each address; those of who was quiet for long are forgotten."""

    def __init__(self, rate: float, now: Callable[[], float]) -> None:
        self._rate = rate
        self._now = now
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def of(self, address: str) -> TokenBucket:
        """The bucket of an address."""
        bucket = self._buckets.setdefault(address, TokenBucket(self._rate, self._now))
        self._buckets.move_to_end(address)
        while len(self._buckets) > 1 and (
            len(self._buckets) > MAX_ADDRESSES or next(iter(self._buckets.values())).is_full
        ):
            self._buckets.popitem(last=False)
        return bucket


def raise_file_limit() -> int:
    """Raise this process' limit of open files, of which each socket is one, as far as allowed; returns the limit."""
    if sys.platform == "win32":
        return 2**31
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS says "unlimited", and takes less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 2**31
