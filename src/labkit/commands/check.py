"""`lab check`: test a copy against what a lab promises."""

import sys

import click

from labkit.catalog import CatalogError, catalog
from labkit.commands.options import use_colour
from labkit.practice.check import LEFT_OUT, Answer, check


@click.command("check", short_help="Ask a copy what a lab promises.")
@click.argument("name", metavar="FOLDER")
@click.option(
    "--as", "as_", metavar="LAB", help="The lab it should be. Default: what it was made from."
)
def check_copy(name: str, as_: str | None) -> None:
    """Ask a copy what a lab promises: run that lab's contract and tests on the copy's code.

    It is run under that lab's number, in a folder of its own; nothing is written into the copy.
    Exit status 1 where something does not hold.
    """
    checkout = catalog()
    mine = checkout.find(name)
    if not (wanted := as_ or mine.original or (mine in checkout.labs and mine.number) or ""):
        raise CatalogError(f"{name} does not say which lab it is a copy of. Say it: --as 04")
    target = checkout.find(wanted)
    click.echo(f"{mine.folder.name}, checked as lab {target.number}, {target.title}:")
    report = check(checkout, mine, target)
    if report.unasked:
        click.echo()
    for answer in report.unasked:
        _tell(answer)
    if report.promises:
        _tell_all(f"Promises of {report.contract}", report.promises, "hold")
    if report.questions:
        _tell_all(f"Questions of lab {target.number}", report.questions, "are answered as there")
    click.echo(f"\n{LEFT_OUT}")
    if report.next:
        click.echo(f"\nThe first thing to do: {report.next}")
        sys.exit(1)
    click.echo(f"All of it holds. {mine.folder.name} does what lab {target.number} does.")


def _tell_all(heading: str, answers: list[Answer], do: str) -> None:
    good = sum(answer.outcome != "failed" for answer in answers)
    click.echo(f"\n{heading}: {good} of {len(answers)} {do}.")
    last = ""
    for answer in answers:
        _tell(answer, last)
        last = answer.reason or last


def _tell(answer: Answer, last: str = "") -> None:
    """One line, and below it why not, unless that is what the one before has said."""
    mark, colour = {"passed": ("✓", "green"), "skipped": ("–", "yellow")}.get(
        answer.outcome, ("✗", "red")
    )
    mark = click.style(mark, fg=colour) if use_colour() else mark
    click.echo(f"  {mark} {answer.sentence}")
    if answer.reason and answer.reason != last:
        click.echo(f"      {answer.reason}")
