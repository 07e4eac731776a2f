"""``create_app``: wires the log, the fan-out, the line, the API, the feeds and the pages, and nothing more."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from quart import Quart, Response

from . import assets, feeds, flow
from .api import Api
from .config import ROOT, Settings, SettingsError, unknown_variables
from .edge import Edge
from .errors import Errors
from .fanout import Fanout
from .line import Line
from .log import LogError, open_log
from .pages import SECURITY_HEADERS, Site
from .rates import Rates
from .shutdown import listening_ended, postpone_sigterm

RETRY_SECONDS = 30.0

logger = logging.getLogger("partyline")


def create_app(settings: Settings | None = None) -> Quart:
    """The app, which opens the log and starts the feeds when it is served. Raises SettingsError for bad settings."""
    _log_to_stderr()
    if settings is None:
        settings = Settings.from_environment()
        for name in unknown_variables():
            logger.warning("%s is set, but there is no such setting", name)
    for name in settings.feeds:
        feeds.find(name)
    try:
        log = open_log(settings.log, retention=settings.retention)
        log.check()
    except LogError as error:
        raise SettingsError(str(error)) from error
    rates = Rates(time.monotonic)
    fanout = Fanout(log, flush_seconds=settings.flush_ms / 1000, buffer_bytes=settings.buffer_bytes, rates=rates)
    line = Line(settings, log, fanout)
    site = Site(ROOT)
    tasks: set[asyncio.Task[None]] = set()
    stopping = threading.Event()

    app = Quart("server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.register_blueprint(Api(line, rates).blueprint())
    app.register_blueprint(site.blueprint())
    line.register(app)
    Errors(site).register(app)
    flow.install()
    app.asgi_app = Edge(app.asgi_app, settings.proxies)  # type: ignore[method-assign]

    def start(job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        tasks.add(task)
        task.add_done_callback(_tell_failure)

    @app.before_serving
    async def open_all() -> None:
        await log.open()
        await fanout.open()
        start(fanout.run())
        out = assets.default_out(settings.assets)
        if not await _serve_prepared(site, out):
            start(_prepare(site, out, stopping))
        for name in settings.feeds:
            start(feeds.run(name, log))
        postpone_sigterm()
        start(_say_goodbye(line))
        logger.info("= the log %s has epoch %s, seq %d", settings.log, log.epoch, fanout.position)

    @app.after_serving
    async def close_all() -> None:
        stopping.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
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


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("a task of the server ended", exc_info=task.exception())


async def _say_goodbye(line: Line) -> None:
    await listening_ended()
    line.shut_down()
    await flow.cut_the_last()


def _escape(record: logging.LogRecord) -> bool:
    """What came from outside may hold line breaks and the terminal's control characters: show them escaped."""
    text = record.getMessage()
    if not text.isprintable():
        record.msg = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
        record.args = ()
    return True


def _log_to_stderr() -> None:
    """Partyline's own log, where nobody has set up another."""
    if not logger.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        handler.addFilter(_escape)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
