"""``python -m server``: prepare the browser's files, see that the port is free, then be ``hypercorn server:app``."""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import sys

import psutil

from . import assets, config_help
from .config import ROOT, Settings


def main() -> None:
    """Parse the command line and become the server. Exits with a message where it can't start."""
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description=__doc__,
        epilog="All else is set by PARTYLINE_* environment variables: --settings lists them.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (default: %(default)s)")
    parser.add_argument("--settings", action="store_true", help="print what can be set, and end")
    options = parser.parse_args()
    if options.settings:
        print(config_help.plain(), end="")
        return
    out = assets.default_out(Settings.from_environment().assets)
    try:
        assets.prepare(ROOT, out, lambda line: print(line, flush=True))
    except assets.AssetsError as error:
        sys.exit(f"partyline: {error}")
    _check_port(options.host, options.port)
    host = f"[{options.host}]" if ":" in options.host else options.host
    everywhere = options.host in ("0.0.0.0", "::")  # noqa: S104
    shown = "localhost" if everywhere or options.host == "127.0.0.1" else host
    print(f"\n  Partyline: open http://{shown}:{options.port}/ in a browser. Ctrl-C ends it.", flush=True)
    for address in _own_addresses() if everywhere else ():
        print(f"  From other machines: http://{address}:{options.port}/", flush=True)
    print(flush=True)
    command = [sys.executable, "-m", "hypercorn", "server:app", "--workers", "0"]
    command += ["--bind", f"{host}:{options.port}"]
    if importlib.util.find_spec("uvloop") is not None:
        command += ["--worker-class", "uvloop"]
    os.execv(sys.executable, command)  # noqa: S606


def _own_addresses() -> list[str]:
    """This machine's IPv4 addresses in its networks."""
    found = [each.address for addresses in psutil.net_if_addrs().values() for each in addresses
             if each.family == socket.AF_INET and not each.address.startswith("127.")]  # fmt: skip
    return sorted(found)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"partyline: {host} port {port} cannot be used: {error.strerror}. "
                f"Is another server running there? End it, or choose another: --port {port + 1}."
            )


if __name__ == "__main__":
    main()
