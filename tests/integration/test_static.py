"""Static files on the wire: nothing but ours is served, the answers are right, and who reads slowly costs little."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import brotli
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.assets import Manifest, default_out, load_manifest
from server.files import CHUNK
from server.pages import PAGES, SECURITY_HEADERS
from tests.running import ROOT, Server

from .raw import Answer, ask


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all, since nothing here changes it."""
    server = Server(tmp_path_factory.mktemp("static"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    manifest = load_manifest(default_out())
    assert manifest is not None
    return manifest


def asset(manifest: Manifest, name: str, package: str = "pyodide") -> str:
    return f"/assets/{manifest.packages[package].folder}/{name}"


def test_the_first_page_is_there_when_the_server_is(make_server: Callable[..., Server]) -> None:
    """Where the files are prepared, nobody is told to wait for them, however early they come."""
    server = make_server()
    server.start()
    assert ask(server.port, b"/").status == 200


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_a_large_file_arrives_whole_in_each_coding(server: Server, manifest: Manifest, coding: str) -> None:
    name = "pyodide.asm.wasm"
    file = manifest.packages["pyodide"].files[name]
    answer = ask(server.port, asset(manifest, name).encode(), Accept_Encoding=coding)
    size = {"identity": file.bytes, "gzip": file.gz, "br": file.br}[coding]
    assert size is not None
    assert size > 2 * CHUNK, "or it is not sent in parts"
    assert (answer.status, answer.headers["content-length"], len(answer.body)) == (200, str(size), size)
    decode = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}[coding]
    on_disk = default_out() / manifest.packages["pyodide"].folder / name
    assert decode(answer.body) == on_disk.read_bytes()


def test_a_browser_over_plain_http_gets_gzip(server: Server, manifest: Manifest) -> None:
    """It does not offer brotli there, but a class has its teacher's machine at such an address."""
    for name, file in manifest.packages["pyodide"].files.items():
        answer = ask(server.port, asset(manifest, name).encode(), Accept_Encoding="gzip, deflate")
        assert answer.headers.get("content-encoding") == (None if file.gz is None else "gzip")
        assert len(answer.body) == (file.bytes if file.gz is None else file.gz)


def test_ranges_of_a_large_file_in_parallel(server: Server, manifest: Manifest) -> None:
    """As a download manager asks, past the borders of the chunks; the parts make the whole."""
    target = asset(manifest, "python_stdlib.zip").encode()
    whole = ask(server.port, target)
    size = len(whole.body)
    step = CHUNK * 3 // 2 + 1

    def part(first: int) -> Answer:
        return ask(server.port, target, Range=f"bytes={first}-{first + step - 1}", If_Range=whole.headers["etag"])

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(part, range(0, size, step)))
    assert {each.status for each in parts} == {206}
    assert b"".join(each.body for each in parts) == whole.body
    assert parts[-1].headers["content-range"].endswith(f"-{size - 1}/{size}")


def test_every_answer_carries_the_security_headers(server: Server, manifest: Manifest) -> None:
    target = asset(manifest, "pyodide.mjs").encode()
    whole = ask(server.port, target)
    answers = {
        200: whole,
        304: ask(server.port, target, If_None_Match=whole.headers["etag"]),
        206: ask(server.port, target, Range="bytes=0-0"),
        416: ask(server.port, target, Range="bytes=99999999-"),
        412: ask(server.port, target, If_Match='"other"'),
        405: ask(server.port, target, b"POST"),
        404: ask(server.port, b"/assets/nothing.js"),
        308: ask(server.port, b"/css//partyline.css"),
        400: ask(server.port, b"nonsense"),
    }
    for status, answer in answers.items():
        assert answer.status == status
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get(name.lower()) == value, (status, name)
    assert answers[416].headers["content-range"] == f"bytes */{len(whole.body)}"
    assert answers[304].body == b""
    assert {"date", "etag", "cache-control", "vary"} <= set(answers[304].headers)
    assert not {"content-length", "content-type", "content-encoding", "transfer-encoding"} & set(answers[304].headers)


def test_head_and_get_have_the_same_headers(server: Server, manifest: Manifest) -> None:
    paths = [asset(manifest, "pyodide.asm.wasm"), "/css/partyline.css", "/favicon.ico", "/", "/worker/boot.json"]
    for path in paths:
        get, head = (ask(server.port, path.encode(), method, Accept_Encoding="gzip") for method in (b"GET", b"HEAD"))
        differ = {"date", "set-cookie"}  # a new browser each time
        kept = [{name: value for name, value in each.headers.items() if name not in differ} for each in (get, head)]
        assert kept[0] == kept[1]
        assert (head.status, head.body, int(head.headers["content-length"])) == (200, b"", len(get.body))


def test_an_error_of_the_http_server_itself_says_nothing(server: Server) -> None:
    """Hypercorn answers what is no HTTP before the app sees it: an empty body, so nothing that needs a policy."""
    for target in (b"/css/\xff", b"/a b"):
        answer = ask(server.port, target)
        assert (answer.status, answer.body) == (400, b"")


