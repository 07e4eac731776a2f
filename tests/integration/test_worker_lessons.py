"""A lesson's original, which its teacher may save anew while learners have it open, in the worker's own Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.worker import Frame, Tab
from tests.running import Server


class Lesson:
    """A teacher's lesson of one cell, and a learner's copy of it in a tab."""

    def __init__(self, folder: Path, name: str, tab: Tab) -> None:
        self.name = name
        self.file = folder / f"{name}.ipynb"
        self._tab = tab

    def save(self, source: object) -> None:
        """Write the file anew, as the teacher's Jupyter does."""
        code = {"cell_type": "code", "execution_count": None, "outputs": []}
        cell = {**code, "id": "a", "metadata": {}, "source": source}
        self.file.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}))

    def texts(self) -> list[str]:
        """What the learner has in the cells."""
        return [cell["source"] for cell in self._tab.cells(self.name).values()]

    def do(self, op: str, **fields: str) -> Frame:
        """The learner changes it; the worker's answer."""
        return self._tab.ask("apply", name=self.name, operation={"op": op, **fields})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The teacher's."""
    return tmp_path_factory.mktemp("lessons")


@pytest.fixture(scope="module")
def worker_server(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), LESSONS=str(folder))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def lesson(tab: Tab, folder: Path, request: pytest.FixtureRequest) -> Lesson:
    """A lesson that says 1 in its file; a learner has opened it, and has written below that."""
    lesson = Lesson(folder, request.node.name, tab)
    lesson.save("1")
    assert lesson.texts() == ["1"]
    assert "error" not in lesson.do("add", id="mine", after="a", type="code", source="mine")
    return lesson


def test_reset_brings_what_the_teacher_saved_since(lesson: Lesson) -> None:
    lesson.save("2")
    assert lesson.texts() == ["1", "mine"], "the learner's own copy"
    assert "error" not in lesson.do("reset")
    assert lesson.texts() == ["2"]
    assert "error" not in lesson.do("undo")
    assert lesson.texts() == ["1", "mine"]


def test_a_file_that_is_broken_by_now_harms_nothing(lesson: Lesson) -> None:
    lesson.save(7)
    answer = lesson.do("reset")
    assert answer["code"] == "bad_file"
    assert "The lesson's file on the server is broken" in answer["error"]
    assert lesson.texts() == ["1", "mine"]
    lesson.save("2")
    assert "error" not in lesson.do("reset")
    assert lesson.texts() == ["2"]


def test_without_its_file_the_known_original_is_had(lesson: Lesson) -> None:
    lesson.file.unlink()
    assert "error" not in lesson.do("reset")
    assert lesson.texts() == ["1"]


KEPT = """import gc, json
import desk
(it,) = [each for each in gc.get_objects() if isinstance(each, desk.Desk)]
whole = it._opened['opens-it'].document.whole()
async def read(name, read=it._shelf.read):  # Node has no IndexedDB
    return json.dumps(whole) if name == 'kept' else await read(name)
it._shelf.read = read"""


def test_what_a_learner_has_kept_opens_though_its_file_is_broken_by_now(tab: Tab, folder: Path) -> None:
    tab.open("opens-it", KEPT)
    tab.run("opens-it", "a")
    lesson = Lesson(folder, "kept", tab)
    lesson.save(7)
    assert lesson.texts() == [KEPT]
    lesson.save("2")
    assert "error" not in lesson.do("reset")
    assert lesson.texts() == ["2"]


PARTED = """import gc
import desk
(it,) = [each for each in gc.get_objects() if isinstance(each, desk.Desk)]
async def versions(name):  # Node has no IndexedDB
    return None
it._shelf.versions = versions
await it._part(it._opened['parted'])"""


def test_a_copy_under_another_name_asks_for_the_lessons_own(tab: Tab, folder: Path) -> None:
    lesson = Lesson(folder, "parted", tab)
    lesson.save(PARTED)
    assert lesson.texts() == [PARTED]
    tab.ask("run", name="parted", cells=["a"])
    lesson.name = tab.wait(lambda frame: frame.get("what") == "moved")["to"]
    assert lesson.name == "parted-2"
    tab.rest(lesson.name)
    lesson.save("2")
    assert "error" not in lesson.do("reset")
    assert lesson.texts() == ["2"]


def test_what_is_no_lesson_has_no_original(tab: Tab, folder: Path) -> None:
    lesson = Lesson(folder, "not-there", tab)
    assert lesson.texts() == [""]
    assert lesson.do("reset")["code"] == "no_original"


def test_without_the_server_the_known_original_is_had(worker_server: Server, lesson: Lesson) -> None:
    """The last test here: the server is gone."""
    worker_server.kill()
    assert "error" not in lesson.do("reset")
    assert lesson.texts() == ["1"]
