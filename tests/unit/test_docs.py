"""The docs say what is true: settings, frame kinds, error codes, close codes; and the files they name are there."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from line import Line
from partyline import protocol
from server import cells_help, config_help
from server.config import Settings
from server.connection import ENDINGS
from server.metrics import SOURCES
from server.pages import PAGES
from tests.running import ROOT
from tests.unit.source import close_codes, error_codes, frames, handled


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next."""
    return re.split(r"\n##+ ", re.split(rf"\n##+ {heading}\n", text, maxsplit=1)[1], maxsplit=1)[0]


def rows(text: str, heading: str) -> set[str]:
    """The names in code marks in the first cells of the table below a heading."""
    cells = re.findall(r"^\| ([^|]*) \|", section(text, heading), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)} | {
        cell for cell in cells if cell.isdigit()
    }


def test_every_setting_is_documented_with_its_default() -> None:
    assert read("docs/settings.md") == config_help.markdown(), "run: make docs"
    for each in fields(Settings):
        assert f"PARTYLINE_{each.name.upper()}" in config_help.plain()


def test_all_that_cells_may_call_is_documented() -> None:
    """As it is in the source; what cells are given is there, and so is each public method."""
    text = read("docs/reference/line.md")
    assert text == cells_help.markdown(), "run: make docs"
    given = ast.parse(read("www/worker/workshop.py"))
    named = {
        key.value
        for node in ast.walk(given)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert {"line", "chart", "check"} <= named <= set(re.findall(r"^## `(\w+)`$", text, re.MULTILINE))
    methods = {name for name in vars(Line) if not name.startswith("_")}
    assert methods == set(re.findall(r"^### `line\.(\w+)\(\)`$", text, re.MULTILINE))


@pytest.mark.parametrize("code", cells_help.examples())
def test_examples_for_cells_are_python(code: str) -> None:
    """The signatures too, but for what they say of their types."""
    if " -> " not in code.splitlines()[-1]:
        compile(code, "an example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def test_every_frame_kind_is_documented() -> None:
    text = read("docs/protocol.md")
    assert rows(text, "From the client") == set(protocol.CLIENT_KINDS)
    assert rows(text, "From the server") == set(protocol.SERVER_KINDS)


def test_every_frame_the_server_sends_is_documented_with_its_fields() -> None:
    sent = frames("connection", "fanout", "line", "peer", "presence")
    assert set(sent) == set(protocol.SERVER_KINDS)
    text = section(read("docs/protocol.md"), "From the server")
    for kind, names in sent.items():
        assert names <= set(re.findall(r"`([a-z]+)`", cell(text, kind))), kind


def cell(text: str, kind: str) -> str:
    """The fields of a kind, the second cell of its row."""
    (fields_of_kind,) = re.findall(rf"^\| [^|]*`{kind}`[^|]* \|([^|]*)\|", text, re.MULTILINE)
    return str(fields_of_kind)


def test_every_kind_between_worker_and_tabs_is_documented() -> None:
    text = read("docs/protocol.md")
    assert rows(text, "A tab says") == set(protocol.TAB_KINDS)
    told, heard = rows(text, "A tab is told"), rows(text, "All tabs are told")
    assert handled("tab", folder="www/py") - {protocol.CLEARED} <= told | heard
    assert heard - set(protocol.SERVER_KINDS) == {protocol.LINE, protocol.TABS, protocol.OUTBOX}
    made = set(frames("session", "publishing", folder="www/worker")) - {protocol.ALIVE, *protocol.TAB_KINDS}
    assert made <= told | heard


def test_every_frame_between_worker_and_tabs_is_documented_with_its_fields() -> None:
    text = read("docs/protocol.md")
    said = frames("tab", folder="www/py")
    made = frames("session", "publishing", folder="www/worker")
    assert protocol.HELLO in said
    assert protocol.JOINED in made
    for heading, found in [("A tab says", said), ("A tab is told", made), ("All tabs are told", made)]:
        for kind in rows(text, heading) & set(found):
            fields_of_kind = cell(section(text, heading), kind)
            if "as from the server" in fields_of_kind:
                fields_of_kind += cell(section(text, "From the server"), kind)
            assert found[kind] <= set(re.findall(r"`([a-z]+)`", fields_of_kind)), (heading, kind)
    (relay,) = re.findall(r"^(\{\"kind\": \"relay\".*\})$", section(text, "All tabs are told"), re.MULTILINE)
    assert set(json.loads(relay)) == set(protocol.decode_header(protocol.envelope(1, 0, "", "", "").split("\n")[0]))


def test_every_error_code_of_the_worker_is_documented() -> None:
    codes = error_codes("session", "publishing", "tabs", folder="www/worker")
    assert len(codes) > 10
    text = read("docs/protocol.md")
    told = set(re.findall(r"`([a-z_]+)`", cell(section(text, "A tab is told"), "error")))
    assert codes - rows(text, "Error codes") <= told
    assert told - {"code", "message", "id"} <= codes


def test_every_error_code_is_documented_and_none_is_made_up() -> None:
    codes = error_codes("peer", "checks", "line", "connection")
    assert len(codes) > 15
    assert rows(read("docs/protocol.md"), "Error codes") == codes


def test_every_close_code_is_documented() -> None:
    codes = {str(value) for name, value in vars(protocol).items() if name.startswith("CLOSE_")}
    assert rows(read("docs/protocol.md"), "Close codes") == codes
    used = set(close_codes("line", "connection", "peer")) - {"code"}
    assert len(used) > 2
    assert all(hasattr(protocol, name.removeprefix("protocol.")) for name in used), used


def test_the_labels_of_metrics_are_documented() -> None:
    text = read("docs/how-to/operate.md")
    for metric, names in {
        "connections_closed": {"reason", "client", "slow", "failed", *ENDINGS.values()},
        "events_appended": {"source", *SOURCES},
    }.items():
        (row,) = re.findall(rf"^\| `partyline_{metric}_total` (\|.*\|)$", text, re.MULTILINE)
        assert set(re.findall(r"`([a-z_]+)`", row)) == names


PAGES_OF_DOCS = [path for folder in ("docs", "examples") for path in (ROOT / folder).rglob("*.md")]
DOCS = ["README.md", "CHANGELOG.md", *sorted(path.relative_to(ROOT).as_posix() for path in PAGES_OF_DOCS)]


@pytest.mark.parametrize("name", DOCS)
def test_links_and_named_files_are_there(name: str) -> None:
    text = read(name)
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("https://") or (folder / target).exists(), target
    for path in re.findall(r"`((?:server|www|tests|docs|examples)/[\w./-]+)`", text):
        if not path.startswith("server/_root"):  # only in an installed package
            assert Path(ROOT / path).exists(), path


def test_every_page_has_its_html_and_its_python() -> None:
    for page in PAGES.values():
        assert (ROOT / "www" / f"{page}.html").is_file()
        assert (ROOT / "www" / "py" / f"{page}.py").is_file()


def test_what_happens_when_names_tests_that_are_there() -> None:
    text = read("docs/explanation/what-happens-when.md")
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 15
    for file, test in named:
        path = ROOT / (file if "/" in file else f"tests/browser/{file}")
        assert f"def {test}" in path.read_text(), f"{file}::{test}"


def test_the_notebooks_keys_are_documented() -> None:
    tree = ast.parse(read("www/py/commands.py"))
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id != "SVG"
    }
    commands = [command for command in values["COMMANDS"] if command]
    table = section(read("docs/how-to/notebook.md"), "Keys")
    told = {
        label: set(re.findall("`([^`]+)`", keys)) for label, keys in re.findall(r"^\| (.+) \| (.*) \|$", table, re.M)
    }
    for name, key, label, _ in commands:
        more = {each for each, command in values["MORE_KEYS"].items() if command == name}
        assert told[label] == {key, *more} - {""}, label
    assert set().union(*told.values()) == {key for _, key, _, _ in commands if key} | set(values["MORE_KEYS"])
