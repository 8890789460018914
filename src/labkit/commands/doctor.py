"""The command `lab doctor`, which finds missing programs and says how to install them."""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from labkit.catalog import Catalog, catalog
from labkit.commands.completion import activation
from labkit.commands.options import text_console
from labkit.processes.ports import port_error
from labkit.services import requirements
from labkit.text_format import command_line

CONSOLE_PORT = 8000
NOT_FOUND = "not found"
PORT_TAKEN = "cannot be used"
ALL_WELL = "Nothing is missing."
SOME_MISSING = (
    "The labs can run. What is missing is needed only for the purpose in its line. To add it:"
)
LABS_CANNOT_RUN = "The labs cannot run yet: packages are missing. To add what is missing:"
ABSENT = Text("–", "yellow")
PRESENT = Text("✓", "green")
COMPLETION = (
    "To complete the names of labs, textbook versions and exercises with the Tab key, add this "
    "line to {file}:"
)


@dataclass(frozen=True)
class Finding:
    """One thing that the labs or their tests use, and whether this machine has it."""

    what: str
    use: str
    found: str  # the version, the path or "free"; "" if the item is missing
    absent: str  # the words to print if it is missing
    advice: str  # how to install it: a command or a sentence


@click.command()
def doctor() -> None:
    """Show what is installed on this machine, what is missing, and how to install it.

    The exit status is 1 if a package that every lab needs is missing.
    """
    checkout = catalog()
    lacking = requirements.missing_requirements(["dev"])
    findings = [*_packages(lacking), *_tools(), *_ports(checkout)]
    lines = Table.grid(padding=(0, 1))
    lines.add_column()
    lines.add_column(overflow="fold")  # a path may be longer than the terminal's line
    for each in findings:
        line = Text.assemble((each.what, "b"), f", for {each.use}: {each.found or each.absent}")
        lines.add_row(PRESENT if each.found else ABSENT, line)
    text_console.print(lines)
    missing = [each for each in findings if not each.found]
    verdict = LABS_CANNOT_RUN if lacking else SOME_MISSING if missing else ALL_WELL
    text_console.print(f"\n{verdict}")
    # These commands are not in the table, so that they can be copied without line breaks.
    for each in missing:
        text_console.print(f"\n{each.what}:\n    {each.advice}", soft_wrap=True)
    _print_completion()
    sys.exit(1 if lacking else 0)


def _packages(lacking: list[str]) -> Iterator[Finding]:
    """Yield Python, and the packages without which no lab runs; `lacking` are the missing ones."""
    yield Finding(f"Python {platform.python_version()}", "everything", sys.executable, "", "")
    absent = f"missing: {', '.join(lacking)}"
    found = "" if lacking else sys.prefix
    advice = requirements.pip_line("dev")
    yield Finding("Packages", "the labs and their tests", found, absent, advice)


def _tools() -> Iterator[Finding]:
    for tool in requirements.TOOLS.values():
        yield Finding(tool.label, tool.use, tool.found() or "", NOT_FOUND, tool.advice())


def _ports(checkout: Catalog) -> Iterator[Finding]:
    """Yield the console's and the labs' ports that cannot be used, and the others together."""
    users = {CONSOLE_PORT: "the console of lab serve"}
    users |= {lab.port: f"lab {lab.number}" for lab in sorted(checkout.labs, key=lambda x: x.port)}
    advice = "End the program that uses it, or use another port: {line}"
    free = 0
    for port, user in users.items():
        words = ("serve",) if port == CONSOLE_PORT else ("run", user.split()[1])
        line = command_line("lab", *words, "--port", str(port + 100))
        if port_error(port):
            yield Finding(f"Port {port}", user, "", PORT_TAKEN, advice.format(line=line))
        else:
            free += 1
    if free:
        whole = f"Ports {min(users)} to {max(users)}"
        what = whole if free == len(users) else "The other ports"
        yield Finding(what, "lab serve and lab run", "free", "", "")


def _print_completion() -> None:
    """Print the line that turns on tab completion in the user's shell."""
    lab = Path(sys.executable).with_name("lab")
    if found := activation(str(lab)):
        line, file = found
        text_console.print(f"\n{COMPLETION.format(file=file)}\n")
        text_console.print(f"    {line}", soft_wrap=True)
