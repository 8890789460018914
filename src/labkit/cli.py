"""The `lab` command."""

import os
import sys
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labkit import claims
from labkit.catalog import CatalogError, catalog
from labkit.commands import diff
from labkit.commands.compare import compare
from labkit.commands.run import run
from labkit.commands.serve import serve
from labkit.processes.manage_py import NotReady
from labkit.processes.ports import bind
from labkit.processes.start import Failed, Missing
from labkit.services import lab_state, requirements

console = Console(highlight=False)
ABSENT = "[yellow]–[/]"
PRESENT = "[green]✓[/]"


class Labs(click.Group):
    """Known troubles end as one sentence and exit status 1, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (CatalogError, Missing, Failed, NotReady) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Labs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit", prog_name="lab")
def main() -> None:
    """HTTP state in Django: cookies, sessions, and what tells them apart.

    Each lab is a Django project of its own under labs/. `lab list` names them.
    """


@main.command("list")
def list_labs() -> None:
    """Name all labs."""
    table = Table("Lab", "Title", "Twin", "Address", box=None, pad_edge=False)
    for lab in catalog().labs:
        table.add_row(lab.number, lab.title, lab.twin or "", f"http://127.0.0.1:{lab.port}/")
    console.print(table)
    console.print(f"\nStart one: [b]lab run {catalog().labs[0].number}[/b]")


@main.command(short_help="Empty what a lab keeps on the server.")
@click.argument("name", metavar="LAB", required=False)
@click.option("--all", "everything", is_flag=True, help="Reset every lab.")
def reset(name: str | None, everything: bool) -> None:
    """Empty what a lab keeps on the server: rows, session files, caches.

    Cookies are in the browser; this says how to clear them there.
    """
    checkout = catalog()
    if bool(name) == everything:
        raise click.UsageError("Name one lab, or say --all.")
    for lab in checkout.labs if everything else [checkout.find(name or "")]:
        cleared = lab_state.reset(checkout, lab)
        console.print(f"{lab.number} {lab.title}: {', '.join(cleared) or 'nothing to clear'}.")
        if lab.redis and os.environ.get("REDIS_URL"):
            keys = f"Its keys in Redis, lab_{lab.number}, end by themselves"
            console.print(f"{keys}, at the latest two minutes after the last write.")
    console.print(
        "What a running lab holds in memory (LocMem cache) goes when you restart it.\n"
        "Cookies: in the browser, left of the address, Cookies and site data, delete 127.0.0.1; "
        "or use a private window for each group and close it.",
        soft_wrap=True,
    )


@main.command("claims", short_help="What textbooks say, and what happens.")
@click.option("--lab", "name", help="Only what is met in this lab.")
@click.option("--verdict", type=click.Choice(claims.VERDICTS), help="Only these.")
@click.option("--write", is_flag=True, help="Bring docs/claims.md and the handouts up to date.")
@click.option("--check", is_flag=True, help="Fail if the last run of nox left one unproved.")
def list_claims(name: str | None, verdict: str | None, write: bool, check: bool) -> None:
    """What textbooks say of cookies and sessions, what happens today, and the test that shows it.

    Claims are C01 to C94, pitfalls of textbook code B01 to B47.
    """
    checkout = catalog()
    ledger = claims.Ledger(checkout)
    if write:
        for path in ledger.write():
            console.print(f"{path.relative_to(checkout.root)} is up to date.")
        return
    if check:
        missing = [*ledger.complaints(), *ledger.verdicts_of_the_run()]
        for sentence in missing:
            console.print(escape(sentence), soft_wrap=True)
        console.print(f"{len(ledger.entries) - len(missing)} of {len(ledger.entries)} proved.")
        sys.exit(1 if missing else 0)
    number = checkout.find(name).number if name else None
    shown = [e for e in ledger.entries if number in {None, e.lab} and verdict in {None, e.verdict}]
    table = Table("", "", box=box.SIMPLE_HEAD)
    table.add_column("What textbooks say, what happens, and the test for it", overflow="fold")
    for entry in shown:
        proofs = ledger.proving(entry)
        test = f"{escape(str(proofs[0]))}{claims.and_more(proofs)}" if proofs else "no test"
        told = f"[b]{escape(entry.text)}[/]\n{escape(entry.evidence)}\n[dim]{test}[/]\n"
        table.add_row(entry.id, entry.verdict, told)
    # Into a file or a pipe no line is broken: a test's path is for copying.
    wide = console if console.is_terminal else Console(highlight=False, width=250)
    wide.print(table)
    claimed = [entry for entry in shown if entry.is_claim]
    warned = [entry for entry in shown if not entry.is_claim]
    console.print(f"{claims.counted(claimed, 'claim')}, {claims.counted(warned, 'pitfall')}.")


@main.command(short_help="Look for what is missing here, and say how to get it.")
def doctor() -> None:
    """Look at this machine: what is here, what is missing, and the line that mends it.

    Exit status 1 where something is missing without which no lab runs.
    """
    checkout = catalog()
    version = ".".join(map(str, sys.version_info[:3]))
    lacking = requirements.missing_requirements(["dev"])
    rows = [
        ("Python", "everything", f"{version}, {sys.executable}", ""),
        (
            "packages",
            "labs and tests",
            "" if lacking else sys.prefix,
            f"{requirements.pip_line('dev')}  (missing: {', '.join(lacking)})",
        ),
    ]
    for need in requirements.NEEDS.values():
        rows.append((need.label, need.use, need.found() or "", need.advice()))
    for lab in checkout.labs:
        advice = f"end what runs there, or: lab run {lab.number} --port {lab.port + 100}"
        rows.append((f"port {lab.port}", f"lab {lab.number}", _free(lab.port), advice))
    table = Table("", "What", "For", "Found", box=None, pad_edge=False)
    for what, use, found, _ in rows:
        table.add_row(PRESENT if found else ABSENT, what, use, escape(found) or "no")
    console.print(table)
    # Below the table, where no line is broken: these are for copying.
    for what, _, found, advice in rows:
        if not found:
            console.print(escape(f"{what}: {advice}"), soft_wrap=True)
    sys.exit(1 if lacking else 0)


def _free(port: int) -> str:
    try:
        bind(port)
    except OSError:
        return ""
    return "free"


for command in (run, serve, compare, diff.diff, diff.make_copy, diff.check_copy):
    main.add_command(command)


if __name__ == "__main__":
    main()
