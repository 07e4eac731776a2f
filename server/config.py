"""Settings: what can be set from outside, as ``PARTYLINE_*`` environment variables.

In flows the environment, out comes one frozen ``Settings``. A value that cannot be understood stops the start
with a SettingsError that names the variable; a ``PARTYLINE_`` variable that no setting bears is warned of.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from . import logs, rules
from .rules import PerTopic

_HERE = Path(__file__).resolve().parent

ROOT = _HERE.parent if (_HERE.parent / "www").is_dir() else _HERE / "_root"
"""The folder that holds ``www/`` and ``package.json``: the checkout, or the copy inside the installed package."""


class SettingsError(ValueError):
    """A setting that cannot be understood; the message names the variable and what it takes."""


def _setting(
    default: Any, doc: str, read: Callable[[str], int] = rules.read_count, *, choices: tuple[str, ...] = ()
) -> Any:
    """``read`` reads a number, or each number of a rule by topic; ``choices`` are the only values, if given."""
    return field(default=default, metadata={"doc": doc, "read": read, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """All settings. A field ``flush_ms`` is read from ``PARTYLINE_FLUSH_MS``."""

    log: str = _setting(
        "sqlite:///partyline.db",
        "Where events are kept: `sqlite:///relative/path`, `sqlite:////absolute/path`, "
        "`nats://host:port/stream` (NATS JetStream; `tls://` too, and `user:password@` before the host), or `memory://`.",
    )
    token: str = _setting(
        "",
        "If set, publishing over HTTP needs `Authorization: Bearer <token>`, or a browser that signed in with it at "
        "`/sign-in`. What pages say goes over their sockets, and needs none.",
    )
    origins: tuple[str, ...] = _setting(
        (), "Origins, besides our own, whose pages may connect and publish; separated by commas: `https://example.org`."
    )
    secret: str = _setting(
        "",
        "What browsers' identities and sign-ins are signed with; several machines need the same. Empty for one that is "
        "made once and kept for this user.",
    )
    feeds: tuple[str, ...] = _setting(
        ("host",),
        "The feeds to run, separated by commas; empty for none: `clock`, `host`, `pendulum`, `walk`, "
        "and files of your own: `path/to/my_feeds.py`.",
    )
    lessons: str = _setting(
        "",
        "A folder of lessons of your own: `.ipynb` files, as Jupyter writes them. They stand beside ours, or in the "
        "place of those of the same name.",
    )
    packages: str = _setting(
        "",
        "A folder of Python packages for notebooks: wheels that cells can import. What is fetched for them is kept "
        "there, too. Empty for one in the user's cache.",
    )
    packages_from: str = _setting(
        "https://cdn.jsdelivr.net/pyodide/v{version}/full/",
        "Where this server fetches packages of Pyodide's, such as numpy, when a cell first imports them; `{version}` "
        "is Pyodide's. Empty for nowhere: then the folder must have them.",
    )
    pypi: str = _setting(
        "pip",
        "The index from which this server fetches what cells install: `pip` for the one that pip is set to here, "
        "mostly PyPI; or an address, which must answer in JSON (PEP 691). Empty for none.",
    )
    flush_ms: int = _setting(20, "The shortest time between two frames of live events, in milliseconds.")
    retention: PerTopic = _setting(  # noqa: RUF009
        PerTopic(100_000), "How many events of a topic are kept; by topic: `100000, host.*=3600, room=500`."
    )
    retention_age: PerTopic = _setting(  # noqa: RUF009
        PerTopic(0),
        "How long events are kept, `90s`, `15m`, `12h` or `7d`; `0` for ever; by topic as above.",
        rules.read_duration,
    )
    snapshot: PerTopic = _setting(  # noqa: RUF009
        PerTopic(200),
        "How many of a topic's last events a newcomer is given; 1 for its latest only; by topic as above.",
    )
    replay: int = _setting(
        10_000, "How many events a returning browser may be behind before it is given a snapshot instead."
    )
    heartbeat_ms: int = _setting(15_000, "How long the server stays silent on a socket at most, in milliseconds.")
    worker_silence_ms: int = _setting(
        10_000,
        "How long a browser's worker may leave its tabs without an answer, in milliseconds, before they replace it.",
    )
    worker_busy_ms: int = _setting(
        120_000,
        "The same while a notebook's cell runs there, which may be inside one long computation; after "
        "`PARTYLINE_WORKER_SILENCE_MS` it is said. Where a browser cannot suspend Python, as long as it takes.",
    )
    memory_snapshot: str = _setting(
        "on",
        "Whether browsers keep a copy of Python's memory, 31 MB, from which it starts in a fraction of the time: `on`; "
        "or `off`, where nothing outlives a visit, as with guest accounts, and making it is in vain.",
        choices=("on", "off"),
    )
    max_frame: int = _setting(262_144, "The largest frame taken from a socket, in bytes of UTF-8.")
    max_body: int = _setting(4_194_304, "The largest HTTP body taken, in bytes.")
    rate: int = _setting(500, "How many frames a second a socket is read at most; four seconds' worth at once.")
    address_rate: int = _setting(
        10_000, "How many events a second one address may publish at most; four seconds' worth at once."
    )
    sockets_per_address: int = _setting(20_000, "How many sockets one address may hold open in each process.")
    buffer_bytes: int = _setting(
        8_388_608, "How much of the newest live events each server process keeps encoded, in bytes."
    )
    assets: str = _setting("", "The folder of the prepared browser files; empty for the usual place.")
    proxies: int = _setting(
        0, "How many proxies of yours stand in front, whose `X-Forwarded-*` headers are believed.", rules.read_number
    )

    log_format: str = _setting(
        "text", "The server's own log, on stderr: `text`, or `json`: one JSON object a line.", choices=logs.FORMATS
    )
    log_level: str = _setting(
        "info", "From which level on it is written: `debug`, `info`, `warning`, `error`.", choices=logs.LEVELS
    )

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings. Raises SettingsError for a value that cannot be understood."""
        values: dict[str, Any] = {}
        for each in fields(Settings):
            text = environment.get(variable(each.name))
            if text is not None:
                values[each.name] = _parse(each, text)
        return Settings(**values)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The ``PARTYLINE_`` variables that no setting bears: most likely misspelt."""
    known = {variable(each.name) for each in fields(Settings)}
    return sorted(name for name in environment if name.startswith("PARTYLINE_") and name not in known)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"PARTYLINE_{name.upper()}"


def _parse(setting: Field[Any], text: str) -> Any:
    default, choices = setting.default, setting.metadata["choices"]
    if choices:
        if text.strip().lower() not in choices:
            raise SettingsError(f"{variable(setting.name)} is {text!r}; it must be one of: {', '.join(choices)}.")
        return text.strip().lower()
    if isinstance(default, tuple):
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
        if setting.name == "origins":
            _check_origins(parts)
        return parts
    try:
        if isinstance(default, PerTopic):
            return rules.parse(text, setting.metadata["read"])
        if isinstance(default, int):
            read: Callable[[str], int] = setting.metadata["read"]
            return read(text.strip())
    except ValueError as error:
        raise SettingsError(f"{variable(setting.name)} is {text!r}: {error}.") from None
    return text.strip()


def _check_origins(origins: tuple[str, ...]) -> None:
    """An origin as browsers say it is a scheme and a host, and a port where it has one (RFC 6454, section 6.1)."""
    for origin in origins:
        if not re.fullmatch(r"https?://[^/\s*]+", origin):
            raise SettingsError(
                f"PARTYLINE_ORIGINS has {origin!r}, which is no origin: it takes a scheme and a host, no path, such as "
                "https://example.org or http://localhost:3000."
            )
