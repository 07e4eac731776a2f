"""Whether all tests ran and passed, as pytest's reports tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import ran

FAILURE = '<failure message="it failed">why</failure>'
SKIPPED = '<skipped type="pytest.skip" message="not here" />'


def case(name: str, told: str = "") -> str:
    module, _, test = name.partition("::")
    return f'<testcase classname="tests.{module}" name="{test}">{told}</testcase>'


ALL = [
    *(case(f"{room}.test_x::test_it") for room in ran.ROOMS),
    *(case(f"browser.test_x::test_that[{engine}]") for engine in ran.ENGINES),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, name: str, *cases: str) -> Path:
    path = folder / f"{name}.xml"
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


def test_all_ran(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran.complaints([write(folder, "all", *ALL)]) == []
    assert "tests/unit 1" in capsys.readouterr().out


def test_what_is_missing_failed_or_skipped_is_told(folder: Path) -> None:
    report = write(
        folder, "some", *ALL[1:], case("both.test_x::test_bad", FAILURE), case("both.test_x::test_no", SKIPPED)
    )
    assert ran.complaints([report]) == [
        "tests.both.test_x.test_bad failed",
        "tests.both.test_x.test_no was skipped: not here",
        "no test of tests/unit ran",
    ]
    assert ran.failures(report) == ["tests/both/test_x.py::test_bad"]


def test_what_passes_when_it_is_run_again_is_unsteady(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write(folder, "first", *ALL, *(case(f"both.test_x::test_{name}", FAILURE) for name in "abc"))
    again = write(
        folder,
        ran.AGAIN,
        case("both.test_x::test_a"),
        case("both.test_x::test_b", FAILURE),
        case("both.test_x::test_c", SKIPPED),
    )
    assert ran.complaints([again, first]) == ["tests.both.test_x.test_b failed", "tests.both.test_x.test_c failed"]
    assert "UNSTEADY, so to be mended: tests.both.test_x.test_a" in capsys.readouterr().out


def test_a_report_that_cannot_be_read(folder: Path) -> None:
    (complaint,) = ran.complaints([folder / "none.xml"])
    assert "none.xml cannot be read" in complaint
