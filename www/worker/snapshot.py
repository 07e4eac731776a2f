"""What is in the memory snapshot of this interpreter, and what is put right after a start from one.

``prepare`` is called by snapshot.js just before the memory is copied, ``restored`` by boot.js in each interpreter that
starts from the copy. Two of them begin with the same memory: all that was drawn by chance or read from the clock
at import is the same, too. What Python asks the browser for anew, such as ``secrets`` and ``os.urandom``, is not.
The seed of ``hash(str)`` can't be changed any more; it differs from browser to browser, and from build to build.
"""

from __future__ import annotations

import gc
import importlib
import random


def prepare() -> None:
    """Import all that a worker needs at its start: it is there at once, then, with no file read."""
    importlib.import_module("shell")
    gc.collect()


def restored() -> None:
    """Make what was frozen this interpreter's own."""
    random.seed()
