"""Format a check's report as lines: the score, the next thing to do, and the reason.

Without --all, there are at most MOST_LINES lines.
"""

import shutil
import textwrap
from collections.abc import Iterable

from labkit.practice.assertions import NOT_SO
from labkit.practice.check import STARTS, Cause, CheckResult, Report
from labkit.practice.exchanges import PAGE
from labkit.text_format import command_line, quantity

MOST_LINES = 25
WIDEST, NARROWEST = 100, 60  # columns
SCORE = "Score: {passed} of {counted}."
NOT_STARTING = "The lab does not start yet."
ALL_FAIL = "No test can pass yet: each one ends with an error."
CRASHED = "In {count}, a request ends in a server error."
NOT_ALL = "The tests ended early. Only {asked} of {expected} were run."
ALL_HOLDS = "Everything passes: {name} does what lab {number} does."
NEXT_STEP = "Next:"
MAKE_HOLD = "Make this true: {sentence}."
ONE_CAUSE = "{count} fail for this reason."
LOOKS_LIKE = "This looks like the textbook version {name}: {title}."
REPAIR = "To see how to repair it: {line}"
EXCHANGE = "The requests that show it:"
ALSO = "Also: {sentences}."
INFORMATION = (
    "{name} also fails {tests} of lab {number}'s own, which do not count: they test how lab "
    "{number} does it, and other ways are right too."
)
OTHERS = "Tests of lab {number} that do not count: {good} of {all} give the same result."
SAME, DIFFERENT = "The same as in lab {number}", "Different from lab {number}"
SHOW_ALL = "{line} shows all results."
# Tests that need a private server or a browser run only in nox; all others take seconds.
LEFT_OUT = "Left out: tests that need a browser, MariaDB or Redis, or take long."
UNMARKED = {"passed": "-", "skipped": "- (not run)", "failed": "-"}
MARKS = {"passed": "✓", "skipped": "–", "failed": "✗"}


def summary(
    report: Report, names: dict[str, str], folder: str, starter: str = "", point_to_all: bool = True
) -> list[str]:
    """Return at most MOST_LINES lines that fit in the terminal.

    names: the copy's "name", and the "number" of the lab that it is checked against.
    folder: the copy's folder, as the user typed it.
    starter: the full name of the textbook version with which an exercise starts; it is not
        mentioned.
    point_to_all: whether to mention the command that shows all results.
    """
    before, after = [""], []
    passed, counted = report.score
    if report.stop and report.stop.sentence == STARTS:
        before += [NOT_STARTING]
    elif not passed and all(cause.explanation.cause for cause in report.causes):
        before += [ALL_FAIL]
    elif counted:
        before += [SCORE.format(passed=passed, counted=counted)]
    if report.crashes and ALL_FAIL not in before:
        count = quantity(len(report.crashes), "other test")
        before[-1] = f"{before[-1]} {CRASHED.format(count=count)}".strip()
    if report.stop and report.asked < report.expected:
        before += [NOT_ALL.format(asked=report.asked, expected=report.expected)]
    if report.holds:
        before += [*_wrap(ALL_HOLDS.format_map(names)), *_diagnosis_lines(report, starter)]
        exchange = []
    else:
        cause, *others = report.causes
        before += ["", *_next_lines(cause), *_diagnosis_lines(report, starter)]
        exchange = _exchange_lines(cause)
        after += ["", _also(others)] if others else []
    other = [result for result in report.information if result.failed and not result.crashed]
    if other and report.holds:
        tests = quantity(len(other), "test")
        after += ["", *_wrap(INFORMATION.format(tests=tests, **names), most=4)]
    if point_to_all and (other or not report.holds):
        words = command_line("lab", "check", *filter(None, [folder]), "--all")
        after.append(SHOW_ALL.format(line=words))
    room = MOST_LINES - 1 - len(before) - len(after)  # one more line says which copy was checked
    return [*before, *exchange[:room], *after]


def first_lines(result: CheckResult) -> list[str]:
    """Return lines for a result that is printed before all others are known."""
    return _result_lines([result])


