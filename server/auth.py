"""Who may do what: whose pages may connect and publish, and who holds the token."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from quart import Request

from .checks import InputError
from .config import Settings
from .identity import COOKIE, Identities
from .limits import Buckets


def origin_allowed(origin: str | None, host: str, allowed: Collection[str], *, secure: bool) -> bool:
    """Whether a request from a page of ``origin`` may act on us (RFC 6455, section 10.2).

    Browsers always send an Origin with a WebSocket and with a cross-site POST; no Origin means no browser. Who was
    asked over TLS (``secure``) takes no page for its own that came without: anyone on its way may have written that.
    The other way round there may be a proxy in front, that took the TLS off.
    """
    if origin is None or origin in allowed:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in (("https",) if secure else ("http", "https")) and parts.netloc.lower() == host.lower()


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same, in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def token_allowed(authorization: str | None, token: str) -> bool:
    """Whether an ``Authorization`` header bears the token (RFC 6750, section 2.1)."""
    if not token:
        return True
    scheme, _, given = (authorization or "").partition(" ")
    return scheme.lower() == "bearer" and same(given.strip(), token)


def check_origin(request: Request, allowed: Collection[str]) -> None:
    """Refuse a request that a page of another origin made: an InputError with status 403."""
    if not origin_allowed(request.headers.get("Origin"), request.host, allowed, secure=request.is_secure):
        raise InputError("bad_origin", "Pages of this origin may not publish.", 403)


class Publishers:
    """Who may publish over HTTP, and how much.

    Args:
        is_teacher: whether the request comes from who is signed in.
        addresses: how many events each address may publish.
        attempts: how often each address may give a wrong token.
    """

    def __init__(
        self,
        settings: Settings,
        identities: Identities,
        *,
        is_teacher: Callable[[], bool],
        addresses: Buckets,
        attempts: Buckets,
    ) -> None:
        self._settings = settings
        self._identities = identities
        self._is_teacher = is_teacher
        self._addresses = addresses
        self._attempts = attempts

    def admit(self, request: Request) -> str:
        """The browser that the request proves to come from, empty for none. Raises InputError: 401, 403 or 429."""
        check_origin(request, self._settings.origins)
        self.check_token(request, "Publishing needs")
        return self._identities.browser_of(request.cookies.get(COOKIE)) or ""

    def check_token(self, request: Request, what: str) -> None:
        """Refuse who neither bears the token, where one is set, nor is signed in. Raises InputError: 401 or 429.

        After some wrong tokens an address waits, whatever it sends: a right guess must not be told from a wrong one.
        ``what`` begins the sentence that says a token is needed.
        """
        authorization = request.headers.get("Authorization")
        if not self._settings.token or self._is_teacher():
            return
        if authorization is None:
            raise InputError("bad_token", f"{what} the header Authorization: Bearer <token>.", 401)
        attempts = self._attempts.of(request.remote_addr or "")
        _refuse_for(attempts.wait(), "Too many wrong tokens")
        if not token_allowed(authorization, self._settings.token):
            attempts.take()
            raise InputError("bad_token", "That is not this server's token.", 401)

    def spend(self, request: Request, events: int) -> None:
        """Count what is about to be published. Raises InputError, status 429, where an address publishes too much."""
        _refuse_for(self._addresses.of(request.remote_addr or "").try_take(events), "Too many events")


def _refuse_for(seconds: float, what: str) -> None:
    if seconds > 0:
        message = f"{what} from this address; try again in {seconds:.1f} seconds. Nothing of this was taken."
        raise InputError("too_many", message, 429, retry_after=seconds)
