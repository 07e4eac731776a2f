"""Lessons: ours in ``www/lessons``, and a teacher's own in the folder that ``PARTYLINE_LESSONS`` names.

    *.ipynb ──> GET /lessons/index.json    {"lessons": [{"name", "title", "minutes", "summary", "own"}]}, in order
           └──> GET /lessons/<name>.ipynb  its text, as it stands in the file

A file is read again when it changes. One that cannot be a lesson is named in the log, and in the index with an
``error``; the others do not suffer. What browsers ask for is looked up among the names that were found, and never
becomes part of a path.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from quart import Blueprint, ResponseReturnValue, request

from .checks import InputError
from .config import SettingsError
from .files import REVALIDATE, Content, code, respond, tag

MAX_BYTES = 20_000_000
"""The largest file that is taken, as it is by the notebook that opens it."""

MAX_NAME = 60
"""A notebook's name has no more letters."""

TYPE = "application/x-ipynb+json"

_Version = tuple[int, int, int, int] | None

logger = logging.getLogger("partyline.lessons")


class LessonError(ValueError):
    """A file that cannot be a lesson; the message says why."""


@dataclass(frozen=True)
class Lesson:
    """A lesson, or, with an ``error``, a file that was meant to be one. ``own``: it is a teacher's, none of ours."""

    name: str
    title: str
    minutes: float | None = None
    summary: str = ""
    own: bool = False
    error: str = ""
    content: Content | None = None

    def told(self) -> dict[str, Any]:
        """What the index says of it."""
        about = {"name": self.name, "title": self.title, "minutes": self.minutes, "summary": self.summary}
        return {**about, "own": self.own, **({"error": self.error} if self.error else {})}


class Lessons:
    """The lessons of both folders. Raises SettingsError where a teacher's ``own`` folder is not there."""

    def __init__(self, ours: Path, own: str) -> None:
        self._ours = ours
        self._own = Path(own).absolute() if own else None
        self._kept: dict[Path, tuple[_Version, Lesson]] = {}
        self._reading = Lock()
        if self._own is not None and not self._own.is_dir():
            raise SettingsError(f"PARTYLINE_LESSONS names {self._own}, but there is no such folder.")

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with an app."""
        routes = Blueprint("lessons", __name__, url_prefix="/lessons")
        routes.add_url_rule("/index.json", "index", self.index)
        routes.add_url_rule("/<name>.ipynb", "lesson", self.lesson)
        return routes

    async def index(self) -> ResponseReturnValue:
        """All lessons, in order."""
        lessons = await asyncio.to_thread(self.all)
        raw = json.dumps({"lessons": [lesson.told() for lesson in lessons]}, ensure_ascii=False).encode()
        return respond(request, Content(raw, "application/json", tag(raw)), REVALIDATE)

    async def lesson(self, name: str) -> ResponseReturnValue:
        """The text of one."""
        for lesson in await asyncio.to_thread(self.all):
            if lesson.name == name and lesson.content is not None:
                return respond(request, lesson.content, REVALIDATE)
        raise InputError("not_found", f"There is no lesson named {name[:100]!r} here.", 404)

    def all(self) -> list[Lesson]:
        """Ours, or a teacher's in their places; then the teacher's others; last what cannot be had. By file name."""
        with self._reading:
            found: dict[str, Lesson] = {}
            broken: list[Lesson] = []
            files: set[Path] = set()
            for folder in (self._ours, self._own):
                for path in _notebooks(folder) if folder is not None else ():
                    files.add(path)
                    lesson = self._read(path, own=folder is self._own)
                    before = found.get(lesson.name)
                    if before is not None and before.own and not lesson.error:
                        why = f"{path.name} is left out: another file has the name {lesson.name} already."
                        lesson = Lesson(lesson.name, path.name, own=True, error=why)
                    if lesson.error:
                        broken.append(lesson)
                    else:
                        found[lesson.name] = lesson
            self._kept = {path: kept for path, kept in self._kept.items() if path in files}
            return [*found.values(), *broken]

    def _read(self, path: Path, *, own: bool) -> Lesson:
        """The lesson in a file; where the file has not changed, as it was read before."""
        try:
            stat = path.stat()
        except OSError as error:  # a link to nowhere, or in a circle
            version, problem = None, f"it cannot be read: {error.strerror}"
        else:
            version, problem = (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size), ""
        kept = self._kept.get(path)
        if kept is not None and kept[0] == version:
            return kept[1]
        try:
            if problem:
                raise LessonError(problem)
            lesson = _lesson(path, own=own)
        except LessonError as error:
            logger.warning("the lesson %s is left out: %s", path, error)
            lesson = Lesson(name_of(path.stem), path.name, own=own, error=f"{path.name} is left out: {error}.")
        self._kept[path] = (version, lesson)
        return lesson


def name_of(stem: str) -> str:
    """The name of a lesson, of its file's: letters lose their accents; what is no A-Z a-z 0-9 - _ becomes ``-``."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", stem) if not unicodedata.combining(each))
    return re.sub(r"[^A-Za-z0-9_-]", "-", plain)[:MAX_NAME]


