"""Who is who: what a token proves, and where the secret is kept."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.identity import COOKIE, Identities, server_secret

OURS = Identities("secret")


def test_a_token_proves_its_browser_under_the_same_secret_alone() -> None:
    browser = OURS.new()
    assert OURS.browser_of(OURS.token(browser)) == browser
    assert Identities("secret").browser_of(OURS.token(browser)) == browser
    assert Identities("another").browser_of(OURS.token(browser)) is None
    assert OURS.new() != browser


@given(st.text())
@example("\ud800.AAAA")
def test_nothing_else_proves_anything(text: str) -> None:
    assert OURS.browser_of(text) is None
    assert OURS.browser_of(None) is None


def test_another_browsers_signature_does_not_do() -> None:
    one, two = OURS.new(), OURS.new()
    assert OURS.browser_of(OURS.token(one).replace(one, two)) is None


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites() -> None:
    cookie = OURS.cookie("b1", secure=False)
    assert cookie.startswith(f"{COOKIE}=b1.")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Secure" in OURS.cookie("b1", secure=True).split("; ")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda name: str(tmp_path / name))
    return tmp_path / "partyline"


def test_a_secret_is_made_once_and_kept_for_this_user_alone(data_dir: Path) -> None:
    assert server_secret("given") == "given"
    assert not data_dir.exists()
    secret = server_secret("")
    assert len(secret) == 64
    assert server_secret("") == secret
    assert [path.name for path in data_dir.iterdir()] == ["secret"]
    assert stat.S_IMODE((data_dir / "secret").stat().st_mode) == 0o600


def test_an_empty_secret_is_none(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "secret").write_text("\n")
    assert len(server_secret("")) == 64
    assert server_secret("") == server_secret("")


def test_processes_that_make_it_at_once_agree(tmp_path: Path) -> None:
    code = "from server.identity import server_secret; print(server_secret(''))"
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path), "PARTYLINE_LOG": "memory://"}
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in processes}) == 1


def test_where_none_can_be_kept_there_still_is_one(
    data_dir: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.write_text("a file where a folder should be")
    monkeypatch.setattr("server.identity.logger.propagate", True)
    assert len(server_secret("")) == 64
    assert "PARTYLINE_SECRET" in caplog.text
