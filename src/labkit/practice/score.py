"""Score a student's tests by counting how many faulty versions of a lab they catch."""

import ast
import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog, read_lines
from labkit.practice.assertions import explain_assertion, find_assertion
from labkit.practice.check import find_syntax_error
from labkit.practice.copies import copy_tree
from labkit.practice.exercise import MY_TESTS, Exercise
from labkit.practice.failure_hints import error_line
from labkit.practice.settings_names import DID_YOU_MEAN
from labkit.practice.watch import read_contents
from labkit.testing.pytest_runner import MEMORY, NO_TESTS, SECONDS, Outcome, Run, run_tests
from labkit.textbook_versions import Version

NO_TEST = f"There is no test in {MY_TESTS}. The name of a test begins with test_."
INHERITS = (
    "{place}: the class {name} inherits from {base}. That would find the faults for you. Write the "
    "tests yourself, as functions or in a class that inherits from none."
)
FAILS = "{test} fails on the lab itself, which has no fault:"
CAUGHT = "Caught {caught} of {count}. Needed: {needed}."
GOT_THROUGH = "These got through:"
ALL_CAUGHT = "None got through."
LAB_CHANGED = "You have changed lab/. That does not count: your tests run on lab {number} itself."
READS = "{place}: {name} reads the lab's code. Use a visitor, and test what the pages do."
READING = {
    "open",
    "read_text",
    "read_bytes",
    "inspect",
    "getsource",
    "linecache",
    "__code__",
    "__file__",
}
NO_FIXTURE = re.compile(r"fixture '(\w+)' not found\s+(?:E?\s*>?\s*)available fixtures: (.*)")
MISSING_FIXTURE = "There is no fixture {name}."
MOST_LINES = 18  # the maximum number of lines about tests that fail on the lab
TESTS = "tests"
MOST = 10  # how many of the versions that were not caught to list


@dataclass(frozen=True)
class Score:
    """The result of a student's tests."""

    exercise: Exercise
    refusal: str = ""  # why the tests were not run on the faulty versions; "" if they were
    caught: tuple[Version, ...] = ()
    notice: str = ""  # a message about a change that does not count, or ""

    @property
    def passed(self) -> bool:
        """True if the tests catch as many versions as the exercise requires."""
        return not self.refusal and len(self.caught) >= self.exercise.needed

    @property
    def missed(self) -> tuple[Version, ...]:
        """The versions on which all tests pass."""
        return tuple(v for v in self.exercise.faults if v not in self.caught)

    def lines(self) -> list[str]:
        """Return the score as lines to print, with the symptoms of the versions not caught."""
        lines = [self.notice, ""] if self.notice else []
        if self.refusal:
            return [*lines, *self.refusal.splitlines()]
        figures = {"caught": len(self.caught), "count": len(self.exercise.faults)}
        lines += [CAUGHT.format(**figures, needed=self.exercise.needed)]
        if not self.missed:
            return [*lines, ALL_CAUGHT]
        lines += ["", GOT_THROUGH, *(f"  - {version.symptom}" for version in self.missed[:MOST])]
        rest = len(self.missed) - MOST
        return [*lines, f"  … and {rest} more."] if rest > 0 else lines


