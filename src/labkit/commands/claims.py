"""The command `lab claims`, which lists textbook claims, verdicts and tests."""

import sys

import click
from rich import box
from rich.table import Table
from rich.text import Text

from labkit import textbook_claims
from labkit.catalog import catalog
from labkit.commands.options import console, join_sources, unwrapped
from labkit.text_format import and_more, quantity


@click.command("claims")
@click.option("--lab", "name", help="List only the claims of this lab.")
@click.option(
    "--verdict",
    type=click.Choice(textbook_claims.VERDICTS),
    help="List only claims with this verdict.",
)
@click.option("--write", is_flag=True, help="Update docs/claims.md and the handouts.")
@click.option("--check", is_flag=True, help="Fail unless the last nox run verified every entry.")
def list_claims(name: str | None, verdict: str | None, write: bool, check: bool) -> None:
    """List what textbooks say about cookies and sessions, and what actually happens.

    Each entry has a verdict, the reason with its sources, and the test that proves it. C01 to C94
    are claims, and B01 to B47 are pitfalls: code that goes wrong.
    """
    checkout = catalog()
    ledger = textbook_claims.Ledger(checkout)
    if write:
        for path in ledger.write():
            console.print(f"{path.relative_to(checkout.root)} is up to date.")
        return
    if check:
        missing = [*ledger.find_faults(), *ledger.find_unproved()]
        for sentence in missing:
            console.print(sentence, soft_wrap=True)
        console.print(f"{len(ledger.entries) - len(missing)} of {len(ledger.entries)} proved.")
        sys.exit(1 if missing else 0)
    number = checkout.find(name).number if name else None
    shown = [e for e in ledger.entries if number in {None, e.lab} and verdict in {None, e.verdict}]
    table = Table("", "", box=box.SIMPLE_HEAD)
    table.add_column("Claim or pitfall, what happens and why, sources, test", overflow="fold")
    for entry in shown:
        proofs = ledger.proofs_of(entry)
        test = f"{proofs[0]}{and_more(len(proofs))}" if proofs else "no test"
        happens = f"\n{entry.evidence}\nWhy: {entry.why}\n"
        if entry.instead:
            happens += f"In the lab: {entry.instead}\n"
        text = Text.assemble((entry.text, "b"), happens, join_sources(entry.sources), "\n")
        table.add_row(entry.id, entry.verdict, text.append(f"{test}\n", "dim"))
    unwrapped(console).print(table)
    number_of_claims = sum(entry.is_claim for entry in shown)
    pitfalls = quantity(len(shown) - number_of_claims, "pitfall")
    console.print(f"{quantity(number_of_claims, 'claim')}, {pitfalls}.")
