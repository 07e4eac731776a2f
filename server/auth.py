"""Who may do what: whose pages may connect, and who may publish over HTTP. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from urllib.parse import urlsplit


def origin_allowed(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """Whether a request from a page of ``origin`` may act on us (RFC 6455, section 10.2).

    Browsers always send an Origin with a WebSocket and with a cross-site POST; no Origin means no browser.
    """
    if origin is None or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def token_allowed(authorization: str | None, token: str) -> bool:
    """Whether an ``Authorization`` header bears the token (RFC 6750, section 2.1). Compared in constant time."""
    if not token:
        return True
    scheme, _, given = (authorization or "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
