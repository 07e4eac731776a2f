"""A simple index of wheels over HTTP (PEP 691), in threads of this process: what PyPI is to a server in tests.

Below ``/files/`` stand the wheels themselves; ``broken`` names those of which other bytes come than the index promises.
No answer comes after ``answering.clear()``, until ``answering.set()``.
"""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from packaging.utils import parse_wheel_filename

TYPE = "application/vnd.pypi.simple.v1+json"


class Index:
    """An index of these wheels, until it is closed. ``asked`` lists the paths that were fetched."""

    def __init__(self, *wheels: Path) -> None:
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.answering = threading.Event()
        self.answering.set()
        self._wheels = {path.name: path for path in wheels}
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.append(self.path)
                index.answering.wait()
                body, kind = index._answer(unquote(self.path))
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def simple(self) -> str:
        """The index's address."""
        return f"{self.url}/simple/"

    @property
    def files(self) -> str:
        """What the wheels are below."""
        return f"{self.url}/files/"

    def close(self) -> None:
        """Answer no more."""
        self.answering.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str) -> tuple[bytes | None, str]:
        _, kind, name, *_ = [*path.split("/"), "", ""]
        if kind == "files" and name in self._wheels:
            raw = self._wheels[name].read_bytes()
            return (raw[:-1] + b"!" if name in self.broken else raw), "application/zip"
        found = [path for path in self._wheels.values() if parse_wheel_filename(path.name)[0] == name]
        if kind != "simple" or not found:
            return None, "text/plain"
        files = [
            {
                "filename": path.name,
                "url": f"../../files/{path.name}",
                "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
            }
            for path in found
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files}).encode(), TYPE
