"""The socket under fire: any bytes, any text, any JSON, frames in any order, and WebSocket itself spoken wrongly.

Whatever a client does, the server answers the next one, holds no connection that is gone, tells no fault in its log,
and says only error and close codes that docs/protocol.md names. ``PARTYLINE_FUZZ=50`` makes fifty times as many.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from partyline import protocol
from tests.running import ROOT, Server

TIMES = int(os.environ.get("PARTYLINE_FUZZ", "1"))
QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}
SECONDS = 20
PROTOCOL = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"`([a-z_]+)`", PROTOCOL.split("## Error codes")[1].split("\n## ")[0]))
CLOSE_CODES = {value for name, value in vars(protocol).items() if name.startswith("CLOSE_")}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of them, which is well at the end."""
    server = Server(tmp_path_factory.mktemp("fuzzed"), LOG_LEVEL="warning", BUFFER_BYTES="100000")
    server.start()
    server.post("room", [{"data": number} for number in range(10)])
    yield server
    try:
        no_socket_is_left(server)
        assert "Traceback" not in server.log
    finally:
        server.kill()


def no_socket_is_left(server: Server) -> None:
    deadline = time.monotonic() + SECONDS
    while server.status()["sockets"] and time.monotonic() < deadline:
        time.sleep(0.02)
    status = server.status()
    assert (status["sockets"], status["browsers"]) == (0, 0)


# frames: each field right, wrong, or missing

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()))
any_json = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
topics = st.sampled_from(["room", "room.*", "host.cpu", "a" * 200, "a" * 201, "", ".", "a..b", "*", "ünï"])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from([*protocol.CLIENT_KINDS, *protocol.SERVER_KINDS, "dance"]),
    "protocol": st.sampled_from([protocol.VERSION, protocol.VERSION, 99]),
    "browser": st.text(max_size=5) | st.just("b" * 201),
    "cursor": st.fixed_dictionaries(
        {}, optional={"epoch": st.text(max_size=3), "seq": st.integers(-(2**70), 2**70) | st.floats()}
    ),
    "resume": st.lists(topics, max_size=5),
    "subscribe": st.lists(topics, max_size=5) | st.just([f"t{number}" for number in range(201)]),
    "topics": st.lists(topics, max_size=5),
    "topic": topics,
    "id": st.text(max_size=5) | st.just("i" * 201),
    "data": any_json,
    "identity": st.none() | st.text(max_size=5),
    "tabs": st.integers(-1, 1001),
    "count": st.integers(-1, 1001),
}
halves = st.fixed_dictionaries({}, optional={name: each | any_json for name, each in FIELDS.items()})
hellos = st.fixed_dictionaries(
    {"kind": st.just("hello"), "protocol": FIELDS["protocol"]},
    optional={name: FIELDS[name] for name in ("cursor", "resume", "subscribe", "tabs", "identity")},
)
publishes = st.fixed_dictionaries(
    {"kind": st.just("publish"), "topic": st.just("room"), "id": FIELDS["id"], "data": any_json}
)
subscriptions = st.fixed_dictionaries(
    {"kind": st.sampled_from(["subscribe", "unsubscribe"]), "topics": FIELDS["topics"]}
)
frames = (hellos | publishes | subscriptions | halves | any_json).map(json.dumps)
deep = st.integers(1, 50_000).map(lambda depth: f'{{"kind": "publish", "data": {"[" * depth}')
texts = frames | deep | st.text(st.characters(codec="utf-8"))
messages = st.lists(texts | texts | st.binary(max_size=300), max_size=12)


@settings(max_examples=120 * TIMES, **QUIET)
@given(said=messages)
@example(said=['{"kind": "hello", "protocol": 1, "cursor": {"epoch": "x", "seq": 1e999}}'])
@example(said=['{"kind": "publish", "id": "a", "topic": "room", "data": 1e999}', "[" * 200_000])
def test_whatever_is_said_is_answered_or_ended_as_documented(fuzzed: Server, said: list[str | bytes]) -> None:
    hello = {"kind": "hello", "protocol": protocol.VERSION}
    probe = {"kind": "publish", "id": f"probe-{random.random()}", "topic": "probe", "data": None}
    with connect(fuzzed.ws_url, max_size=None) as line:
        try:
            for message in [*said, json.dumps(hello), json.dumps(probe)]:
                line.send(message)
            heard = until_answered(line, probe["id"])
        except ConnectionClosed as closed:
            # who goes on sending to a closed connection may get TCP's reset before he has read why
            assert closed.rcvd is None or closed.rcvd.code in CLOSE_CODES
        else:
            codes = {frame["code"] for frame in heard if frame["kind"] == protocol.ERROR}
            assert codes <= DOCUMENTED
            assert {frame["kind"] for frame in heard} <= set(protocol.SERVER_KINDS)


