"""When the event loop is held up, by what, and what is said of it. Pure: clocks and stacks are told.

A loop that goes round says so every ``PERIOD``: it *turns*. A thread looks on as often. In flow the time, the loop's
last turn and, once the next is overdue, where the loop stands; out come ``Held`` after ``LIMIT``, and ``Over`` when the
loop goes on. Nobody is blamed for time in which the thread that looks on did not run either, as while a laptop sleeps,
for time in which the loop only waited for the processor of a busy machine, or for a debugger's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LIMIT = 1.0
"""A loop that has not turned for so many seconds is held up."""
PERIOD = 0.25
SEVERAL_LIMIT = LIMIT + 2 * PERIOD
"""The same for things that had it one after the other. One that just began when a turn fell due is no second thing."""
LATE = 1.5 * PERIOD
"""Two looks further apart say that the one who looks did not run meanwhile."""

MEANWHILE = "Meanwhile no socket, no page and no feed of this process goes on."
ADVICE = (
    "Write `await asyncio.sleep(…)` in place of time.sleep, `async with httpx.AsyncClient()` in place of requests, and "
    "`await asyncio.to_thread(call)` for whatever else blocks or computes for long."
)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the loop stands in what it runs.

    ``feeds`` are the names of the feeds that it can be of: mostly one, none for other code. ``place`` is ``file:line,
    in function``, ``short`` the same with the file's name alone, ``code`` that line's text. ``inside`` is the place
    further in, as in a library; empty for none. ``thing`` is the same wherever one and the same thing stands.
    """

    feeds: tuple[str, ...]
    thing: str
    place: str
    short: str
    code: str = ""
    inside: str = ""
    debugger: bool = False

    def __str__(self) -> str:
        code = f": {self.code}" if self.code else ""
        return self.place + code + (f" (inside {self.inside})" if self.inside else "")


@dataclass(frozen=True, slots=True)
class Held:
    """The loop has not turned for ``seconds`` and does not yet; ``several`` things had it, ``stand`` is the last."""

    seconds: float
    stand: Stand
    several: bool = False

    @property
    def feed(self) -> str:
        """The one feed that holds it; empty for anything else."""
        return _one_feed(self.stand, self.several)


@dataclass(frozen=True, slots=True)
class Over:
    """The loop turns again after ``seconds``. ``told``: a ``Held`` went before. Without ``stand`` none was seen."""

    seconds: float
    stand: Stand | None
    several: bool = False
    told: bool = False

    @property
    def feed(self) -> str:
        """The one feed that held it; empty for anything else."""
        return _one_feed(self.stand, self.several)


class Holds:
    """One loop, looked at again and again.

    Args:
        now: seconds of a monotonic clock.
        worked: how long the loop's thread has computed so far, in seconds of the processor's time.
    """

    def __init__(self, now: float, worked: float) -> None:
        self._looked, self._worked, self._turned = now, worked, now
        self._lost = 0.0  # how long, of all the time so far, nobody ran; what follows is in time without it
        self._since = self._alone_since = (
            now + PERIOD
        )  # since when it is held up, if it is, and by the last thing alone
        self._last: Stand | None = None
        self._debugged = False
        self._told: Held | None = None

    def look(self, now: float, worked: float, turned: float, stand: Callable[[], Stand | None]) -> list[Held | Over]:
        """What there is to say now.

        Args:
            now, worked: as above.
            turned: when the loop turned last, by the same clock.
            stand: tells where the loop stands, None where it runs nothing; called while its turn is overdue.
        """
        step, lost_before = now - self._looked, self._lost
        # a thread that computed in one long call kept us from running; one that did not was as asleep as we were
        self._lost += max(0.0, step - max(LATE, worked - self._worked))
        self._looked, self._worked = now, worked
        said: list[Held | Over] = []
        if turned != self._turned:
            # what was lost in this step may lie before the turn or behind it: neither hold counts it
            said += self._end(turned - self._lost)
            self._turned = turned
            self._begin(turned - lost_before + PERIOD)
        if now - self._lost > self._since and self._told is None and not self._debugged:
            said += self._examine(now - self._lost, stand())
        return said

    def _begin(self, since: float) -> None:
        self._since = self._alone_since = since
        self._last = self._told = None
        self._debugged = False

    def _examine(self, now: float, stand: Stand | None) -> list[Held | Over]:
        if stand is None:  # it is free to turn: it waits for the processor
            self._begin(now)
            return []
        if self._last is not None and self._last.thing != stand.thing:
            self._alone_since = now
        self._last, self._debugged = stand, stand.debugger
        judged = None if self._debugged else self._judge(now)
        if judged is None:
            return []
        self._told = Held(judged[0], stand, several=judged[1])
        return [self._told]

    def _end(self, now: float) -> list[Held | Over]:
        told = self._told
        if told is not None:
            since = self._since if told.several else self._alone_since
            return [Over(max(now - since, told.seconds), told.stand, told.several, told=True)]
        judged = None if self._debugged else self._judge(now)
        return [] if judged is None else [Over(judged[0], self._last, several=judged[1])]

    def _judge(self, now: float) -> tuple[float, bool] | None:
        """For how long it is held up, and whether by several things; None where that is not long."""
        if now - self._alone_since >= LIMIT:
            return now - self._alone_since, False
        if now - self._since >= SEVERAL_LIMIT:
            return now - self._since, True
        return None


def _one_feed(stand: Stand | None, several: bool) -> str:
    return stand.feeds[0] if stand is not None and not several and len(stand.feeds) == 1 else ""


def text(said: Held | Over, *, advise: bool) -> str:
    """What is said, for people who wrote a feed or run the server; ``advise`` adds what to write in its place."""
    seconds = f"{said.seconds:.1f} seconds"
    feeds = "" if said.stand is None or said.several else " or ".join(said.stand.feeds)
    if isinstance(said, Over) and said.told:
        return (
            f"= the feed {feeds} let go of the server after {seconds}"
            if feeds
            else f"= the server goes on after {seconds}"
        )
    held = isinstance(said, Held)
    if feeds:
        does = (
            f"has held up the whole server for {seconds}, and still does"
            if held
            else f"held up the whole server for {seconds}"
        )
        line = f"the feed {feeds} {does}, at {said.stand}."
        return f"{line} {MEANWHILE} {ADVICE}" if advise else line
    is_held = f"has been held up for {seconds}, and still is" if held else f"was held up for {seconds}"
    return f"the server {is_held}, {_where(said)}. {MEANWHILE}"


def _where(said: Held | Over) -> str:
    """What is said of a hold that is no one feed's."""
    if said.stand is None:
        return "by one call that let no other Python code run, so by which is not known"
    if said.several:
        return f"by several things one after the other, the last at {said.stand}"
    return f"by no feed, at {said.stand}"
