"""The notebook's page over HTTP: its address, its Content-Security-Policy, the modules that it loads."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import httpx
import pytest

from tests.running import Server


@pytest.fixture
def http(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=20)


def test_the_notebooks_policy_names_its_import_map_and_its_styles(http: httpx.Client) -> None:
    """A hash of the map as it stands in the page, and a number that is another one each time."""
    first, second = (http.get("/notebook/first-steps") for _ in range(2))
    for page in (first, second):
        assert page.status_code == 200
        found = re.search(r'<script type="importmap">(.*?)</script>', page.text)
        assert found is not None
        digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        policy = page.headers["Content-Security-Policy"]
        assert f"script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' 'sha256-{digest}';" in policy
        assert "'unsafe-inline'" not in policy
    nonces = [
        re.search(r"style-src 'self' 'nonce-([\w-]{20,})';", p.headers["Content-Security-Policy"])
        for p in (first, second)
    ]
    assert nonces[0] is not None
    assert nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert f'nonce="{nonces[0][1]}"' in first.text
    assert "nonce" not in http.get("/room").headers["Content-Security-Policy"]


def test_all_that_modules_import_is_in_the_import_map(http: httpx.Client) -> None:
    """Of our modules and of the packages', whichever versions they have; and each is there."""
    page = http.get("/notebook/first-steps").text
    found = re.search(r'<script type="importmap">(.*?)</script>', page)
    assert found is not None
    imports: dict[str, str] = json.loads(found[1])["imports"]
    ours = set(re.findall(r'"(/js/[\w-]+\.js)"', page))
    assert {"/js/editor.js", "/js/markdown.js", "/js/chart.js"} <= ours
    for address in [*imports.values(), *ours]:
        answer = http.get(address)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8"), address
        for name in re.findall(r"""^(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']""", answer.text, re.MULTILINE):
            assert name in imports or f"/js/{name.removeprefix('./')}" in ours, f"{address} imports {name}"
            assert not name.startswith(".") or address in ours, f"{address} imports {name}"


@pytest.mark.parametrize("name", ["a", "First_steps-2", "x" * 60])
def test_a_notebook_has_a_page_of_its_own(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/notebook/{name}")
    assert answer.status_code == 200
    assert f'data-name="{name}"' in answer.text


@pytest.mark.parametrize("name", ["a.b", "x" * 61, "%C3%BC", "a%20b", "a%0A", "%3Cb%3E", "..%5C"])
def test_a_name_that_no_notebook_can_have_is_told(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/notebook/{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "bad_name")
    assert "1 to 60" in answer.json()["error"]["message"]
