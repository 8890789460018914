"""The command `lab list`, which lists the labs, or the textbook versions of one lab."""

import click
from rich.table import Table
from rich.text import Text

from labkit.catalog import Catalog, Lab, catalog
from labkit.commands.options import console
from labkit.text_format import command_line
from labkit.textbook_versions import read_versions

ONLY_COMPARED = "Variants, which only lab diff can use:"


@click.command("list")
@click.argument("name", metavar="[LAB]", required=False)
def list_labs(name: str | None) -> None:
    """List all labs.

    With LAB, list its textbook versions: copies of the lab, each with one fault from a textbook.
    """
    checkout = catalog()
    if name is not None:
        _list_versions(checkout, checkout.find(name))
        return
    table = Table("Lab", "Title", "Twin", "Address", box=None, pad_edge=False)
    for lab in checkout.labs:
        table.add_row(lab.number, lab.title, lab.twin or "", f"http://127.0.0.1:{lab.port}/")
    console.print(table)
    first = checkout.labs[0].number
    start, versions = command_line("lab", "run", first), command_line("lab", "list", first)
    console.print(Text.assemble("\nStart one: ", (start, "b")))
    console.print(Text.assemble("Its textbook versions: ", (versions, "b")))


def _list_versions(checkout: Catalog, lab: Lab) -> None:
    console.print(Text.assemble((f"{lab.number} {lab.title}\n", "b")))
    versions = read_versions(checkout, lab)
    table = Table("Textbook version", "Title", "Pitfalls", box=None, pad_edge=False)
    for version in versions:
        table.add_row(version.full_name, version.title, " ".join(version.pitfalls))
    console.print(table)
    if lab.variants:
        names = ", ".join(f"{lab.number}:{variant}" for variant in lab.variants)
        console.print(f"\n{ONLY_COMPARED} {names}", soft_wrap=True)
    for version in versions[:1]:
        run = command_line("lab", "run", version.full_name)
        diff = command_line("lab", "diff", version.full_name, lab.number)
        console.print(Text.assemble("\nRun it: ", (run, "b")))
        console.print(Text.assemble("Compare it with the lab: ", (diff, "b")))
