"""Where a JetStream is: ``nats://user:password@host:port/stream``, or ``tls://…``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from . import LogError

DEFAULT_PORT = 4222

_STREAM = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True)
class Address:
    """A stream on a NATS server. ``secrets`` are nats-py's arguments that prove who we are; they are never shown."""

    server: str
    stream: str
    secrets: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.server}/{self.stream}"

    __repr__ = __str__

    @staticmethod
    def parse(url: str) -> Address:
        """The address that a URL names. Raises LogError, which says what is wrong, and shows no password."""
        authority, _, path = url.partition("://")[2].partition("/")
        if "@" in path or ("@" in authority and any(each in authority for each in "?#")):
            raise _bad("before the @, the characters / ? # must be written as %2F %3F %23")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or DEFAULT_PORT
        except ValueError as error:
            raise _bad(f"it is no URL: {error}") from None
        stream = parts.path.removeprefix("/")
        if not host:
            raise _bad("it names no host")
        if not _STREAM.fullmatch(stream):
            raise _bad(f"after the host it takes the name of a stream, letters, digits, _ and -; not {stream!r}")
        if parts.query or parts.fragment:
            raise _bad("it takes no ? and no #")
        secrets: tuple[tuple[str, str], ...]
        if parts.password is not None:
            secrets = (("user", unquote(parts.username or "")), ("password", unquote(parts.password)))
        else:
            secrets = (("token", unquote(parts.username)),) if parts.username else ()
        shown_host = f"[{host}]" if ":" in host else host
        return Address(f"{parts.scheme}://{shown_host}:{port}", stream, secrets)


def _bad(why: str) -> LogError:
    return LogError(f"PARTYLINE_LOG cannot be used: {why}. For NATS JetStream it is nats://host:port/stream.")
