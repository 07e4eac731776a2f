"""How many idle sockets one process holds, and what each costs in memory.

    python -m bench.idle [--connections 10000] [--seconds 40]

Starts Partyline under Hypercorn, opens the sockets, which say hello and subscribe to a topic, and holds them for longer
than a client may be silent, answering heartbeats as browsers do. Then posts one event and counts to how many it comes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.crowd import Crowd, resident_bytes
from server.limits import raise_file_limit
from tests.running import Server

SPARE_FILES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=40.0)
    options = parser.parse_args()
    limit = raise_file_limit()
    if limit < options.connections + SPARE_FILES:
        sys.exit(f"This process may open {limit} files; {options.connections} sockets need more (ulimit -n).")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), hypercorn=("--workers", "0", "--worker-class", "uvloop"))
        server.start()
        try:
            _measure(server, options.connections, options.seconds)
        finally:
            server.kill()


def _measure(server: Server, connections: int, seconds: float) -> None:
    pid = server.spawned.pid
    before = resident_bytes(pid)
    hello = {"kind": "hello", "protocol": 1, "cursor": None, "resume": [], "subscribe": ["room"]}
    start = time.perf_counter()
    crowd = Crowd(server.port, connections, hello=json.dumps(hello))
    print(f"{connections:,} sockets opened, one after the other, in {time.perf_counter() - start:.1f} s")
    used = crowd.hold(seconds, pid)
    status = server.status()
    print(f"after {seconds:g} s the server counts {status['sockets']:,} sockets of {status['browsers']:,} browsers")
    grown = resident_bytes(pid) - before
    print(f"memory: {before / 1e6:.0f} MB before, {grown / 1e6:.0f} MB more")
    print(f"that is {grown / connections / 1024:.1f} KiB a socket")
    print(f"while idle, heartbeats and all, the process took {100 * used / seconds:.0f} % of a core")
    start = time.perf_counter()
    server.post("room", {"data": "one event for everybody", "id": "one"})
    got = crowd.count(b"one event for everybody", connections, seconds=60)
    print(f"one event came to {got:,} sockets within {time.perf_counter() - start:.2f} s")
    crowd.close()


if __name__ == "__main__":
    main()
