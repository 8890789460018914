"""Run a lab's contract and tests on a copy's code, and report the results.

A copy passes if the contract and the tests of the exercise pass. The lab's other tests depend on
how this lab works. Other solutions are also right, so the results of these tests are shown only as
information. However, a server error is a failure in any test.
"""

import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from labkit.catalog import Catalog, Lab
from labkit.comparison_tables import Question, Tables
from labkit.practice.check_stage import PROMISES, arguments, assemble, find_contract
from labkit.practice.diagnosis import Diagnosis, diagnose, failure_of
from labkit.practice.exchanges import exchanges_of
from labkit.practice.failure_hints import (
    SETUP,
    Explanation,
    explain,
    explain_stop,
    is_crash,
)
from labkit.testing.pytest_runner import (
    MEMORY,
    NO_TESTS,
    SECONDS,
    STOPS,
    UNKNOWN,
    Outcome,
    Run,
    run_tests,
)

LIMIT = SECONDS  # the time limit for one test, in seconds
STARTS, ENDS = "the lab starts", "the lab ends after its tests"
NOT_READ = "{name}/{path}, line {line}: {error}"
OTHER_ANSWER = "Lab {number}: {expected}. Here: {answer}."


@dataclass(frozen=True)
class CheckResult:
    """The result of one test."""

    id: str  # the test's node ID
    sentence: str  # the test's name as a sentence
    outcome: str  # "passed", "failed" or "skipped"
    counts: bool = True
    explanation: Explanation | None = None  # for a test that did not pass
    # The last exchanges, each as a list of lines.
    exchanges: list[list[str]] = field(default_factory=list)
    crashed: bool = False  # whether a request caused a server error

    @property
    def failed(self) -> bool:
        """Return True if the test failed."""
        return self.outcome == "failed"


@dataclass(frozen=True)
class Cause:
    """A reason why tests fail."""

    explanation: Explanation
    results: list[CheckResult]

    @property
    def exchanges(self) -> list[list[str]]:
        """The last exchanges of the first test that recorded any."""
        return next((result.exchanges for result in self.results if result.exchanges), [])


@dataclass
class Report:
    """The results of one check."""

    contract: str  # the contract's name, such as "CartContract"; "" if the lab has none
    results: list[CheckResult] = field(default_factory=list)
    stop: CheckResult | None = None  # the reason why the run ended early, as a result
    expected: int = 0  # the number of tests
    asked: int = 0  # the number of tests that were run
    diagnosis: Diagnosis | None = None

    @property
    def counted(self) -> list[CheckResult]:
        """The results of the tests that count."""
        return [result for result in self.results if result.counts]

    @property
    def information(self) -> list[CheckResult]:
        """The results of the tests that do not count."""
        return [result for result in self.results if not result.counts]

    @property
    def crashes(self) -> list[CheckResult]:
        """The results of tests that do not count, but in which a server error occurred."""
        return [result for result in self.information if result.crashed]

    @property
    def score(self) -> tuple[int, int]:
        """How many of the tests that count have passed, and how many count."""
        passed = [result for result in self.counted if not result.failed]
        return len(passed), len(self.counted)

    @property
    def holds(self) -> bool:
        """True if the run is complete, no test that counts failed, and no server error occurred."""
        some = any(result.outcome == "passed" for result in self.counted)
        wrong = self.stop or self.crashes or any(result.failed for result in self.counted)
        return some and not wrong

    @property
    def causes(self) -> list[Cause]:
        """The reasons why the copy does not pass, in the order in which to fix them."""
        if self.stop and self.stop.explanation:
            return [Cause(self.stop.explanation, [self.stop])]
        groups: dict[str, list[CheckResult]] = {}
        for result in [*self.counted, *self.crashes]:
            if result.failed and result.explanation:
                groups.setdefault(result.explanation.cause or result.id, []).append(result)
        found = [Cause(r[0].explanation, r) for r in groups.values() if r[0].explanation]
        order = [hint.meaning for hint in SETUP]
        # After them come errors, since their place in the code is known; those that stop most tests
        # are first.
        found.sort(key=lambda cause: _priority(cause, order))
        if not found and not self.holds:
            nothing = CheckResult("", STARTS, "failed")
            found = [Cause(Explanation(STOPS[NO_TESTS]), [nothing])]
        return found


