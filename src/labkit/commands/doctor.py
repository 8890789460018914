"""`lab doctor`: say what is missing on this machine, and how to install it."""

import platform
import sys

import click
from rich.table import Table
from rich.text import Text

from labkit.catalog import catalog
from labkit.commands.options import console
from labkit.processes.ports import port_error
from labkit.services import requirements
from labkit.text_format import command_line

ABSENT = Text("–", "yellow")
PRESENT = Text("✓", "green")


@click.command()
def doctor() -> None:
    """Look at this machine: what is here, what is missing, and the line that mends it.

    Exit status 1 where something is missing without which no lab runs.
    """
    checkout = catalog()
    lacking = requirements.missing_requirements(["dev"])
    mend = f"{requirements.pip_line('dev')}  (missing: {', '.join(lacking)})"
    rows = [
        ("Python", "everything", f"{platform.python_version()}, {sys.executable}", ""),
        ("packages", "labs and tests", "" if lacking else sys.prefix, mend),
    ]
    for tool in requirements.TOOLS.values():
        rows.append((tool.label, tool.use, tool.found() or "", tool.advice()))
    for lab in checkout.labs:
        line = command_line("lab", "run", lab.number, "--port", str(lab.port + 100))
        advice = f"end what runs there, or: {line}"
        free = "" if port_error(lab.port) else "free"
        rows.append((f"port {lab.port}", f"lab {lab.number}", free, advice))
    table = Table("", "What", "For", "Found", box=None, pad_edge=False)
    for what, use, found, _ in rows:
        table.add_row(PRESENT if found else ABSENT, what, use, found or "no")
    console.print(table)
    # Below the table, where no line is broken: these are for copying.
    for what, _, found, advice in rows:
        if not found:
            console.print(f"{what}: {advice}", soft_wrap=True)
    sys.exit(1 if lacking else 0)
