"""A deploy: the server's files are newer than those that an open page, and its worker, were made of."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.running import ROOT, Server

from . import room
from .driver import Browser, wait


def deploy(server: Server, folder: Path) -> None:
    """End the server, and start it with other files on the same port and the same log."""
    server.kill()
    for name in ("server", "www"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, folder / name)
    with (folder / "www" / "worker" / "session.py").open("a") as source:
        source.write("\n# a newer version\n")
    if "PARTYLINE_ASSETS" not in os.environ:
        server.settings["ASSETS"] = str(ROOT / "build" / "assets")
    server.root = folder
    server.start()


@pytest.mark.engines("chromium", "firefox", why="WebKitGTK takes 10 seconds of a processor to start a worker")
def test_a_deploy(server: Server, browser: Browser, tmp_path: Path) -> None:
    """Open tabs offer a reload; the first one that loads anew brings the new worker, and all go over to it."""
    pages = [browser.open("/room") for _ in range(2)]
    for page in pages:
        page.wait_line()
        assert page.text("line-update") == ""
    room.say(pages[0], "before the deploy")
    room.wait_sent(pages[0])
    old = pages[0].diagnostics()
    folder = tmp_path / "deployed"
    folder.mkdir()
    deploy(server, folder)
    for page in pages:
        page.wait_line()
        page.wait_text("line-update", lambda text: "newer version" in text)
    assert pages[0].diagnostics()["build"] == old["build"]
    room.say(pages[1], "typed in an old page")
    room.wait_sent(pages[1])

    pages[0].reload()
    for page in pages:
        page.wait_line()
        wait(lambda: page.diagnostics()["build"], lambda build: build != old["build"], f"{page!r} on the new worker")  # noqa: B023
    assert pages[0].text("line-update") == ""
    pages[1].wait_text("line-update", lambda text: "newer version" in text)
    wait(lambda: pages[0].diagnostics()["tabs"], lambda tabs: tabs == 2, "both at one worker")
    wait(lambda: server.status()["sockets"], lambda count: count == 1, "the old worker to be gone")
    room.say(pages[1], "an old page on the new worker")
    room.wait_sent(pages[1])
    for page in pages:
        room.wait_listed(page, room.logged(server))
        assert page.diagnostics()["tab"]["gaps"] == 0
    assert [text for _, text in room.logged(server)] == [
        "before the deploy",
        "typed in an old page",
        "an old page on the new worker",
    ]
