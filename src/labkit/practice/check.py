"""Run a lab's contract and tests on a copy's code, and explain in plain words what fails.

The copy's lab/ and the lab's tests are put together in a folder that has the lab's name. So the
code runs under the lab's number, and nothing is written into the copy.
"""

import ast
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog, Lab
from labkit.comparison_tables import MANIFEST as TABLES
from labkit.practice.copies import copy_tree
from labkit.practice.failure_hints import Explanation, explain, explain_stop, next_step
from labkit.testing.pytest_runner import (
    MEMORY,
    NO_TESTS,
    SECONDS,
    STOPS,
    UNKNOWN,
    Run,
    run_tests,
)

PROMISES = "test_the_contract.py"
LIMIT = SECONDS  # for one test
STARTS, ENDS = "the lab starts", "the lab ends after its tests"
# Tests that need a private server or a browser are for nox; the others take seconds.
LEFT_OUT = "Not asked: what takes a real browser, MariaDB or Redis, or long."


@dataclass(frozen=True)
class CheckResult:
    """The result of one test."""

    sentence: str  # the test's name as a sentence
    outcome: str  # "passed", "failed" or "skipped"
    explanation: Explanation | None = None  # of a test that did not pass


@dataclass
class Report:
    """The results of one check."""

    contract: str  # the contract's name, such as "CartContract"; "" if the lab has none
    promises: list[CheckResult] = field(default_factory=list)  # the tests of the contract
    questions: list[CheckResult] = field(default_factory=list)  # the lab's other tests
    not_run: list[CheckResult] = field(default_factory=list)  # files that pytest could not import
    stop: CheckResult | None = None  # what ended the tests early
    expected: int = 0  # how many tests there are

    @property
    def asked(self) -> int:
        """How many tests have been run."""
        return len(self.promises) + len(self.questions)

    @property
    def holds(self) -> bool:
        """Return True if every test has been run and none failed."""
        results = [*self.promises, *self.questions]
        failed = any(result.outcome == "failed" for result in results)
        some = any(result.outcome == "passed" for result in results)
        return some and not (failed or self.stop or self.not_run)

    @property
    def next(self) -> str:
        """The first thing to do; "" if everything holds."""
        results = [*self.not_run, *self.promises, *self.questions]
        results = [self.stop] if self.stop else results
        failed = [(r.sentence, r.explanation) for r in results if r.outcome == "failed"]
        step = next_step([(test, why) for test, why in failed if why])
        return step or ("" if self.holds else STOPS[NO_TESTS])


def check(checkout: Catalog, copy: Lab, target: Lab, seconds: float = LIMIT) -> Report:
    """Run the contract and the tests of `target` on a copy's code.

    seconds: the time limit of each test. The first one that exceeds it ends the check.
    """
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        root = Path(temporary).resolve()
        stage = _assemble(checkout, copy, target, root)
        run = _run(checkout, stage, root, seconds)
        name = copy.folder.name
        report = Report(target.contract or "", expected=run.expected)
        for test in run.tests:
            passed = test.outcome == "passed"
            reason = None if passed else explain(test.message, test.places, stage, name)
            of_contract = test.id.partition("::")[0].endswith(PROMISES)
            results = report.promises if of_contract else report.questions
            results.append(CheckResult(sentence(test.id), test.outcome, reason))
        for file in run.uncollected:
            if Path(file.id).name != PROMISES or not report.promises:
                why = explain(file.message, file.places, stage, name)
                text = f"the questions of {file.id} can be asked"
                report.not_run.append(CheckResult(text, "failed", why))
        if stop := run.stop:
            why = explain_stop(stop, stage, name)
            if stop.cause == UNKNOWN and not stop.test:
                why = explain(run.output, [], stage, name)
            text = sentence(stop.test) if stop.test else ENDS if run.tests else STARTS
            report.stop = CheckResult(text, "failed", why)
        return report


def sentence(test: str) -> str:
    """Return a test's name as a sentence, such as "a page opens (/info/)"."""
    name, _, parameter = test.rpartition("::")[2].partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({parameter.removesuffix(']')})" if parameter else words


def _assemble(checkout: Catalog, copy: Lab, target: Lab, root: Path) -> Path:
    """Return the folder to test: the copy's code with the name and the tests of a lab."""
    stage = root / "labs" / target.folder.name
    copy_tree(copy.folder / "lab", stage / "lab")
    copy_tree(target.folder / "tests", stage / "tests")
    for name in ("manage.py", "README.md"):
        shutil.copyfile(target.folder / name, stage / name)
    for manifest in (MANIFEST, TABLES):
        shutil.copyfile(checkout.root / manifest, root / manifest)
    # In its own file, since the lab's other tests may import a table that does not exist yet.
    if contract := contract_source(target):
        (stage / "tests" / PROMISES).write_text(contract, encoding="utf-8")
    return stage


def contract_source(target: Lab) -> str:
    """Return the source of the classes that subclass the lab's contract, with their imports."""
    parts: list[ast.stmt] = []
    for path in sorted((target.folder / "tests").glob("test_*.py")):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        classes = [
            node
            for node in body
            if isinstance(node, ast.ClassDef)
            and (target.contract or "") in map(ast.unparse, node.bases)
        ]
        if classes:
            parts += [*filter(_is_needed_import, body), *classes]
    return "\n\n".join(map(ast.unparse, parts))


def _is_needed_import(node: ast.stmt) -> bool:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    return isinstance(node, ast.Import) or module.startswith(("labkit", "tests."))


def _run(checkout: Catalog, stage: Path, root: Path, seconds: float) -> Run:
    """Run the tests, those of the contract only once, in their own file."""
    twice = [
        f"--deselect={path.relative_to(stage).as_posix()}::{name}"
        for path in sorted((stage / "tests").glob("test_*.py"))
        if path.name != PROMISES and (stage / "tests" / PROMISES).exists()
        for name in re.findall(r"^class (Test\w*)\(\w*Contract\):", path.read_text("utf-8"), re.M)
    ]
    return run_tests(
        stage,
        str(stage / "tests"),
        "-q",
        *twice,
        checkout=checkout.root,
        environ={"LAB_STATE_DIR": str(root / ".lab")},
        seconds=seconds,
        memory=MEMORY,
    )
