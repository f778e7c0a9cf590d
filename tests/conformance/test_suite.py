"""Reading what the suite left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance.suite import Report, read_results


def leave(folder: Path, name: str, *checks: dict[str, Any]) -> None:
    result = folder / f"server-{name}-2026-11-21T06-00-00-000Z"
    result.mkdir()
    (result / "checks.json").write_text(json.dumps(checks))


def test_texts_are_sorted_by_status(tmp_path: Path) -> None:
    leave(
        tmp_path,
        "tools-list",
        {"id": "one", "status": "SUCCESS", "description": "fine"},
        {"id": "two", "status": "FAILURE", "description": "must", "errorMessage": "did not"},
        {"id": "three", "status": "WARNING", "description": "should"},
        {"id": "four", "status": "SKIPPED", "description": "not asked"},
    )
    found = read_results(tmp_path, ["tools-list"], {"tools-list": True})["tools-list"]
    assert (found.failures, found.warnings, found.skipped) == (
        ("two: did not",),
        ("three: should",),
        ("four: not asked",),
    )
    assert found.passed == {"one"}
    assert not found.has_passed


def test_name_that_begins_like_another_is_not_taken_for_it(tmp_path: Path) -> None:
    leave(tmp_path, "tools-call-error", {"id": "one", "status": "FAILURE", "description": "must"})
    leave(tmp_path, "tools-call", {"id": "one", "status": "SUCCESS", "description": "must"})
    assert read_results(tmp_path, ["tools-call"], {})["tools-call"].has_passed


def test_scenario_without_a_result_has_failed(tmp_path: Path) -> None:
    assert not read_results(tmp_path, ["ping"], {"ping": True})["ping"].has_passed


def test_score_counts_what_is_scored(tmp_path: Path) -> None:
    leave(tmp_path, "ping", {"id": "one", "status": "SUCCESS", "description": "fine"})
    leave(tmp_path, "extra", {"id": "one", "status": "FAILURE", "description": "must"})
    names = {"ping": True, "tools-list": True, "extra": False}
    report = Report("2025-11-25", read_results(tmp_path, list(names), names), "")
    assert report.score() == "1/2"
    assert report.score(is_scored=False) == "0/1"
    assert set(report.failed()) == {"tools-list"}


def test_only_what_met_the_suites_deadline_is_late_and_may_be_replaced(tmp_path: Path) -> None:
    late = {"id": "one", "status": "FAILURE", "description": "must", "errorMessage": "aborted due to timeout"}
    wrong = {"id": "two", "status": "FAILURE", "description": "must"}
    for name, checks in {"ping": [late], "tools-list": [late, wrong], "tools-call": [wrong]}.items():
        leave(tmp_path, name, *checks)
    names = {"ping": True, "tools-list": True, "tools-call": True}
    report = Report("2025-11-25", read_results(tmp_path, list(names), names), "first ")
    assert report.late() == ["ping"]
    (tmp_path / "again").mkdir()
    leave(tmp_path / "again", "ping", {"id": "one", "status": "SUCCESS", "description": "must"})
    again = Report("2025-11-25", read_results(tmp_path / "again", ["ping"], names), "second")
    both = report.with_others(again)
    assert set(both.failed()) == {"tools-list", "tools-call"} and both.score() == "1/3"
    assert both.output == "first second"