# nothing else is served

OURS = {"css", "js", "py"}


def allowed(manifest: Manifest) -> set[bytes]:
    """The content of every file that may be had."""
    www = [path for folder in OURS for path in (ROOT / "www" / folder).rglob("*")] + [ROOT / "www/worker/boot.js"]
    out = default_out()
    assets = [out / package.folder / name for package in manifest.packages.values() for name in package.files]
    return {path.read_bytes() for path in www + assets if path.is_file() and path.suffix}


WORDS = st.sampled_from(
    [
        *(
            "",
            ".",
            "..",
            "...",
            "~",
            "assets",
            "css",
            "js",
            "py",
            "worker",
            "www",
            "server",
            "partyline",
            ".git",
            "build",
        ),
        *("pyproject.toml", "package.json", "manifest.json", "shell.py", "app.py", "HEAD", "boot.js", "partyline.css"),
        *("tab.py", "protocol.py", "home.html", "_layout.html", "etc", "passwd", "C:", "CON", "partyline.db", "nul.py"),
        *("%2e%2e", "%252e%252e", "%c0%ae%c0%ae", "%e0%80%ae", "..%00", "tab.py%00.css", "tab.py::$DATA", "%ff", "..;"),
    ]
)
SLASHES = st.sampled_from(
    ["/", "/", "/", "//", "\\", "%2f", "%5c", "%252f", "%c0%af", "/./", "/../", "/%2e%2e/", "?", "#"]
)
STARTS = st.sampled_from(["/", "/", "/css/", "/py/", "/assets/", "/worker/", "//", "", "http://x/", "file:///", "\\"])
CRAFTED = st.tuples(STARTS, st.lists(st.tuples(WORDS, SLASHES).map("".join), max_size=5), WORDS).map(
    lambda parts: (parts[0] + "".join(parts[1]) + parts[2]).encode()
)
ANY = st.binary(max_size=40).map(lambda raw: b"/" + re.sub(rb"[\r\n]", b"", raw))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=CRAFTED | ANY)
def test_whatever_is_asked_for_only_ours_is_served(server: Server, manifest: Manifest, target: bytes) -> None:
    before = len(server.log)
    answer = ask(server.port, target, Accept_Encoding="identity")
    assert "Traceback" not in server.log[before:]
    assert answer.status in (200, 308, 400, 404)
    if answer.status == 308:
        assert re.match(rf"http://127\.0\.0\.1:{server.port}/", answer.headers["location"])
    if answer.status == 200 and answer.body not in allowed(manifest):
        page = re.search(rb'data-build="', answer.body) or answer.headers["content-type"] == "application/json"
        assert page, f"{target!r} was answered with {answer.body[:200]!r}"


def test_the_fuzzed_paths_can_hit(server: Server, manifest: Manifest) -> None:
    """What the test above would see: a file of ours is known for one, a stranger is not."""
    assert ask(server.port, b"/py/tab.py", Accept_Encoding="identity").body in allowed(manifest)
    assert (ROOT / "pyproject.toml").read_bytes() not in allowed(manifest)
    assert {*PAGES} == {path for path in PAGES if ask(server.port, path.encode()).status == 200}


# a class, and those who do not read


def test_clients_that_do_not_read_cost_a_chunk_each_and_hold_nobody_up(server: Server, manifest: Manifest) -> None:
    """30 ask for 9.6 MB and take a byte; the server's memory does not grow by what they did not take."""
    target = asset(manifest, "pyodide.asm.wasm")
    size = manifest.packages["pyodide"].files["pyodide.asm.wasm"].bytes
    clients = 30
    process = psutil.Process(server.spawned.pid)
    before = process.memory_info().rss
    with ExitStack() as stack:
        stalled = []
        for _ in range(clients):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
            client.settimeout(20)
            client.connect(("127.0.0.1", server.port))
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            stalled.append(client)
        for client in stalled:
            assert client.recv(1) == b"H"
        assert ask(server.port, target.encode(), Accept_Encoding="br").status == 200
        assert process.memory_info().rss - before < clients * size / 10
        rest = 0
        client = stalled[0]
        while rest < size:
            chunk = client.recv(1 << 20)
            assert chunk, "it was given up before it had all"
            rest += len(chunk)


@pytest.mark.parametrize("worker", ["asyncio", "uvloop"])
def test_a_client_that_does_not_read_does_not_hold_up_the_end(
    make_server: Callable[..., Server], manifest: Manifest, worker: str
) -> None:
    server = make_server(hypercorn=("--workers", "0", "--worker-class", worker))
    server.start()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        client.connect(("127.0.0.1", server.port))
        client.sendall(f"GET {asset(manifest, 'pyodide.asm.wasm')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.recv(1) == b"H"
        server.stop()  # raises TimeoutExpired where it does not end
    assert "are cut: 1" in server.log
    assert "Traceback" not in server.log
