"""Files over HTTP: which encoding, which bytes, which status. The pure parts, and the answers of a real app."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Mapping
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from server import files
from server.files import IMMUTABLE, Chunks, Content, Files, code, respond, tag
from server.representations import IDENTITY, RangeError, choose_coding, is_unchanged, parse_range

ALL = ("br", "gzip")


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip, deflate, br, zstd", "br"),  # Chromium over HTTPS
        ("gzip, deflate", "gzip"),  # Chromium over plain HTTP
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("br;q=0", "identity"),
        ("br;q=0.000, gzip;q=0.001", "gzip"),
        ("br;q=0.5,gzip", "gzip"),
        ("br ; q=1.000 , gzip ;Q=1", "br"),
        ("identity;q=0", "identity"),  # nothing that there is would be acceptable
        ("identity;q=0, *", "br"),
        ("identity, br;q=0.9", "identity"),
        ("*;q=0", "identity"),
        ("*;q=0, gzip", "gzip"),
        ("deflate, zstd", "identity"),
        ("br;q=2, gzip;level=9, ,;q=1", "identity"),  # malformed, all of them
        ("brr", "identity"),
    ],
)
def test_the_coding_that_the_client_likes_best(accepted: str | None, chosen: str) -> None:
    assert choose_coding(accepted, ALL) == chosen


def test_only_what_is_there_is_chosen() -> None:
    assert choose_coding("br, gzip;q=0.1", ["gzip"]) == "gzip"
    assert choose_coding("br, gzip", []) == "identity"


WEIGHTS = st.dictionaries(st.sampled_from(["br", "gzip", IDENTITY, "*", "zstd"]), st.integers(0, 1000))


@given(WEIGHTS, st.sets(st.sampled_from(ALL)))
def test_nothing_acceptable_is_liked_better_than_the_chosen(weights: dict[str, int], available: set[str]) -> None:
    chosen = choose_coding(", ".join(f"{name};q={n / 1000:.3f}" for name, n in weights.items()), available)
    least = 0.5  # of identity, where nothing is said of it
    liked = {name: weights.get(name, weights.get("*", 0)) for name in available}
    liked[IDENTITY] = weights.get(IDENTITY, weights.get("*", least))
    assert liked[chosen] == max(liked.values())


@given(st.text(), st.sets(st.sampled_from(ALL)))
def test_any_text_chooses_something(accepted: str, available: set[str]) -> None:
    assert choose_coding(accepted, available) in {IDENTITY, *available}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("BYTES=3-5", (3, 6)),
        ("bytes= 3-5 ", (3, 6)),
        ("bytes=9-", (9, 10)),
        ("bytes=5-999999999999999999999999", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-10", (0, 10)),
        ("bytes=-" + "9" * 5000, (0, 10)),
        ("bytes=000000000000000000000000000000000000000003-5", (3, 6)),
        # malformed, or of another unit, or several: all is sent
        ("", None),
        ("bytes", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-3", None),
        ("bytes=a-b", None),
        ("bytes=1-2-3", None),
        ("bytes=--1", None),
        ("bytes=+1-2", None),
        ("bytes=٣-5", None),
        ("bytes 0-1", None),
        ("lines=0-1", None),
        ("bytes=0-1,3-4", None),
        ("bytes=0-1\n", None),
    ],
)
def test_ranges_of_ten_bytes(text: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(text, 10) == expected


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=-000", "bytes=" + "9" * 5000 + "-"])
def test_ranges_that_are_not_there(text: str) -> None:
    with pytest.raises(RangeError):
        parse_range(text, 10)


@given(st.integers(0, 40), st.one_of(st.none(), st.integers(0, 50)), st.one_of(st.none(), st.integers(0, 50)))
def test_a_range_is_the_bytes_whose_place_is_in_it(size: int, first: int | None, last: int | None) -> None:
    """Against a model that looks at each byte's place."""
    text = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is not None:
        wanted = [place for place in range(size) if place >= first and (last is None or place <= last)]
    else:
        wanted = list(range(size))[-last:] if last else []
    try:
        found = parse_range(text, size)
    except RangeError:
        assert wanted == []
        return
    if found is None:
        malformed = (first is None and last is None) or (first is not None and last is not None and last < first)
        assert malformed or (size == 0 and first is None)
    else:
        assert list(range(*found)) == wanted != []


