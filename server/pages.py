"""The pages, and the files they are made of: HTML, Python for tabs and worker, and the prepared npm packages.

``/assets/…`` is named by content and kept by the browser for good; all else is asked for again at each load, so an
edited page, style or ``.py`` shows on reload. The worker's Python goes out as one zip, named by its content too.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from quart import Blueprint, Response, ResponseReturnValue, has_request_context, request

from .assets import Manifest
from .checks import InputError
from .files import IMMUTABLE, REVALIDATE, Content, Files, load_prepared, respond, tag
from .identity import COOKIE, Identities
from .modules import Modules, make_modules, make_policy
from .packages import Packages

PAGES = {"/": "home", "/room": "room", "/notebook": "notebooks"}

PAGE_FILES = {
    "notebook": (
        "ansi.py",
        "asking.py",
        "cells.py",
        "commands.py",
        "dialogs.py",
        "early.py",
        "filing.py",
        "hearing.py",
        "kernel_bar.py",
        "left.py",
        "livecharts.py",
        "order.py",
        "outline.py",
        "questions.py",
        "remote.py",
        "rendering.py",
        "said.py",
        "stage.py",
        "texts.py",
    ),
    "notebooks": ("dialogs.py", "filing.py", "left.py", "questions.py", "said.py"),
}
"""The Python of a page that is more than one file, beside what all pages share."""

NOTEBOOK_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")

WORKER_SCRIPTS = ("boot", "fetches", "snapshot", "snapshots", "turns")
"""The worker's JavaScript, without the suffix. All of it counts in the build's hash."""

LOADED = ("pyodide.asm.wasm", "python_stdlib.zip")
"""What Pyodide fetches of its own package when it starts."""

UNUSED_PLUGINS = ("codemirror", "deprecations-manager", "donkey", "py-editor", "py-game", "py-terminal")
"""PyScript loads its plugins on every page unless told not to; ``error``, which shows a traceback, stays."""

SECURITY_HEADERS = {
    "Content-Security-Policy": make_policy(),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Site:
    """What browsers load. ``manifest`` is None until the npm packages are prepared; ``progress`` says how far it is."""

    def __init__(
        self,
        root: Path,
        identities: Identities,
        packages: Packages,
        *,
        has_token: bool,
        worker_silence: float,
        worker_busy: float,
        keeps_memory: bool,
    ) -> None:
        self.identities = identities
        self.packages = packages
        self.worker_silence = worker_silence
        self.worker_busy = worker_busy
        self.keeps_memory = keeps_memory
        self.has_token = has_token
        self.is_teacher: Callable[[], bool] = lambda: False  # set by who knows
        self.www = root / "www"
        self.manifest: Manifest | None = None
        self.progress = "starting"
        self._sources = {folder: Files(self.www / folder) for folder in ("css", "js", "py", "worker")}
        self._assets: Mapping[str, Content] = {}
        self._modules: Modules | None = None
        self._templates = Environment(
            loader=FileSystemLoader(self.www), autoescape=True, undefined=StrictUndefined, auto_reload=True
        )
        self._bundle: tuple[str, Content] | None = None

    def prepared(self, manifest: Manifest, out: Path) -> None:
        """The npm packages stand ready in ``out``: pages may be served. Reads them all, so call it in a thread."""
        self._assets = load_prepared(out, manifest)
        self._modules = make_modules(manifest)
        self.packages.prepared(manifest, out)
        self.manifest = manifest

    def build(self) -> str:
        """The hash of what the browser's worker is made of; a deploy gives another one."""
        return self._make_bundle()[0]

    def blueprint(self) -> Blueprint:
        """The routes, to be registered with an app."""
        routes = Blueprint("pages", __name__)
        add: Callable[..., None] = routes.add_url_rule
        for path, name in PAGES.items():
            add(path, f"page-{name}", self.page, defaults={"name": name})
        add("/notebook/<name>", "page-notebook", self.notebook)
        add("/assets/<path:name>", "assets", self.asset)
        add("/py/<path:name>", "py", self.source, defaults={"folder": "py"})
        add("/js/<path:name>", "js", self.source, defaults={"folder": "js"})
        add("/css/<path:name>", "css", self.source, defaults={"folder": "css"})
        for name in WORKER_SCRIPTS:
            script = {"folder": "worker", "name": f"{name}.js"}
            add(f"/worker/{name}.js", f"worker-{name}", self.source, defaults=script)
        add("/worker/boot.json", "boot-json", self.boot)
        add("/worker/<build>.zip", "bundle", self.bundle)
        add("/favicon.ico", "favicon", self.source, defaults={"folder": "css", "name": "icon.svg"})
        return routes

    async def notebook(self, name: str) -> ResponseReturnValue:
        """The page of one notebook. The server knows no notebooks: the browser has them, by name."""
        if NOTEBOOK_NAME.fullmatch(name) is None:
            message = "A notebook's name is 1 to 60 letters from a to z, digits, - and _. Choose another at /notebook."
            raise InputError("bad_name", message, 404)
        if self._modules is None:
            return await self.page("notebook")
        # CodeMirror writes its styles into an element of its own, which the policy lets in by this number
        nonce = secrets.token_urlsafe(16)
        policy = make_policy(scripts=self._modules.hash, styles=f"'nonce-{nonce}'")
        return await self.page(
            "notebook",
            {"Content-Security-Policy": policy},
            notebook=name,
            modules=self._modules,
            nonce=nonce,
        )

    async def page(self, name: str, headers: Mapping[str, str] | None = None, **values: Any) -> ResponseReturnValue:
        """A page, or word that the npm packages are still being prepared."""
        if self.manifest is None:
            return self.render("preparing", 503, {"Retry-After": "2", "Refresh": "2"})
        browser = self.identities.browser_of(request.cookies.get(COOKIE)) or self.identities.new()
        cookie = self.identities.cookie(browser, secure=request.scheme == "https")
        return self.render(name, 200, {"Set-Cookie": cookie, **(headers or {})}, browser=browser, **values)

    async def asset(self, name: str) -> ResponseReturnValue:
        """A file of an npm package."""
        return self._send(self._assets.get(name), IMMUTABLE)

    async def source(self, folder: str, name: str) -> ResponseReturnValue:
        """A file of ours."""
        return self._send(self._sources[folder].find(name), REVALIDATE)

    async def boot(self) -> ResponseReturnValue:
        """What the worker's ``boot.js`` needs to know: where Pyodide and the bundle are, and their bytes in all."""
        manifest = self._manifest()
        build, bundle = self._make_bundle()
        pyodide = manifest.packages["pyodide"]
        lock = await self.packages.merged()
        body = {
            "build": build,
            "pyodide": f"/assets/{pyodide.folder}/",
            "packages": "/packages/",
            "bundle": f"/worker/{build}.zip",
            "bytes": sum(pyodide.files[name].bytes for name in LOADED) + len(lock.raw) + len(bundle.raw),
        }
        return Response(json.dumps(body), headers={"Cache-Control": "no-store"}, content_type="application/json")

    async def bundle(self, build: str) -> ResponseReturnValue:
        """The worker's Python as a zip."""
        current, content = self._make_bundle()
        return self._send(content if build == current else None, IMMUTABLE)

    def render(
        self,
        name: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        browser: str = "",
        **values: Any,
    ) -> Response:
        """A page's HTML. Browsers ask for it anew each time. It tells the browser its public id."""
        template = self._templates.get_template(f"{name}.html")
        text = template.render(
            asset=self._asset_url,
            tab_config=lambda: self._tab_config(PAGE_FILES.get(name, ())),
            plugins_config=json.dumps({"plugins": [f"!{name}" for name in UNUSED_PLUGINS]}),
            page=name,
            browser=browser,
            has_token=self.has_token,
            teacher=self.has_token and has_request_context() and self.is_teacher(),
            build=self.build(),
            silence=self.worker_silence,
            busy=self.worker_busy,
            keeps_memory=self.keeps_memory,
            progress=self.progress,
            prepared=self.manifest is not None,
            **values,
        )
        response = Response(text, status, dict(headers or {}), content_type="text/html; charset=utf-8")
        response.headers["Cache-Control"] = f"private, {REVALIDATE}"
        return response

    def _send(self, content: Content | None, cache: str) -> Response:
        if content is None:
            raise InputError("not_found", f"There is no {request.path[:200]} here.", 404)
        return respond(request, content, cache)

    def _manifest(self) -> Manifest:
        if self.manifest is None:
            raise InputError("not_prepared", f"The browser's files are still being prepared: {self.progress}", 503)
        return self.manifest

    def _asset_url(self, package: str, name: str) -> str:
        return f"/assets/{self._manifest().packages[package].folder}/{name}"

    def _tab_config(self, more: tuple[str, ...]) -> str:
        """PyScript's configuration of a tab: the interpreter, and which files to lay where in its file system."""
        py = self.www / "py"
        names = sorted(f"partyline/{path.name}" for path in (py / "partyline").glob("*.py"))
        names += ["dom.py", "pace.py", "status.py", "tab.py", "worker.py", *more]
        files = {f"/py/{name}": f"./{name}" for name in names}
        return json.dumps(
            {
                "interpreter": self._asset_url("micropython", "micropython.mjs"),
                "files": files,
                "plugins": [f"!{name}" for name in UNUSED_PLUGINS],
            }
        )

    def _make_bundle(self) -> tuple[str, Content]:
        """The build's hash and its zip, made anew where a file has changed."""
        worker, shared = self.www / "worker", self.www / "py" / "partyline"
        files = {path.name: self._sources["worker"].find(path.name) for path in sorted(worker.glob("*.py"))}
        for path in sorted(shared.glob("*.py")):
            files[f"partyline/{path.name}"] = self._sources["py"].find(f"partyline/{path.name}")
        scripts = [each.etag for name in WORKER_SCRIPTS if (each := self._sources["worker"].find(f"{name}.js"))]
        pyodide = self.manifest.packages["pyodide"].folder if self.manifest is not None else ""
        tags = [pyodide, *scripts, *(f"{name}:{each.etag}" for name, each in files.items() if each)]
        build = hashlib.sha256("\n".join(tags).encode()).hexdigest()[:12]
        if self._bundle is None or self._bundle[0] != build:
            raw = _zip({name: each.raw for name, each in files.items() if each})
            self._bundle = (build, Content(raw, "application/zip", tag(raw)))
        return self._bundle


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in files.items():
            archive.writestr(zipfile.ZipInfo(name), raw, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
