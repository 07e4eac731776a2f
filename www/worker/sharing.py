"""A notebook in a link: packed so that it fits into a URL's fragment, which browsers never send to a server. Pure.

    a notebook ──pack──> letters, digits, - and _ ──unpack──> the text of an .ipynb file

Outputs stay behind. It is the file's text, compressed as raw DEFLATE (RFC 1951), in base64url (RFC 4648) without
padding.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import Any

import ipynb
from shapes import Notebook, Refused

MAX_LINK = 100_000
"""Characters of a packed notebook: what browsers and messengers carry without harm."""

MAX_TEXT = 5_000_000
"""Bytes of the file in it: a few characters may stand for very many."""

_PACKED = re.compile(r"[A-Za-z0-9_-]+")
_RAW = -zlib.MAX_WBITS


def pack(notebook: Notebook) -> str:
    """The notebook for a link. Raises Refused where it is too long for one."""
    bare: dict[str, Any] = {"outputs": [], "count": None}
    cells = [{**cell, **bare} if cell["type"] == "code" else cell for cell in notebook["cells"]]
    text = ipynb.write({**notebook, "cells": cells}).encode()
    if len(text) <= MAX_TEXT:
        compress = zlib.compressobj(9, zlib.DEFLATED, _RAW)
        packed = base64.urlsafe_b64encode(compress.compress(text) + compress.flush()).decode().rstrip("=")
        if len(packed) <= MAX_LINK:
            return packed
    raise Refused(
        "too_long",
        f"This notebook is too long for a link of {MAX_LINK:,} characters. Save it as a file, and send that.",
    )


def unpack(packed: str) -> str:
    """The text of the file that was packed; who opens it has still to read it with care. Raises Refused."""
    if len(packed) > MAX_LINK:
        raise Refused("bad_link", f"This link is longer than {MAX_LINK:,} characters, so Partyline has not made it.")
    if _PACKED.fullmatch(packed) is None:
        raise Refused("bad_link", "This link holds characters that none of Partyline's does. Copy it again, whole.")
    try:
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        decompress = zlib.decompressobj(_RAW)
        text = decompress.decompress(raw, MAX_TEXT + 1)
        if len(text) > MAX_TEXT:
            raise Refused("bad_link", f"The notebook in this link has more than {MAX_TEXT / 1e6:.0f} MB.")
        if not decompress.eof:
            raise Refused("bad_link", "This link breaks off before its end. Copy it again, whole.")
        return text.decode()
    except (zlib.error, binascii.Error, UnicodeDecodeError):
        raise Refused("bad_link", "This link is damaged. Copy it again, whole.") from None
