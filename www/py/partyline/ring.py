"""The last events of one topic, kept as the JSON text that came.

The worker keeps a ring for each topic to answer a late tab at once. It stores each body unread, with the
number of events that the frame's header told, and joins them again as text; so keeping a thousand events
costs no parsing.
"""


class Ring:
    """Bodies in, one body out, bounded by a number of events.

    It holds all events of its topic after ``since`` that have come.

    Args:
        limit: how many of the last events are kept at least, where so many came. The oldest body goes only
            when the rest still holds ``limit`` events, so a large first body is never lost too early.
        max_bytes: how many characters are kept at most, whatever ``limit`` says; the newest body always stays.
        since: the seq after which all that comes will be appended.
    """

    def __init__(self, limit: int, max_bytes: int, since: int = 0) -> None:
        self.limit = limit
        self.max_bytes = max_bytes
        self.count = 0
        self.size = 0
        self.since = since
        self._bodies: "list[tuple[int, str, int]]" = []

    def append(self, count: int, body: str, seq: int) -> None:
        """Add a body: the text of a JSON array of ``count`` events, newer than all before, and all up to ``seq``."""
        inner = body.strip()[1:-1].strip()
        if count < 1 or not inner:
            return
        self._bodies.append((count, inner, seq))
        self.count += count
        self.size += len(inner)
        while len(self._bodies) > 1 and (self.count - self._bodies[0][0] >= self.limit or self.size > self.max_bytes):
            dropped, text, self.since = self._bodies.pop(0)
            self.count -= dropped
            self.size -= len(text)

    def body(self) -> str:
        """All that is kept, oldest first, as the text of one JSON array."""
        return "[" + ",".join([inner for _, inner, _ in self._bodies]) + "]"

    def after(self, seq: int) -> "tuple[int, str]":
        """All bodies that hold an event after ``seq``, as one, and how many events they hold."""
        newer = [(count, inner) for count, inner, last in self._bodies if last > seq]
        return sum([count for count, _ in newer]), "[" + ",".join([inner for _, inner in newer]) + "]"
