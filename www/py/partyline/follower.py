"""How a tab follows its worker: what is told to it alone, and what is broadcast to all, put in order. Pure.

The answer to hello, ``joined``, says how many broadcasts the worker had made by then. Where it names an epoch, more
follows it: snapshots, and last an ``events`` frame. Broadcasts that come before all that are held, for they are newer;
later ones must come without a hole in their numbers. Where one is missing (the tab was frozen, say), or another worker
speaks, ``lost`` is set, and the tab must say hello again, with its cursor: it is then told what it missed.

An era ends when the worker forgets all events, because the log is another one. Port and channel may overtake each
other, so both name the era: at the first word of a new one a ``cleared`` frame comes out, and then nothing of the old.
Another worker may serve the same log: what was known stays then, and only another epoch clears it.
"""

from .protocol import CLEARED, EVENTS, HEARTBEAT, JOINED, SNAPSHOT, SUBSCRIBED, decode, decode_header

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Frame = tuple[dict[str, Any], list[str]]

MAX_HELD = 1000


class Follower:
    """Texts in, frames to act on out. Call ``hello`` whenever the tab says hello; look at ``lost`` after each text.

    ``epoch`` and ``seq`` are the tab's cursor: what it was sent of its established topics is all there is up to there.
    """

    def __init__(self) -> None:
        self.worker = ""
        self.lost = False
        self.epoch = ""
        self.seq = 0
        self._era = 0
        self._number = 0
        self._ref = 0  # of the last hello
        self._held: "list[str] | None" = []  # None while it follows
        self._answering = False  # whether the rest of an answer is still to come

    def hello(self) -> int:
        """The tab is saying hello: hold broadcasts until it is answered. Returns the hello's ``ref``."""
        self.lost = False
        self._held = []
        self._answering = False
        self._ref += 1
        return self._ref

    def told(self, text: str) -> "list[Frame]":
        """The worker posted ``text`` to this tab's port; returns the frames to act on, in order."""
        header, bodies = decode(text)
        kind = header["kind"]
        if kind in (SNAPSHOT, EVENTS):
            frames = self._in_era(header, (header, bodies))
            if kind == EVENTS and frames:
                self.seq = max(self.seq, header["seq"])
            return frames + self._follow() if kind == EVENTS and self._answering else frames
        if kind != JOINED:
            return [(header, bodies)]
        if self.worker != header["worker"]:
            self.worker = header["worker"]
            self._era = header["era"]
            self._held = self._held or []
        frames = self._in_era(header, (header, bodies))
        if self._held is None or header["ref"] != self._ref:
            return frames  # a digest, or the answer to an earlier hello: it is true, but the last one's is waited for
        self._number = header["n"]
        self._answering = bool(header["epoch"])
        return frames if self._answering else frames + self._follow()

    def _follow(self) -> "list[Frame]":
        """All that the answer holds is here: go on with what is told to all."""
        held, self._held = self._held or [], None
        self._answering = False
        frames = []
        for each in held:
            frames += self.heard(each)
        return frames

    def heard(self, text: str) -> "list[Frame]":
        """The worker posted ``text`` to all; returns the frames to act on, in order."""
        if self._held is not None:
            if len(self._held) < MAX_HELD:
                self._held.append(text)
            return []
        first, _, text = text.partition("\n")
        envelope = decode_header(first)
        if self.lost or envelope["worker"] != self.worker or envelope["n"] > self._number + 1:
            self.lost = True
            return []
        if envelope["n"] <= self._number:
            return []
        self._number += 1
        frame = decode(text)
        frames = self._in_era(envelope, frame)
        if frame[0]["kind"] in (EVENTS, HEARTBEAT, SUBSCRIBED) and frames:
            self.seq = max(self.seq, frame[0]["seq"])
        return frames

    def _in_era(self, header: "dict[str, Any]", frame: "Frame") -> "list[Frame]":
        era, epoch = header["era"], header["epoch"]
        if era < self._era:
            return []
        cleared = era > self._era or (self.epoch and epoch and self.epoch != epoch)
        self._era = era
        self.epoch = epoch or self.epoch
        if cleared:
            self.seq = 0
            return [({"kind": CLEARED}, []), frame]
        return [frame]
