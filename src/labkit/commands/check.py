"""`lab check`: run a lab's tests on a copy of the lab or on an exercise."""

import contextlib
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import click

from labkit.catalog import Catalog, CatalogError, Lab, absence, catalog, is_lab
from labkit.commands.options import use_colour
from labkit.practice import watch
from labkit.practice.check import LIMIT, CheckResult, Report, check
from labkit.practice.check_summary import MARKS, all_results, first_lines, summary, wrap_each
from labkit.practice.exercise import DID_YOU_MEAN, Exercise, exercise_of, find_close, read_exercises
from labkit.practice.progress import SOLVED as FINISHED
from labkit.practice.progress import note_result, read_progress
from labkit.practice.score import score_tests
from labkit.practice.start import refuse_old_folder, started_folder
from labkit.processes.parent_pipe import exit_on_signals
from labkit.text_format import command_line

MAKE_COPY = "To make a copy: {line}"
NOT_IN_COPY = "This folder is not in a copy of a lab. Specify a copy, for example: lab check mine/"
SOLVED = "Solved."
LOOK_AT_SOLUTION = "{line} shows the explanation and the lab's own solution."
GO_ON = "Next exercise: {line}"
OUTDATED = (
    "The exercise {name} has changed since you started it, so a failure may not be your fault. "
    "Start again with: {line}"
)
UNKNOWN_ORIGINAL = (
    "{name} does not record which lab it is a copy of. Specify the lab, for example: --as 04"
)
CHECKED_AS = "{name}, checked as lab {number}, {title}:"
SCORING = "Running your tests on the lab, and on {count} faulty versions of it …"
CHANGED = "changed: {files}"
MOST_FILES = 3  # that are named
WAIT = "  The other tests are running …"
WATCHING = "Waiting for the next save. Press q to quit."
COLOURS = {MARKS["passed"]: "green", MARKS["failed"]: "red", MARKS["skipped"]: "yellow"}


@click.command("check")
@click.argument("name", metavar="[NAME|FOLDER]", required=False, default="")
@click.option(
    "--as",
    "as_",
    metavar="LAB",
    help="The lab to check the copy against. Default: the lab that it was copied from.",
)
@click.option(
    "--limit",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=LIMIT,
    show_default=True,
    help="The time limit for one test. A test that exceeds it ends the check.",
)
@click.option("--all", "show_all", is_flag=True, help="Show the result of every test.")
@click.option(
    "--watch", "watching", is_flag=True, help="Check again after each save, until you press q."
)
def check_copy(name: str, as_: str | None, limit: float, show_all: bool, watching: bool) -> None:
    """Check a copy of a lab or an exercise, and say what to do next.

    The lab's tests run on the copy's code, under the lab's number and in a temporary folder.
    Nothing is written to the copy. In the copy's folder, you can leave out the name. The exit
    status is 1 if the copy does not do everything that the lab does.
    """
    checkout = catalog()
    exit_on_signals()
    copy = find_folder(checkout, name, as_)
    exercise = exercise_of(checkout, copy.folder)
    target = exercise.target if exercise and not as_ else find_target(checkout, copy, as_)
    checking = Checking(checkout, copy, target, exercise, name, limit, show_all)
    checking.begin()
    if watching:
        checking.watch()
    else:
        checking.check()
    if not checking.holds:
        sys.exit(1)


