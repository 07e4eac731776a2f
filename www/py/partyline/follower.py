"""How a tab follows its worker: what is told to it alone, and what is broadcast to all, put in order. Pure.

The answer to hello says how many broadcasts the worker had made by then. Broadcasts that come before that answer are
held; later ones must come without a hole in their numbers. Where one is missing (the tab was frozen, say), or another
worker speaks, ``lost`` is set, and the tab must say hello again: it then gets all state anew.

An era ends when the worker forgets all events, because the log is another one. Port and channel may overtake each
other, so both name the era: at the first word of a new one a ``cleared`` frame comes out, and then nothing of the old.
"""

from .protocol import CLEARED, JOINED, SNAPSHOT, decode, decode_header

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Frame = tuple[dict[str, Any], list[str]]

MAX_HELD = 1000


class Follower:
    """Texts in, frames to act on out. Call ``hello`` whenever the tab says hello; look at ``lost`` after each text."""

    def __init__(self) -> None:
        self.worker = ""
        self.lost = False
        self._era = 0
        self._number = 0
        self._held: "list[str] | None" = []

    def hello(self) -> None:
        """The tab is saying hello: hold broadcasts until it is answered."""
        self.lost = False
        self._held = []

    def told(self, text: str) -> "list[Frame]":
        """The worker posted ``text`` to this tab's port; returns the frames to act on, in order."""
        header, bodies = decode(text)
        if header["kind"] == SNAPSHOT:
            return self._in_era(header["era"], (header, bodies))
        if header["kind"] != JOINED:
            return [(header, bodies)]
        if self.worker != header["worker"]:
            self._era = -1 if self.worker else header["era"]
            self.worker = header["worker"]
        frames = self._in_era(header["era"], (header, bodies))
        self._number = header["n"]
        held, self._held = self._held or [], None
        for each in held:
            frames += self.heard(each)
        return frames

    def heard(self, text: str) -> "list[Frame]":
        """The worker posted ``text`` to all; returns the frames to act on, in order."""
        if self._held is not None:
            if len(self._held) < MAX_HELD:
                self._held.append(text)
            return []
        first, _, frame = text.partition("\n")
        envelope = decode_header(first)
        if self.lost or envelope["worker"] != self.worker or envelope["n"] > self._number + 1:
            self.lost = True
            return []
        if envelope["n"] <= self._number:
            return []
        self._number += 1
        return self._in_era(envelope["era"], decode(frame))

    def _in_era(self, era: int, frame: "Frame") -> "list[Frame]":
        if era < self._era:
            return []
        if era > self._era:
            self._era = era
            return [({"kind": CLEARED}, []), frame]
        return [frame]