@given(st.text(), st.integers(0, 100))
def test_any_text_is_a_range_within_the_bytes_or_none(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            found = parse_range(header, size)
        except RangeError:
            continue
        assert found is None or 0 <= found[0] < found[1] <= size


def test_if_range_takes_a_strong_tag_alone() -> None:
    assert is_unchanged(None, "abc")
    assert is_unchanged(' "abc" ', "abc")
    for other in ('"abd"', 'W/"abc"', "abc", '""', "Sun, 22 Nov 2026 09:00:00 GMT", '"abc", "abc"', "*"):
        assert not is_unchanged(other, "abc")


# the answers

RAW = bytes(range(256)) * 8 + b"a" * 3000
CONTENT = Content(RAW, "application/wasm", tag(RAW), code(RAW, ".wasm"))
DECODE = {IDENTITY: bytes, "br": brotli.decompress, "gzip": gzip.decompress}


async def ask(headers: Mapping[str, str], method: str = "GET", content: Content = CONTENT) -> tuple[Response, bytes]:
    """The answer to such a request for ``content``, and its body."""
    async with Quart("test", static_folder=None).test_request_context("/", method=method, headers=dict(headers)):
        try:
            answer = respond(request, content, IMMUTABLE)
        except HTTPException as error:
            return Response(b"", error.code, dict(error.get_headers())), b""
        return answer, b"".join([chunk async for chunk in answer.iter_encode()])


@pytest.mark.parametrize("coding", DECODE)
async def test_each_coding_is_a_representation_of_its_own(coding: str) -> None:
    answer, body = await ask({"Accept-Encoding": coding})
    assert DECODE[coding](body) == RAW
    assert answer.headers.get("Content-Encoding", IDENTITY) == coding
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.headers["Content-Type"] == "application/wasm"
    assert (answer.headers["Vary"], answer.headers["Accept-Ranges"]) == ("Accept-Encoding", "bytes")
    tags = {(await ask({"Accept-Encoding": each}))[0].headers["ETag"] for each in DECODE}
    assert len(tags) == 3


@pytest.mark.parametrize("coding", DECODE)
async def test_head_has_the_headers_of_get_and_no_body(coding: str) -> None:
    get, body = await ask({"Accept-Encoding": coding})
    for headers in ({}, {"Range": "bytes=0-1"}):  # a range is for GET alone
        head, nothing = await ask({"Accept-Encoding": coding, **headers}, "HEAD")
        assert (head.status_code, nothing) == (200, b"")
        assert dict(head.headers) == dict(get.headers)
        assert head.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_tag_that_the_browser_has_is_answered_304(method: str) -> None:
    whole, _ = await ask({"Accept-Encoding": "br"})
    etag = whole.headers["ETag"]
    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer, body = await ask({"Accept-Encoding": "br", "If-None-Match": header, "Range": "bytes=0-1"}, method)
        assert (answer.status_code, body) == (304, b"")
        assert dict(answer.headers) == {name: whole.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
    for header in ('"other"', "", etag.strip('"')[:-1]):
        assert (await ask({"Accept-Encoding": "br", "If-None-Match": header}))[0].status_code == 200
    assert (await ask({"Accept-Encoding": "gzip", "If-None-Match": etag}))[0].status_code == 200


async def test_if_match() -> None:
    etag = (await ask({}))[0].headers["ETag"]
    for header, status in ((etag, 200), ("*", 200), ('"other"', 412), (f"W/{etag}", 412)):
        assert (await ask({"If-Match": header}))[0].status_code == status


async def test_a_range_that_is_not_there_is_told_the_size() -> None:
    answer, _ = await ask({"Range": f"bytes={len(RAW)}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(RAW)}")
    empty, body = await ask({"Range": "bytes=0-"}, content=Content(b"", "text/css", tag(b"")))
    assert (empty.status_code, empty.headers["Content-Range"]) == (416, "bytes */0")
    empty, body = await ask({"Range": "bytes=-1"}, content=Content(b"", "text/css", tag(b"")))
    assert (empty.status_code, empty.headers["Content-Length"], body) == (200, "0", b"")


@pytest.mark.parametrize("coding", DECODE)
async def test_ranges_put_together_are_the_file(coding: str) -> None:
    """A download that broke off and goes on, with If-Range; the range is one of the coded bytes."""
    whole, expected = await ask({"Accept-Encoding": coding})
    parts = []
    size = len(expected)
    for first in range(0, size, 1000):
        headers = {
            "Accept-Encoding": coding,
            "Range": f"bytes={first}-{first + 999}",
            "If-Range": whole.headers["ETag"],
        }
        answer, body = await ask(headers)
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {first}-{min(first + 999, size - 1)}/{size}"
        assert answer.headers["Content-Length"] == str(len(body))
        for name in ("ETag", "Cache-Control", "Vary", "Content-Type", "Content-Encoding"):
            assert answer.headers.get(name) == whole.headers.get(name)
        parts.append(body)
    assert b"".join(parts) == expected
    changed, body = await ask({"Accept-Encoding": coding, "Range": "bytes=0-9", "If-Range": '"older"'})
    assert (changed.status_code, body) == (200, expected)


@given(st.integers(0, 50), st.integers(1, 60))
def test_chunks_put_together_are_the_data(size: int, chunk: int) -> None:
    data = os.urandom(size)

    async def read() -> list[bytes]:
        async with Chunks(memoryview(data), chunk) as body:
            return [each async for each in body]

    chunks = asyncio.run(read())
    assert b"".join(chunks) == data
    assert all(len(each) == chunk for each in chunks[:-1])


async def test_chunks_take_turns() -> None:
    """Two that are read as fast as can be alternate."""
    order: list[str] = []

    async def read(name: str) -> None:
        async with Chunks(memoryview(bytes(30)), 10) as body:
            async for _ in body:
                order.append(name)  # noqa: PERF401 - the others must see it in between

    await asyncio.gather(read("a"), read("b"))
    assert order == ["a", "b"] * 3


async def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "STALL_SECONDS", 0.01)
    with pytest.raises(TimeoutError):
        async with Chunks(memoryview(bytes(30)), 10) as body:
            async for _ in body:
                await asyncio.Event().wait()


# what is found


@pytest.fixture
def www(tmp_path: Path) -> Path:
    folder = tmp_path / "www"
    (folder / "partyline").mkdir(parents=True)
    for name in ("page.html", "partyline/a.py", ".hidden.py", "secret.txt", "pyproject.toml", "plain"):
        (folder / name).write_text(f"# {name}\n")
    (tmp_path / "outside.py").write_text("outside")
    (tmp_path / "www-other.py").write_text("outside")
    return folder


def test_only_known_files_of_the_folder_are_found(www: Path) -> None:
    found = Files(www)
    assert found.find("page.html") is not None
    assert found.find("partyline/a.py") is not None
    for name in (
        *(
            "",
            ".",
            "..",
            "/",
            "plain",
            "secret.txt",
            "pyproject.toml",
            "partyline",
            "partyline/",
            ".hidden.py",
            "none.py",
        ),
        *("../outside.py", "partyline/../../outside.py", "partyline/../page.html", "./page.html", "//page.html"),
        *("..\\outside.py", "partyline\\a.py", "C:page.html", "page.html::$DATA", "page.html\0", "page.html\n"),
        *(str(www.parent / "outside.py"), "../www-other.py", "a" * 5000 + ".py", "pagé.html"),
    ):
        assert found.find(name) is None, name


def test_a_link_may_lead_within_the_folder_and_not_out_of_it(www: Path) -> None:
    (www / "inside.py").symlink_to(www / "partyline" / "a.py")
    (www / "out.py").symlink_to(www.parent / "outside.py")
    (www / "away").symlink_to(www.parent, target_is_directory=True)
    (www / "loop.py").symlink_to(www / "loop.py")
    found = Files(www)
    assert found.find("inside.py") is not None
    for name in ("out.py", "away/outside.py", "loop.py"):
        assert found.find(name) is None, name
    (www.parent / "link").symlink_to(www, target_is_directory=True)
    assert Files(www.parent / "link").find("page.html") is not None, "the folder itself may be one"


def test_a_file_that_becomes_a_link_is_looked_at_anew(www: Path) -> None:
    found = Files(www)
    assert found.find("page.html") is not None
    (www / "page.html").unlink()
    (www / "page.html").symlink_to(www.parent / "outside.py")
    assert found.find("page.html") is None


def test_an_edit_shows(www: Path) -> None:
    found = Files(www)
    before = found.find("page.html")
    assert before is not None
    assert found.find("page.html") is before
    (www / "page.html").write_text("edited")
    after = found.find("page.html")
    assert after is not None
    assert (after.raw, after.etag != before.etag) == (b"edited", True)


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_no_name_finds_what_is_not_in_the_folder(name: str) -> None:
    root = Path(__file__).parent.parent
    content = Files(root / "both").find(name)
    names = {str(path.relative_to(root / "both")) for path in (root / "both").rglob("*.py")}
    assert (content is not None) == (name in names)
