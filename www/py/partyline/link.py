"""Which worker a tab follows, and when it gives one up for the next. Pure.

Workers come one after the other: a *record* ``(generation, rung, build)`` names one, and so the script's address, the
worker and its channel. The browser keeps the newest record, and tabs tell each other of it; the highest wins. Who finds
a worker silent goes on to the next generation. Its number is known to all, so tabs that do so at the same time meet at
the same worker, with nobody to decide for them.

A *rung* is a kind of worker, the best first: ``shared``, a SharedWorker; ``elected``, a worker of one tab, chosen by a
Web Lock, which the others reach over a BroadcastChannel; ``own``, a worker for each tab. Where a rung does not work,
the tab goes down to the next one that its browser can do.

Silence is not slowness: a worker that is starting may take a minute between two words, for a weak machine compiles
that long. Only one that has been there, and answers no ping for ``silence`` seconds, is given up. While cells run it is
*held*, for they may be inside one long computation: then it is given up after ``busy`` seconds. What a new tab cannot
know of a worker that does not answer, the others tell: it inquires, and who follows the same one says that it is held.

Facts go in, with ``now`` in seconds; actions come out, to be carried out in order: ``(OPEN, record)``: leave the worker
before, open this one, and inquire; ``(KEEP, record)``: keep it for tabs to come, and tell the others;
``(NOTE, record)``: keep it, and tell nobody; ``(ASK,)``: post a ping; ``(CHECK,)``: see whether the worker's script can
be had, and say ``broken``; ``(FAIL,)``: there is no worker to be had just now; ``(INQUIRE, record)``: ask the others
whether this worker is held; ``(HELD, record)``: tell them that it is; ``(SILENT,)``: ``silent`` is true from now on.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from collections.abc import Sequence
    from typing import Any

    Record = tuple[int, int, str]
    Action = tuple[Any, ...]

RUNGS = ("shared", "elected", "own")

OWN = RUNGS.index("own")

OPEN = "open"
KEEP = "keep"
NOTE = "note"
ASK = "ask"
CHECK = "check"
FAIL = "fail"
INQUIRE = "inquire"
HELD = "held"
SILENT = "silent"

FIRST_WORD = 10.0  # seconds: so long a worker's first script may take to say that it is there
RETRY = 5.0  # where no rung worked: perhaps the server that has the worker's script is away
STARTING = 120.0  # so long it may be silent while it loads Python, which a weak machine compiles all that time
AGAIN = 60.0  # after so long a tab tries once more where Python could not start
BELIEVED = 600.0  # so long a worker that may be held for ever is taken for alive where a new tab gets no answer
LATE = 3.0  # a tick that is so much too late says that this tab was asleep, not the worker

OPENING = "opening"
LOADING = "loading"
FAILED = "failed"
RUNNING = "running"


class Link:
    """A tab's choice of its worker.

    Args:
        build: the hash of the worker's files, as the tab's page was told.
        rungs: those that this browser can do, the best first.
        silence: seconds without an answer, after which a worker is given up.
        busy: the same while it is held; None for however long it takes.

    ``silent`` says whether the worker is held and answers nothing, so that the user may be told.
    """

    def __init__(self, build: str, rungs: "Sequence[str]", silence: float, busy: "float | None") -> None:
        self.build = build
        self.silence = silence
        self.busy = busy
        self.silent = False
        self.record: "Record" = (0, 0, "")
        self.state = ""
        self._rungs = [RUNGS.index(rung) for rung in rungs]
        self._kept = False  # whether the others know of the record
        self._tried_anew = False
        self._useless: "set[int]" = set()  # rungs that did not work for this tab
        self._asked_at: "float | None" = None
        self._held = False
        self._due = 0.0

    @property
    def rung(self) -> str:
        """The rung of the worker that is followed."""
        return RUNGS[self.record[1]]

    def start(self, kept: "Record | None", now: float) -> "list[Action]":
        """The tab begins, or comes back; ``kept`` is what the browser kept of an earlier one, which may be worthless.

        A new tab insists on its own build. One that comes back goes where the others are, or where it was.
        """
        last = self.record if kept is None else max(kept, self.record)
        back = self.record[0] > 0
        self._tried_anew = False
        if last[1] in self._rungs and (last[2] == self.build or (back and last[2])):
            self._kept = True
            return self._open(last, now)
        record = (last[0] + 1, self._rungs[0], self.build)
        return [(KEEP, record)] + self._open(record, now)

    def told(self, record: "Record", now: float) -> "list[Action]":
        """Another tab follows this record."""
        if record[1] == OWN:  # which is that tab's affair alone: tabs to come shall find this one's
            return [(KEEP, self.record)] if self.state == RUNNING and self.record[1] != OWN else []
        if record < self.record:
            return [(KEEP, self.record)] if self._kept and self.record[1] != OWN else []
        if record == self.record and self.state == FAILED:
            return self._open(record, now)  # it works for another tab
        if record == self.record or record[1] not in self._rungs:
            return []
        self._kept = True
        self._tried_anew = record[1] in self._useless  # then it goes down again without a word to those it works for
        return self._open(record, now)

    def word(self, running: bool, now: float) -> "list[Action]":
        """The worker said something; ``running`` where it was Python that did."""
        self._asked_at = None
        self.silent = False
        self._tried_anew = False
        self._useless.discard(self.record[1])
        begins = running and self.state != RUNNING and self.record[1] != OWN
        self.state = RUNNING if running else LOADING  # one that ran may begin anew, behind the same name
        self._due = now + (self.silence / 4 if self.state == RUNNING else STARTING)
        if self._kept and not begins:
            return []
        self._kept = True  # so that others may come down to a rung that works, or try again where they failed
        return [(KEEP, self.record)]

    def gave_up(self, now: float) -> "list[Action]":
        """The worker said that it cannot start Python; it has ended with that.

        The next one is for tabs to come to try. This one tries it when it works for another tab, or after a while.
        """
        self.state = FAILED
        self._due = now + AGAIN
        self._tried_anew = False
        if self.record[1] == OWN:
            return []
        self.record = (self.record[0] + 1, self.record[1], self.record[2])
        return [(NOTE, self.record)]

    def broken(self, now: float, away: bool = False) -> "list[Action]":
        """The worker cannot be had; ``away`` where its script cannot, which says nothing of the rung."""
        if self.state != OPENING:
            return []  # an error of one that is there; if it is dead, its silence will tell
        if away:
            self.state = FAILED
            self._due = now + RETRY
            return [(FAIL,)]
        self._useless.add(self.record[1])
        lower = [rung for rung in self._rungs if rung > self.record[1]]
        if not lower:
            self.state = FAILED
            self._due = now + RETRY
            return [(FAIL,)]
        self._kept = False
        # on its own it keeps the generation that it leaves, so that it is with the others again at their next one
        generation = self.record[0] if lower[0] == OWN else self.record[0] + 1
        return self._open((generation, lower[0], self.record[2]), now)

    def woke(self, now: float) -> "list[Action]":
        """The tab was frozen, or hidden, and is not any more: what was not answered may have been answered."""
        if self.state == RUNNING:
            self._asked_at = now
            self._due = now + self.silence
            return [(ASK,)]
        if self.state == FAILED:
            return []  # there is nothing that could have answered
        self._due = max(self._due, now + (FIRST_WORD if self.state == OPENING else STARTING))
        return []

    def replace(self, now: float) -> "list[Action]":
        """The user wants another worker, for this one cannot be stopped otherwise."""
        return self._next_generation(now) if self.state else []

    def hold(self, on: bool, now: float) -> None:
        """The worker says that it may not answer for as long as a cell runs, or that it does again."""
        if on == self._held:
            return
        self._held = on
        self._asked_at = None
        self._due = max(self._due, now + self.silence / 4)

    def inquired(self, record: "Record", now: float) -> "list[Action]":
        """Another tab asks whether this worker is held. For how long that can be believed has an end."""
        follows = self.state == RUNNING and record == self.record and record[1] != OWN
        believed = self._asked_at is None or now - self._asked_at < (self.busy or BELIEVED)
        return [(HELD, record)] if follows and self._held and believed else []

    def held(self, record: "Record", now: float) -> "list[Action]":
        """Another tab says that this worker is held: that it does not answer does not mean that it is dead."""
        if self.state != OPENING or record != self.record:
            return []
        self._held = True
        self._due = now + FIRST_WORD
        return []

    def next_due(self) -> "float | None":
        """When ``tick`` has something to do; None for never."""
        return self._due if self.state else None

    def tick(self, now: float) -> "list[Action]":
        """Time went by."""
        if not self.state or now < self._due:
            return []
        if now - self._due > LATE and self.state != FAILED:
            return self.woke(now)
        if self.state == OPENING:
            if self._held:  # as it was said a while ago; who said so may have given it up since
                self._held = False
                self._due = now + FIRST_WORD
                return [(INQUIRE, self.record)] + self._turn_silent()
            if self._tried_anew:
                self._due = now + FIRST_WORD
                return [(CHECK,)]
            self._tried_anew = True  # a dead worker may stand under this name, which says nothing to newcomers
            return self._next_generation(now)
        if self.state == FAILED:
            self._kept = False
            return self._open((self.record[0] + 1, self._rungs[0], self.record[2]), now)
        if self.state == LOADING:
            return self._next_generation(now)
        if self._asked_at is None:
            self._asked_at = now
        waited = now - self._asked_at
        limit = self.busy if self._held else self.silence
        if limit is not None and waited >= limit:
            return self._next_generation(now)
        self._due = now + self.silence / 4
        return [(ASK,)] + (self._turn_silent() if waited >= self.silence else [])

    def _turn_silent(self) -> "list[Action]":
        if self.silent:
            return []
        self.silent = True
        return [(SILENT,)]

    def _next_generation(self, now: float) -> "list[Action]":
        record = (self.record[0] + 1, self.record[1], self.record[2])
        if record[1] == OWN:
            return self._open(record, now)
        self._kept = True
        return [(KEEP, record)] + self._open(record, now)

    def _open(self, record: "Record", now: float) -> "list[Action]":
        self.record = record
        self.state = OPENING
        self._asked_at = None
        self._held = self.silent = False
        self._due = now + FIRST_WORD
        return [(OPEN, record)]