def check(
    checkout: Catalog,
    copy: Lab,
    target: Lab,
    seconds: float = LIMIT,
    only: Collection[str] = (),
    first: Collection[str] = (),
    on_first: Callable[[CheckResult], None] | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Report:
    """Run the contract and the tests of `target` on the code of a copy.

    seconds: the time limit of each test; a test that exceeds it ends the check.
    only: the node IDs of the lab's tests that count in addition to the contract.
    first: the node IDs from the results of an earlier check. These tests run before all others.
    on_first: called with the first result as soon as it is known.
    is_cancelled: called several times a second. If it returns True, the check ends at once.

    Raises Cancelled if `is_cancelled` returned True.
    """
    if wrong := find_syntax_error(copy.folder):
        return Report("", stop=wrong)
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        root = Path(temporary).resolve()
        stage = assemble(checkout, copy, target, root)
        reading = _Reading(checkout, copy.folder.name, stage, target, frozenset(only))
        run = run_tests(
            stage,
            *arguments(target, stage),
            "-q",
            *("-p", "labkit.testing.lost_changes", "-p", "labkit.testing.start_check"),
            checkout=checkout.root,
            environ={"LAB_STATE_DIR": str(root / ".lab"), "PYTHONDONTWRITEBYTECODE": "1"},
            seconds=seconds,
            memory=MEMORY,
            first=tuple(first),
            on_first=on_first and (lambda test: on_first(reading.result(test))),
            is_cancelled=is_cancelled,
        )
        return reading.report(run)


def find_syntax_error(folder: Path, part: str = "lab") -> CheckResult | None:
    """Return a result for the first file of a copy that Python cannot compile, or None."""
    for path in sorted((folder / part).rglob("*.py")):
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            number = getattr(error, "lineno", None) or 1
            text = getattr(error, "msg", str(error))
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            message = f'File "{path}", line {number}\n{type(error).__name__}: {text}'
            why = explain(message, [], folder.resolve(), folder.name)
            place = f"{name}, line {number}: {type(error).__name__}: {text}"
            code = why.code or (getattr(error, "text", None) or "").strip()
            why = why._replace(reason=place, code=code)
            return CheckResult("", STARTS, "failed", explanation=why)
        except OSError:  # the same error while copying has a better message
            continue
    return None


def sentence(test: str) -> str:
    """Return a test's name as a sentence, such as "a page opens (/info/)"."""
    name, _, parameter = test.rpartition("::")[2].partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({parameter.removesuffix(']')})" if parameter else words


def _priority(cause: Cause, order: list[str]) -> tuple[int, int]:
    name = cause.explanation.cause
    place = order.index(name) if name in order else len(order)
    return place, -len(cause.results) if name else 0


@dataclass(frozen=True)
class _Reading:
    """Converts the outcomes of a run to results for a copy."""

    checkout: Catalog
    name: str  # the copy's name
    stage: Path
    target: Lab
    only: frozenset[str]

    @cached_property
    def has_contract(self) -> bool:
        """True if the lab has a contract. Without one, all of its tests count."""
        return (self.stage / "tests" / PROMISES).exists()

    def result(self, test: Outcome) -> CheckResult:
        passed = test.outcome == "passed"
        why = None if passed else explain(test.message, test.places, self.stage, self.name)
        words = sentence(test.id)
        if question := self._question(test):
            cell = test.properties["compared"]
            words = question.text
            if not passed and "answer" in cell:
                expected = question.cells[cell["variant"]].answer
                answers = {"expected": expected, "answer": cell["answer"]}
                why = Explanation(OTHER_ANSWER.format(number=self.target.number, **answers))
        of_contract = test.id.partition("::")[0].endswith(PROMISES)
        counts = of_contract or test.id in self.only or not self.has_contract
        shown = exchanges_of(test)
        return CheckResult(test.id, words, test.outcome, counts, why, shown, is_crash(test))

    def report(self, run: Run) -> Report:
        contract = find_contract(self.target)
        report = Report(contract, expected=run.expected, asked=len(run.tests))
        report.results = [self.result(test) for test in run.tests]
        report.results += self._results_of_files(run, {result.id for result in report.results})
        if stop := run.stop:
            why = explain_stop(stop, self.stage, self.name)
            if stop.cause == UNKNOWN and not stop.test:
                why = explain(run.output, [], self.stage, self.name)
            text = sentence(stop.test) if stop.test else ENDS if run.tests else STARTS
            report.stop = CheckResult(stop.test, text, "failed", explanation=why)
        failed = [test for test in [*run.tests, *run.uncollected] if test.outcome == "failed"]
        if failed or run.stop:
            text = run.output if run.stop else ""
            failures = [failure_of(test) for test in failed]
            step = None if report.holds else report.causes[0].explanation
            report.diagnosis = diagnose(self.checkout, self.target, failures, failed, step, text)
        return report

    def _results_of_files(self, run: Run, known: set[str]) -> list[CheckResult]:
        """Return results for files that could not be imported, and for the tests in them."""
        found = []
        for file in run.uncollected:
            why = explain(file.message, file.places, self.stage, self.name)
            missing = sorted(test for test in self.only - known if test.startswith(file.id))
            for test in missing:
                found.append(CheckResult(test, sentence(test), "failed", True, why))
            if not missing:
                counts = Path(file.id).name == PROMISES or not self.has_contract
                text = f"the tests of {file.id} can be run"
                found.append(CheckResult(file.id, text, "failed", counts, why))
        return found

    def _question(self, test: Outcome) -> Question | None:
        cell = test.properties.get("compared")
        if not isinstance(cell, dict):
            return None
        return Tables(self.checkout).find(cell["table"]).question(cell["question"])
