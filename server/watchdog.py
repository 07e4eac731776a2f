"""A thread that sees when the event loop is held up, and says by what, while it still is.

The loop says that it turns, by a timer. Where that stays away, the thread reads the loop's own stack; ``holds.py``
judges what it sees. In flow a loop and its feeds; out come lines in the log and, on the loop, each hold to be counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import linecache
import logging
import re
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FrameType

from . import logs
from .feeds import Feeds
from .holds import PERIOD, Held, Holds, Over, Stand, text

JOIN_SECONDS = 1.0
DEBUGGERS = re.compile(r"(i?pdb|bdb|pudb|debugpy|_?pydevd\w*)(\.|$)")
"""The names of debuggers' modules."""
RUN_ONCE: CodeType = asyncio.BaseEventLoop._run_once.__code__  # type: ignore[attr-defined]
OURS = str(Path(__file__).parent)
STANDARD = sysconfig.get_path("stdlib")
LIBRARIES = tuple({STANDARD, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})

logger = logging.getLogger("partyline.watchdog")


class Watchdog:
    """Watches the event loop in which it is started.

    Args:
        feeds: what runs there, to be named where it is a feed's fault.
        on_hold: told of each hold on the loop, once that is over.
    """

    def __init__(self, feeds: Feeds, on_hold: Callable[[Over], None]) -> None:
        self._feeds = feeds
        self._on_hold = on_hold
        self._turned = 0.0
        self._base: CodeType | None = None
        self._timer: asyncio.Handle | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._advised: set[str] = set()

    def start(self) -> None:
        """Watch the running event loop from its next turn on."""
        self._timer = asyncio.get_running_loop().call_soon(self._begin)

    def stop(self) -> None:
        """Watch no longer. Once it returns the thread is gone, or about to."""
        self._stopping.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def _begin(self) -> None:
        """The first turn: whoever called us calls all else that the loop runs."""
        caller = sys._getframe(1)
        if _is_handle(caller) and caller.f_back is not None:
            caller = caller.f_back
        self._base = caller.f_code
        loop = asyncio.get_running_loop()
        self._turn(loop)
        arguments = (loop, threading.get_ident(), _worked())
        self._thread = threading.Thread(target=self._watch, args=arguments, name="partyline-watchdog", daemon=True)
        self._thread.start()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._turned = time.monotonic()
        self._timer = loop.call_later(PERIOD, self._turn, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int, worked: Callable[[], float]) -> None:
        """The thread. A loop that ended without a word ends it, too."""
        holds = Holds(time.monotonic(), worked())
        while not self._stopping.wait(PERIOD) and loop.is_running():
            now = time.monotonic()
            for said in holds.look(now, worked(), self._turned, lambda: self._stand(loop, thread)):
                self._tell(said)
                if isinstance(said, Over):
                    with contextlib.suppress(RuntimeError):  # the loop was closed just now
                        loop.call_soon_threadsafe(self._on_hold, said)

    def _stand(self, loop: asyncio.AbstractEventLoop, thread: int) -> Stand | None:
        frames = running(sys._current_frames().get(thread), self._base)
        if not frames:
            return None
        task = asyncio.current_task(loop)
        names, frame = self._feeds.standing(task, frames)
        return stand(frames, names, frame)

    def _tell(self, said: Held | Over) -> None:
        place = said.stand.place if said.stand is not None else ""
        advise = place not in self._advised
        self._advised.add(place)
        extra = logs.fields(
            feed=said.feed or None,
            place=place or None,
            seconds=round(said.seconds, 3),
            state=type(said).__name__.lower(),
        )
        logger.warning("%s", text(said, advise=advise), extra=extra)


def running(frame: FrameType | None, base: CodeType | None) -> list[FrameType]:
    """What the loop runs just now, innermost first: the frames inside ``base``, which is the loop's own code.

    Empty where it waits for events, or is about to.
    """
    frames: list[FrameType] = []
    while frame is not None and frame.f_code is not base:
        frames.append(frame)
        frame = frame.f_back
    if frame is None:
        return []
    if base is not RUN_ONCE:
        return frames
    # asyncio's own loop is in Python: all that it runs is inside a handle, the rest is its waiting
    return (frames[:-1] or frames) if frames and _is_handle(frames[-1]) else []


def stand(frames: Sequence[FrameType], feeds: tuple[str, ...] = (), frame: FrameType | None = None) -> Stand:
    """These frames, innermost first, as a ``Stand``: at ``frame``, or at the one that says most."""
    frame = frame or next(filter(_is_own, frames), None) or next(filter(_is_installed, frames), frames[0])
    path, line = frame.f_code.co_filename, frame.f_lineno
    function = frame.f_code.co_name
    return Stand(
        feeds=feeds,
        thing=repr(feeds or frames[-1].f_code),
        place=_place(frame),
        short=f"{Path(path).name}:{line}, in {function}",
        code=linecache.getline(path, line, frame.f_globals).strip(),
        inside="" if frames[0] is frame else _place(frames[0]),
        debugger=any(DEBUGGERS.match(str(each.f_globals.get("__name__"))) for each in frames),
    )


def _is_own(frame: FrameType) -> bool:
    """Whether it is the server's code, or a user's."""
    path = frame.f_code.co_filename
    return path.startswith(OURS) or not (path.startswith(LIBRARIES) or path.startswith("<"))


def _is_installed(frame: FrameType) -> bool:
    """Whether it is a library's, but not of Python itself."""
    path = frame.f_code.co_filename
    return "-packages" in path or not path.startswith((STANDARD, "<"))


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


def _is_handle(frame: FrameType) -> bool:
    return frame.f_code is asyncio.Handle._run.__code__


def _worked() -> Callable[[], float]:
    """How long the thread that calls this has computed so far; where the system does not tell, the whole process."""
    clock = getattr(time, "pthread_getcpuclockid", None)
    if clock is None:
        return time.process_time
    identity: int = clock(threading.get_ident())
    return lambda: time.clock_gettime(identity)
