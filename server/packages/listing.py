"""What an index says of a project, as JSON (PEP 691): what another index has, and what is kept of it already. Pure but
for the hashes of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .index import Listed


def make_listing(project: str, base: str, listed: Mapping[str, Listed], kept: list[Path]) -> bytes | None:
    """The listing, whose files are below ``base``; None where there are none. ``kept`` counts where not listed."""
    files = [{**_file(base, each.file, each.sha256, each.size), "yanked": each.yanked} for each in listed.values()]
    for path in kept:
        if path.name not in listed:
            raw = path.read_bytes()
            files.append(_file(base, path.name, hashlib.sha256(raw).hexdigest(), len(raw)))
    if not files:
        return None
    return json.dumps({"meta": {"api-version": "1.0"}, "name": project, "files": files}).encode()


def _file(base: str, name: str, sha256: str, size: int | None) -> dict[str, Any]:
    about: dict[str, Any] = {"filename": name, "url": base + quote(name), "hashes": {"sha256": sha256}}
    return about if size is None else {**about, "size": size}
