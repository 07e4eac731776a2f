"""Which browser is which: a public id, and a signed token that proves it, kept in an HttpOnly cookie.

The id is told to everybody (presence, ``by`` of an event); the token to its browser alone. So whoever knows an id
cannot speak as it. Signed by HMAC-SHA256 with the server's secret (https://itsdangerous.palletsprojects.com).
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from http.cookies import SimpleCookie
from pathlib import Path

import platformdirs
from itsdangerous import BadSignature, Signer

COOKIE = "partyline-browser"
MAX_AGE_SECONDS = 365 * 24 * 3600

logger = logging.getLogger("partyline.identity")


class Identities:
    """Makes and checks tokens under one ``secret``; servers that share it know each other's browsers."""

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="partyline.browser", key_derivation="hmac", digest_method=hashlib.sha256)
        self._sealer = Signer(secret, salt="partyline.event", key_derivation="hmac", digest_method=hashlib.sha256)

    def new(self) -> str:
        """A new browser's public id: 128 random bits as 32 hexadecimal digits."""
        return secrets.token_hex(16)

    def token(self, browser: str) -> str:
        """What proves to be this browser."""
        return self._signer.sign(browser).decode()

    def browser_of(self, token: str | None) -> str | None:
        """The public id that a token proves; None where it proves none."""
        try:
            return self._signer.unsign(token or "").decode()
        except (BadSignature, UnicodeError):  # half a surrogate pair, which JSON can tell, has no bytes
            return None

    def seal(self, text: str) -> str:
        """An id for what a server tells: the same from all servers, and nobody else can know it beforehand."""
        return self._sealer.get_signature(text).decode()

    def cookie(self, browser: str, *, secure: bool) -> str:
        """The value of a ``Set-Cookie`` header that has the browser keep its token (RFC 6265)."""
        cookie: SimpleCookie = SimpleCookie()
        cookie[COOKIE] = self.token(browser)
        morsel = cookie[COOKIE]
        # Lax and not Strict: who follows a link from another site to a page of ours is still the same browser
        morsel.update({"path": "/", "max-age": str(MAX_AGE_SECONDS), "samesite": "Lax"})
        morsel["httponly"] = True
        morsel["secure"] = secure
        return morsel.OutputString()


def server_secret(given: str) -> str:
    """The secret to sign with: the one that is ``given``, else one that is made once and kept for this user."""
    if given:
        return given
    path = Path(platformdirs.user_data_dir("partyline")) / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _make(path)
        except FileExistsError:
            return path.read_text().strip() or _replace(path)
    except OSError as error:
        logger.warning(
            "= no secret can be kept in %s (%s): browsers will be taken for new ones after a restart, and by other "
            "processes. Set PARTYLINE_SECRET.",
            path,
            error.strerror,
        )
        return secrets.token_hex(32)


def _make(path: Path) -> str:
    """Write a new secret whole or not at all, so that a process that reads it meanwhile never sees half of one."""
    secret = secrets.token_hex(32)
    draft = path.with_name(f"secret.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    try:
        os.link(draft, path)  # fails where another was first
    finally:
        draft.unlink()
    return secret


def _replace(path: Path) -> str:
    path.unlink()
    return _make(path)
