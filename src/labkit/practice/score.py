"""Score a student's tests: how many faulty versions of a lab do they catch?"""

import ast
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog, read_lines
from labkit.practice.copies import copy_tree
from labkit.practice.exercise import MY_TESTS, Exercise
from labkit.testing.pytest_runner import MEMORY, SECONDS, STOPS, Run, run_tests
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
LINES = 4  # of an error, to show
MOST = 10  # of those that got through, to name


@dataclass(frozen=True)
class Score:
    """How a student's tests did."""

    exercise: Exercise
    refusal: str = ""  # why they were not run on the faulty versions; "" if they were
    caught: tuple[Version, ...] = ()

    @property
    def passed(self) -> bool:
        """True if the tests catch as many versions as the exercise asks for."""
        return not self.refusal and len(self.caught) >= self.exercise.needed

    @property
    def missed(self) -> tuple[Version, ...]:
        """The versions on which all tests pass."""
        return tuple(v for v in self.exercise.faults if v not in self.caught)

    def lines(self) -> list[str]:
        """Return the score for a person, with the symptoms of those that got through."""
        if self.refusal:
            return [self.refusal]
        figures = {"caught": len(self.caught), "count": len(self.exercise.faults)}
        lines = [CAUGHT.format(**figures, needed=self.exercise.needed)]
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
    """Run the tests in an exercise's folder on its lab, and on each faulty version of that.

    seconds: the time limit of each test. A version that exceeds it is caught.
    is_cancelled: called several times a second. If it returns True, this raises Cancelled.
    """
    tests = folder / "tests"
    if reason := find_inheritance(tests):
        return Score(exercise, reason)
    run = partial(run_on, checkout, exercise, tests, seconds=seconds, is_cancelled=is_cancelled)
    found = run(None)
    if reason := _failure(found):
        return Score(exercise, reason)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(run, exercise.faults)
        caught = [v for v, run in zip(exercise.faults, runs, strict=True) if _failure(run)]
    return Score(exercise, caught=tuple(caught))


def run_on(
    checkout: Catalog,
    exercise: Exercise,
    tests: Path,
    version: Version | None,
    seconds: float,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Run:
    """Run a folder of tests on a version, or on the lab for None, until the first one fails."""
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
            "-x",
            f"--basetemp={root / 'basetemp'}",
            checkout=checkout.root,
            environ={"LAB_STATE_DIR": str(root / ".lab"), "PYTHONDONTWRITEBYTECODE": "1"},
            seconds=seconds,
            memory=MEMORY,
            is_cancelled=is_cancelled,
        )


def find_inheritance(tests: Path) -> str:
    """Return a sentence about the first class that inherits from another file's, "" if none does.

    Subclassing a contract of labkit would catch nearly every fault in four lines.
    """
    for path in sorted(tests.rglob("*.py")):
        try:
            tree = ast.parse(read_lines(path))
        except SyntaxError:  # running the tests gives a better message
            continue
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        own = {node.name for node in classes}
        for node in classes:
            for base in map(ast.unparse, node.bases):
                if base not in {*own, "object"}:
                    place = f"{path.relative_to(tests.parent).as_posix()}, line {node.lineno}"
                    return INHERITS.format(place=place, name=node.name, base=base)
    return ""


def _failure(run: Run) -> str:
    """Return why the tests do not all pass, "" if they do."""
    if run.uncollected:
        return "\n    ".join(_lines(run.uncollected[0].message)[-LINES:])
    for test in run.tests:
        if test.outcome == "failed":
            name = test.id.partition("::")[2]
            return "\n    ".join([FAILS.format(test=name), *_lines(test.message)[:LINES]])
    if run.stop:
        return NO_TEST if run.stop.sentence in STOPS.values() else run.stop.sentence
    return "" if run.tests else NO_TEST


def _lines(message: str) -> list[str]:
    return [line for line in message.splitlines() if line.strip()]
