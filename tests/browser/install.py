"""Find a Chromium for the browser tests, or install one: ``python tests/browser/install.py``.

The system's own comes first; then apt's, for root on Debian and its kin; then the one that Playwright brings.
``executable()`` tells the tests which to launch. A browser counts only when it answers to ``--version``: on Ubuntu
the package named chromium is a stub that asks for snap.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT_PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-noto-core")
NGINX = "nginx-light"


def executable() -> str | None:
    """The path of a Chromium that works, for Playwright's ``executable_path``; None where there is none yet."""
    return system_chromium() or playwright_chromium()


def system_chromium() -> str | None:
    """The system's Chromium or Chrome, if it works."""
    paths = (shutil.which(name) for name in SYSTEM_NAMES)
    return next((path for path in paths if path and version(path)), None)


def playwright_chromium() -> str | None:
    """The Chromium that Playwright installed, if it works."""
    # in a process of its own: Playwright's sync API may not be started inside a running event loop
    code = "from playwright.sync_api import sync_playwright as s\nwith s() as p: print(p.chromium.executable_path)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    path = done.stdout.strip()
    return path if path and version(path) else None


def version(path: str) -> str:
    """What a browser says to ``--version``; empty if it does not work."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def install() -> str | None:
    """Find or install a Chromium, saying what is done. Returns its path, or None where all ways failed."""
    found = executable()
    if found:
        print(f"Browser tests use {found} ({version(found)})")
        return found
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if apt(*APT_PACKAGES):
        found = system_chromium()
    if not found:
        print("Installing the Chromium that Playwright brings", flush=True)
        playwright = [sys.executable, "-m", "playwright", "install"]
        # the libraries it needs can be had by root, on the systems that Playwright knows
        if not root or subprocess.run([*playwright, "--with-deps", "chromium"]).returncode:
            subprocess.run([*playwright, "chromium"])
        found = playwright_chromium()
    if found:
        print(f"Browser tests use {found} ({version(found)})")
    return found


def apt(*packages: str) -> bool:
    """Install packages, as root on Debian and its kin; elsewhere nothing is done. Returns whether it was tried."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not root or not shutil.which("apt-get") or not Path("/etc/debian_version").exists():
        return False
    print(f"Installing {', '.join(packages)} with apt", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        if subprocess.run(["apt-get", "-qq", *command], env=environment, stdout=subprocess.DEVNULL).returncode:
            print(f"apt-get {command[0]} failed", flush=True)
    return True


def nginx() -> str | None:
    """The path of nginx, which the proxy tests run; it is often outside a user's PATH."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


if __name__ == "__main__":
    if not nginx():
        apt(NGINX)
    if not nginx():
        sys.exit(
            "No nginx could be installed, so the proxy tests cannot run. Install it by hand (apt install nginx-light)."
        )
    if not install():
        sys.exit(
            "No Chromium could be installed, so the browser tests cannot run. Install Chromium or Google Chrome "
            "by hand (on Debian as root: apt install chromium fonts-dejavu-core), then run the same command again."
        )
