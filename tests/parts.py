"""Run all tests, in parts, two beside each other: ``python tests/parts.py``.

Browsers and servers are waited for most of the time; one alone leaves much of a small machine idle. The longest parts
begin first, so that the last to end leaves little time unused. What a part prints is shown when it has ended, and every
part leaves a report in build/test, for tests/ran.py. With arguments for pytest there is one run as they say, in the
foreground.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

REPORTS = Path("build/test")
AT_ONCE = 2

BROWSER = sorted(str(path) for path in Path("tests/browser").glob("test_*.py"))
ENDS = [str(Path("tests/browser") / name) for name in ("test_l", "test_p")]
"""Chromium's tests are the most by far, so they are three parts, with these names between them."""

CHROMIUM = ["-k", "not webkit and not firefox"]
PARTS = {
    "webkit": ["tests/browser", "-k", "webkit"],
    "firefox": ["tests/browser", "-k", "firefox"],
    "chromium-2": [*(path for path in BROWSER if ENDS[0] <= path < ENDS[1]), *CHROMIUM],
    "chromium-3": [*(path for path in BROWSER if path >= ENDS[1]), *CHROMIUM],
    "chromium-1": [*(path for path in BROWSER if path < ENDS[0]), *CHROMIUM],
    "integration": ["tests/integration"],
    "unit": ["tests/unit", "tests/both"],
}


def command(part: str, arguments: list[str]) -> list[str]:
    """The command that runs these tests and leaves a report of them."""
    return [sys.executable, "-m", "pytest", f"--junitxml={REPORTS / part}.xml", *arguments]


def run(part: str) -> int:
    """Run a part, with what it prints in a file; returns pytest's code."""
    print(f"tests: {part} begins", flush=True)
    with (REPORTS / f"{part}.txt").open("wb") as written:
        return subprocess.run(command(part, PARTS[part]), stdout=written, stderr=subprocess.STDOUT).returncode


def main(arguments: list[str]) -> int:
    """Run the tests; returns 0 if all passed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in REPORTS.glob("*.xml"):
        old.unlink()
    if arguments:
        return subprocess.run(command("some", arguments), check=False).returncode
    codes = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(run, part): part for part in PARTS}
        for ended in as_completed(running):
            part = running[ended]
            print(f"\ntests: {part}\n{(REPORTS / part).with_suffix('.txt').read_text(errors='replace')}", flush=True)
            codes.append(ended.result())
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
