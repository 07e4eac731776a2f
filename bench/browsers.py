"""Browsers to measure in, each with a profile on disk, as people have them: caches and IndexedDB cost what they cost.

    with chromium() as browser:
        browser.open(url); browser.evaluate("performance.now()"); browser.leave()

One tab at a time; ``leave`` closes it, so that its workers end.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from tests.browser.chromium import FLAGS
from tests.install import executable
from tests.running import free_port

SECONDS = 60

FIREFOX_PREFERENCES = {
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


class NotThereError(Exception):
    """This browser, or what drives it, is not installed."""


class Browser(Protocol):
    """A browser with one tab at a time."""

    name: str

    def open(self, url: str) -> None:
        """A new tab."""

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the tab, as JSON has it; of a Promise, what it resolves to."""

    def leave(self) -> None:
        """Close the tab, and keep the browser."""


class _Chromium:
    def __init__(self, context: Any) -> None:
        self.name = f"Chromium {context.browser.version}" if context.browser else "Chromium"
        self._context = context

    def open(self, url: str) -> None:
        self._page = self._context.new_page()
        self._page.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self._page.evaluate(expression)

    def leave(self) -> None:
        self._page.close()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Driven by Playwright."""
    from playwright.sync_api import sync_playwright

    path = executable()
    if path is None:
        raise NotThereError("Chromium is not installed (python tests/install.py installs it)")
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(profile, executable_path=path, args=list(FLAGS))
        yield _Chromium(context)
        context.close()


class _Firefox:
    def __init__(self, marionette: Any) -> None:
        self.name = f"Firefox {marionette.session_capabilities['browserVersion']}"
        self._marionette = marionette
        self._empty = marionette.current_window_handle

    def open(self, url: str) -> None:
        self._marionette.switch_to_window(self._marionette.open(type="tab", focus=True)["handle"])
        self._marionette.navigate(url)

    def evaluate(self, expression: str) -> Any:
        script = f"const done = arguments[0]; (async () => {expression})().then(value => done([value]), String)"
        answer = self._marionette.execute_async_script(script, sandbox=None, script_timeout=SECONDS * 1000)
        if not isinstance(answer, list):
            raise RuntimeError(answer)
        return answer[0]

    def leave(self) -> None:
        self._marionette.close()
        self._marionette.switch_to_window(self._empty)


@contextlib.contextmanager
def firefox() -> Iterator[Browser]:
    """Driven by Marionette, which Firefox brings."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    try:
        from marionette_driver.marionette import Marionette
    except ImportError:
        raise NotThereError("the package marionette_driver is not installed") from None
    if path is None:
        raise NotThereError("Firefox is not installed")
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        preferences = {**FIREFOX_PREFERENCES, "marionette.port": port}
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
        Path(profile, "user.js").write_text("".join(lines))
        command = [path, "--headless", "--marionette", "--no-remote", "--profile", profile]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env={**os.environ, "HOME": profile}, **quiet)  # type: ignore[call-overload]
        try:
            marionette = Marionette(host="127.0.0.1", port=port)
            deadline = time.monotonic() + SECONDS
            while True:
                try:
                    marionette.start_session()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.2)
            yield _Firefox(marionette)
            marionette.delete_session()
        finally:
            process.terminate()
            process.wait(SECONDS)