def _notebooks(folder: Path) -> Iterator[Path]:
    """The ``.ipynb`` files right in a folder, in the order of their names, where 10 comes after 9."""
    try:
        paths = [path for path in folder.iterdir() if path.suffix == ".ipynb" and not path.name.startswith(".")]
    except OSError as error:
        logger.warning("the lessons in %s cannot be read: %s", folder, error.strerror)
        return
    yield from sorted(paths, key=_place)


def _place(path: Path) -> tuple[list[tuple[bool, int, str]], str]:
    parts = re.findall(r"[0-9]+|[^0-9]+", path.stem.lower())
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in parts], path.name


def _free(name: str, taken: dict[str, Lesson]) -> str:
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def _lesson(path: Path, *, own: bool) -> Lesson:
    """Raises LessonError."""
    if not path.resolve().is_relative_to(path.parent.resolve()):
        raise LessonError("it is a link that leads out of the folder")
    if not path.is_file():
        raise LessonError("it is no file")
    if not name_of(path.stem):
        raise LessonError("its name has no letter, digit, - or _ in it")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise LessonError(f"it cannot be read: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise LessonError(f"it is larger than {MAX_BYTES // 1_000_000} MB; outputs can be cleared in Jupyter")
    notebook = _notebook(raw)
    about = notebook.get("metadata")
    about = about.get("partyline") if isinstance(about, dict) else None
    about = about if isinstance(about, dict) else {}
    minutes, summary, title = about.get("minutes"), about.get("summary"), about.get("title")
    return Lesson(
        name_of(path.stem),
        title if isinstance(title, str) and title else _heading(notebook["cells"]) or path.stem,
        minutes if isinstance(minutes, int | float) and not isinstance(minutes, bool) else None,
        summary if isinstance(summary, str) else "",
        own=own,
        content=Content(raw, TYPE, tag(raw), code(raw, path.suffix)),
    )


def _notebook(raw: bytes) -> dict[str, Any]:
    """Enough of a look to tell a notebook; the worker that opens it checks it all. Raises LessonError."""
    try:
        notebook = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise LessonError("it is not text in UTF-8") from None
    except RecursionError:
        raise LessonError("it is nested too deep") from None
    except ValueError as error:
        raise LessonError(f"it is not JSON: {error}") from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise LessonError("it is JSON, but no notebook: it has no nbformat")
    if notebook["nbformat"] != 4:
        raise LessonError(f"it is of nbformat {notebook['nbformat']!r}; save it anew with Jupyter, as nbformat 4")
    if not isinstance(notebook.get("cells"), list):
        raise LessonError("it has no list of cells")
    return notebook


def _heading(cells: list[Any]) -> str:
    """The text of the first heading in a Markdown cell; empty where there is none."""
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown":
            source = cell.get("source")
            lines = "".join(map(str, source)) if isinstance(source, list) else str(source)
            heading = re.search(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*$", lines, re.MULTILINE)
            if heading is not None:
                return heading[1]
    return ""
