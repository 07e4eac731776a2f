"""Run all tests, in parts, two beside each other: ``python tests/parts.py``.

Browsers and servers are waited for most of the time; one alone leaves much of a small machine idle. The longest parts
begin first, so that the last to end leaves little time unused. What a part prints is shown when it has ended, and every
part leaves a report in build/test, for tests/ran.py. With arguments for pytest there is one run as they say, in the
foreground.

The few tests that failed are run once more when nothing else runs. Those that pass then are unsteady: that is said, and
is to be mended, but a loaded machine's pause is no verdict on the code.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from ran import AGAIN, failures

REPORTS = Path("build/test")
TESTS_FAILED = 1  # pytest's code
AT_ONCE = 2

BROWSER = sorted(str(path) for path in Path("tests/browser").glob("test_*.py"))
ENDS = [str(Path("tests/browser") / name) for name in ("test_l", "test_p")]
"""Chromium's tests are the most by far, so they are three parts, with these names between them."""

MAX_UNSTEADY = 3
"""Where more tests fail it is no chance, and none is run again."""

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


def run_again(codes: dict[str, int]) -> int:
    """Run what failed once more, by itself; returns pytest's code of that, or of a part that failed otherwise."""
    bad = {part: code for part, code in codes.items() if code}
    named = {part: failures(REPORTS / f"{part}.xml") for part in bad}
    failed = [name for names in named.values() for name in names]
    if not all(named.values()) or not failed or len(failed) > MAX_UNSTEADY or set(bad.values()) != {TESTS_FAILED}:
        return next(iter(bad.values()), 0)
    print(f"\ntests: once more, by themselves: {', '.join(failed)}\n", flush=True)
    return subprocess.run(command(AGAIN, failed), check=False).returncode


def main(arguments: list[str]) -> int:
    """Run the tests; returns 0 if all passed."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in REPORTS.glob("*.xml"):
        old.unlink()
    if arguments:
        return subprocess.run(command("some", arguments), check=False).returncode
    codes = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(run, part): part for part in PARTS}
        for ended in as_completed(running):
            part = running[ended]
            print(f"\ntests: {part}\n{(REPORTS / part).with_suffix('.txt').read_text(errors='replace')}", flush=True)
            codes[part] = ended.result()
    return run_again(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
