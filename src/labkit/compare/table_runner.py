"""Run the tests behind a table, and store their answers in .lab/compare/."""

import json
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import django

from labkit.catalog import Catalog, writable
from labkit.comparison_tables import TESTS, Table
from labkit.kept_files import write_whole
from labkit.testing.pytest_runner import Outcome, run_tests

# The name of a test's user property: table, question, variant, database and answer.
PROPERTY = "compared"
ANSWERS = "compare"  # the folder of the stored results, beside the labs' state folders
MARKS = "not redis and not browser"  # includes thorough tests
SECONDS = 300.0  # the time limit of one test; some start servers and send many requests
OUTPUT_LINES = 20  # how many lines of pytest's output to show if pytest could not run the tests


@dataclass(frozen=True)
class CellResult:
    """The result of a cell: the answer that its test found."""

    question: str
    variant: str
    expected: str
    answer: str  # empty if the test failed before it had an answer
    holds: bool
    test: str  # its node ID
    message: str = ""  # of the failure

    @property
    def shown(self) -> str:
        """The answer, together with the expected one if they differ."""
        if self.holds:
            return self.answer
        return f"{self.answer or 'no answer'} (and not {self.expected})"


@dataclass(frozen=True)
class TableResult:
    """The results of all cells of a table, from one run."""

    table: str
    time: str  # ISO 8601, UTC
    python: str
    django: str
    # The names and versions of the databases; empty for labs without one.
    databases: tuple[str, ...]
    cells: tuple[CellResult, ...]
    complaints: tuple[str, ...] = ()  # errors because of which tests could not run

    @property
    def holds(self) -> bool:
        """True if all answers match the table."""
        return not self.complaints and all(cell.holds for cell in self.cells)

    def cell(self, question: str, variant: str) -> CellResult:
        """Return the result of one cell. Raises KeyError if there is none."""
        return {(cell.question, cell.variant): cell for cell in self.cells}[question, variant]

    @property
    def stamp(self) -> str:
        """A sentence with the date and the versions."""
        parts = [f"Python {self.python}", f"Django {self.django}", *self.databases]
        return f"Checked {self.time[:16].replace('T', ' ')} UTC with {', '.join(parts)}."


def run_table(
    checkout: Catalog,
    table: Table,
    db: str = "sqlite",
    on_finished: Callable[[str], None] = lambda test: None,
) -> TableResult:
    """Run all tests of a table, lab by lab, and store the result.

    db: "sqlite" or "mysql", for labs that have a database.
    on_finished: called with the node ID of each finished test.

    The tests do not change the labs' own state. Raises CatalogError if the state folder is not
    writable.
    """
    folder = writable(checkout.state / ANSWERS)
    cells: list[CellResult] = []
    databases: dict[str, None] = {}
    complaints: list[str] = []
    for lab in map(checkout.find, table.labs):
        arguments = [str(lab.folder / TESTS), "-q", "-m", MARKS]
        if db == "mysql" and lab.database:
            arguments.append("--lab-db=mysql")
        with tempfile.TemporaryDirectory(prefix="labkit-", ignore_cleanup_errors=True) as state:
            run = run_tests(
                checkout.root,
                *arguments,
                checkout=checkout.root,
                environ={"LAB_STATE_DIR": state},
                on_finished=on_finished,
                seconds=SECONDS,
            )
        if run.stop:
            end = run.output.splitlines()[-OUTPUT_LINES:]
            complaints.append("\n".join([f"{run.stop.sentence} {run.stop.test}".strip(), *end]))
        complaints += [file.message for file in run.uncollected]
        for test in run.tests:
            found = test.properties.get(PROPERTY)
            if found and found["table"] == table.id:
                cells.append(_cell_result(table, test))
                if found["database"]:
                    databases[found["database"]] = None
    result = TableResult(
        table.id,
        datetime.now(UTC).isoformat(timespec="seconds"),
        platform.python_version(),
        django.get_version(),
        tuple(databases),
        (*cells, *_untested(table, cells)),
        tuple(complaints),
    )
    path = folder / f"{table.id}.json"
    write_whole(path, json.dumps(asdict(result), indent=1, ensure_ascii=False))
    return result


def read_last_result(checkout: Catalog, table: Table) -> TableResult | None:
    """Return the stored result of this table's last run on this machine, or None."""
    path = checkout.state / ANSWERS / f"{table.id}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cells = tuple(CellResult(**cell) for cell in data.pop("cells"))
        for name in ("databases", "complaints"):
            data[name] = tuple(data[name])
        return TableResult(**data, cells=cells)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is no result, or it is from another version


def _cell_result(table: Table, test: Outcome) -> CellResult:
    found = test.properties[PROPERTY]
    question, variant = found["question"], found["variant"]
    expected = table.question(question).cells[variant].answer
    holds = test.outcome == "passed"
    answer = found.get("answer", "")
    return CellResult(question, variant, expected, answer, holds, test.id, test.message)


def _untested(table: Table, cells: list[CellResult]) -> Iterator[CellResult]:
    """Yield a result for each cell whose answer no test has found."""
    tested = {(cell.question, cell.variant) for cell in cells}
    for question in table.questions:
        for variant, cell in question.cells.items():
            if (question.id, variant) not in tested:
                missing = "No test found this answer."
                yield CellResult(question.id, variant, cell.answer, "", False, "", missing)
