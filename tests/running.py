"""A real server for tests: Hypercorn in a process of its own, on a free port, with its own folder and log.

server = Server(folder); server.start(); server.kill(); server.start()   # the same port, the same database
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import trustme

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
STOP_SECONDS = 60
SECRET = "the secret of all servers in tests"


class Server:
    """One server. ``settings`` are PARTYLINE_* variables without the prefix; ``hypercorn`` further arguments."""

    def __init__(self, folder: Path, *, hypercorn: tuple[str, ...] = ("--workers", "0"), **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/ws"
        self.log_file = folder / "server.log"
        self.settings = {"LOG": f"sqlite:///{folder / 'events.db'}", "FEEDS": "", "SECRET": SECRET}
        self.settings |= {"PACKAGES": str(folder / "packages"), "PACKAGES_FROM": "", "PYPI": ""}  # no internet
        self.settings |= {"MEMORY_SNAPSHOT": "off"}  # each browser would make one that is never used
        self.settings |= settings
        self.hypercorn = hypercorn
        self.root = ROOT  # whose server/ and www/ are served
        self.files: int | None = None  # how many files it may open; None for as many as we may
        self.authority: trustme.CA | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def secure(self) -> None:
        """Have it serve over TLS, with a certificate for localhost from an authority that is made for it."""
        self.authority = trustme.CA()
        pem = self.folder / "server.pem"
        self.authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
        self.hypercorn += ("--certfile", str(pem), "--keyfile", str(pem))
        self.url, self.ws_url = f"https://localhost:{self.port}", f"wss://localhost:{self.port}/ws"

    def trust(self) -> ssl.SSLContext:
        """What a client needs to trust it: a context of its own, that may be changed."""
        context = ssl.create_default_context()
        if self.authority is not None:
            self.authority.configure_trust(context)
        return context

    @property
    def log(self) -> str:
        """All that the server has printed."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start the process, and do not wait until it serves."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PARTYLINE_")}
        if "PARTYLINE_ASSETS" in os.environ:
            environment["PARTYLINE_ASSETS"] = os.environ["PARTYLINE_ASSETS"]
        environment.update({f"PARTYLINE_{name}": value for name, value in self.settings.items()})
        command = [sys.executable, "-m", "hypercorn", "server:app", "--bind", f"127.0.0.1:{self.port}", *self.hypercorn]
        if self.files is not None:
            limit = (
                f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, ({self.files}, {self.files}));"
            )
            command = [sys.executable, "-c", f"{limit} os.execv(sys.argv[1], sys.argv[1:])", *command]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        return self._process

    @property
    def spawned(self) -> subprocess.Popen[bytes]:
        """The process that was started last."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process

    def start(self) -> None:
        """Start, and return when it answers."""
        process = self.spawn()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}:\n{self.log}")
            try:
                self.status()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"the server did not answer within {START_SECONDS} s:\n{self.log}")

    def kill(self) -> None:
        """kill -9, the worker processes with it."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=STOP_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=STOP_SECONDS)

    def status(self) -> dict[str, Any]:
        """GET /api/status."""
        return self.get("/api/status")

    def get(self, path: str) -> dict[str, Any]:
        """A GET's JSON. Raises OSError where there is no answer, HTTPError where it is an error."""
        with urllib.request.urlopen(
            self.url + path, timeout=STOP_SECONDS, context=self.trust() if self.authority else None
        ) as response:
            value: dict[str, Any] = json.load(response)
            return value

    def post(self, topic: str, body: object, **headers: str) -> tuple[int, Any]:
        """Publish; returns the HTTP status and the answer's JSON, of errors too."""
        request = urllib.request.Request(
            f"{self.url}/api/topics/{topic}/events",
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(
                request, timeout=STOP_SECONDS, context=self.trust() if self.authority else None
            ) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def settle(self) -> None:
        """Wait until the fan-out has all that is in the log."""
        deadline = time.monotonic() + START_SECONDS
        while self.get("/healthz")["log"]["lag"]:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the fan-out did not catch up within {START_SECONDS} s:\n{self.log}")
            time.sleep(0.005)

    def history(self, topic: str) -> list[dict[str, Any]]:
        """All events of a topic, page by page."""
        events: list[dict[str, Any]] = []
        while True:
            after = events[-1]["seq"] if events else 0
            page = self.get(f"/api/topics/{topic}/events?after={after}&limit=500")
            events += page["events"]
            if not page["more"]:
                return events


def free_port() -> int:
    """A port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
