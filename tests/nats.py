"""A real NATS server with JetStream for tests: a process of its own, on a free port, with its own folder.

nats = Nats(folder); nats.start(); nats.kill(); nats.start()   # the same port, the same streams
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.install import find
from tests.running import free_port

START_SECONDS = 20


class Nats:
    """One server. ``command`` is its command line; more may be added to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log_file = folder / "nats.log"
        self.command = ["nats-server", "-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, stream: str) -> str:
        """The PARTYLINE_LOG of a stream."""
        return f"nats://127.0.0.1:{self.port}/{stream}"

    def start(self) -> None:
        """Start, and return when it takes connections and has its streams back."""
        executable = find(self.command[0])
        if executable is None:
            raise RuntimeError("There is no nats-server. python tests/install.py installs one.")
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen([executable, *self.command[1:]], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    if probe.recv(4) == b"INFO":
                        return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"nats-server did not start:\n{self.log_file.read_text(errors='replace')}")

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Stop its process, as a machine that hangs: connections stay open and nothing answers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, signal_number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal_number)
            process.wait(timeout=20)
