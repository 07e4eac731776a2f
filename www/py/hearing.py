"""How much of a cell's output is read aloud: no more than somebody can listen to. Pure.

In flows how many characters come, and when; out comes whether they are read. A screen reader queues what a live region
says, so a loop that prints would keep it talking for long after the loop has ended. Each run of a cell has so much to
say at once, and then as much as speech keeps up with; once it is more, the rest of that run is not read, and is told in
one sentence at its end.
"""

AT_ONCE = 600  # characters: some lines of text, or a short traceback
PER_SECOND = 20  # characters, somewhat faster than most voices speak
LEAST = 20  # what a change costs, however short it is: each is an interruption


class Hearing:
    """What one run of a cell may still say."""

    def __init__(self) -> None:
        self.too_much = False
        self._left = AT_ONCE
        self._at = None

    def take(self, characters: int, now: float) -> bool:
        """So many characters come, at ``now`` in seconds; says whether they may be read."""
        if self._at is not None:
            self._left = min(AT_ONCE, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        self._left -= max(characters, LEAST)
        self.too_much = self.too_much or self._left < 0
        return not self.too_much


def hushed(number: int) -> str:
    """What is said when a run becomes too much to read."""
    return f"Cell {number}: its output goes on, and is no longer read aloud."


def summary(number: int, how: str, lines: int) -> str:
    """What is said at the end of a run that was too much to read."""
    much = f"{lines} lines of output" if lines > 1 else "its output is long"
    return f"Cell {number} {how}: {much}, not read aloud."
