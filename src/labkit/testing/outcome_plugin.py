"""A pytest plugin for `lab check` and `lab compare`: what became of each test, and where it broke.

Loaded by `-p labkit.testing.outcome_plugin`; the file is named by the environment variable
LAB_OUTCOMES.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_tests: dict[str, dict[str, Any]] = {}
_unread: list[dict[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    known = _tests.setdefault(report.nodeid, {"outcome": "passed"})
    # Of several failures, as of subtests, the first one tells.
    if report.outcome != "passed" and known["outcome"] == "passed":
        known |= {"outcome": report.outcome, **_told(report)}
    known["properties"] = dict(report.user_properties)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _unread.append({"file": report.nodeid, **_told(report)})


def _told(report: pytest.TestReport | pytest.CollectReport) -> dict[str, Any]:
    long: Any = report.longrepr
    crash = getattr(long, "reprcrash", None)
    entries = getattr(getattr(long, "reprtraceback", None), "reprentries", [])
    places = [entry.reprfileloc for entry in entries if getattr(entry, "reprfileloc", None)]
    return {
        "message": crash.message if crash else str(long),
        "places": [[place.path, place.lineno] for place in places],
    }


def pytest_sessionfinish() -> None:
    Path(os.environ["LAB_OUTCOMES"]).write_text(
        json.dumps({"tests": _tests, "unread": _unread}), encoding="utf-8"
    )
