"""Run all tests in two halves beside each other: ``python tests/halves.py``.

Browsers and servers are waited for most of the time; one alone leaves much of a small machine idle. WebKitGTK, which
starts slowly, has its turn in the half that has no other browser. What the other half prints is shown as it comes, and
the browsers' after it. Every run leaves a report in build/test, for tests/ran.py. With arguments for pytest there is
one run as they say, in the foreground.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

REPORTS = Path("build/test")
WEBKIT = "webkit"
BROWSERS = ["tests/browser", "-k", f"not {WEBKIT}"]
REST = {"rest": ["tests/unit", "tests/both", "tests/integration"], WEBKIT: ["tests/browser", "-k", WEBKIT]}


def command(run: str, arguments: list[str]) -> list[str]:
    """The command that runs these tests and leaves a report of them."""
    return [sys.executable, "-m", "pytest", f"--junitxml={REPORTS / run}.xml", *arguments]


def follow(process: subprocess.Popen[bytes], output: Path) -> None:
    """Print what a process has written into a file, and what it still writes, until it ends."""
    with output.open("rb") as written:
        ended = False
        while not ended:
            ended = process.poll() is not None  # asked before the last look, so that nothing is missed
            sys.stdout.buffer.write(written.read())
            sys.stdout.flush()
            if not ended:
                time.sleep(0.2)


def main(arguments: list[str]) -> int:
    """Run the tests; returns 0 if all passed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in REPORTS.glob("*.xml"):
        old.unlink()
    if arguments:
        return subprocess.run(command("some", arguments), check=False).returncode
    output = REPORTS / "browsers.txt"
    with output.open("wb") as written:
        browsers = subprocess.Popen(command("browsers", BROWSERS), stdout=written, stderr=subprocess.STDOUT)
    try:
        rest = [subprocess.run(command(run, arguments), check=False).returncode for run, arguments in REST.items()]
        print("\nThe browsers' half:\n", flush=True)
        follow(browsers, output)
    finally:
        browsers.terminate()
        browsers.wait()
    return next((code for code in (*rest, browsers.returncode) if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
