"""A sensor in Python, with nothing but the standard library: python examples/sensor.py http://localhost:8000 lab.load

It measures each second and publishes. While the server is away it goes on measuring and keeps what it measured; what
has piled up is then sent in batches. Each reading has an id, so one that is sent twice counts once: nothing is lost,
nothing is there twice. The token is taken from PARTYLINE_TOKEN, if one is needed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import http.client
import itertools
import json
import os
import secrets
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

MAX_KEPT = 100_000
MAX_BATCH = 500
TIMEOUT_SECONDS = 20
MAX_WAIT_SECONDS = 30


def measure() -> object:
    """The reading, any JSON value: put your own sensor here. This is how many processes want the processor."""
    return {"load": os.getloadavg()[0], "time": time.time()}


class Outbox:
    """What is measured and not yet published, in memory. The sensor's thread puts in, the sender takes out."""

    def __init__(self) -> None:
        self._readings: collections.deque[dict[str, object]] = collections.deque()
        self._changed = threading.Condition()
        self._closed = False
        self._prefix = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self._count = 0

    def put(self, data: object) -> None:
        """Keep a reading until it is published. The oldest goes where there are too many, and that is told."""
        with self._changed:
            self._count += 1
            self._readings.append({"id": f"{self._prefix}-{self._count}", "data": data})
            if len(self._readings) > MAX_KEPT:
                self._readings.popleft()
                say(f"more than {MAX_KEPT} readings wait: the oldest is lost")
            self._changed.notify()

    def close(self) -> None:
        """No more will be put in."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def first(self) -> list[dict[str, object]]:
        """The oldest readings, as many as go into a batch. Waits for one; none means that all are published."""
        with self._changed:
            self._changed.wait_for(lambda: self._readings or self._closed)
            return list(itertools.islice(self._readings, MAX_BATCH))

    def published(self, batch: list[dict[str, object]]) -> None:
        """Forget these; the server has them."""
        ids = {reading["id"] for reading in batch}
        with self._changed:
            while self._readings and self._readings[0]["id"] in ids:
                self._readings.popleft()


def send_all(outbox: Outbox, url: str) -> None:
    """Publish what comes into the outbox, batch by batch, each until the server has it."""
    failures = 0
    while batch := outbox.first():
        try:
            publish(url, batch)
        except urllib.error.HTTPError as error:
            why, asked = f"{error.code} {error.read().decode(errors='replace')[:300]}", error.headers.get("Retry-After")
            if error.code != 429 and error.code < 500:
                sys.exit(f"sensor: the server refuses the readings: {why}")
        except (
            OSError,
            http.client.HTTPException,
        ) as error:
            # whether it took the batch before the connection broke does not matter: the ids tell
            why, asked = f"{type(error).__name__}: {error}", None
        else:
            outbox.published(batch)
            failures = 0
            continue
        failures += 1
        wait = float(asked) if asked and asked.isdigit() else min(0.25 * 2**failures, MAX_WAIT_SECONDS)
        say(f"not published, again in {wait:g} seconds ({why})")
        time.sleep(wait)


def publish(url: str, batch: list[dict[str, object]]) -> None:
    """POST the batch; return when it stands in the log. Raises OSError or HTTPException where it may not."""
    headers = {"Content-Type": "application/json"}
    if os.environ.get("PARTYLINE_TOKEN"):
        headers["Authorization"] = f"Bearer {os.environ['PARTYLINE_TOKEN']}"
    request = urllib.request.Request(url, json.dumps(batch).encode(), headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        answer.read()


def measure_all(outbox: Outbox, every: float, count: int | None) -> None:
    """Make the readings, so many or for ever."""
    for _ in range(count) if count is not None else itertools.count():
        try:
            outbox.put(measure())
        except Exception as error:  # a sensor that fails now may do later
            say(f"not measured ({type(error).__name__}: {error})")
        time.sleep(every)
    outbox.close()


def say(text: str) -> None:
    """A line for people."""
    print(f"sensor: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Parse the command line; measure until it is enough, and end when all is published."""
    parser = argparse.ArgumentParser(description="Publish a reading each second.")
    parser.add_argument("server", help="such as http://localhost:8000")
    parser.add_argument("topic", help="such as lab.load")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between readings (default: %(default)s)")
    parser.add_argument("--count", type=int, help="how many readings to make (default: no end)")
    options = parser.parse_args()
    if not options.server.startswith(("http://", "https://")):
        parser.error(f"{options.server!r} is no address of a server; it begins with http:// or https://")
    outbox = Outbox()
    threading.Thread(target=measure_all, args=(outbox, options.every, options.count), daemon=True).start()
    send_all(outbox, f"{options.server.rstrip('/')}/api/topics/{options.topic}/events")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
