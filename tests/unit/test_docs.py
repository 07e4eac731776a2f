"""The docs say what is true: settings, frame kinds, error codes, close codes; and the files they name are there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from partyline import protocol
from server.config import Settings
from server.pages import PAGES
from tests.running import ROOT


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(text: str, heading: str) -> set[str]:
    """The names in code marks in the first cells of the table below a heading."""
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| ([^|]*) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)} | {
        cell for cell in cells if cell.isdigit()
    }


def test_every_setting_is_documented_with_its_default() -> None:
    text = read("docs/settings.md")
    for each in fields(Settings):
        default = ",".join(each.default) if isinstance(each.default, tuple) else str(each.default)
        shown = f"`{default}`" if default else ""
        assert f"| `PARTYLINE_{each.name.upper()}` | {shown} | {each.metadata['doc']} |" in text
    assert text.count("| `PARTYLINE_") == len(fields(Settings))


def test_every_frame_kind_is_documented() -> None:
    text = read("docs/protocol.md")
    assert rows(text, "From the client") == set(protocol.CLIENT_KINDS)
    assert rows(text, "From the server") == set(protocol.SERVER_KINDS)


def test_every_error_code_is_documented() -> None:
    raised = re.compile(r'(?:InputError|refusal)\(\s*"([a-z_]+)"')
    socket = {code for name in ("peer", "checks", "line") for code in raised.findall(read(f"server/{name}.py"))}
    assert len(socket) > 15
    assert socket - rows(read("docs/protocol.md"), "Error codes") == set()
    http = {code for name in ("api", "checks") for code in raised.findall(read(f"server/{name}.py"))}
    named = set(re.findall(r"`([a-z_]+)`", read("docs/api.md")))
    assert http - named == {"no_topic"}  # over HTTP the topic stands in the address


def test_every_close_code_is_documented() -> None:
    codes = {str(value) for name, value in vars(protocol).items() if name.startswith("CLOSE_")}
    assert rows(read("docs/protocol.md"), "Close codes") == codes


DOCS = ["README.md", "CHANGELOG.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", DOCS)
def test_links_and_named_files_are_there(name: str) -> None:
    text = read(name)
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (folder / target).exists(), target
    for path in re.findall(r"`((?:server|www|tests|docs)/[\w./-]+)`", text):
        if not path.startswith("server/_root"):  # only in an installed package
            assert Path(ROOT / path).exists(), path


def test_every_page_has_its_html_and_its_python() -> None:
    for page in PAGES.values():
        assert (ROOT / "www" / f"{page}.html").is_file()
        assert (ROOT / "www" / "py" / f"{page}.py").is_file()
