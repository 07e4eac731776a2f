"""Signing in as a teacher: ``/sign-in`` takes ``PARTYLINE_TOKEN`` and gives a signed, HttpOnly cookie for it.

The cookie holds a digest of the token, so a changed token signs everybody out (https://quart-auth.readthedocs.io).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from quart import Blueprint, Quart, Response, ResponseReturnValue, request
from quart_auth import Action, AuthUser, QuartAuth

from .auth import check_origin, same
from .checks import InputError
from .config import Settings
from .limits import Buckets
from .pages import Site

COOKIE = "partyline-teacher"
DURATION_SECONDS = 30 * 24 * 3600


class TeacherAuth(QuartAuth):
    """Quart-Auth, whose cookie is marked Secure where the request came over TLS; a class may have plain HTTP alone."""

    async def after_request(self, response: Response) -> Response:
        """Set or delete the cookie, if this request signed in or out."""
        self.cookie_secure = request.is_secure
        return await super().after_request(response)


class SignIn:
    """The pages, and who is signed in. ``attempts`` bounds how often an address may give a wrong token."""

    def __init__(self, settings: Settings, site: Site, attempts: Buckets) -> None:
        self._settings = settings
        self._site = site
        self._attempts = attempts
        self._auth = TeacherAuth(
            attribute_name="partyline_teacher",
            cookie_name=COOKIE,
            cookie_samesite="Lax",
            duration=DURATION_SECONDS,
            salt="partyline.teacher",
        )
        digest = hmac.new(settings.token.encode(), b"partyline teacher", hashlib.sha256)
        self._teacher = f"teacher {digest.hexdigest()}"

    def register(self, app: Quart, secret: str) -> None:
        """Add the pages to the app; cookies are signed with ``secret``."""
        app.secret_key = secret
        self._site.is_teacher = self.is_teacher
        self._auth.init_app(app)
        routes = Blueprint("sign-in", __name__)
        add: Callable[..., None] = routes.add_url_rule
        add("/sign-in", "form", self.form, methods=["GET"])
        add("/sign-in", "sign-in", self.sign_in, methods=["POST"])
        add("/sign-out", "sign-out", self.sign_out, methods=["POST"])
        app.register_blueprint(routes)

    def is_teacher(self) -> bool:
        """Whether the request comes from who is signed in."""
        known = self._auth.load_user().auth_id
        return bool(self._settings.token) and known is not None and same(known, self._teacher)

    async def form(self) -> ResponseReturnValue:
        """The page with the form."""
        return self._page(200, "")

    async def sign_in(self) -> ResponseReturnValue:
        """Take the token; on to the home page, or the form again."""
        form = await request.form
        check_origin(request, self._settings.origins)
        wait = self._attempts.of(request.remote_addr or "").try_take()
        if wait:
            return self._page(429, f"Too many attempts from this address. Try again in {wait:.0f} seconds.", wait)
        if not self._settings.token or not same(str(form.get("token", "")).strip(), self._settings.token):
            return self._page(401, "That is not this server's token.")
        self._auth.login_user(AuthUser(self._teacher, Action.WRITE_PERMANENT))
        return Response(b"", 303, {"Location": "/"})

    async def sign_out(self) -> ResponseReturnValue:
        """Forget the cookie."""
        await request.get_data()
        check_origin(request, self._settings.origins)
        self._auth.logout_user()
        return Response(b"", 303, {"Location": "/sign-in"})

    def _page(self, status: int, problem: str, wait: float = 0.0) -> Response:
        if not self._settings.token:
            raise InputError(
                "no_token", "This server has no PARTYLINE_TOKEN, so there is nothing to sign in with.", 404
            )
        headers = {"Cache-Control": "no-store", **({"Retry-After": f"{wait:.0f}"} if wait else {})}
        return self._site.render("sign-in", status, headers, problem=problem)