def until_answered(line: ClientConnection, reference: object) -> list[dict[str, Any]]:
    """The headers of all frames up to the ack with this id."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1].get("id") != reference:
        text = line.recv(timeout=SECONDS)
        assert isinstance(text, str)
        heard.append(protocol.decode(text)[0])
    return heard


# WebSocket itself, spoken wrongly (RFC 6455)

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


def raw_frame(flags: int, opcode: int, masked: bool, declared: int | None, payload: bytes) -> bytes:
    """A frame of RFC 6455, section 5.2; ``declared`` is the length that it claims, where that is not its own."""
    length = len(payload) if declared is None else declared
    mask_bit = 128 if masked else 0
    head = bytes([flags << 4 | opcode])
    if length < 126:
        head += bytes([mask_bit | length])
    elif length < 65_536:
        head += struct.pack("!BH", mask_bit | 126, length)
    else:
        head += struct.pack("!BQ", mask_bit | 127, length)
    return head + (bytes(4) if masked else b"") + payload  # masked with zeros: as it is


lengths = st.none() | st.sampled_from([0, 1, 125, 126, 65_535, 65_536, 2**31, 2**62, 2**63, 2**64 - 1])
payloads = st.binary(max_size=200) | frames.map(lambda text: text.encode(errors="surrogatepass"))
raw_frames = st.builds(raw_frame, st.integers(0, 15), st.integers(0, 15), st.booleans(), lengths, payloads)
good_frames = st.builds(raw_frame, st.just(8), st.sampled_from([1, 2, 8, 9, 10]), st.just(True), st.none(), payloads)
fragments = st.builds(raw_frame, st.just(0), st.sampled_from([0, 1, 2]), st.just(True), st.none(), payloads)
streams = st.lists(raw_frames | good_frames | fragments | st.binary(max_size=50), max_size=8).map(b"".join)
handshakes = st.sampled_from([HANDSHAKE + b"\r\n", HANDSHAKE + DEFLATE + b"\r\n"])
half_handshakes = st.integers(0, len(HANDSHAKE)).map(lambda end: HANDSHAKE[:end])
odd_handshakes = st.builds(lambda name, value: HANDSHAKE + name + b": " + value + b"\r\n\r\n", st.binary(), st.binary())


@settings(max_examples=150 * TIMES, **QUIET)
@given(opening=handshakes | handshakes | half_handshakes | odd_handshakes, stream=streams)
@example(opening=HANDSHAKE + b"\r\n", stream=raw_frame(8, 1, True, 2**63 - 1, b"x" * 1000))
@example(opening=HANDSHAKE + b"\r\n", stream=raw_frame(8, 1, False, None, b"unmasked"))
@example(opening=HANDSHAKE + b"\r\n", stream=raw_frame(8, 1, True, None, b"\xff\xfe"))
@example(opening=HANDSHAKE + b"\r\n", stream=raw_frame(8, 8, True, None, b"\x00"))
@example(opening=HANDSHAKE + DEFLATE + b"\r\n", stream=raw_frame(12, 1, True, None, b"not deflated"))
def test_websocket_spoken_wrongly_harms_nobody(fuzzed: Server, opening: bytes, stream: bytes) -> None:
    attack(fuzzed, opening, stream)
    assert fuzzed.status()["version"]


def attack(server: Server, opening: bytes, stream: bytes) -> None:
    """Send these, take what is answered to the opening, and go without a word."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as raw:
        try:
            raw.sendall(opening)
            if opening.endswith(b"\r\n\r\n"):
                raw.recv(4096)
            raw.sendall(stream)
            raw.shutdown(socket.SHUT_WR)
            raw.recv(4096)
        except OSError:
            pass  # the server has hung up, or takes its time


@pytest.mark.slow
def test_memory_stays_flat_under_hostile_connections(fuzzed: Server) -> None:
    rounds = 1000 * TIMES
    process = psutil.Process(fuzzed.spawned.pid)
    chance = random.Random(1)
    sizes = []
    for _ in range(4):
        for _ in range(rounds):
            hostile(fuzzed, chance)
        no_socket_is_left(fuzzed)
        sizes.append(process.memory_info().rss)
    print("resident MB after each round:", [round(size / 1e6, 1) for size in sizes])
    per_connection = (sizes[3] - sizes[1]) / (2 * rounds)
    assert per_connection < 4_000, sizes  # a connection that is not let go of takes more


def hostile(server: Server, chance: random.Random) -> None:
    """One connection out of a few kinds: garbage, a half-sent large message, a flood, an unread socket."""
    kind = chance.randrange(4)
    if kind == 0:
        stream = chance.randbytes(2000)
    elif kind == 1:
        stream = raw_frame(8, 1, True, 10_000_000, b"x" * 50_000)
    elif kind == 2:
        stream = raw_frame(0, 1, True, None, b"x" * 60_000) + raw_frame(0, 0, True, None, b"x" * 60_000)
    else:
        hello = json.dumps({"kind": "hello", "protocol": 1, "subscribe": ["room"]})
        ask = json.dumps({"kind": "subscribe", "topics": ["room"]}).encode()
        stream = raw_frame(8, 1, True, None, hello.encode()) + 50 * raw_frame(8, 1, True, None, ask)
    attack(server, HANDSHAKE + b"\r\n", stream)
