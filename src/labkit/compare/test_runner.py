"""Runs the tests behind a table, and keeps what they saw."""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

from labkit.catalog import Catalog, Lab
from labkit.tables import TESTS, Table

PROPERTY = "compared"  # of a test's report: which cell it asked for, and what it saw
ANSWERS = Path(".lab", "compare")
CONFIGURATION = Path(__file__).resolve().parents[3] / "pyproject.toml"  # of pytest
ASKED = "not redis and not browser"  # and so what takes long as well
STOP_LIMIT = 30  # seconds
OVER = re.compile(r"(\S+::\S+) (?:PASSED|FAILED|ERROR|SKIPPED)")


@dataclass(frozen=True)
class CellResult:
    """What became of one cell: the test that asked, and what it saw."""

    row: str
    variant: str
    declared: str
    seen: str  # empty where the test got no answer
    holds: bool
    test: str  # its node id
    message: str = ""  # of a test that failed

    @property
    def shown(self) -> str:
        """The answer, or what is wrong with it."""
        if self.holds:
            return self.seen
        return f"{self.seen or 'no answer'} (and not {self.declared})"


@dataclass(frozen=True)
class TableResult:
    """All cells of a table as they were seen on one machine at one time."""

    table: str
    asked: str  # ISO 8601, UTC
    python: str
    django: str
    databases: tuple[str, ...]  # with versions; none for labs without a database
    cells: tuple[CellResult, ...]
    complaints: tuple[str, ...] = ()  # what kept tests from being run at all

    @property
    def holds(self) -> bool:
        """Whether every cell of the table is as it says."""
        return not self.complaints and all(cell.holds for cell in self.cells)

    def cell(self, row: str, variant: str) -> CellResult:
        """One of them. Raises KeyError."""
        for cell in self.cells:
            if (cell.row, cell.variant) == (row, variant):
                return cell
        raise KeyError((row, variant))

    @property
    def stamp(self) -> str:
        """When, and with what."""
        parts = [f"Python {self.python}", f"Django {self.django}", *self.databases]
        return f"Asked {self.asked[:16].replace('T', ' ')} UTC with {', '.join(parts)}."


def ask(
    checkout: Catalog, table: Table, db: str = "sqlite", step: Callable[[str], None] | None = None
) -> TableResult:
    """Run all tests of a table, one lab after the other; `step` is told each test that is over.

    `db` is "sqlite" or "mysql", for labs that have a database. The answers are also written to
    .lab/compare/. Nothing of a lab's own state is touched.
    """
    cells: list[CellResult] = []
    databases: dict[str, None] = {}
    complaints: list[str] = []
    for number in table.labs:
        outcomes, said = _run(checkout, checkout.find(number), db, step)
        if not outcomes:
            complaints.append(said)
            continue
        complaints += [unread["message"] for unread in outcomes["unread"]]
        for test, found in outcomes["tests"].items():
            told = found.get("properties", {}).get(PROPERTY)
            if told and told["table"] == table.id:
                cells.append(_seen(table, test, found, told))
                databases |= dict.fromkeys(filter(None, [told["database"]]))
    answers = TableResult(
        table.id,
        datetime.now(UTC).isoformat(timespec="seconds"),
        platform.python_version(),
        django.get_version(),
        tuple(databases),
        (*cells, *_unasked(table, cells)),
        tuple(complaints),
    )
    path = checkout.root / ANSWERS / f"{table.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(answers), indent=1, ensure_ascii=False), encoding="utf-8")
    return answers


def last(checkout: Catalog, table: Table) -> TableResult | None:
    """What was seen when this table was asked last on this machine; None where it never was."""
    path = checkout.root / ANSWERS / f"{table.id}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(CellResult(**cell) for cell in data.pop("cells"))
        for several in ("databases", "complaints"):
            data[several] = tuple(data[several])
        return TableResult(**data, cells=cells)
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or of another version
        return None


def _seen(table: Table, test: str, found: dict[str, Any], told: dict[str, str]) -> CellResult:
    row, variant = told["row"], told["variant"]
    declared = table.row(row).cells[variant].answer
    holds = found["outcome"] == "passed"
    message = found.get("message", "")
    return CellResult(row, variant, declared, told.get("seen", ""), holds, test, message)


def _unasked(table: Table, cells: list[CellResult]) -> Iterator[CellResult]:
    """The cells that no test has answered for."""
    asked = {(cell.row, cell.variant) for cell in cells}
    for row in table.rows:
        for variant, cell in row.cells.items():
            if (row.id, variant) not in asked:
                yield CellResult(row.id, variant, cell.answer, "", False, "", "No test asked this.")


def _run(
    checkout: Catalog, lab: Lab, db: str, step: Callable[[str], None] | None
) -> tuple[dict[str, Any], str]:
    """What the lab's tests came to, {} where they could not even begin; and what pytest said."""
    environ = {name: v for name, v in os.environ.items() if not name.startswith(("LAB_", "PYTEST"))}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        written = Path(temporary, "outcomes.json")
        environ |= {"LAB_OUTCOMES": str(written), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "pytest", str(lab.folder / TESTS), "-v", "--tb=short"]
        command += ["-m", ASKED, "-c", str(CONFIGURATION), f"--rootdir={checkout.root}"]
        command += ["-p", "labkit.testing.outcome_plugin", "-p", "no:cacheprovider"]
        command += ["--continue-on-collection-errors"]
        if db == "mysql" and lab.database:
            command.append("--lab-db=mysql")
        said = []
        with subprocess.Popen(
            command,
            cwd=checkout.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                for line in process.stdout or ():
                    said.append(line)
                    if step and (over := OVER.match(line)):
                        step(over[1])
            except KeyboardInterrupt:  # the terminal has told pytest as well: it ends its servers
                process.communicate(timeout=STOP_LIMIT)
                raise
        outcomes = json.loads(written.read_text(encoding="utf-8")) if written.exists() else {}
        return outcomes, "".join(said[-20:])