def score_tests(
    checkout: Catalog,
    exercise: Exercise,
    folder: Path,
    seconds: float = SECONDS,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Score:
    """Run the tests in an exercise's folder on its lab, and on each faulty version of the lab.

    seconds: the time limit of each test; a version that exceeds it counts as caught.
    is_cancelled: called several times a second. If it returns True, this function raises Cancelled.
    """
    tests, notice = folder / TESTS, find_changes(exercise, folder)
    if wrong := find_syntax_error(folder, TESTS):
        why = wrong.explanation
        return Score(exercise, f"{why.reason}\n    {why.code}" if why else "", notice=notice)
    if reason := find_inheritance(tests) or find_reading(tests):
        return Score(exercise, reason, notice=notice)
    run = partial(run_on, checkout, exercise, tests, seconds=seconds, is_cancelled=is_cancelled)
    if reason := _refusal(run(None), folder):
        return Score(exercise, reason, notice=notice)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(run, exercise.faults)
        caught = [v for v, run in zip(exercise.faults, runs, strict=True) if _notices(run)]
    return Score(exercise, "", tuple(caught), notice)


def _notices(run: Run) -> bool:
    """Return whether a test failed or the run ended early."""
    failed = any(test.outcome == "failed" for test in run.tests)
    return bool(failed or run.uncollected or run.stop or not run.tests)


def find_changes(exercise: Exercise, folder: Path) -> str:
    """Return a sentence if the code in an exercise's folder differs from its lab's, or ""."""
    mine, original = (read_contents(each / "lab") for each in (folder, exercise.lab.folder))
    return "" if mine == original else LAB_CHANGED.format(number=exercise.lab.number)


def run_on(
    checkout: Catalog,
    exercise: Exercise,
    tests: Path,
    version: Version | None,
    seconds: float,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Run:
    """Run tests on a version until one fails; if `version` is None, run all of them on the lab."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        root = Path(temporary).resolve()
        stage = root / "labs" / exercise.lab.folder.name
        if version:
            version.write(root / "labs")
        else:
            copy_tree(exercise.lab.folder, stage)
        shutil.rmtree(stage / "tests")
        copy_tree(tests, stage / "tests")
        shutil.copyfile(checkout.root / MANIFEST, root / MANIFEST)
        return run_tests(
            stage,
            str(stage / "tests"),
            "-q",
            *(["-x"] if version else []),
            f"--basetemp={root / 'basetemp'}",
            checkout=checkout.root,
            environ={"LAB_STATE_DIR": str(root / ".lab"), "PYTHONDONTWRITEBYTECODE": "1"},
            seconds=seconds,
            memory=MEMORY,
            is_cancelled=is_cancelled,
        )


def find_inheritance(tests: Path) -> str:
    """Return a sentence about the first class that inherits from an imported one, or "".

    A class that inherits from a contract of labkit would catch nearly every fault in four lines.
    """
    for path in sorted(tests.rglob("*.py")):
        try:
            tree = ast.parse(read_lines(path))
        except SyntaxError:  # pytest reports the error in a better way
            continue
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        own = {node.name for node in classes}
        for node in classes:
            for base in map(ast.unparse, node.bases):
                if base not in {*own, "object"}:
                    place = f"{path.relative_to(tests.parent).as_posix()}, line {node.lineno}"
                    return INHERITS.format(place=place, name=node.name, base=base)
    return ""


def find_reading(tests: Path) -> str:
    """Return a sentence about the first line that reads the lab's source code, or "".

    A test of the source code would fail on a different solution that is also right.
    """
    for path in sorted(tests.rglob("*.py")):
        for node in ast.walk(ast.parse(read_lines(path))):
            names = {
                getattr(node, "id", ""),
                getattr(node, "attr", ""),
                getattr(node, "module", ""),
                *(
                    alias.name
                    for alias in getattr(node, "names", ())
                    if isinstance(alias, ast.alias)
                ),
            }
            if found := sorted(READING & names):
                place = f"{path.relative_to(tests.parent).as_posix()}, line {node.lineno}"  # type: ignore[attr-defined]
                return READS.format(place=place, name=found[0])
    return ""


def _refusal(run: Run, folder: Path) -> str:
    """Return why not all tests pass on the lab, or "" if all do."""
    lines = []
    for test in [*run.uncollected, *run.tests]:
        if test.outcome == "failed":
            name = test.id.partition("::")[2] or test.id
            lines += [FAILS.format(test=name), *_reason(test, folder)]
    if run.stop and run.stop.test:
        name = run.stop.test.partition("::")[2]
        lines += [FAILS.format(test=name), f"    {run.stop.sentence}"]
    elif not lines and (run.stop or not run.tests):
        return run.stop.sentence if run.stop and run.stop.cause != NO_TESTS else NO_TEST
    rest = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], *(["    …"] if rest > 0 else [])])


def _reason(test: Outcome, folder: Path) -> list[str]:
    """Return the line of the student's test that failed, and why."""
    if missing := NO_FIXTURE.search(test.message):
        available = re.findall(r"\w+", missing[2])
        close = difflib.get_close_matches(missing[1], available, 1)
        hint = DID_YOU_MEAN.format(name=close[0]) if close else ""
        return [f"    {MISSING_FIXTURE.format(name=missing[1])} {hint}".rstrip()]
    own = [
        (path, line) for path, line in test.places if (folder / path).is_relative_to(folder / TESTS)
    ]
    lines = []
    for path, number in own[-1:]:
        code = read_lines(folder / path).splitlines()[number - 1].strip()
        lines.append(f"    {path}, line {number}: {code}")
    return [
        *lines,
        f"    {explain_assertion(error_line(test.message), find_assertion(own, folder))}",
    ]
