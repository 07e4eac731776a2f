"""How lessons come from folders: what is found, by what name, in what order, and what is refused and why."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.app import create_app
from server.config import Settings, SettingsError
from server.lessons import MAX_BYTES, Lessons, name_of

OURS = ("01-first", "02-second", "10-tenth")


def notebook(*markdown: str, **about: Any) -> str:
    cells = [
        {"cell_type": "markdown", "id": f"m{at}", "metadata": {}, "source": text} for at, text in enumerate(markdown)
    ]
    metadata = {"partyline": about} if about else {}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    for name in OURS:
        (folder / f"{name}.ipynb").write_text(notebook(f"# Ours: {name}", minutes=9, summary="A summary"))
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def index(lessons: Lessons) -> list[dict[str, Any]]:
    return [lesson.told() for lesson in lessons.all()]


def names(lessons: Lessons) -> list[str]:
    return [lesson.name for lesson in lessons.all() if not lesson.error]


def errors(lessons: Lessons) -> list[str]:
    return [lesson.error for lesson in lessons.all() if lesson.error]


def test_what_the_index_says(ours: Path, own: Path) -> None:
    (own / "A class's own.ipynb").write_text(notebook("Words", "text\n## Rain in *May* ##\nmore"))
    told = index(Lessons(ours, str(own)))
    assert [each["name"] for each in told] == [*OURS, "A-class-s-own"]
    first = {"name": "01-first", "title": "Ours: 01-first", "minutes": 9, "summary": "A summary", "own": False}
    assert told[0] == first
    assert told[-1] == {"name": "A-class-s-own", "title": "Rain in *May*", "minutes": None, "summary": "", "own": True}


def test_a_title_in_the_metadata_comes_first_and_the_name_last(ours: Path, own: Path) -> None:
    (own / "a.ipynb").write_text(notebook("# heading", title="The title"))
    (own / "b.ipynb").write_text(notebook("no heading", "#neither"))
    (own / "c.ipynb").write_text(notebook(minutes="ten", summary=["no text"], title=4))
    told = index(Lessons(ours, str(own)))[-3:]
    assert [each["title"] for each in told] == ["The title", "b", "c"]
    assert [each["minutes"] for each in told] == [None, None, None]


def test_a_teachers_takes_the_place_of_ours(ours: Path, own: Path) -> None:
    (own / "02-second.ipynb").write_text(notebook("# Theirs"))
    told = index(Lessons(ours, str(own)))
    assert [(each["name"], each["own"]) for each in told] == [
        ("01-first", False),
        ("02-second", True),
        ("10-tenth", False),
    ]
    assert told[1]["title"] == "Theirs"


def test_ten_comes_after_nine(ours: Path, own: Path) -> None:
    for name in ("10 b", "9 a", "9 B", "b", "A"):
        (own / f"{name}.ipynb").write_text(notebook())
    assert names(Lessons(ours, str(own)))[len(OURS) :] == ["9-a", "9-B", "10-b", "A", "b"]


def test_files_that_change_come_and_go_are_seen(ours: Path, own: Path) -> None:
    lessons = Lessons(ours, str(own))
    assert names(lessons) == list(OURS)
    path = own / "new.ipynb"
    path.write_text(notebook("# One"))
    assert lessons.all()[-1].title == "One"
    assert lessons.all()[-1] is lessons.all()[-1], "read once"
    path.write_text(notebook("# Another"))
    assert lessons.all()[-1].title == "Another"
    path.unlink()
    assert names(lessons) == list(OURS)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xff\xfe{\x00}\x00", "not text in UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "no notebook"),
        (b'{"cells": []}', "no nbformat"),
        (b'{"nbformat": 3, "worksheets": []}', "nbformat 3"),
        (b'{"nbformat": "4", "cells": []}', "nbformat '4'"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b"[" * 200_000, "nested too deep"),
        (b" " * (MAX_BYTES + 1), "larger than 20 MB"),
    ],
)
def test_what_is_no_lesson_is_named_and_harms_no_other(
    ours: Path, own: Path, raw: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    (own / "bad one.ipynb").write_bytes(raw)
    (own / "good.ipynb").write_text(notebook())
    lessons = Lessons(ours, str(own))
    assert names(lessons) == [*OURS, "good"]
    (error,) = errors(lessons)
    assert error.startswith("bad one.ipynb is left out")
    assert why in error
    assert [record.message for record in caplog.records if "bad one.ipynb" in record.message] == [
        f"the lesson {own / 'bad one.ipynb'} is left out: {error.split(': ', 1)[1].removesuffix('.')}"
    ], "named in the log, once"
    (own / "bad one.ipynb").write_text(notebook())
    assert names(lessons) == [*OURS, "bad-one", "good"]


def test_a_bad_one_of_the_name_of_ours_leaves_ours_in_place(ours: Path, own: Path) -> None:
    (own / "01-first.ipynb").write_text("{}")
    lessons = Lessons(ours, str(own))
    assert names(lessons) == list(OURS)
    assert len(errors(lessons)) == 1


def test_two_of_one_name_are_told(ours: Path, own: Path) -> None:
    for name in ("my lesson", "my-lesson", "my_lesson"):
        (own / f"{name}.ipynb").write_text(notebook())
    lessons = Lessons(ours, str(own))
    assert names(lessons) == [*OURS, "my-lesson", "my_lesson"]
    (error,) = errors(lessons)
    assert "another file has the name my-lesson" in error


def test_what_leads_out_of_the_folder_is_refused(ours: Path, own: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_text(notebook("# Secret"))
    (own / "inside.ipynb").write_text(notebook("# Inside"))
    (own / "also.ipynb").symlink_to(own / "inside.ipynb")
    (own / "out.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (own / "nowhere.ipynb").symlink_to(tmp_path / "none.ipynb")
    (own / "loop.ipynb").symlink_to(own / "loop.ipynb")
    (own / "folder.ipynb").mkdir()
    (own / ".hidden.ipynb").write_text(notebook())
    (own / "notes.txt").write_text(notebook())
    lessons = Lessons(ours, str(own))
    assert names(lessons) == [*OURS, "also", "inside"]
    told = errors(lessons)
    assert [error.split(".ipynb")[0] for error in told] == ["folder", "loop", "nowhere", "out"]
    assert "leads out of the folder" in told[-1]
    (own / "inside.ipynb").unlink()
    (own / "inside.ipynb").symlink_to(tmp_path / "secret.ipynb")
    assert names(lessons) == list(OURS), "what was fine before is looked at anew"


def test_a_folder_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(SettingsError, match=re.escape(f"PARTYLINE_LESSONS names {path}")):
            create_app(Settings(log="memory://", feeds=(), secret="of the tests", lessons=str(path)))


def test_a_folder_that_goes_away_takes_its_own_alone(ours: Path, own: Path, caplog: pytest.LogCaptureFixture) -> None:
    lessons = Lessons(ours, str(own))
    own.rmdir()
    assert names(lessons) == list(OURS)
    assert str(own) in caplog.text


@pytest.mark.parametrize(
    ("stem", "name"),
    [("01-hello", "01-hello"), ("Übung 1", "Ubung-1"), ("a.b/c", "a-b-c"), ("日本", "--"), ("x" * 200, "x" * 60)],
)
def test_names(stem: str, name: str) -> None:
    assert name_of(stem) == name


@given(st.text(min_size=1))
def test_any_stem_gives_a_name_that_means_nothing_to_a_path(stem: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]*", name_of(stem))
    assert os.sep not in name_of(stem)
