"""A notebook in a link: there and back, and links that nobody should open."""

from __future__ import annotations

import base64
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ipynb
import sharing
from shapes import Refused, new_cell, new_notebook

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


def packed(raw: bytes) -> str:
    compress = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.urlsafe_b64encode(compress.compress(raw) + compress.flush()).decode().rstrip("=")


@given(st.lists(st.tuples(st.sampled_from(["code", "markdown", "raw"]), texts), max_size=5))
def test_there_and_back_without_outputs(sources: list[tuple[str, str]]) -> None:
    cells = [new_cell(f"c{index}", kind, source) for index, (kind, source) in enumerate(sources)]
    secret = {"output_type": "stream", "name": "stdout", "text": "secret"}
    shown = [{**cell, "outputs": [secret], "count": 3} if cell["type"] == "code" else cell for cell in cells]
    opened = ipynb.read(sharing.unpack(sharing.pack(new_notebook("mine", shown))), "theirs", lambda: "new").notebook
    assert [(cell["type"], cell["source"], cell["id"]) for cell in opened["cells"]] == [
        (cell["type"], cell["source"], cell["id"]) for cell in cells
    ]
    assert all(cell["outputs"] == [] and cell["count"] is None for cell in opened["cells"])


def test_too_long_for_a_link() -> None:
    noise = random.Random(5).randbytes(100_000).hex()
    with pytest.raises(Refused, match="Save it as a file"):
        sharing.pack(new_notebook("long", [new_cell("a", "code", noise)]))
    with pytest.raises(Refused, match="Save it as a file"):
        sharing.pack(new_notebook("long", [new_cell(f"c{index}", "code", "x" * 900_000) for index in range(6)]))


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("", "characters that none"),
        ("a b", "characters that none"),
        ("A" * (sharing.MAX_LINK + 1), "longer than"),
        (packed(json.dumps({"cells": list(range(500))}).encode())[:-20], "breaks off|damaged"),
        ("_____w", "damaged"),
        (packed(b"\xff\xfe\xfd"), "damaged"),
        (packed(b" " * (sharing.MAX_TEXT + 1)), "more than 5 MB"),
    ],
)
def test_bad_links_say_why(link: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        sharing.unpack(link)


@given(st.text(st.sampled_from("abcXYZ019-_"), max_size=200))
def test_any_other_link_is_refused_or_text(link: str) -> None:
    try:
        assert isinstance(sharing.unpack(link), str)
    except Refused as refused:
        assert refused.code == "bad_link"
