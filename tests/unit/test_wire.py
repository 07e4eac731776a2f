"""Frames as a server puts them on the wire, read back by a library that knows the standard."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from server.wire import text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_frame_of_any_size_is_read_back(size: int) -> None:
    assert read(text_frame("x" * size)) == "x" * size


@given(st.text())
@example("é\u2028\U0001f600")
def test_any_text_is_read_back(text: str) -> None:
    assert read(text_frame(text)) == text


def read(frame: bytes) -> str:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(frame)
    messages = [event for event in client.events() if isinstance(event, TextMessage)]
    assert messages[-1].message_finished
    return "".join(str(message.data) for message in messages)
