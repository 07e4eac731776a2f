"""A real nginx before a server, with the very configuration that docs/how-to/behind-a-proxy.md shows."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
import trustme

from tests.install import find
from tests.running import ROOT, free_port

DOC = ROOT / "docs" / "how-to" / "behind-a-proxy.md"
SECONDS = 20

# what nginx needs around it to run in a folder of its own, in the foreground
FRAME = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {block}
}}
"""


class Nginx:
    """One nginx, from its start to ``close``. ``url`` is what a browser would be given, ``plain_url`` leads there."""

    def __init__(self, folder: Path, upstream: int) -> None:
        path = find("nginx")
        if path is None:
            pytest.fail("There is no nginx. On Debian as root: apt install nginx-light", pytrace=False)
        folder.mkdir()
        self.authority = trustme.CA()
        pem = folder / "nginx.pem"
        self.authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(pem)
        self.port, plain = free_port(), free_port()
        self.url, self.ws_url = f"https://localhost:{self.port}", f"wss://localhost:{self.port}/ws"
        self.plain_url = f"http://localhost:{plain}"
        changes = {
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl": f"listen 127.0.0.1:{self.port} ssl",
            "party.example.org;": "localhost;",
            "/etc/letsencrypt/live/party.example.org/fullchain.pem": str(pem),
            "/etc/letsencrypt/live/party.example.org/privkey.pem": str(pem),
        }
        block = documented("nginx")
        for shown, used in changes.items():
            assert shown in block, f"the documented configuration has no {shown}"
            block = block.replace(shown, used)
        user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not enter the folder
        config = folder / "nginx.conf"
        config.write_text(FRAME.format(user=user, folder=folder, block=block))
        self._errors = folder / "error.log"
        self._process = subprocess.Popen([path, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"nginx did not start:\n{self.errors}")
            time.sleep(0.02)

    @property
    def errors(self) -> str:
        """All that nginx complained of."""
        return self._errors.read_text() if self._errors.exists() else ""

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(SECONDS)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


def documented(language: str) -> str:
    """The one code block of a language in the how-to."""
    (block,) = re.findall(rf"```{language}\n(.*?)```", DOC.read_text(), re.DOTALL)
    return str(block)
