"""Servers to measure: a Hypercorn with one of our apps, or an nginx; each in a process of its own, on a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.running import ROOT, free_port

SECONDS = 60

NGINX = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        location /assets/ {{ alias {files}/; }}
        location = /api/status {{ default_type application/json; return 200 '{{"seq": 0}}'; }}
    }}
}}
"""


def nginx_path() -> str | None:
    """Where nginx is; None where it is not installed."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@contextlib.contextmanager
def hypercorn(app: str, folder: Path, ready: str, worker: str, **environment: str) -> Iterator[tuple[int, int]]:
    """Serve an app; yields its port and its process id once the path ``ready`` is answered."""
    port = free_port()
    given = {name: value for name, value in os.environ.items() if not name.startswith("PARTYLINE_")}
    given |= {"PARTYLINE_LOG": f"sqlite:///{folder / 'events.db'}", "PARTYLINE_FEEDS": "", **environment}
    command = [sys.executable, "-m", "hypercorn", app, "--workers", "0", "--worker-class", worker]
    yield from _run([*command, "--bind", f"127.0.0.1:{port}"], folder, port, ready, given)


@contextlib.contextmanager
def nginx(files: Path, folder: Path, ready: str) -> Iterator[tuple[int, int]]:
    """Serve a folder at /assets/; as above."""
    port, path = free_port(), nginx_path()
    if path is None:
        raise FileNotFoundError("nginx is not installed")
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(user=user, folder=folder, port=port, files=files))
    yield from _run([path, "-p", str(folder), "-c", str(config)], folder, port, ready, dict(os.environ))


def _run(command: list[str], folder: Path, port: int, ready: str, env: dict[str, str]) -> Iterator[tuple[int, int]]:
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + SECONDS
        while not _answers(f"http://127.0.0.1:{port}{ready}"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not serve:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except OSError:
        return False
