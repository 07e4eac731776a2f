"""What a start from a memory snapshot puts right, and that the worker's JavaScript is served and counted."""

from __future__ import annotations

import random

import snapshot
from server.pages import WORKER_SCRIPTS
from tests.running import ROOT


def test_two_starts_from_the_same_memory_draw_other_numbers() -> None:
    drawn = []
    for _ in range(2):
        random.seed(314)  # as the memory has it
        snapshot.restored()
        drawn.append([random.random() for _ in range(4)])
    assert drawn[0] != drawn[1]


def test_all_of_the_workers_javascript_is_served() -> None:
    assert set(WORKER_SCRIPTS) == {path.stem for path in (ROOT / "www" / "worker").glob("*.js")}
