"""What cells find of earlier ones in their namespace, by IPython's names: ``_``, ``Out``, ``In`` and their kin. Pure.

    entered(count, source) ──> In, _i, _ii, _iii, _i3          gave(count, value, size) ──> Out, _, __, ___, _3

What the user has set under one of these names stays. The oldest are forgotten, values sooner where they are large: a
browser has little memory, and a cell that is run again and again has a value each time.
https://ipython.readthedocs.io/en/stable/interactive/reference.html#output-caching-system
"""

from __future__ import annotations

import builtins
import sys
from typing import Any

MOST = 1_000
"""So many values are kept, and so many sources; as many as IPython keeps values."""

MOST_BYTES = 256 * 2**20
"""So large may all values in ``Out`` be together, as far as they say it. The last one is kept in any case."""

LAST = ("_", "__", "___")


class Recall:
    """What cells of one namespace were, and what they came to."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace
        self._in = [""]  # so that each stands at its count
        self._out: dict[int, object] = {}
        self._sizes: dict[int, int] = {}
        self._sources = ("", "", "", "")
        self._values: tuple[object, ...] = ("", "", "")
        self._put: dict[str, object] = {}  # what the names of the last values stood for when they were put there
        namespace.update(In=self._in, _ih=self._in, Out=self._out, _oh=self._out, _i="", _ii="", _iii="")
        self._put_values()

    def entered(self, count: int, source: str) -> None:
        """A cell begins."""
        source = source.rstrip("\n")
        self._make_way()
        self._in.append(source)
        self._sources = (source, *self._sources[:3])
        before, before_that, first = self._sources[1:]
        self._namespace.update({"_i": before, "_ii": before_that, "_iii": first, f"_i{count}": source})
        oldest = count - MOST
        if 0 < oldest < len(self._in):
            self._remove(f"_i{oldest}", self._in[oldest])
            self._in[oldest] = ""

    def gave(self, count: int, value: object, size: int) -> None:
        """The cell's last expression has this value, which is not None. ``size``: its bytes, of ``size_of``."""
        self._make_way()
        if value is self._out:
            return
        self._values = (value, *self._values[:2])
        self._put_values()
        self._out[count] = self._namespace[f"_{count}"] = value
        self._sizes[count] = size
        self._forget()

    def _put_values(self) -> None:
        """Have the last values under their names, unless one of these is the user's."""
        taken = any(name in self._namespace and self._namespace[name] is not self._put[name] for name in self._put)
        if not taken and not _translates():
            self._put = dict(zip(LAST, self._values, strict=True))
            self._namespace.update(self._put)

    def _make_way(self) -> None:
        """``gettext.install`` has put its ``_`` where ours would hide it."""
        if _translates() and "_" in self._put:
            self._remove("_", self._put["_"])

    def _forget(self) -> None:
        """Take out the oldest values where there are too many, or too large ones."""
        self._sizes = {count: size for count, size in self._sizes.items() if count in self._out}
        total = sum(self._sizes.values())
        for count in list(self._sizes)[:-1]:
            if len(self._sizes) <= MOST and total <= MOST_BYTES:
                break
            total -= self._sizes.pop(count)
            self._remove(f"_{count}", self._out.pop(count))

    def _remove(self, name: str, value: object) -> None:
        """This is not kept under this name any more; what the user has set there is."""
        if name in self._namespace and self._namespace[name] is value:
            del self._namespace[name]


def size_of(value: object) -> int:
    """A value's bytes as it tells them itself, as arrays and tables do; of a list, without what is in it."""
    try:
        return sys.getsizeof(value, 0)
    except Exception:  # code of whoever wrote its class; a value is none the worse for it
        return 0


def _translates() -> bool:
    """Whether ``_`` is gettext's for all. What doctest leaves there is no function, as a rule."""
    return callable(vars(builtins).get("_"))
