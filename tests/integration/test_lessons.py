"""Lessons over HTTP: the index, the text, what is kept by browsers, and what may not be had."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.integration.raw import ask
from tests.running import ROOT, Server

NOTEBOOK = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'


def test_our_lessons_come_as_they_stand_in_their_files(make_server: Callable[..., Server]) -> None:
    server = make_server()
    server.start()
    told = server.get("/lessons/index.json")["lessons"]
    files = sorted((ROOT / "www" / "lessons").glob("*.ipynb"))
    assert [each["name"] for each in told] == [path.stem for path in files]
    assert not any("error" in each for each in told)
    for path in files:
        target = f"/lessons/{path.name}".encode()
        answer = ask(server.port, target, Accept_Encoding="identity")
        assert (answer.status, answer.body) == (200, path.read_bytes())
        assert answer.headers["content-type"] == "application/x-ipynb+json"
        assert answer.headers["cache-control"] == "no-cache"
        assert ask(server.port, target, Accept_Encoding="identity", If_None_Match=answer.headers["etag"]).status == 304


def test_a_teachers_folder_is_read_anew_and_nothing_outside_of_it(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    folder = tmp_path / "lessons"
    folder.mkdir()
    (tmp_path / "secret.ipynb").write_text(NOTEBOOK)
    (folder / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    server = make_server(LESSONS=str(folder))
    server.start()

    def own() -> dict[str, bool]:
        told = server.get("/lessons/index.json")["lessons"]
        return {each["name"]: "error" in each for each in told if each["own"]}

    assert own() == {"link": True}
    (folder / "My lesson.ipynb").write_text(NOTEBOOK)
    assert own() == {"My-lesson": False, "link": True}
    assert ask(server.port, b"/lessons/My-lesson.ipynb", Accept_Encoding="identity").body == NOTEBOOK.encode()
    for target in (
        *(b"/lessons/link.ipynb", b"/lessons/none.ipynb", b"/lessons/My%20lesson.ipynb", b"/lessons/.ipynb"),
        *(b"/lessons/..%2fsecret.ipynb", b"/lessons/../secret.ipynb", b"/lessons/%00.ipynb", b"/lessons/"),
    ):
        answer = ask(server.port, target, Accept="application/json")
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (404, "not_found"), target
    assert "link.ipynb is left out: it is a link that leads out of the folder" in server.log
    assert "Traceback" not in server.log
