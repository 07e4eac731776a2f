"""Pictures by the name of IPython's class: from bytes and from files, with a size, or a clear error."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

import reports
from ipython import Image

PNG = b"\x89PNG\r\n\x1a\n and so on"
JPEG = b"\xff\xd8\xff\xe0 and so on"
GIF = b"GIF89a and so on"


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(("data", "mime"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif")])
def test_bytes_and_files_are_pictures(tmp_path: Path, data: bytes, mime: str) -> None:
    assert reports.bundle(Image(data)) == ({mime: coded(data), "text/plain": "<Image>"}, {})
    file = tmp_path / "picture"
    file.write_bytes(data)
    for image in (Image(str(file)), Image(file), Image(filename=str(file)), Image(bytearray(data))):
        assert reports.bundle(image)[0][mime] == coded(data)


def test_its_size_and_its_words_go_along() -> None:
    data, metadata = reports.bundle(Image(PNG, width=30, height=20.5, alt="A plot"))
    assert metadata == {"image/png": {"width": 30, "height": 20.5}}
    assert data["text/plain"] == "A plot"
    assert reports.bundle(Image(PNG, width=30))[1] == {"image/png": {"width": 30}}


def test_a_format_that_is_told_counts() -> None:
    assert reports.bundle(Image(b"odd", format="jpg"))[0]["image/jpeg"] == coded(b"odd")


@pytest.mark.parametrize(
    ("given", "kind", "says"),
    [
        ({"filename": "no-such.png"}, FileNotFoundError, "'no-such.png'.*Python's own disk"),
        ({"data": "no-such.png"}, FileNotFoundError, "'no-such.png'.*Python's own disk"),
        ({"data": "https://example.org/a.png"}, ValueError, "no pictures from other addresses"),
        ({"url": "https://example.org/a.png"}, ValueError, "no pictures from other addresses"),
        ({"data": b"<svg/>"}, ValueError, "PNG, JPEG or GIF"),
        ({"data": PNG, "format": "tiff"}, ValueError, "not 'tiff'"),
        ({}, TypeError, "bytes, or the name of a file"),
        ({"data": 5}, TypeError, "bytes, or the name of a file"),
        ({"data": PNG, "width": "30px"}, TypeError, "number"),
    ],
)
def test_what_is_no_picture_is_told(given: dict[str, Any], kind: type[Exception], says: str) -> None:
    with pytest.raises(kind, match=says):
        Image(**given)
