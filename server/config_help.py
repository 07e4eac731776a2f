"""The settings, written out for people: ``python -m server.config_help`` prints docs/settings.md.

In flow the fields of ``Settings``, out comes their text; ``make docs`` keeps the file in line, and a test compares.
"""

from __future__ import annotations

import textwrap
from dataclasses import Field, fields
from typing import Any

from .config import Settings, variable

_INTRODUCTION = """\
# Settings

All are environment variables. A value that can't be understood stops the start and is named; a `PARTYLINE_` variable
that no setting bears is warned of. `python -m server --settings` prints them too. This file is made from
`server/config.py` by `make docs`.

| variable | default | what it sets |
|---|---|---|
"""


def markdown() -> str:
    """The whole of docs/settings.md."""
    rows = []
    for each in fields(Settings):
        default = _default(each)
        shown = f"`{default}`" if default else ""
        rows.append(f"| `{variable(each.name)}` | {shown} | {each.metadata['doc']} |\n")
    return _INTRODUCTION + "".join(rows)


def plain() -> str:
    """The settings for a terminal, a paragraph each."""
    paragraphs = []
    for each in fields(Settings):
        default = f" (default: {_default(each)})" if _default(each) else ""
        text = textwrap.fill(
            each.metadata["doc"].replace("`", ""), 100, initial_indent="    ", subsequent_indent="    "
        )
        paragraphs.append(f"{variable(each.name)}{default}\n{text}\n")
    return "\n".join(paragraphs)


def _default(each: Field[Any]) -> str:
    return ",".join(each.default) if isinstance(each.default, tuple) else str(each.default)


if __name__ == "__main__":
    print(markdown(), end="")
