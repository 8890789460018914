"""`lab reset`: delete what a lab has stored on the server."""

import os

import click

from labkit.catalog import catalog
from labkit.commands.options import console
from labkit.services import lab_reset

NOTHING_TO_CLEAR = "nothing to clear"
REDIS_KEYS_STAY = (
    "Its keys in Redis, lab_{number}, end by themselves, at the latest two minutes after the last "
    "write."
)
COOKIES_STAY = (
    "What a running lab holds in memory (LocMem cache) goes when you restart it.\n"
    "Cookies: in the browser, left of the address, Cookies and site data, delete 127.0.0.1; "
    "or use a private window for each group and close it."
)


@click.command(short_help="Empty what a lab keeps on the server.")
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
        cleared = lab_reset.reset(checkout, lab)
        console.print(f"{lab.number} {lab.title}: {', '.join(cleared) or NOTHING_TO_CLEAR}.")
        if lab.redis and os.environ.get("REDIS_URL"):
            console.print(REDIS_KEYS_STAY.format(number=lab.number))
    console.print(COOKIES_STAY, soft_wrap=True)
