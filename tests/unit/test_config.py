"""Settings from the environment."""

from __future__ import annotations

import pytest

from server.config import Settings, SettingsError, unknown_variables
from server.log import LogError, open_log
from server.rules import PerTopic


def test_defaults_where_nothing_is_set() -> None:
    assert Settings.from_environment({}) == Settings()


def test_each_kind_of_value() -> None:
    settings = Settings.from_environment(
        {
            "PARTYLINE_LOG": "memory://",
            "PARTYLINE_FLUSH_MS": "50",
            "PARTYLINE_RETENTION": "500, host.*=60",
            "PARTYLINE_RETENTION_AGE": "7d,room=0",
            "PARTYLINE_ORIGINS": "https://a.example, https://b.example",
            "PARTYLINE_FEEDS": "",
            "PATH": "/bin",
        }
    )
    assert settings.log == "memory://"
    assert settings.retention == PerTopic(500, (("host.*", 60),))
    assert settings.retention_age == PerTopic(7 * 86_400, (("room", 0),))
    assert settings.flush_ms == 50
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.feeds == ()


def test_there_may_be_no_proxy() -> None:
    assert Settings.from_environment({"PARTYLINE_PROXIES": "0"}).proxies == 0
    with pytest.raises(SettingsError, match=r"PARTYLINE_PROXIES.*at least 0"):
        Settings.from_environment({"PARTYLINE_PROXIES": "-1"})


@pytest.mark.parametrize(
    "text", ["", "0", "-5", "many", "1.5", "٣", "5, room", "5, room=", "5, a..b=1", "5, a=1, a=2", "a=1"]
)
def test_a_number_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="PARTYLINE_RETENTION"):
        Settings.from_environment({"PARTYLINE_RETENTION": text})


@pytest.mark.parametrize("text", ["", "-5", "5", "d", "1w", "1.5h", "1 h", "٣s"])
def test_a_duration_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="PARTYLINE_RETENTION_AGE"):
        Settings.from_environment({"PARTYLINE_RETENTION_AGE": text})


@pytest.mark.parametrize(("variable", "text"), [("LOG_FORMAT", "xml"), ("LOG_LEVEL", ""), ("LOG_LEVEL", "loud")])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"PARTYLINE_{variable} is .* one of: \w+, \w+"):
        Settings.from_environment({f"PARTYLINE_{variable}": text})
    assert Settings.from_environment({"PARTYLINE_LOG_LEVEL": " Debug"}).log_level == "debug"


def test_a_misspelt_setting_is_noticed() -> None:
    assert unknown_variables({"PARTYLINE_FLUSHMS": "5", "PARTYLINE_LOG": "x", "HOME": "y"}) == ["PARTYLINE_FLUSHMS"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "postgres://x",
        "nats://",
        "nats://localhost:4222",
        "nats://host:port/s",
        "nats://host/a.b",
        "nats:///s",
    ],
)
def test_a_log_of_no_known_kind_is_refused(url: str) -> None:
    with pytest.raises(LogError, match="PARTYLINE_LOG"):
        open_log(url, retention=10)


@pytest.mark.parametrize("text", ["example.org", "*", "https://*", "https://a.example/", "https://a.example, ftp://b"])
def test_an_origin_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="PARTYLINE_ORIGINS"):
        Settings.from_environment({"PARTYLINE_ORIGINS": text})
