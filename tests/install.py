"""Find what the tests need beside Python's own packages, or install it: ``python tests/install.py``.

Programs that integration tests run (``COMMANDS``) come from the system, or from apt for root on Debian and its kin.
Browser tests run in three engines. For Chromium the system's own comes first, then apt's, then the one that Playwright
brings. Firefox and WebKitGTK (``ENGINES``) come from the system or from apt; where there is neither, it is said, and
their tests are skipped. ``chromium()``, ``firefox()`` and ``webkit()`` tell the tests what to launch. A browser counts
only when it answers to ``--version``: on Ubuntu the packages named chromium and firefox are stubs that ask for snap.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

COMMANDS = {"nats-server": "nats-server", "nginx": "nginx-light"}
"""The programs that tests run, and the Debian package of each."""

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT_PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-noto-core")
ENGINES = {"Firefox": ("firefox-esr",), "WebKitGTK": ("webkit2gtk-driver", "xvfb")}
"""The other engines, and the Debian packages of each."""

WHEELS = Path(__file__).with_name("wheels.py")
"""Fetches the Python packages that tests give to cells."""


def find(command: str) -> str | None:
    """The path of a program; Debian keeps servers in a folder that is not on everybody's path."""
    return shutil.which(command, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))


def chromium() -> str | None:
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


def firefox() -> str | None:
    """The path of a Firefox that works; None where there is none yet."""
    paths = (shutil.which(name) for name in ("firefox-esr", "firefox"))
    return next((path for path in paths if path and version(path)), None)


def webkit() -> tuple[str, str] | None:
    """The paths of WebKitGTK's driver, and of the display that its browser needs; None where one is missing."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    return (driver, screen) if driver and screen else None


def version(path: str) -> str:
    """What a browser says to ``--version``; empty if it does not work."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def install_commands() -> list[str]:
    """Have the programs there, saying what is done. Returns those that could not be had."""
    missing = [command for command in COMMANDS if not find(command)]
    if missing and can_apt():
        apt_install(*(COMMANDS[command] for command in missing))
        missing = [command for command in COMMANDS if not find(command)]
    for command in COMMANDS:
        if command not in missing:
            print(f"Integration tests use {find(command)}")
    return missing


def install_browser() -> str | None:
    """Find or install a Chromium, saying what is done. Returns its path, or None where all ways failed."""
    found = chromium()
    if not found and can_apt():
        apt_install(*APT_PACKAGES)
        found = system_chromium()
    if not found:
        print("Installing the Chromium that Playwright brings", flush=True)
        playwright = [sys.executable, "-m", "playwright", "install"]
        # the libraries it needs can be had by root, on the systems that Playwright knows
        if not is_root() or subprocess.run([*playwright, "--with-deps", "chromium"]).returncode:
            subprocess.run([*playwright, "chromium"])
        found = playwright_chromium()
    if found:
        print(f"Browser tests use {found} ({version(found)})")
    return found


def has(engine: str) -> bool:
    """Whether one of ``ENGINES`` is there."""
    return (firefox() if engine == "Firefox" else webkit()) is not None


def install_engines() -> None:
    """Have the other engines there, saying what is done, and what the tests will lack."""
    for engine, packages in ENGINES.items():
        if not has(engine) and can_apt():
            apt_install(*packages)
        if has(engine):
            print(f"Browser tests use {firefox() if engine == 'Firefox' else ', '.join(webkit() or ())}")
        else:
            print(f"There is no {engine}: its tests are skipped. On Debian as root: apt install {' '.join(packages)}")


def is_root() -> bool:
    """Whether we may install what we like."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def can_apt() -> bool:
    """Whether apt can install for us."""
    return is_root() and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def apt_install(*packages: str) -> None:
    """Install Debian packages; what fails is told."""
    apt_update()
    print(f"Installing {', '.join(packages)} with apt", flush=True)
    apt_get("install", "--yes", "--no-install-recommends", *packages)


@functools.cache
def apt_update() -> None:
    """Learn what packages there are, once."""
    apt_get("update")


def apt_get(*arguments: str) -> None:
    """Run apt-get; says so where it failed."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL).returncode:
        print(f"apt-get {arguments[0]} failed", flush=True)


def main() -> None:
    """Install all, and end with a message where something could not be had."""
    missing = install_commands()
    packages = " ".join(COMMANDS[command] for command in missing)
    problems = []
    if missing:
        problems.append(
            f"Not found, and not installed: {', '.join(missing)}. The integration tests need it. Install it by hand "
            f"(on Debian as root: apt install {packages}; on macOS: brew install {packages})."
        )
    if not install_browser():
        problems.append(
            "No Chromium could be installed, so the browser tests cannot run. Install Chromium or Google Chrome "
            "by hand (on Debian as root: apt install chromium fonts-dejavu-core)."
        )
    install_engines()
    if subprocess.run([sys.executable, str(WHEELS)]).returncode:
        problems.append("pip could not download the wheels that tests of packages use; what it said stands above.")
    if problems:
        sys.exit("\n".join([*problems, "Then run the same command again."]))


if __name__ == "__main__":
    main()
