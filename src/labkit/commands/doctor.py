"""The command `lab doctor`, which finds missing programs and says how to install them."""

import platform
import sys
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from labkit.catalog import catalog
from labkit.commands.completion import activation
from labkit.commands.options import console
from labkit.processes.ports import port_error
from labkit.services import requirements
from labkit.text_format import command_line

ABSENT = Text("–", "yellow")
PRESENT = Text("✓", "green")
COMPLETION = (
    "To complete the names of labs, textbook versions and exercises with the Tab key, add this "
    "line to {file}:"
)


@click.command()
def doctor() -> None:
    """Show what is installed on this machine, what is missing, and how to install it.

    The exit status is 1 if a package that every lab needs is missing.
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
        advice = f"end the program that uses it, or use another port: {line}"
        free = "" if port_error(lab.port) else "free"
        rows.append((f"port {lab.port}", f"lab {lab.number}", free, advice))
    table = Table("", "What", "For", "Found", box=None, pad_edge=False)
    for what, use, found, _ in rows:
        table.add_row(PRESENT if found else ABSENT, what, use, found or "no")
    console.print(table)
    # Printed outside the table, so that the commands can be copied without line breaks.
    for what, _, found, advice in rows:
        if not found:
            console.print(f"{what}: {advice}", soft_wrap=True)
    _print_completion()
    sys.exit(1 if lacking else 0)


def _print_completion() -> None:
    """Print the line that turns on tab completion in the user's shell."""
    lab = Path(sys.executable).with_name("lab")
    if found := activation(str(lab)):
        line, file = found
        console.print(f"\n{COMPLETION.format(file=file)}\n\n    {line}", soft_wrap=True)
