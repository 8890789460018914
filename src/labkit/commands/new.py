"""The command `lab new`, which makes a new lab from an existing one."""

import click

from labkit.catalog import catalog
from labkit.practice.new_lab import make_lab
from labkit.text_format import command_line

MADE = """\
The new lab {number} is in {folder} and does the same as lab {like}. It is listed last in
labs/labs.toml, README.md and docs/teaching.md. Move it to its place in each list.
"""
NEXT = """
The section "Add a lab" in CONTRIBUTING.md explains the next steps.
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
    wish_list --like 04` makes labs/13_wish_list. The new lab passes all tests from the start. For a
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
