"""The command `lab new`, which makes a new lab from an existing one."""

import click

from labkit.catalog import catalog
from labkit.practice.new_lab import make_lab
from labkit.text_format import command_line

MADE = """\
{folder} is the new lab {number}. It does what lab {like} does. Its rows are at the end of
labs/labs.toml, README.md and docs/teaching.md: move them to their places.
"""
NEXT = """
CONTRIBUTING.md, "Add a lab", says what to change then.
"""


@click.command("new")
@click.argument("number", metavar="NUMBER")
@click.argument("slug", metavar="NAME")
@click.option("--like", required=True, metavar="LAB", help="The lab to start from, such as 04.")
@click.option("--title", default="", help="The title in lists. Default: made from NAME.")
@click.option("--idea", default="", help="One sentence for the lists: what the lab shows.")
def new_lab(number: str, slug: str, like: str, title: str, idea: str) -> None:
    """Make a new lab for this project, with the code and tests of an existing lab.

    NUMBER has two digits and is not used yet. NAME consists of lowercase letters and _: `lab new 13
    wish_list --like 04` makes labs/13_wish_list. The new lab passes all tests at once. To make a
    copy that is only for you, use `lab copy`.
    """
    checkout = catalog()
    model = checkout.find(like)
    lab = make_lab(checkout, number, slug, model, title, idea)
    folder = lab.folder.relative_to(checkout.root).as_posix()
    click.echo(MADE.format(folder=folder, number=lab.number, like=model.number))
    click.echo("    " + command_line("lab", "run", lab.number))
    click.echo("    " + command_line("nox", "-s", "lint", "kit", f"test-{lab.number}"))
    click.echo(NEXT, nl=False)
