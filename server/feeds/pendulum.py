"""The feed ``pendulum``: a double pendulum, 30 times a second, in the topic ``pendulum``.

``{"angle1", "angle2", "x1", "y1", "x2", "y2", "run"}``: angles in radians from straight down, places of both bobs in
metres from the pivot, y upwards. Each minute is a new ``run``: both rods are held up at angles that follow from the
minute's number, and let go.

All processes, on any machine, make one pendulum of it. That is not plain with a chaotic system, where the last bit of
a sine decides where the bobs are half a minute later, and C libraries differ in that bit. So the state holds no angles
but each rod's sine and cosine as numbers of their own (d sin/dt = cos * w, d cos/dt = -sin * w), and the way from the
minute's number to the state uses only + - * / and sqrt, which IEEE 754 (section 5.4.1) makes exact to the last bit.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator
from typing import NamedTuple

from .declare import Emit
from .ticks import ticks

RATE = 30
RUN_TICKS = 60 * RATE
STEPS = 8
"""Steps of integration in a tick."""

GRAVITY = 9.80665
LENGTH1, LENGTH2 = 1.0, 1.0
MASS1, MASS2 = 1.0, 1.0


class State(NamedTuple):
    """The sine and the cosine of each rod's angle, and its angular velocity."""

    sin1: float
    cos1: float
    speed1: float
    sin2: float
    cos2: float
    speed2: float


async def pendulum() -> AsyncGenerator[Emit, None]:
    """Yield the pendulum at each tick, for ever; who starts in mid-run goes through its beginning quickly first."""
    run, at, state = -1, 0, start(0)
    async for tick in ticks(RATE):
        this_run, offset = divmod(tick, RUN_TICKS)
        if this_run != run or offset < at:
            run, at, state = this_run, 0, start(this_run)
        behind = offset - at > RATE
        while at < offset:
            state = advance(state)
            at += 1
            if at % RATE == 0:
                await asyncio.sleep(0)  # others may have their turn
        if not behind:  # else this tick is over by now, and others have told the ones after it
            yield Emit("pendulum", telling(state, run), str(tick))


def start(run: int) -> State:
    """A run's first state: at rest, both rods at 100 to 150 degrees to either side."""
    digest = hashlib.blake2b(str(run).encode(), digest_size=8).digest()
    # by the tangent of half the angle, whose sine and cosine take no more than + * /
    tangents = []
    for part in (int.from_bytes(digest[:4]), int.from_bytes(digest[4:])):
        tangent = 1.2 + 2.5 * (part >> 1) / 2**31
        tangents.append(tangent if part & 1 else -tangent)
    (sin1, cos1), (sin2, cos2) = ((2 * t / (1 + t * t), (1 - t * t) / (1 + t * t)) for t in tangents)
    return State(sin1, cos1, 0.0, sin2, cos2, 0.0)


def advance(state: State) -> State:
    """The state a tick later, by STEPS steps of the classical Runge-Kutta method (RK4)."""
    step = 1 / (RATE * STEPS)
    for _ in range(STEPS):
        k1 = _slope(state)
        k2 = _slope(_moved(state, step / 2, k1))
        k3 = _slope(_moved(state, step / 2, k2))
        k4 = _slope(_moved(state, step, k3))
        mean = State(*((a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(k1, k2, k3, k4, strict=True)))
        state = _on_circles(_moved(state, step, mean))
    return state


def energy(state: State) -> float:
    """Kinetic and potential energy, in joules; 0 where both hang at rest at the pivot's height."""
    sin1, cos1, speed1, sin2, cos2, speed2 = state
    velocity1, velocity2 = LENGTH1 * speed1, LENGTH2 * speed2
    both = velocity1 * velocity2 * (cos1 * cos2 + sin1 * sin2)
    kinetic = (MASS1 + MASS2) * velocity1 * velocity1 / 2 + MASS2 * (velocity2 * velocity2 / 2 + both)
    return kinetic - GRAVITY * ((MASS1 + MASS2) * LENGTH1 * cos1 + MASS2 * LENGTH2 * cos2)


def telling(state: State, run: int) -> dict[str, float | int]:
    """What is told of a state."""
    x1, y1 = LENGTH1 * state.sin1, -LENGTH1 * state.cos1
    x2, y2 = x1 + LENGTH2 * state.sin2, y1 - LENGTH2 * state.cos2
    angles = math.atan2(state.sin1, state.cos1), math.atan2(state.sin2, state.cos2)
    names = ("angle1", "angle2", "x1", "y1", "x2", "y2")
    return {**{name: round(value, 5) for name, value in zip(names, (*angles, x1, y1, x2, y2), strict=True)}, "run": run}


def _slope(state: State) -> State:
    """The state's derivative by time: Lagrange's equations, solved for the angular accelerations."""
    sin1, cos1, speed1, sin2, cos2, speed2 = state
    sine, cosine = sin1 * cos2 - cos1 * sin2, cos1 * cos2 + sin1 * sin2  # of the difference of the angles
    pull1, pull2 = LENGTH1 * speed1 * speed1, LENGTH2 * speed2 * speed2
    mass, inertia = MASS1 + MASS2, MASS1 + MASS2 * sine * sine
    turn1 = MASS2 * (GRAVITY * sin2 * cosine - sine * (pull1 * cosine + pull2)) - mass * GRAVITY * sin1
    turn2 = mass * (pull1 * sine - GRAVITY * sin2 + GRAVITY * sin1 * cosine) + MASS2 * pull2 * sine * cosine
    return State(
        cos1 * speed1, -sin1 * speed1, turn1 / (LENGTH1 * inertia),
        cos2 * speed2, -sin2 * speed2, turn2 / (LENGTH2 * inertia),
    )  # fmt: skip


def _moved(state: State, seconds: float, slope: State) -> State:
    return State(*(value + seconds * change for value, change in zip(state, slope, strict=True)))


def _on_circles(state: State) -> State:
    """The same with sine and cosine brought back to the unit circle, off which each step takes them a little."""
    sin1, cos1, speed1, sin2, cos2, speed2 = state
    radius1, radius2 = math.sqrt(sin1 * sin1 + cos1 * cos1), math.sqrt(sin2 * sin2 + cos2 * cos2)
    return State(sin1 / radius1, cos1 / radius1, speed1, sin2 / radius2, cos2 / radius2, speed2)
