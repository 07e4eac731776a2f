"""How a tab follows its worker: what is told to it alone, and what is broadcast to all, put in order. Pure.

The answer to hello says how many broadcasts the worker had made by then. Broadcasts that come before that answer are
held; later ones must come without a hole in their numbers. Where one is missing (the tab was frozen, say), or another
worker speaks, ``lost`` is set, and the tab must say hello again: it then gets all state anew. Where the answer is of
another worker, or of another era than before (an era ends when the worker forgets all, for another log), a ``cleared``
frame is put before it.
"""

from .protocol import CLEARED, JOINED, decode, decode_header

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    from typing import Any

    Frame = tuple[dict[str, Any], list[str]]

MAX_HELD = 1000


class Follower:
    """Texts in, frames to act on out. Call ``hello`` whenever the tab says hello; look at ``lost`` after each text."""

    def __init__(self) -> None:
        self.worker = ""
        self._era = 0
        self.lost = False
        self._number = 0
        self._held: "list[str] | None" = []

    def hello(self) -> None:
        """The tab is saying hello: hold broadcasts until it is answered."""
        self.lost = False
        self._held = []

    def told(self, text: str) -> "list[Frame]":
        """The worker posted ``text`` to this tab's port; returns the frames to act on, in order."""
        header, bodies = decode(text)
        if header["kind"] != JOINED:
            return [(header, bodies)]
        frames: "list[Frame]" = [(header, bodies)]
        if self.worker and (self.worker != header["worker"] or self._era != header["era"]):
            frames.insert(0, ({"kind": CLEARED, "era": header["era"]}, []))
        self.worker = header["worker"]
        self._era = header["era"]
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
        header, bodies = decode(frame)
        if header["kind"] == CLEARED:
            self._era = header["era"]
        return [(header, bodies)]
