"""One connection's protocol, as the server keeps it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline import protocol
from server.log import Draft
from server.peer import Append, Close, Effect, Peer, Say, Start, Subscribe, Tabs, Unsubscribe

HELLO = {"kind": "hello", "protocol": protocol.VERSION, "cursor": None, "subscribe": ["room"]}


def make_peer(*, ready: bool = True) -> Peer:
    peer = Peer("b1", max_frame=1000, browser_of={"signed b2": "b2"}.get)
    if ready:
        peer.receive(json.dumps(HELLO))
    return peer


def refusals(effects: list[Effect]) -> list[str]:
    return [json.loads(effect.text)["code"] for effect in effects if isinstance(effect, Say)]


def test_hello_starts_the_stream() -> None:
    hello = {**HELLO, "cursor": {"epoch": "e", "seq": 5}, "resume": ["host.*"]}
    effects = make_peer(ready=False).receive(json.dumps(hello))
    assert effects == [Start("b1", ("e", 5), frozenset({"host.*"}), frozenset({"room"}), 1)]


def test_a_token_proves_another_browser_and_a_claim_does_not() -> None:
    (start,) = make_peer(ready=False).receive(json.dumps({**HELLO, "identity": "signed b2", "tabs": 3}))
    assert isinstance(start, Start)
    assert (start.browser, start.tabs) == ("b2", 3)
    (start,) = make_peer(ready=False).receive(json.dumps({**HELLO, "browser": "b1"}))
    assert isinstance(start, Start)
    said, close = make_peer(ready=False).receive(json.dumps({**HELLO, "browser": "b2"}))
    assert refusals([said]) == ["not_yours"]
    assert close == Close(protocol.CLOSE_POLICY, "not your browser id")


def test_tabs_and_signs_of_life() -> None:
    peer = make_peer()
    assert peer.receive('{"kind": "alive"}') == []
    assert peer.receive('{"kind": "tabs", "count": 0}') == [Tabs(0)]
    assert refusals(peer.receive('{"kind": "tabs", "count": "many"}')) == ["bad_count"]


def test_another_version_is_told_and_closed() -> None:
    said, close = make_peer(ready=False).receive(json.dumps({**HELLO, "protocol": 99}))
    assert refusals([said]) == ["wrong_version"]
    assert close == Close(protocol.CLOSE_VERSION, "wrong protocol version")


def test_publish_subscribe_unsubscribe() -> None:
    peer = make_peer()
    publish = {"kind": "publish", "id": "a", "topic": "room", "data": {"text": "é"}}
    assert peer.receive(json.dumps(publish)) == [Append(Draft("room", "a", '{"text":"é"}', "b1"))]
    assert peer.receive('{"kind": "subscribe", "topics": ["host.*"]}') == [Subscribe(frozenset({"host.*"}))]
    assert peer.patterns == {"room", "host.*"}
    assert peer.receive('{"kind": "unsubscribe", "topics": ["room"]}') == [Unsubscribe(frozenset({"room"}))]
    assert peer.patterns == {"host.*"}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", "not_json"),
        ("", "not_json"),
        (b"{}", "not_text"),
        ("[1]", "not_object"),
        ("null", "not_object"),
        ("{}", "no_kind"),
        ('{"kind": 5}', "no_kind"),
        ('{"kind": "dance"}', "unknown_kind"),
        ('{"kind": "welcome"}', "unknown_kind"),
        ('{"kind": "publish", "id": "a", "data": 1}', "no_topic"),
        ('{"kind": "publish", "id": "a", "topic": "r m", "data": 1}', "bad_topic"),
        ('{"kind": "publish", "id": "a", "topic": "room"}', "no_data"),
        ('{"kind": "publish", "topic": "room", "data": 1}', "bad_id"),
        ('{"kind": "subscribe", "topics": "room"}', "bad_topic"),
        ('{"kind": "subscribe", "topics": [["room"]]}', "bad_topic"),
        ('{"kind": "subscribe", "topics": ["*"]}', "bad_topic"),
        ('{"kind": "hello", "protocol": 1, "browser": "b"}', "hello_twice"),
        ('{"kind": "publish", "id": "a", "topic": "room", "data": "%s"}' % ("x" * 1000), "too_large"),
        ('{"kind": "publish", "id": "a", "topic": "room", "data": "%s"}' % ("é" * 500), "too_large"),
        ('{"kind": "subscribe", "topics": [' + "[" * 300 + "]" * 300 + "]}", "too_deep"),
    ],
)
def test_a_wrong_frame_gets_one_error_and_changes_nothing(message: str | bytes, code: str) -> None:
    peer = make_peer()
    assert refusals(peer.receive(message)) == [code]
    assert peer.patterns == {"room"}
    assert isinstance(peer.receive('{"kind": "subscribe", "topics": ["x"]}')[0], Subscribe)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"identity": "forged"}, "bad_identity"),
        ({"identity": 5}, "bad_identity"),
        ({"tabs": -1}, "bad_count"),
        ({"tabs": True}, "bad_count"),
        ({"cursor": 5}, "bad_cursor"),
        ({"cursor": {"epoch": "e", "seq": -1}}, "bad_cursor"),
        ({"cursor": {"epoch": "e", "seq": True}}, "bad_cursor"),
        ({"cursor": {"epoch": "e", "seq": 2**63}}, "bad_cursor"),
        ({"resume": [1]}, "bad_topic"),
        ({"subscribe": {}}, "bad_topic"),
    ],
)
def test_a_wrong_hello_may_be_said_again(change: dict[str, object], code: str) -> None:
    peer = make_peer(ready=False)
    assert refusals(peer.receive(json.dumps({**HELLO, **change}))) == [code]
    assert isinstance(peer.receive(json.dumps(HELLO))[0], Start)


def test_hello_comes_first() -> None:
    assert refusals(make_peer(ready=False).receive('{"kind": "subscribe", "topics": []}')) == ["hello_first"]


def test_an_error_names_the_frame_it_answers() -> None:
    (said,) = make_peer().receive('{"kind": "publish", "id": "a7", "topic": "r m", "data": 1}')
    assert isinstance(said, Say)
    assert json.loads(said.text)["id"] == "a7"


def test_a_connection_holds_only_so_many_topics() -> None:
    peer = Peer("b1", max_frame=100_000, browser_of=lambda token: None)
    peer.receive(json.dumps(HELLO))
    topics = [f"t{number}" for number in range(protocol.MAX_PATTERNS)]
    assert refusals(peer.receive(json.dumps({"kind": "subscribe", "topics": topics}))) == ["too_many_topics"]
    assert peer.patterns == {"room"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3),
    max_leaves=8,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from([*protocol.CLIENT_KINDS, *protocol.SERVER_KINDS]) | JSON,
        "protocol": st.just(1) | JSON,
        "browser": st.just("b") | JSON,
        "cursor": st.fixed_dictionaries({"epoch": st.text(), "seq": st.integers()}) | JSON,
        "resume": st.lists(st.sampled_from(["room", "host.*"]) | JSON) | JSON,
        "subscribe": st.lists(st.sampled_from(["room", "host.*"]) | JSON) | JSON,
        "topics": st.lists(st.sampled_from(["room", "host.*"]) | JSON) | JSON,
        "id": st.text() | JSON,
        "topic": st.just("room") | JSON,
        "data": JSON,
    },
)


@given(st.lists(st.text() | st.binary() | FRAMES.map(json.dumps), max_size=6))
def test_whatever_comes_it_never_raises_and_always_answers(messages: list[str | bytes]) -> None:
    peer = make_peer(ready=False)
    for message in messages:
        effects = peer.receive(message)
        assert effects
        for effect in effects:
            if isinstance(effect, Say):
                json.loads(effect.text)["message"].encode()
