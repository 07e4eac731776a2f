"""What axe-core (Deque's checker of WCAG rules) finds on a page. npm fetches it once, into ``build/test/axe``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from server.assets.npm import run_npm
from tests.running import ROOT

from .driver import Page

WANTED = Path(__file__).with_name("axe")
FETCHED = ROOT / "build" / "test" / "axe"
GRAVE = ("serious", "critical")


def axe() -> str:
    """The checker's source, of the version that is locked."""
    lock = (WANTED / "package-lock.json").read_bytes()
    script = FETCHED / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists() or (FETCHED / "package-lock.json").read_bytes() != lock:
        FETCHED.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(WANTED / name, FETCHED / name)
        shutil.copy(ROOT / ".npmrc", FETCHED / ".npmrc")
        done = run_npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], FETCHED)
        assert done.returncode == 0, done.stdout
    return script.read_text(encoding="utf-8")


def grave(page: Page) -> list[str]:
    """What is serious or critical on a page as it is now, each with where it is found."""
    page.evaluate(f"(() => {{ {axe()} }})()")
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{each['id']}: {node['target']} {json.dumps(node.get('failureSummary', ''))}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
