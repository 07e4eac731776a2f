"""Settings: what can be set from outside, as ``PARTYLINE_*`` environment variables.

In flows the environment, out comes one frozen ``Settings``. A value that cannot be understood stops the start
with a SettingsError that names the variable; a ``PARTYLINE_`` variable that no setting bears is warned of.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent

ROOT = _HERE.parent if (_HERE.parent / "www").is_dir() else _HERE / "_root"
"""The folder that holds ``www/`` and ``package.json``: the checkout, or the copy inside the installed package."""


class SettingsError(ValueError):
    """A setting that cannot be understood; the message names the variable and what it takes."""


def _setting(default: Any, doc: str, *, least: int = 1) -> Any:
    """A setting; ``least`` is the smallest number that it takes, where it is one."""
    return field(default=default, metadata={"doc": doc, "least": least})


@dataclass(frozen=True)
class Settings:
    """All settings. A field ``flush_ms`` is read from ``PARTYLINE_FLUSH_MS``."""

    log: str = _setting(
        "sqlite:///partyline.db",
        "Where events are kept: `sqlite:///relative/path`, `sqlite:////absolute/path`, or `memory://`.",
    )
    token: str = _setting("", "If set, publishing over HTTP needs `Authorization: Bearer <token>`.")
    origins: tuple[str, ...] = _setting(
        (), "Origins, besides our own, whose pages may connect and publish; separated by commas: `https://example.org`."
    )
    feeds: tuple[str, ...] = _setting(("host",), "The feeds to run, separated by commas; empty for none.")
    flush_ms: int = _setting(20, "The shortest time between two frames of live events, in milliseconds.")
    retention: int = _setting(100_000, "How many events of each topic are kept.")
    snapshot: int = _setting(200, "How many of a topic's last events a newcomer is given.")
    replay: int = _setting(
        10_000, "How many events a returning browser may be behind before it is given a snapshot instead."
    )
    heartbeat_ms: int = _setting(15_000, "How long the server stays silent on a socket at most, in milliseconds.")
    max_frame: int = _setting(262_144, "The largest frame taken from a socket, in bytes of UTF-8.")
    max_body: int = _setting(4_194_304, "The largest HTTP body taken, in bytes.")
    buffer_bytes: int = _setting(
        8_388_608, "How much of the newest live events each server process keeps encoded, in bytes."
    )
    assets: str = _setting("", "The folder of the prepared browser files; empty for the usual place.")
    proxies: int = _setting(
        0, "How many proxies of yours stand in front, whose `X-Forwarded-*` headers are believed.", least=0
    )

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings. Raises SettingsError for a value that cannot be understood."""
        values: dict[str, Any] = {}
        for each in fields(Settings):
            text = environment.get(_variable(each.name))
            if text is not None:
                values[each.name] = _parse(_variable(each.name), each.default, text, each.metadata["least"])
        return Settings(**values)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The ``PARTYLINE_`` variables that no setting bears: most likely misspelt."""
    known = {_variable(each.name) for each in fields(Settings)}
    return sorted(name for name in environment if name.startswith("PARTYLINE_") and name not in known)


def _variable(name: str) -> str:
    return f"PARTYLINE_{name.upper()}"


def _parse(variable: str, default: Any, text: str, least: int) -> Any:
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, int):
        if not text.strip().isascii() or not text.strip().isdigit() or int(text) < least:
            raise SettingsError(f"{variable} is {text!r}; it must be a whole number of at least {least}.")
        return int(text)
    return text.strip()
