"""Run a lab's tests in a pytest process, and return the outcome of each."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONFIGURATION = Path(__file__).resolve().parents[3] / "pyproject.toml"  # of pytest
STOP_LIMIT = 30  # seconds
FINISHED = re.compile(r"(\S+::\S+) (?:PASSED|FAILED|ERROR|SKIPPED)")  # a line of pytest -v


@dataclass
class Outcome:
    """The outcome of one test, or of a file that pytest could not collect."""

    id: str  # the node ID
    outcome: str = "passed"  # or "failed", "skipped"
    message: str = ""  # the error, or the reason for skipping
    places: list[tuple[str, int]] = field(default_factory=list)  # path, line: from test to error
    properties: dict[str, Any] = field(default_factory=dict)  # its user_properties


@dataclass
class Run:
    """The outcomes of one run. Without `finished`, pytest stopped before it ran any test."""

    output: str  # all that pytest printed
    finished: bool = False
    tests: list[Outcome] = field(default_factory=list)
    uncollected: list[Outcome] = field(default_factory=list)  # files


def run_tests(
    root: Path,
    *arguments: str,
    environ: dict[str, str] | None = None,
    on_finished: Callable[[str], None] | None = None,
) -> Run:
    """Run pytest in the folder `root` with the settings of this checkout's pyproject.toml.

    The user's own settings of labs, pytest and Django are left out of its environment; `environ` is
    added. With -v among the arguments, `on_finished` gets the node ID of each test as it finishes.
    """
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("LAB_", "PYTEST"))}
    inherited.pop("DJANGO_SETTINGS_MODULE", None)
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        log = Path(temporary, "outcomes.jsonl")
        command = [sys.executable, "-m", "pytest", *arguments, "--tb=short"]
        command += ["-c", str(CONFIGURATION), f"--rootdir={root}", f"--report-log={log}"]
        command += ["-p", "no:cacheprovider", "--continue-on-collection-errors"]
        output = []
        with subprocess.Popen(
            command,
            cwd=root,
            env=inherited | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                for line in process.stdout or ():
                    output.append(line)
                    if on_finished and (finished := FINISHED.match(line)):
                        on_finished(finished[1])
            except KeyboardInterrupt:  # pytest got the signal as well, and stops its servers
                process.communicate(timeout=STOP_LIMIT)
                raise
        return _read(log, "".join(output))


def _read(log: Path, output: str) -> Run:
    """Read what pytest-reportlog wrote: a JSON object on each line."""
    run = Run(output)
    tests: dict[str, Outcome] = {}
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    for report in map(json.loads, lines):
        kind = report["$report_type"]
        if kind == "SessionFinish":
            run.finished = True
        elif kind == "CollectReport" and report["outcome"] == "failed":
            run.uncollected.append(Outcome(report["nodeid"], "failed", *_reason(report)))
        elif kind != "CollectReport" and "when" in report:
            known = tests.setdefault(report["nodeid"], Outcome(report["nodeid"]))
            # Of several failures, such as those of subtests, the first one counts.
            if report["outcome"] != "passed" and known.outcome == "passed":
                known.outcome = report["outcome"]
                known.message, known.places = _reason(report)
            known.properties = dict(report["user_properties"])
    run.tests = list(tests.values())
    return run


def _reason(report: dict[str, Any]) -> tuple[str, list[tuple[str, int]]]:
    """Return the message of a failed or skipped test, and the places of its traceback."""
    long = report["longrepr"]
    if not isinstance(long, dict):
        return (long[2] if isinstance(long, list) else str(long)), []
    return long["reprcrash"]["message"], list(_places(long["reprtraceback"]["reprentries"]))


def _places(entries: Sequence[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for entry in entries:
        if place := entry["data"].get("reprfileloc"):
            yield place["path"], place["lineno"]
