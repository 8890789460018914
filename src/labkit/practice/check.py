"""`lab check`: asks a copy what a lab promises, and tells in plain words what holds.

The copy's lab/ is put together with the tests of that lab in a folder that has that lab's name, so
it runs under its number, and nothing is written into the copy.
"""

import ast
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labkit.catalog import MANIFEST, Catalog, Lab
from labkit.practice.failure_hints import in_words, next_step
from labkit.tables import MANIFEST as TABLES
from labkit.testing.runner import Outcome, Run, run_tests

PROMISES = "test_the_contract.py"
# What only a private server or a browser can answer is for nox; the rest takes seconds.
LEFT_OUT = "Not asked: what takes a real browser, MariaDB or Redis, or long."


@dataclass(frozen=True)
class Answer:
    """What became of one test."""

    sentence: str  # its name, as one reads it
    outcome: str  # "passed", "failed" or "skipped"
    reason: str = ""  # why not, in plain words
    todo: str = ""  # what to do about it, where that is known


@dataclass
class Report:
    """All answers of one copy."""

    contract: str  # its name, "CartContract"; empty where the lab has none
    promises: list[Answer] = field(default_factory=list)
    questions: list[Answer] = field(default_factory=list)
    unasked: list[Answer] = field(default_factory=list)  # whole files that could not be read

    @property
    def answers(self) -> list[Answer]:
        """All of them, what is most in the way first."""
        return [*self.unasked, *self.promises, *self.questions]

    @property
    def failed(self) -> list[Answer]:
        """What does not hold yet."""
        return [answer for answer in self.answers if answer.outcome == "failed"]

    @property
    def next(self) -> str:
        """The first thing to do; empty where all holds."""
        return next_step([(a.sentence, a.reason, a.todo) for a in self.failed])


def check(checkout: Catalog, copy: Lab, target: Lab) -> Report:
    """Run the contract and the tests of `target` on a copy's code."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        root = Path(temporary).resolve()
        stage = _assemble(checkout, copy, target, root)
        run = _run(stage, root)
        report = Report(target.contract or "")
        if not run.finished:
            words, todo = in_words(run.output, [], stage, copy.folder.name)
            report.unasked.append(Answer("the lab starts", "failed", words, todo))
            return report
        for found in run.tests:
            answer = _answer(found, stage, copy)
            of_contract = found.id.partition("::")[0].endswith(PROMISES)
            (report.promises if of_contract else report.questions).append(answer)
        for found in run.uncollected:
            if Path(found.id).name != PROMISES or not report.promises:
                words, todo = in_words(found.message, found.places, stage, copy.folder.name)
                sentence = f"the questions of {found.id} can be asked"
                report.unasked.append(Answer(sentence, "failed", words, todo))
        return report


def _answer(test: Outcome, stage: Path, copy: Lab) -> Answer:
    if test.outcome == "passed":
        return Answer(sentence(test.id), "passed")
    words, todo = in_words(test.message, test.places, stage, copy.folder.name)
    return Answer(sentence(test.id), test.outcome, words, todo)


def sentence(test: str) -> str:
    """A test's name as one reads it: "reading does not prolong it", "a page opens (/info/)"."""
    name, _, parameter = test.rpartition("::")[2].partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({parameter.removesuffix(']')})" if parameter else words


def _assemble(checkout: Catalog, copy: Lab, target: Lab, root: Path) -> Path:
    """The folder that is tested: the copy's code, under the name and with the tests of a lab."""
    stage = root / "labs" / target.folder.name
    left = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    shutil.copytree(copy.folder / "lab", stage / "lab", ignore=left)
    shutil.copytree(target.folder / "tests", stage / "tests", ignore=left)
    for name in ("manage.py", "README.md"):
        shutil.copy(target.folder / name, stage)
    for manifest in (MANIFEST, TABLES):
        shutil.copy(checkout.root / manifest, root / manifest)
    # The contract by itself: a lab's own tests may look into a table that is not there yet.
    if contract := "\n\n".join(_contract(target)):
        (stage / "tests" / PROMISES).write_text(contract, encoding="utf-8")
    return stage


def _contract(target: Lab) -> Iterator[str]:
    """The source of the classes that subclass the lab's contract, with what they import."""
    for path in sorted((target.folder / "tests").glob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        body = ast.parse(source).body
        classes = [node for node in body if isinstance(node, ast.ClassDef) and _is(node, target)]
        if not classes:
            continue
        for node in body:
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if module.startswith("labkit") or isinstance(node, ast.Import):
                yield ast.unparse(node)
        yield from (ast.unparse(node) for node in classes)


def _is(node: ast.ClassDef, target: Lab) -> bool:
    return target.contract in [ast.unparse(base) for base in node.bases]


def _run(stage: Path, root: Path) -> Run:
    """Run the tests; those of the contract only once, in their own file."""
    twice = [
        f"--deselect={path.relative_to(stage).as_posix()}::{name}"
        for path in sorted((stage / "tests").glob("test_*.py"))
        if path.name != PROMISES and (stage / "tests" / PROMISES).exists()
        for name in re.findall(r"^class (Test\w*)\(\w*Contract\):", path.read_text("utf-8"), re.M)
    ]
    return run_tests(stage, str(stage), "-q", *twice, environ={"LAB_STATE_DIR": str(root / ".lab")})
