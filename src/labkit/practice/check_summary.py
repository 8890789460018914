"""Write a check's report as lines: the score, the next thing to do, and why.

Without --all there are at most MOST_LINES.
"""

import textwrap

from labkit.practice.check import STARTS, Cause, CheckResult, Report
from labkit.practice.failure_hints import LONGEST, NOT_SO
from labkit.text_format import command_line, quantity

MOST_LINES = 25
WIDTH = 100
SCORE = "Score: {passed} of {counted}."
NOT_STARTING = "The lab does not start yet."
ALL_FAIL = "Nothing works yet, for one reason."
CRASHED = "In {count}, a request ends in an error of the server."
NOT_ALL = "The tests ended early. Only {asked} of {expected} were run."
ALL_HOLDS = "All of it holds: {name} does what lab {number} promises."
NEXT_STEP = "Next:"
MAKE_HOLD = "Make this hold: {sentence}."
ONE_CAUSE = "{count} fail for this reason."
LOOKS_LIKE = "This looks like the textbook version {name}: {title}."
REPAIR = "See its repair: {line}"
EXCHANGE = "The requests that show it:"
ALSO = "Also: {sentences}."
INFORMATION = "For information: {other} of lab {number}'s own tests give another result."
SHOW_ALL = "{line} shows all results."
# Tests that need a private server or a browser are for nox; the others take seconds.
LEFT_OUT = "Left out: tests that need a browser, MariaDB or Redis, or take long."
MARKS = {"passed": "✓", "skipped": "–", "failed": "✗"}


def summary(report: Report, names: dict[str, str], folder: str, starter: str = "") -> list[str]:
    """Return at most MOST_LINES lines.

    names: "name" of the copy, and "number" of the lab as which it is checked.
    folder: how the user named the copy.
    starter: the full name of the textbook version from which an exercise starts. It is not named.
    """
    before, after = [""], []
    passed, counted = report.score
    if report.stop and report.stop.sentence == STARTS:
        before += [NOT_STARTING]
    elif not passed and len(report.causes) == 1 and report.causes[0].explanation.cause:
        before += [ALL_FAIL]
    elif counted:
        before += [SCORE.format(passed=passed, counted=counted)]
    if report.crashes:
        count = quantity(len(report.crashes), "other test")
        before[-1] = f"{before[-1]} {CRASHED.format(count=count)}".strip()
    if report.stop and report.asked < report.expected:
        before += [NOT_ALL.format(asked=report.asked, expected=report.expected)]
    if report.holds:
        before += [ALL_HOLDS.format_map(names), *_diagnosis_lines(report, starter)]
        exchange = []
    else:
        cause, *others = report.causes
        before += ["", *_next_lines(cause), *_diagnosis_lines(report, starter)]
        exchange = _exchange_lines(cause)
        after += ["", _also(others)] if others else []
    other = [result for result in report.information if result.failed and not result.crashed]
    if other and not report.stop:
        after += ["", *_wrap(INFORMATION.format(other=len(other), **names), most=1)]
    if other or not report.holds:
        words = command_line("lab", "check", *filter(None, [folder]), "--all")
        after.append(SHOW_ALL.format(line=words))
    room = MOST_LINES - 1 - len(before) - len(after)  # one says which copy it is
    return [*before, *exchange[:room], *after]


def first_lines(result: CheckResult) -> list[str]:
    """Return lines for a result that is there before the others."""
    return _result_lines([result])


def all_results(report: Report, names: dict[str, str]) -> list[str]:
    """Return a line for each test, with the reason below it if the one before has another."""
    lines = []
    if report.stop:
        lines += ["", *_result_lines([report.stop])]
    if report.counted:
        passed, counted = report.score
        lines += ["", f"What counts ({report.contract or 'all tests'}): {passed} of {counted}."]
        lines += _result_lines(report.counted)
    if report.information:
        good = sum(not result.failed for result in report.information)
        lines += ["", f"For information, lab {names['number']}'s other tests:"]
        lines[-1] += f" {good} of {len(report.information)} as there."
        lines += _result_lines(report.information)
    return [*lines, "", LEFT_OUT]


def _next_lines(cause: Cause) -> list[str]:
    why, first = cause.explanation, cause.results[0]
    known = why.cause or not first.id or why.advice
    text = why.reason if known else MAKE_HOLD.format(sentence=first.sentence)
    lines = _wrap(f"{NEXT_STEP} {text}")
    if why.code:
        lines.append(f"        {why.code}"[:WIDTH])
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
        return ["", *_wrap(found.text, most=4)]
    name, number = found.version.full_name, found.version.lab.number
    heading = LOOKS_LIKE.format(name=name, title=found.version.title)
    repair = REPAIR.format(line=command_line("lab", "diff", name, number))
    return ["", *_wrap(heading, most=1), *_wrap(found.text, "  ", 3), f"  {repair}"]


def _exchange_lines(cause: Cause) -> list[str]:
    shown = [line for exchange in cause.exchanges[-2:] for line in exchange[:4]]
    return ["", EXCHANGE, *(f"  {line}" for line in shown[:6])] if shown else []


def _also(causes: list[Cause]) -> str:
    """Return one line with the sentences of these causes, as far as they fit."""
    texts = [cause.results[0].sentence for cause in causes]
    shown = list(texts)
    while True:
        rest = len(texts) - len(shown)
        more = f", and {rest} more" if rest else ""
        line = ALSO.format(sentences="; ".join(shown) + more)
        if len(line) <= WIDTH or len(shown) == 1:
            return line
        shown.pop()


def _result_lines(results: list[CheckResult]) -> list[str]:
    lines, previous = [], ""
    for result in results:
        lines.append(f"  {MARKS[result.outcome]} {result.sentence}")
        reason = result.explanation.reason if result.explanation else ""
        if reason and reason != previous:
            lines.append(f"      {reason}"[: LONGEST + 60])
        previous = reason or previous
    return lines


def _wrap(text: str, indent: str = "", most: int = 2) -> list[str]:
    """Return a text in at most `most` lines of WIDTH characters; commands are not broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent or "  ",
        max_lines=most,
        placeholder=" …",
        break_long_words=False,
        break_on_hyphens=False,
    )
