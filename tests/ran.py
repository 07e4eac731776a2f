"""Did every part of the tests run? ``python tests/ran.py build/test/*.xml`` reads pytest's reports and says so.

A room of tests/ with no test, a browser engine with none, or a test that was skipped, is a failure: a green run then
means that all of it ran. A test that failed, and passed when it was run again (tests/parts.py), is told as unsteady.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

ROOMS = ("unit", "both", "integration", "browser")
ENGINES = ("chromium", "chromium_http", "firefox", "webkit")
"""What tests/browser runs in, as its tests' names have it: ``test_it[firefox-more]``."""


AGAIN = "again"
"""The report of the tests that were run a second time."""


def failures(report: Path) -> list[str]:
    """The tests that failed, as pytest takes them: ``tests/unit/test_x.py::test_it``."""
    names = [(case.get("classname", ""), case.get("name")) for case in read(report) if has_failed(case)]
    return [f"{module.replace('.', '/')}.py::{name}" for module, name in names]


def read(report: Path) -> list[ElementTree.Element]:
    """The tests of a report."""
    return list(ElementTree.parse(report).iter("testcase"))


def has_failed(case: ElementTree.Element) -> bool:
    """Whether it failed, or what it needs could not be had."""
    return case.find("failure") is not None or case.find("error") is not None


def complaints(reports: list[Path]) -> list[str]:
    """What did not run, one line each; empty if all ran and passed. Prints how many tests ran where."""
    cases: list[ElementTree.Element] = []
    again: set[str] = set()
    for report in reports:
        try:
            if report.stem == AGAIN:
                again = {
                    name_of(case) for case in read(report) if not has_failed(case) and case.find("skipped") is None
                }
            else:
                cases += read(report)
        except (OSError, ElementTree.ParseError) as error:
            return [f"{report} cannot be read, so its tests are not known to have run: {error}"]
    ran: Counter[str] = Counter()
    driven: Counter[str] = Counter()
    found = []
    for case in cases:
        name = name_of(case)
        skipped = case.find("skipped")
        unsteady = has_failed(case) and name in again
        if unsteady:
            print(f"UNSTEADY, so to be mended: {name} failed, and passed when it was run again by itself")
        if has_failed(case) and not unsteady:
            found.append(f"{name} failed")
        elif skipped is not None and skipped.get("type") != "pytest.xfail":
            found.append(f"{name} was skipped: {skipped.get('message')}")
        else:
            ran.update(room for room in ROOMS if name.startswith(f"tests.{room}."))
            driven.update(engine for engine in ENGINES if re.search(rf"[\[-]{engine}[]-]", name))
    print("ran: " + ", ".join(f"tests/{room} {ran[room]}" for room in ROOMS))
    print("browser tests ran: " + ", ".join(f"in {engine} {driven[engine]}" for engine in ENGINES))
    found += [f"no browser test ran in {engine}" for engine in ENGINES if not driven[engine]]
    return found + [f"no test of tests/{room} ran" for room in ROOMS if not ran[room]]


def name_of(case: ElementTree.Element) -> str:
    """A test's name in full."""
    return f"{case.get('classname')}.{case.get('name')}"


if __name__ == "__main__":
    problems = complaints([Path(name) for name in sys.argv[1:]])
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(bool(problems))
