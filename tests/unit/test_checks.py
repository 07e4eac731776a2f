"""What comes from outside: JSON text in, values or a clear error out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline.protocol import MAX_DEPTH
from server.auth import origin_allowed, token_allowed
from server.checks import InputError, make_draft, parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        (b"\xff\xfe", "not_json"),
        ("NaN", "not_json"),
        ("[Infinity]", "not_json"),
        ("9" * 5000, "not_json"),
        (nested(MAX_DEPTH + 1), "too_deep"),
        (nested(10_000), "too_deep"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "too_deep"),
    ],
)
def test_what_is_no_good_json_is_refused(text: str | bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_json(text, "The body")
    assert caught.value.code == code
    assert caught.value.message.startswith("The body is ")
    assert len(caught.value.message) < 200


def test_the_deepest_that_is_taken() -> None:
    assert parse_json(nested(MAX_DEPTH), "The body")
    assert parse_json(json.dumps("[" * 1000), "The body") == "[" * 1000


@given(VALUES)
def test_data_comes_out_of_a_draft_as_it_went_in(value: Any) -> None:
    try:
        draft = make_draft("room", "a", value)
    except InputError as error:
        assert error.code == "bad_text"
        assert any(0xD800 <= ord(character) < 0xE000 for character in json.dumps(value, ensure_ascii=False))
    else:
        assert json.loads(draft.data) == value
        assert "\n" not in draft.data


@pytest.mark.parametrize(
    ("topic", "event_id", "data", "code"),
    [
        (None, "a", 1, "no_topic"),
        ("", "a", 1, "bad_topic"),
        ("r m", "a", 1, "bad_topic"),
        ("a..b", "a", 1, "bad_topic"),
        ("x" * 10_000, "a", 1, "bad_topic"),
        (7, "a", 1, "bad_topic"),
        ("host.*", "a", 1, "bad_topic"),
        ("room", "", 1, "bad_id"),
        ("room", "x" * 201, 1, "bad_id"),
        ("room", "a\n", 1, "bad_id"),
        ("room", 5, 1, "bad_id"),
        ("room", "a", float("inf"), "bad_number"),
        ("room", "a", ["\ud800"], "bad_text"),
    ],
)
def test_a_bad_event_is_refused(topic: object, event_id: object, data: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        make_draft(topic, event_id, data)
    assert caught.value.code == code
    assert len(caught.value.message) < 300


def test_an_event_without_an_id_gets_one_of_its_own() -> None:
    assert make_draft("room", None, 1).id != make_draft("room", None, 1).id


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "a.org", True),
        ("http://a.org", "a.org", True),
        ("https://A.org:8443", "a.org:8443", True),
        ("http://a.org", "a.org:8000", False),
        ("http://a.org.evil.example", "a.org", False),
        ("http://evil.example/a.org", "a.org", False),
        ("null", "null", False),
        ("file://a.org", "a.org", False),
        ("https://friend.example", "a.org", True),
        ("http://friend.example", "a.org", False),
        ("", "a.org", False),
    ],
)
def test_origins(origin: str | None, host: str, allowed: bool) -> None:
    assert origin_allowed(origin, host, ("https://friend.example",), secure=False) is allowed


def test_a_page_that_came_without_tls_is_another_origin_than_one_that_came_with_it() -> None:
    assert origin_allowed("https://a.org", "a.org", (), secure=True)
    assert not origin_allowed("http://a.org", "a.org", (), secure=True)
    assert origin_allowed("http://a.org", "a.org", ("http://a.org",), secure=True)


@pytest.mark.parametrize(
    ("authorization", "token", "allowed"),
    [
        (None, "", True),
        (None, "s3cret", False),
        ("Bearer s3cret", "s3cret", True),
        ("bearer  s3cret ", "s3cret", True),
        ("Bearer s3cre", "s3cret", False),
        ("Bearer", "s3cret", False),
        ("Basic s3cret", "s3cret", False),
        ("Bearer \xfc", "\xfc", True),
    ],
)
def test_tokens(authorization: str | None, token: str, allowed: bool) -> None:
    assert token_allowed(authorization, token) is allowed
