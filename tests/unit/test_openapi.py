"""The OpenAPI document is valid, and speaks of just the routes, parameters and error codes that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from server.api import DEFAULT_LIMIT, MAX_BATCH, MAX_LIMIT
from server.app import create_app
from server.config import Settings
from server.openapi import document
from tests.running import ROOT
from tests.unit.source import error_codes

NO_CODES = {"last_seq", "last_event", "blocked_seconds", "blocked_at", "max_payload", "bad_target", "past_proxy"}
"""What the reference names besides."""


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return document(max_batch=MAX_BATCH, max_limit=MAX_LIMIT, default_limit=DEFAULT_LIMIT)


def operations(spec: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in spec["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def documented_codes(spec: dict[str, Any]) -> dict[str, set[str]]:
    """The error codes, each with the statuses that it comes with."""
    codes: dict[str, set[str]] = {}
    for operation in operations(spec).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                schema = response["content"]["application/json"]["schema"]
                for code in schema["properties"]["error"]["properties"]["code"]["enum"]:
                    codes.setdefault(code, set()).add(status)
    return codes


def test_it_is_valid_openapi(spec: dict[str, Any]) -> None:
    schemathesis.openapi.from_dict(spec).validate()
    spec["paths"]["/api/status"]["get"]["responses"]["200"].pop("description")
    with pytest.raises(Exception, match="description"):
        schemathesis.openapi.from_dict(spec).validate()


def test_every_route_is_in_it_and_every_path_is_a_route(spec: dict[str, Any]) -> None:
    app = create_app(Settings(log="memory://", feeds=(), secret="of the tests"))
    routes = {
        (method, re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") or rule.endpoint.startswith("ops.")
    }
    assert set(operations(spec)) == routes


def test_every_error_code_is_in_it_and_none_is_made_up(spec: dict[str, Any]) -> None:
    source = error_codes("api", "auth", "checks", "ops", "errors")
    # the topic stands in the address; these two can be the answer to anything, at any path
    assert source - set(documented_codes(spec)) == {"no_topic", "internal_error"}
    named_by_werkzeug = {"not_found", "request_entity_too_large"}
    assert set(documented_codes(spec)) - source == named_by_werkzeug


def test_the_reference_names_every_path_parameter_status_and_code(spec: dict[str, Any]) -> None:
    text = Path(ROOT / "docs/api.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    for (method, path), operation in operations(spec).items():
        shown = f"{method} {path}".replace("{topic}", "<topic>")
        (section,) = (each for each in sections if re.match(rf"`{re.escape(shown)}[`?]", each))
        for parameter in operation.get("parameters", []):
            assert parameter["name"] in section.split("\n")[0]
        for status, response in operation["responses"].items():
            schema = response["content"].get("application/json", {}).get("schema", {})
            if int(status) >= 400:
                assert f"**{status}**" in section, (shown, status)
                for code in schema["properties"]["error"]["properties"]["code"]["enum"]:
                    assert f"`{code}`" in section, (shown, code)
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", text))
    assert set(documented_codes(spec)) | {"internal_error", "method_not_allowed"} >= {
        name for name in named if name not in NO_CODES
    }
