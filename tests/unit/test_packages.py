"""Wheels as the lock file tells of them, what an index says, and what is fetched: pure parts, and files."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import logging
import os
import shlex
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from server.packages import shelf
from server.packages.__main__ import pip_command
from server.packages.distribution import Distribution
from server.packages.fetching import Fetcher, FetchError, remove_parts
from server.packages.index import FAILED_SECONDS, KEEP_SECONDS, Index
from server.packages.listing import make_listing
from server.packages.place import find_index
from server.packages.wheels import Target, WheelError, check_tags, read_wheel
from tests.index import Index as Served
from tests.wheels import wheel

TARGET = Target("3.14.2", "2026_0", "wasm32")
ENTRY = {"name": "numpy", "version": "2.4.6", "file_name": "numpy.whl", "sha256": "a" * 64, "imports": ["numpy"]}


def lock(**packages: dict[str, Any]) -> bytes:
    info = {"python": "3.14.2", "abi_version": "2026_0", "arch": "wasm32", "platform": "emscripten_5_0_3"}
    return json.dumps({"info": info, "packages": packages}).encode()


def make_wheel(folder: Path, name: str, files: dict[str, str], *requires: str) -> Path:
    project, version, *_ = name.split("-")
    about = [f"Name: {project}", f"Version: {version}", *(f"Requires-Dist: {each}" for each in requires)]
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(
            f"{project}-{version}.dist-info/METADATA", "\n".join(["Metadata-Version: 2.1", *about, "", ""])
        )
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(raw.getvalue())
    return path


@pytest.mark.parametrize(
    "file",
    [
        "a-1-py3-none-any.whl",
        "a-1-py2.py3-none-any.whl",
        "a-1-py314-none-any.whl",
        "a_b-1.0.post1-2-cp314-cp314-pyemscripten_2026_0_wasm32.whl",
        "a-1-cp310-abi3-pyemscripten_2026_0_wasm32.whl",
        "a-1-py3-none-pyemscripten_2026_0_wasm32.whl",
    ],
)
def test_wheels_for_python_in_browsers(file: str) -> None:
    assert check_tags(file, TARGET)[0] in ("a", "a-b")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (
            "a-1-cp314-cp314-manylinux_2_28_x86_64.whl",
            "it is for cp314-cp314-manylinux_2_28_x86_64; Python in browsers",
        ),
        ("a-1-cp313-cp313-pyemscripten_2026_0_wasm32.whl", "it is for cp313"),
        ("a-1-cp314-cp314-pyemscripten_2025_0_wasm32.whl", "pyemscripten_2026_0_wasm32"),
        ("a-1-py2-none-any.whl", "it is for py2-none-any"),
        ("a-1-py315-none-any.whl", "it is for py315"),
        ("a.whl", "its name is no wheel's"),
        ("a-x-py3-none-any.whl", "its name is no wheel's"),
    ],
)
def test_other_wheels_are_refused(file: str, why: str) -> None:
    with pytest.raises(WheelError, match=why):
        check_tags(file, TARGET)


def test_what_a_wheel_brings_and_needs(tmp_path: Path) -> None:
    files = {
        "one/__init__.py": "",
        "one/deep/x.py": "",
        "two.py": "",
        "three.cpython-314-wasm32-emscripten.so": "",
        "a-1.data/scripts/x.py": "",
        "docs/readme.txt": "",
    }
    needs = ("B.c_d >= 2", "e; python_version >= '3.14'", "f; sys_platform == 'win32'", "g; extra == 'more'", "h[x]")
    found = read_wheel(make_wheel(tmp_path, "a-1-py3-none-any.whl", files, *needs), TARGET)
    assert found.imports == ["one", "three", "two"]
    assert found.needs == ["b-c-d", "e", "h"]
    real = read_wheel(wheel("rich"), TARGET)
    assert (real.project, real.imports, real.needs) == ("rich", ["rich"], ["markdown-it-py", "pygments"])
    compiled = read_wheel(wheel("msgspec"), TARGET)
    assert (compiled.imports, compiled.needs) == (["msgspec"], [])


def test_the_folders_wheels_go_before_pyodides(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    distribution = Distribution(lock(numpy={**ENTRY, "depends": []}), tmp_path)
    before = json.loads(distribution.merged())
    make_wheel(tmp_path, "numpy-3.0-py3-none-any.whl", {"numpy/__init__.py": ""})
    make_wheel(tmp_path, "numpy-2.9-py3-none-any.whl", {"numpy/__init__.py": ""})
    make_wheel(tmp_path, "own-1-py3-none-any.whl", {"own.py": ""}, "numpy", "nowhere")
    (tmp_path / "broken-1-py3-none-any.whl").write_bytes(b"PK no")
    damaged = make_wheel(tmp_path, "damaged-1-py3-none-any.whl", {"damaged.py": ""}, *(f"need-{n}" for n in range(99)))
    with zipfile.ZipFile(damaged) as archive:
        raw, place = bytearray(damaged.read_bytes()), archive.infolist()[-1].header_offset
    raw[place + 70 : place + 90] = bytes(20)
    damaged.write_bytes(raw)
    (tmp_path / "linux-1-cp314-cp314-linux_x86_64.whl").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            packages = json.loads(distribution.merged())["packages"]
    assert packages["numpy"]["file_name"] == "numpy-3.0-py3-none-any.whl"
    assert packages["own"]["depends"] == ["numpy"], (
        "Pyodide would load nothing of an entry that needs what is not there"
    )
    assert sorted(packages) == ["numpy", "own"]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4, "each is said once"
    assert any("own-1-py3-none-any.whl needs nowhere" in line for line in said)
    for path in tmp_path.glob("*.whl"):
        path.unlink()
    assert json.loads(distribution.merged()) == before


def test_a_file_of_pyodides_in_the_folder_changes_nothing(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "numpy-2.4.6-py3-none-any.whl", {"numpy/__init__.py": ""}, "left-out-by-pyodide")
    sha256 = read_wheel(path, TARGET).sha256
    entry = {**ENTRY, "file_name": path.name, "sha256": sha256, "depends": []}
    assert json.loads(Distribution(lock(numpy=entry), tmp_path).merged())["packages"] == {"numpy": entry}


def test_all_that_a_package_needs() -> None:
    entry = {**ENTRY, "depends": []}
    packages = {
        "b": {**entry, "file_name": "b", "depends": ["a_c"]},
        "a-c": {**entry, "file_name": "a", "depends": ["b"]},
    }
    assert Distribution(lock(**packages), Path("nowhere")).closure(["B", "x", "b"]) == (["b", "a"], ["x"])


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher()
    yield made
    await made.close()


def at(url: str) -> Callable[[], Awaitable[str]]:
    """What says the address of an index."""

    async def find() -> str:
        return url

    return find


async def test_an_index_is_asked_now_and_then(fetcher: Fetcher) -> None:
    served = Served(wheel("rich"))
    clock = [0.0]
    try:
        index = Index(at(served.simple), fetcher, TARGET, lambda: clock[0])
        both = await asyncio.gather(index.wheels("rich"), index.wheels("rich"))
        assert both[0] is both[1]
        (listed,) = both[0].values()
        assert listed.url == served.files + wheel("rich").name
        clock[0] += KEEP_SECONDS - 1
        await index.wheels("rich")
        assert served.asked == ["/simple/rich/"]
        clock[0] += 1
        await index.wheels("rich")
        assert len(served.asked) == 2
        for seconds in (0, FAILED_SECONDS - 1, 1):
            clock[0] += seconds
            with pytest.raises(FetchError) as caught:
                await index.wheels("absent")
            assert caught.value.absent
        assert served.asked.count("/simple/absent/") == 2
    finally:
        served.close()
    with pytest.raises(FetchError, match="cannot be fetched"):
        await Index(at(served.simple), fetcher, TARGET).wheels("rich")
    assert await Index(at(""), fetcher, TARGET).wheels("rich") == {}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"files": 3}', b'{"files": [3]}', b'{"files": [{"filename": "a.whl"}]}']
)
async def test_what_is_no_listing_is_refused(fetcher: Fetcher, body: bytes) -> None:
    with pytest.raises(FetchError, match="no listing"):
        Index(at("http://localhost"), fetcher, TARGET).parse("http://localhost/simple/a/", body)


async def test_a_file_comes_whole_and_as_promised_or_not_at_all(tmp_path: Path, fetcher: Fetcher) -> None:
    path = wheel("humanize")
    served = Served(path)
    good = read_wheel(path, TARGET).sha256
    url, kept = served.files + path.name, tmp_path / "below" / path.name
    try:
        for sha256, limit in (("0" * 64, 10**9), (good, 100)):
            with pytest.raises(FetchError):
                await fetcher.fetch_file(url, kept, sha256, limit)
            assert list(kept.parent.iterdir()) == []
        await fetcher.fetch_file(url, kept, good, 10**9)
        assert kept.read_bytes() == path.read_bytes()
        assert [each.name for each in kept.parent.iterdir()] == [path.name]
        with pytest.raises(FetchError, match="could not be kept"):
            await fetcher.fetch_file(url, kept / path.name, good, 10**9)
    finally:
        served.close()
    for address in ("file:///etc/hostname", "ftp://localhost/", "nonsense", "http://[", ""):
        with pytest.raises(FetchError):
            await fetcher.fetch(address, 100)


async def test_passwords_are_in_no_message(fetcher: Fetcher) -> None:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch("http://bob:s3cret@127.0.0.1:9/simple/", 100)
    assert "127.0.0.1:9/simple" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "bob" not in str(caught.value)


def test_what_was_left_half_fetched_goes(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    old, new = tmp_path / "below" / ".a.whl.0000.part", tmp_path / ".b.whl.0000.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    remove_parts(tmp_path)
    assert [path.name for path in tmp_path.rglob("*.part")] == [new.name]


async def test_files_are_read_once_and_held_within_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MAX_HELD", 250)
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode() * 100)
    books = shelf.Shelf()
    first, again = await asyncio.gather(books.read(paths[0]), books.read(paths[0]))
    assert first is again is not None
    assert first is await books.read(paths[0], hashlib.sha256(first.raw).hexdigest())
    assert await books.read(paths[0], "0" * 64) is None
    await books.read(paths[1])
    await books.read(paths[2])
    assert await books.read(paths[0]) is not first, "it was let go for the others"
    paths[0].write_bytes(b"other")
    changed = await books.read(paths[0])
    assert changed is not None
    assert changed.raw == b"other"
    with pytest.raises(FileNotFoundError):
        await books.read(tmp_path / "absent")


def test_a_listing_has_what_is_kept_already(tmp_path: Path) -> None:
    kept = make_wheel(tmp_path, "a-1-py3-none-any.whl", {"a.py": ""})
    raw = make_listing("a", "http://here/packages/pypi/a/", {}, [kept])
    assert raw is not None
    (file,) = json.loads(raw)["files"]
    assert file["url"] == "http://here/packages/pypi/a/a-1-py3-none-any.whl"
    assert file["hashes"]["sha256"] == read_wheel(kept, TARGET).sha256
    assert make_listing("a", "", {}, []) is None


def test_the_command_for_pip_names_this_python(tmp_path: Path) -> None:
    """Which has pip, where the shell's own may have none; and names with blanks in them stay whole."""
    folder = tmp_path / "my wheels"
    python, *words = shlex.split(pip_command(TARGET, folder, ["humanize"]))
    assert (python, words[:4]) == (sys.executable, ["-m", "pip", "download", "-d"])
    assert words.count(str(folder)) == 2
    assert words[-1] == "humanize"


def test_the_index_is_pips_unless_another_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert find_index("") == ""
    assert find_index("http://localhost/simple") == "http://localhost/simple"
    assert find_index("pip").endswith("/simple")
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://localhost/set\n")
    assert find_index("pip") == "http://localhost/set"
    monkeypatch.setenv("PIP_INDEX_URL", "http://localhost/said")
    assert find_index("pip") == "http://localhost/said"


async def test_who_asks_after_a_file_has_come_is_not_told_that_it_was_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody looked just before, and the disk is slow."""
    path, gate, files = tmp_path / "a.whl", threading.Event(), shelf.Shelf()
    read = files._read

    def look(path: Path) -> tuple[str, Any]:
        gate.wait()
        raise FileNotFoundError(path)

    monkeypatch.setattr(files, "_read", look)
    before = asyncio.create_task(files.read(path))
    await asyncio.sleep(0)
    path.write_bytes(b"it has come")
    monkeypatch.setattr(files, "_read", read)
    files.changed(path)
    content = await files.read(path)
    assert content is not None
    assert content.raw == b"it has come"
    gate.set()
    with pytest.raises(FileNotFoundError):
        await before
    assert await files.read(path) is content
