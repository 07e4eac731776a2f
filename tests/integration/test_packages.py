"""Packages over HTTP: what lies in the folder, what is fetched once and kept, and what may not be had."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.assets import default_out, load_manifest
from server.packages.wheels import Target, read_wheel
from tests.index import TYPE, Index
from tests.integration.raw import ask
from tests.running import ROOT, Server
from tests.wheels import wheel

TARGET = Target("3.14.2", "2026_0", "wasm32")


@pytest.fixture
def index() -> Iterator[Index]:
    made = Index(wheel("micropip"), wheel("humanize"))
    yield made
    made.close()


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """The browser's files, whose Pyodide promises the micropip that PyPI has; its own is another build."""
    out = tmp_path / "assets"
    shutil.copytree(default_out(), out, copy_function=os.link)
    manifest = load_manifest(out, ROOT)
    assert manifest is not None
    path = out / manifest.packages["pyodide"].folder / "pyodide-lock.json"
    lock = json.loads(path.read_text())
    ours = lock["packages"]["micropip"]["sha256"]
    text = path.read_text().replace(ours, read_wheel(wheel("micropip"), TARGET).sha256)
    path.unlink()
    path.write_text(text)
    return out


def test_wheels_in_the_folder_can_be_had_and_nothing_else(make_server: Callable[..., Server]) -> None:
    server = make_server()
    folder = server.folder / "packages"
    folder.mkdir()
    server.start()
    plain = server.get("/packages/pyodide-lock.json")["packages"]
    assert len(plain) > 300
    shutil.copy(wheel("humanize"), folder)
    (folder / "secret.txt").write_text("secret")
    (server.folder / "secret-1-py3-none-any.whl").write_text("secret")
    merged = server.get("/packages/pyodide-lock.json")["packages"]
    assert merged["humanize"]["file_name"] == wheel("humanize").name
    assert {name: entry for name, entry in merged.items() if name != "humanize"} == plain
    answer = ask(server.port, f"/packages/{wheel('humanize').name}".encode())
    assert (answer.status, answer.body) == (200, wheel("humanize").read_bytes())
    again = ask(server.port, f"/packages/{wheel('humanize').name}".encode(), If_None_Match=answer.headers["etag"])
    assert again.status == 304
    for target in (
        b"/packages/secret.txt",
        b"/packages/../secret-1-py3-none-any.whl",
        b"/packages/..%2fsecret-1-py3-none-any.whl",
        b"/packages/%2e%2e/events.db",
        b"/packages/pypi/../secret.txt",
        b"/packages/pypi/humanize/..%2f..%2fsecret.txt",
        b"/packages/simple/..%2f..%2fevents.db/",
        b"/packages/absent-1-py3-none-any.whl",
    ):
        assert ask(server.port, target).status == 404, target
    numpy = ask(server.port, f"/packages/{plain['numpy']['file_name']}".encode())
    assert numpy.status == 404
    assert "it may not fetch any" in numpy.json["error"]["message"]


def test_pyodides_own_are_fetched_once_and_kept(make_server: Callable[..., Server], assets: Path, index: Index) -> None:
    server = make_server(ASSETS=str(assets), PACKAGES_FROM=index.files)
    server.start()
    target = f"/packages/{wheel('micropip').name}".encode()
    index.broken.add(wheel("micropip").name)
    broken = ask(server.port, target)
    assert broken.status == 502
    assert "is not the file that was promised" in broken.json["error"]["message"]
    index.broken.clear()
    index.asked.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(server.port, target), range(8)))
    assert {(answer.status, answer.body) for answer in answers} == {(200, wheel("micropip").read_bytes())}
    assert index.asked == [f"/files/{wheel('micropip').name}"]
    kept = server.folder / "packages" / wheel("micropip").name
    kept.write_bytes(b"damaged")
    assert ask(server.port, target).body == kept.read_bytes() == wheel("micropip").read_bytes()
    index.close()
    assert ask(server.port, target).status == 200, "it is kept"
    assert kept.stat().st_mode & 0o444 == 0o444, "a server of another user can read it"
    sympy = server.get("/packages/pyodide-lock.json")["packages"]["sympy"]["file_name"]
    away = ask(server.port, f"/packages/{sympy}".encode())
    assert away.status == 502
    assert "cannot be fetched" in away.json["error"]["message"]


def test_what_micropip_asks_for_comes_of_the_index_and_is_kept(
    make_server: Callable[..., Server], index: Index
) -> None:
    server = make_server(PYPI=index.simple)
    server.start()
    answer = ask(server.port, b"/packages/simple/Humanize/")
    assert answer.headers["content-type"] == TYPE
    (file,) = answer.json["files"]
    assert file["url"] == f"{server.url}/packages/pypi/humanize/{wheel('humanize').name}"
    assert file["hashes"]["sha256"] == read_wheel(wheel("humanize"), TARGET).sha256
    assert ask(server.port, file["url"].removeprefix(server.url).encode()).body == wheel("humanize").read_bytes()
    assert "humanize" not in server.get("/packages/pyodide-lock.json")["packages"], "what anybody asked for"
    assert ask(server.port, b"/packages/simple/absent/").status == 404
    assert ask(server.port, b"/packages/pypi/humanize/other-1-py3-none-any.whl").status == 404
    index.close()
    kept = {
        "filename": wheel("humanize").name,
        "url": file["url"],
        "hashes": file["hashes"],
        "size": wheel("humanize").stat().st_size,
    }
    server.stop()
    server.start()
    assert ask(server.port, b"/packages/simple/humanize/").json["files"] == [kept]
    assert ask(server.port, file["url"].removeprefix(server.url).encode()).status == 200
    assert ask(server.port, b"/packages/simple/micropip/").status == 502


def test_the_command_fetches_ahead(tmp_path: Path, assets: Path, index: Index) -> None:
    settings = {"ASSETS": str(assets), "PACKAGES": str(tmp_path / "kept"), "PACKAGES_FROM": index.files}
    environment = {**os.environ, **{f"PARTYLINE_{name}": value for name, value in settings.items()}}

    def run(*projects: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "server.packages", *projects]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    done = run("micropip")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith(wheel("micropip").name)
    assert (tmp_path / "kept" / wheel("micropip").name).read_bytes() == wheel("micropip").read_bytes()
    other = run("no-such-package", "numpy")
    assert other.returncode == 1
    assert "answered 404" in other.stderr
    assert "pip download" in other.stderr
    assert "pyemscripten_2026_0_wasm32" in other.stderr
