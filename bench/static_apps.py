"""What ``bench.static`` compares: Partyline with a chunk size of the bench's choice, and Quart's own way to send files.

``hypercorn bench.static_apps:partyline`` and ``…:baseline`` answer at the same addresses: the prepared files, and a
small request to be timed meanwhile.
"""

from __future__ import annotations

import os

from quart import Quart, Response, send_from_directory

from server import app as partyline
from server import files
from server.assets import default_out

__all__ = ["baseline", "partyline"]

files.CHUNK = int(os.environ.get("BENCH_CHUNK", files.CHUNK))

baseline = Quart("baseline", static_folder=None)


@baseline.get("/assets/<path:name>")
async def asset(name: str) -> Response:
    """A file, as Quart sends it."""
    return await send_from_directory(default_out(), name)


@baseline.get("/api/status")
async def status() -> dict[str, int]:
    """Something small."""
    return {"seq": 0}
