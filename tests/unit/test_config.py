"""Settings from the environment."""

from __future__ import annotations

import pytest

from server.config import Settings, SettingsError, unknown_variables
from server.log import LogError, open_log


def test_defaults_where_nothing_is_set() -> None:
    assert Settings.from_environment({}) == Settings()


def test_each_kind_of_value() -> None:
    settings = Settings.from_environment(
        {
            "PARTYLINE_LOG": "memory://",
            "PARTYLINE_FLUSH_MS": "50",
            "PARTYLINE_ORIGINS": "https://a.example, https://b.example",
            "PARTYLINE_FEEDS": "",
            "PATH": "/bin",
        }
    )
    assert settings.log == "memory://"
    assert settings.flush_ms == 50
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.feeds == ()


def test_there_may_be_no_proxy() -> None:
    assert Settings.from_environment({"PARTYLINE_PROXIES": "0"}).proxies == 0
    with pytest.raises(SettingsError, match=r"PARTYLINE_PROXIES.*at least 0"):
        Settings.from_environment({"PARTYLINE_PROXIES": "-1"})


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "1.5", "٣"])
def test_a_number_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="PARTYLINE_RETENTION"):
        Settings.from_environment({"PARTYLINE_RETENTION": text})


def test_a_misspelt_setting_is_noticed() -> None:
    assert unknown_variables({"PARTYLINE_FLUSHMS": "5", "PARTYLINE_LOG": "x", "HOME": "y"}) == ["PARTYLINE_FLUSHMS"]


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "postgres://x", "nats://localhost:4222/s"])
def test_a_log_of_no_known_kind_is_refused(url: str) -> None:
    with pytest.raises(LogError, match="PARTYLINE_LOG"):
        open_log(url, retention=10)
