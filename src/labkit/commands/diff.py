"""The command `lab diff`, which shows the differences between two labs and explains them."""

import shutil
import sys
from pathlib import Path

import click

from labkit.catalog import catalog
from labkit.commands.options import html_option, use_colour
from labkit.diff import Notes, compare, find_sides, html_page, terminal
from labkit.render import standalone_page
from labkit.text_format import command_line


@click.command("diff")
@click.argument("one", metavar="[LAB", required=False)
@click.argument("two", metavar="OTHER]", required=False)
@html_option
@click.option("--tests", is_flag=True, help="Also show the changes in tests.")
@click.option("--no-pager", is_flag=True, help="Print everything at once.")
def diff(one: str | None, two: str | None, html: Path | None, tests: bool, no_pager: bool) -> None:
    """Show how two labs differ, word by word, and why.

    LAB and OTHER are labs (03 04), variants of one lab (05:cookie 05:session, 10:db 10:file,
    11:careful 11:careless), textbook versions (03:names-as-cookies 03; `lab list 03` lists them),
    or folders, such as your copy (03 mine/). OTHER defaults to the lab's twin, or to the lab from
    which a copy or textbook version was made. Without arguments, the command lists all pairs with
    notes.
    """
    checkout = catalog()
    if one is None:
        click.echo("For these pairs, notes explain each change:\n")
        for old, new in Notes(checkout).pairs():
            click.echo("    " + command_line("lab", "diff", old, new))
        click.echo("\nYou can compare any two labs or folders: lab diff 03 mine/")
        return
    found = compare(checkout, *find_sides(checkout, one, two or ""))
    if html:
        standalone_page.write(html, html_page.html(found), html_page.MADE_BY)
        click.echo(f"{html}: {found.summary} Open it in any browser, even offline.")
        return
    colour = use_colour()
    width = shutil.get_terminal_size().columns
    text = terminal.text(found, colour, width, tests=tests)
    if sys.stdout.isatty() and not no_pager:
        click.echo_via_pager(text, color=colour)
    else:
        click.echo(text, nl=False, color=colour)