@dataclass
class Checking:
    """The checks of one copy, one after the other."""

    checkout: Catalog
    copy: Lab
    target: Lab
    exercise: Exercise | None
    name: str  # the name of the copy as the user typed it
    limit: float  # seconds
    show_all: bool
    holds: bool = False  # whether the last check found nothing that still has to be done
    pointed_to_all: bool = False  # whether an earlier check has said how to see all results
    first: Collection[str] = ()  # the ID of the test to run first in the next check

    @property
    def names(self) -> dict[str, str]:
        """The names of the copy and the lab, for messages."""
        target = self.target
        return {"name": self.copy.folder.name, "number": target.number, "title": target.title}

    def check(
        self,
        on_first: Callable[[CheckResult], None] | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Check once, and print the result. Raises Cancelled."""
        exercise = self.exercise
        if exercise and exercise.kind == "test":
            _print(wrap_each([SCORING.format(count=len(exercise.faults))]))
            score = score_tests(self.checkout, exercise, self.copy.folder, self.limit, is_cancelled)
            self._note(score.passed)
            _print(["", *wrap_each(score.lines())])
        else:
            self.show(self._run(on_first, is_cancelled))
        if exercise and self.holds:
            _print(["", *self._next_steps(exercise)])

    def _next_steps(self, exercise: Exercise) -> list[str]:
        """Return lines that say what to do after an exercise is solved."""
        lines = [SOLVED, LOOK_AT_SOLUTION.format(line=_line("solution", exercise.name))]
        exercises = read_exercises(self.checkout)
        names = [each.name for each in exercises]
        position = names.index(exercise.name) + 1
        progress = read_progress(self.checkout)
        for each in (*exercises[position:], *exercises[:position]):
            state = progress.of(each).state
            if state != FINISHED:
                words = ("check", each.name) if state else ("practice", "start", each.name)
                return [*lines, GO_ON.format(line=_line(*words))]
        return lines

    def watch(self) -> None:
        """Check after each save until q or Ctrl-C; without a terminal, check once."""
        if not watch.is_interactive():
            self.check(self.show_first)
            return
        with contextlib.suppress(KeyboardInterrupt), watch.keys() as wait_for_key:
            watch.watch(self.copy.folder, self._check_changed, wait_for_key)
        click.echo()

    def begin(self) -> None:
        """Print what is checked, with a note if the exercise has changed since it was started."""
        _print(wrap_each([CHECKED_AS.format_map(self.names)]))
        if self.exercise:
            progress = read_progress(self.checkout)
            if progress.notice:
                _print(wrap_each([progress.notice]))
            if not progress.of(self.exercise).is_current(self.exercise):
                line = command_line("lab", "practice", "reset", self.exercise.name)
                _print(wrap_each([OUTDATED.format(name=self.exercise.name, line=line)]))

    def _check_changed(self, changed: list[str], is_cancelled: Callable[[], bool]) -> None:
        if changed:
            click.echo(f"\n── {CHANGED.format(files=', '.join(changed[:MOST_FILES]))}")
        self.check(self.show_first, is_cancelled)
        click.echo(f"\n{WATCHING}")

    def _note(self, passed: bool) -> None:
        self.holds = passed
        if self.exercise:
            note_result(self.checkout, self.exercise, passed)

    def _run(
        self,
        on_first: Callable[[CheckResult], None] | None,
        is_cancelled: Callable[[], bool],
    ) -> Report:
        tests = self.exercise.tests if self.exercise else ()
        report = check(
            self.checkout,
            self.copy,
            self.target,
            self.limit,
            only=tests,
            first=self.first,
            on_first=on_first,
            is_cancelled=is_cancelled,
        )
        self._note(report.holds)
        causes = [] if report.holds else report.causes
        self.first = [result.id for cause in causes[:1] for result in cause.results[:1]]
        return report

    def show_first(self, result: CheckResult) -> None:
        """Print the first result, while the other tests are still running."""
        _print([*first_lines(result), WAIT])

    def show(self, report: Report) -> None:
        """Print the summary of a report, and with --all each result."""
        version = self.exercise.version if self.exercise else None
        starter = version.full_name if version else ""
        point_to_all = not (self.show_all or self.pointed_to_all)
        _print(summary(report, self.names, self.name, starter, point_to_all))
        self.pointed_to_all = True
        if self.show_all:
            _print(all_results(report, self.names))


def _line(*words: str) -> str:
    return command_line("lab", *words)


def _print(lines: list[str]) -> None:
    for line in lines:
        mark = line.strip()[:1]
        coloured = use_colour() and mark in COLOURS
        click.echo(line.replace(mark, click.style(mark, fg=COLOURS[mark]), 1) if coloured else line)


def find_folder(checkout: Catalog, name: str, as_: str | None) -> Lab:
    """Return the copy with this name; without a name, the one that contains the current folder.

    `name` is that of a started exercise or of a folder. Raises CatalogError.
    """
    if not name:
        refuse_old_folder(checkout)
        here = Path.cwd()
        if around := next(filter(is_lab, (here, *here.parents)), None):
            return checkout.copy_in(around)
        raise CatalogError(NOT_IN_COPY)
    if not Path(name).exists():
        for exercise in read_exercises(checkout):
            if exercise.name == name:
                return checkout.copy_in(started_folder(checkout, exercise))
    try:
        return checkout.find(name)
    except CatalogError:
        names = [exercise.name for exercise in read_exercises(checkout)]
        if not Path(name).exists() and (close := find_close(name, names)):
            raise CatalogError(DID_YOU_MEAN.format(name=name, close=close)) from None
        line = command_line("lab", "copy", as_ or "04", name or "mine/")
        hint = "" if Path(name).exists() else f" {MAKE_COPY.format(line=line)}"
        raise CatalogError(absence(name) + hint) from None


def find_target(checkout: Catalog, copy: Lab, as_: str | None) -> Lab:
    """Return the lab that a copy is checked against. Raises CatalogError if it is not known."""
    original = copy.original or (copy.number if copy in checkout.labs else "")
    if not (as_ or original):
        raise CatalogError(UNKNOWN_ORIGINAL.format(name=copy.folder.name))
    return checkout.find(as_ or original)