def all_results(report: Report, names: dict[str, str]) -> list[str]:
    """Return a line for each test, and below it the reason unless the test before has the same."""
    lines = []
    if report.stop:
        lines += ["", *_result_lines([report.stop])]
    if report.counted:
        passed, counted = report.score
        lines += ["", f"What counts ({report.contract or 'all tests'}): {passed} of {counted}."]
        lines += _result_lines(report.counted)
    if report.information:
        good = [result for result in report.information if not result.failed]
        lines += ["", *_wrap(OTHERS.format(good=len(good), all=len(report.information), **names))]
        other = [result for result in report.information if result.failed]
        for heading, results in ((DIFFERENT, other), (SAME, good)):
            lines += ["", f"{heading.format_map(names)}:"] if results else []
            lines += _result_lines(results, UNMARKED)
    return [*lines, "", LEFT_OUT]


def _next_lines(cause: Cause) -> list[str]:
    why, first = cause.explanation, cause.results[0]
    known = why.cause or not first.id or why.advice
    text = why.reason if known else MAKE_HOLD.format(sentence=first.sentence)
    lines = _wrap(f"{NEXT_STEP} {text}")
    if why.code:
        lines += _wrap(why.code, "        ")
    if not known and why.reason != NOT_SO:
        lines += _wrap(why.reason, "  ")
    elif why.advice:
        lines += _wrap(why.advice, "  ")
    if len(cause.results) > 1:
        count = quantity(len(cause.results), "test")
        lines.append(f"  {ONE_CAUSE.format(count=count)}")
    return lines


def _diagnosis_lines(report: Report, starter: str) -> list[str]:
    found = report.diagnosis
    if not found or (found.version and found.version.full_name == starter):
        return []
    if not found.version:
        return ["", *_wrap(found.text, most=5)]
    name, number = found.version.full_name, found.version.lab.number
    heading = LOOKS_LIKE.format(name=name, title=found.version.title)
    repair = REPAIR.format(line=command_line("lab", "diff", name, number))
    return ["", *_wrap(heading), *_wrap(found.text, "  ", 3), f"  {repair}"]


def _exchange_lines(cause: Cause) -> list[str]:
    shown = []
    for exchange in cause.exchanges[-3:]:
        first, *rest = exchange[:4]
        shown += _wrap(first, "  ", 1)
        for line in rest:
            shown += _wrap(line.strip(), "    ", 2 if line.startswith(PAGE) else 1)
    return ["", EXCHANGE, *shown] if shown else []


def _also(causes: list[Cause]) -> str:
    """Return a line that lists as many of these causes as fit."""
    texts = [cause.results[0].sentence for cause in causes]
    shown = list(texts)
    while True:
        rest = len(texts) - len(shown)
        more = f", and {rest} more" if rest else ""
        line = ALSO.format(sentences="; ".join(shown) + more)
        if len(line) <= width() or len(shown) == 1:
            return line
        shown.pop()


def _result_lines(results: list[CheckResult], marks: dict[str, str] = MARKS) -> list[str]:
    lines, previous = [], ""
    for result in results:
        lines += _wrap(f"{marks[result.outcome]} {result.sentence}", "  ", 3, "    ")
        reason = result.explanation.reason if result.explanation else ""
        if reason not in {"", NOT_SO, previous}:
            lines += _wrap(reason, "      ", 3)
        previous = reason or previous
    return lines


def width() -> int:
    """Return the terminal's width in columns, within limits that keep lines readable."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size().columns))


def wrap_each(lines: Iterable[str]) -> list[str]:
    """Return lines that are wrapped to the terminal's width, each with its own indentation."""
    found = []
    for line in lines:
        indent = line[: len(line) - len(line.lstrip(" -"))]
        found += _wrap(line.lstrip(" -"), indent, 4, " " * len(indent)) or [""]
    return found


def _wrap(text: str, indent: str = "", most: int = 2, below: str = "") -> list[str]:
    """Return a text as at most `most` lines of the terminal's width; options are not broken."""
    return textwrap.wrap(
        text,
        width(),
        initial_indent=indent,
        subsequent_indent=below or indent or "  ",
        max_lines=most,
        placeholder=" …",
        break_on_hyphens=False,
    )
