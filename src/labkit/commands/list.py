"""`lab list`: name all labs in teaching order."""

import click
from rich.table import Table
from rich.text import Text

from labkit.catalog import catalog
from labkit.commands.options import console
from labkit.text_format import command_line


@click.command("list")
def list_labs() -> None:
    """Name all labs in teaching order."""
    table = Table("Lab", "Title", "Twin", "Address", box=None, pad_edge=False)
    for lab in catalog().labs:
        table.add_row(lab.number, lab.title, lab.twin or "", f"http://127.0.0.1:{lab.port}/")
    console.print(table)
    line = command_line("lab", "run", catalog().labs[0].number)
    console.print(Text.assemble("\nStart one: ", (line, "b")))
