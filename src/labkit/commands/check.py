"""`lab check`: test a copy against what a lab promises."""

import sys
from pathlib import Path

import click

from labkit.catalog import CatalogError, absence, catalog
from labkit.commands.options import use_colour
from labkit.practice.check import LEFT_OUT, LIMIT, CheckResult, check
from labkit.processes.parent_pipe import exit_on_signals
from labkit.text_format import command_line

MAKE_COPY = "A copy is made by: {line}"
NEXT_STEP = "The first thing to do:"
UNKNOWN_ORIGINAL = "{name} does not say which lab it is a copy of. Say it: --as 04"
CHECKED_AS = "{name}, checked as lab {number}, {title}:"
NOT_ALL = "The tests ended early. Only {asked} of {expected} were run."
ALL_HOLDS = "All of it holds. {name} does what lab {number} does."


@click.command("check")
@click.argument("name", metavar="FOLDER")
@click.option(
    "--as", "as_", metavar="LAB", help="The lab it should be. Default: what it was made from."
)
@click.option(
    "--limit",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=LIMIT,
    show_default=True,
    help="How long one test may take. A longer one ends the check.",
)
def check_copy(name: str, as_: str | None, limit: float) -> None:
    """Ask a copy what a lab promises: run that lab's contract and tests on the copy's code.

    It is run under that lab's number, in a folder of its own; nothing is written into the copy.
    Exit status 1 where something does not hold.
    """
    checkout = catalog()
    exit_on_signals()
    try:
        mine = checkout.find(name)
    except CatalogError:
        line = command_line("lab", "copy", as_ or "04", name or "mine/")
        hint = "" if Path(name).exists() else f" {MAKE_COPY.format(line=line)}"
        raise CatalogError(absence(name) + hint) from None
    if not (wanted := as_ or mine.original or (mine in checkout.labs and mine.number) or ""):
        raise CatalogError(UNKNOWN_ORIGINAL.format(name=name))
    target = checkout.find(wanted)
    names = {"name": mine.folder.name, "number": target.number, "title": target.title}
    click.echo(CHECKED_AS.format_map(names))
    report = check(checkout, mine, target, limit)
    first = [*filter(None, [report.stop]), *report.not_run]
    if first:
        click.echo()
    for result in first:
        _print_result(result)
    if report.stop and report.asked < report.expected:
        click.echo(f"\n{NOT_ALL.format(asked=report.asked, expected=report.expected)}")
    if report.promises:
        _print_results(f"Promises of {report.contract}", report.promises, "hold")
    if report.questions:
        _print_results(
            f"Questions of lab {target.number}", report.questions, "are answered as there"
        )
    click.echo(f"\n{LEFT_OUT}")
    if not report.holds:
        click.echo(f"\n{NEXT_STEP} {report.next}")
        sys.exit(1)
    click.echo(ALL_HOLDS.format_map(names))


def _print_results(heading: str, results: list[CheckResult], do: str) -> None:
    good = sum(result.outcome != "failed" for result in results)
    click.echo(f"\n{heading}: {good} of {len(results)} {do}.")
    previous = ""
    for result in results:
        _print_result(result, previous)
        previous = result.explanation.reason if result.explanation else previous


def _print_result(result: CheckResult, previous: str = "") -> None:
    """Print one line, and below it the reason unless the previous result had the same."""
    mark, colour = {"passed": ("✓", "green"), "skipped": ("–", "yellow")}.get(
        result.outcome, ("✗", "red")
    )
    mark = click.style(mark, fg=colour) if use_colour() else mark
    click.echo(f"  {mark} {result.sentence}")
    reason = result.explanation.reason if result.explanation else ""
    if reason and reason != previous:
        click.echo(f"      {reason}")
