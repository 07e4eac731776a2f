"""Run all tests in two halves beside each other: ``python tests/halves.py``.

The browsers' half waits for pages most of the time, the other one for servers; each alone leaves much of a small
machine idle. What the other half prints is shown as it comes, and the browsers' after it. Both leave a report in
build/test, for tests/ran.py. With arguments for pytest there is one run as they say, in the foreground.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

REPORTS = Path("build/test")
HALVES = {"rest": ["tests/unit", "tests/both", "tests/integration"], "browser": ["tests/browser"]}


def command(half: str, arguments: list[str]) -> list[str]:
    """The command that runs these tests and leaves a report of them."""
    return [sys.executable, "-m", "pytest", f"--junitxml={REPORTS / half}.xml", *arguments]


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
    output = REPORTS / "browser.txt"
    with output.open("wb") as written:
        browsers = subprocess.Popen(command("browser", HALVES["browser"]), stdout=written, stderr=subprocess.STDOUT)
    try:
        rest = subprocess.run(command("rest", HALVES["rest"]), check=False)
        print("\nThe browsers' half:\n", flush=True)
        follow(browsers, output)
    finally:
        browsers.terminate()
        browsers.wait()
    return rest.returncode or browsers.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
