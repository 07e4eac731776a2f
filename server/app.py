"""``create_app``: wires the log, the fan-out, the line, the API, the feeds and the pages, and nothing more."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from quart import Quart, Response

from . import assets, feeds, flow, logs
from .access import Access
from .api import Api
from .auth import Publishers
from .body import LingeringRequest
from .config import ROOT, Settings, SettingsError, unknown_variables
from .edge import Edge
from .errors import Errors
from .fanout import Fanout
from .holds import Over
from .identity import Identities, server_secret
from .lessons import Lessons
from .limits import Buckets, raise_file_limit
from .line import Line
from .log import LogError, open_log, shown
from .metrics import Metrics
from .ops import Ops
from .packages import Packages
from .packages.place import default_folder
from .pages import SECURITY_HEADERS, Site
from .rates import Rates
from .shutdown import listening_ended, postpone_sigterm
from .signin import SignIn
from .watchdog import Watchdog

RETRY_SECONDS = 30.0

GC_THRESHOLD = (50_000, 20, 100)
"""Thousands of sockets are many objects that live long: they are looked through for cycles less often."""

MANY_FILES = 10_500
"""Enough for 10,000 sockets, and for what else a server opens."""

ATTEMPTS_A_SECOND = 0.5
"""How often an address may give a wrong token, after a few at once."""

logger = logging.getLogger("partyline")


def create_app(settings: Settings | None = None) -> Quart:
    """The app, which opens the log and starts the feeds when it is served. Raises SettingsError for bad settings."""
    unknown = unknown_variables() if settings is None else []
    settings = settings or Settings.from_environment()
    logs.set_up(settings.log_format, settings.log_level)
    for name in unknown:
        logger.warning("%s is set, but there is no such setting", name)
    sources = feeds.find(settings.feeds)
    lessons = Lessons(ROOT / "www" / "lessons", settings.lessons)
    try:
        log = open_log(settings.log, retention=settings.retention, retention_age=settings.retention_age)
        log.check()
    except LogError as error:
        raise SettingsError(str(error)) from error
    rates = Rates(time.monotonic)
    metrics = Metrics()
    fanout = Fanout(
        log, flush_seconds=settings.flush_ms / 1000, buffer_bytes=settings.buffer_bytes, rates=rates, metrics=metrics
    )
    secret = server_secret(settings.secret)
    identities = Identities(secret)
    line = Line(settings, log, fanout, identities)
    fanout.on_reset, fanout.on_announced = line.reset, line.attendance.others_changed
    running = feeds.Feeds(sources, metrics.metered(log, "feed"), url=settings.log, max_bytes=settings.max_frame)
    metrics.know_feeds(source.name for source in sources)

    def count_hold(hold: Over) -> None:
        metrics.was_blocked(hold.feed, hold.seconds)
        if hold.feed and hold.stand is not None:
            running.blocked(hold.feed, hold.seconds, hold.stand.short)

    watchdog = Watchdog(running, count_hold)
    packages = Packages(default_folder(settings.packages), settings.packages_from, settings.pypi)
    site = Site(
        ROOT,
        identities,
        packages,
        has_token=bool(settings.token),
        worker_silence=settings.worker_silence_ms / 1000,
        worker_busy=settings.worker_busy_ms / 1000,
        keeps_memory=settings.memory_snapshot == "on",
    )
    line.build = site.build
    attempts = Buckets(ATTEMPTS_A_SECOND, time.monotonic)
    sign_in = SignIn(settings, site, attempts)
    publishers = Publishers(
        settings, identities, is_teacher=sign_in.is_teacher, addresses=line.addresses, attempts=attempts
    )
    tasks: set[asyncio.Task[None]] = set()
    stopping = threading.Event()

    app = Quart("server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.request_class = LingeringRequest
    app.extensions["partyline.line"] = line
    app.register_blueprint(Api(line, metrics.metered(log, "http"), rates, running, publishers).blueprint())
    ops = Ops(line, publishers)
    app.register_blueprint(ops.blueprint())
    app.extensions["partyline.ops"] = ops
    app.register_blueprint(site.blueprint())
    app.register_blueprint(lessons.blueprint())
    app.register_blueprint(packages.blueprint())
    sign_in.register(app, secret)
    line.register(app)
    Errors(site, metrics).register(app)
    flow.install()
    # the edge first: what is logged, and all else, is of the client's own scope
    app.asgi_app = Edge(Access(app.asgi_app, metrics), settings.proxies)  # type: ignore[method-assign]

    def start(job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        tasks.add(task)
        task.add_done_callback(_tell_failure)

    @app.before_serving
    async def open_all() -> None:
        _check_file_limit()
        gc.set_threshold(*GC_THRESHOLD)
        await log.open()
        await fanout.open()
        start(fanout.run())
        start(line.attendance.run())
        out = assets.default_out(settings.assets)
        if not await _serve_prepared(site, out):
            start(_prepare(site, out, stopping))
        running.start()
        watchdog.start()
        postpone_sigterm()
        start(_say_goodbye(line, ops))
        logger.info("= the log %s has epoch %s, seq %d", shown(settings.log), log.epoch, fanout.position)

    @app.after_serving
    async def close_all() -> None:
        stopping.set()
        await running.close()
        watchdog.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await line.attendance.close()
        await packages.close()
        await log.close()

    @app.after_request
    async def secure(response: Response) -> Response:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


async def _serve_prepared(site: Site, out: Path) -> bool:
    """Where the browser's files are prepared already, have them served from the first request on."""
    try:
        manifest = await asyncio.to_thread(assets.load_manifest, out, ROOT)
    except assets.AssetsError:
        return False  # preparing will meet the same, and say so
    if manifest is not None:
        await asyncio.to_thread(site.prepared, manifest, out)
    return manifest is not None


async def _prepare(site: Site, out: Path, stopping: threading.Event) -> None:
    """Have the browser's files ready; until then the pages say how far it is, or what went wrong."""

    def say(line: str) -> None:
        site.progress = line
        logger.info("= %s", line)

    manifest = None
    while manifest is None:
        try:
            manifest = await asyncio.to_thread(assets.prepare, ROOT, out, say, stop=stopping)
        except assets.AssetsError as error:
            say(str(error))
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            logger.exception("the browser's files could not be prepared")
            site.progress = "This failed; the server's log says why. It will be tried again."
            await asyncio.sleep(RETRY_SECONDS)
    await asyncio.to_thread(site.prepared, manifest, out)


def _check_file_limit() -> None:
    limit = raise_file_limit()
    if limit < MANY_FILES:
        logger.warning(
            "= this process may open %d files, so it holds fewer than %d sockets; raise the limit (ulimit -n) for more",
            limit,
            limit,
        )


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("a task of the server ended", exc_info=task.exception())


async def _say_goodbye(line: Line, ops: Ops) -> None:
    await listening_ended()
    ops.stopping = True
    line.shut_down()
    await flow.cut_the_last()
