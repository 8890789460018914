"""`lab diff`, `lab copy` and `lab check`."""

import os
import shutil
import sys
from pathlib import Path

import click

from labkit.base.conf import state_path
from labkit.catalog import Catalog, CatalogError, catalog
from labkit.diff import html_page, terminal
from labkit.diff.comparison import Comparison, compare, sides
from labkit.diff.notes import Notes
from labkit.practice.check import LEFT_OUT, Answer, check
from labkit.practice.copies import copy
from labkit.render import standalone


@click.command("diff", short_help="What differs between two labs, and why.")
@click.argument("one", metavar="[LAB", required=False)
@click.argument("two", metavar="OTHER]", required=False)
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write it as a page that opens offline."
)
@click.option("--no-pager", is_flag=True, help="Print it all at once.")
def diff(one: str | None, two: str | None, html: Path | None, no_pager: bool) -> None:
    """What differs between two labs, word by word, and why.

    LAB and OTHER are labs (03 04), variants within one (05:cookie 05:session, 10:db 10:file,
    11:careful 11:careless), or folders, such as a copy of yours (03 mine/). Without OTHER it is
    the twin, or the lab that a copy was made from. Without both, all pairs are named.
    """
    checkout = catalog()
    if one is None:
        _name_pairs(checkout)
        return
    found = compare(checkout, *sides(checkout, one, two or ""))
    if html:
        _write(html, found)
        return
    colour = _coloured()
    text = terminal.text(found, colour, shutil.get_terminal_size().columns)
    if sys.stdout.isatty() and not no_pager:
        click.echo_via_pager(text, color=colour)
    else:
        click.echo(text, nl=False, color=colour)


def _coloured() -> bool:
    """Whether somebody looks at it who wants colour. https://no-color.org"""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def _name_pairs(checkout: Catalog) -> None:
    click.echo("These are worth comparing; notes say why each change is there.\n")
    for old, new in Notes(checkout).pairs():
        click.echo(f"    lab diff {old} {new}")
    click.echo("\nAny two labs or folders can be compared: lab diff 03 mine/")


def _write(path: Path, found: Comparison) -> None:
    """Write the page. Raises ClickException where that would lose somebody's file."""
    standalone.write(path, html_page.html(found), html_page.MADE_BY)
    click.echo(f"{path}: {terminal.summary(found)} Open it in any browser; it needs no network.")


@click.command("copy", short_help="Make a copy of a lab, to change it.")
@click.argument("name", metavar="LAB")
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
def make_copy(name: str, target: Path) -> None:
    """Copy a lab into a FOLDER that is not there yet, to change it as you like.

    The copy runs beside the original: its cookies, its state and its port are its own.
    """
    checkout = catalog()
    lab = checkout.find(name)
    made = copy(checkout, lab, target)
    click.echo(f"{target} is your copy of lab {lab.number}. Its cookies end in _{made.number}, and")
    click.echo(f"what it writes lies in {_near(state_path(made.folder))}.\n")
    shown = target.as_posix().rstrip("/") + "/"
    click.echo(f"    lab run {shown}    at http://127.0.0.1:{made.port}/, beside the original")
    click.echo(f"    lab diff {lab.number} {shown}    what you have changed")
    click.echo(
        f"    lab check {shown} --as {lab.twin or lab.number}    whether it does what lab ",
        nl=False,
    )
    click.echo(f"{lab.twin or lab.number} promises")


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


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
    mark = click.style(mark, fg=colour) if _coloured() else mark
    click.echo(f"  {mark} {answer.sentence}")
    if answer.reason and answer.reason != last:
        click.echo(f"      {answer.reason}")
