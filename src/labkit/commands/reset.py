"""`lab reset`: delete what a lab has stored on the server."""

import sys

import click

from labkit import environment
from labkit.catalog import Catalog, Lab, catalog
from labkit.commands.options import console
from labkit.commands.textbook_version import written
from labkit.kept_files import private_files
from labkit.services import lab_reset
from labkit.textbook_versions import Version, find_version, is_part

NOTHING_TO_CLEAR = "nothing to clear"
REDIS_KEYS_STAY = (
    "Its keys in Redis, lab_{number}, end by themselves, at the latest two minutes after the last "
    "write."
)
ASK = "DATABASE_URL names {url}. Delete all rows of {labs} there as well?"
NOBODY_TO_ASK = (
    "DATABASE_URL names {url}, which may be another project's. To delete all rows of {labs} there "
    "as well, add --yes; to leave it alone, unset DATABASE_URL. Nothing was reset."
)
COOKIES_STAY = (
    "What a running lab holds in memory (LocMem cache) goes when you restart it.\n"
    "Cookies: in the browser, left of the address, Cookies and site data, delete 127.0.0.1; "
    "or use a private window for each group and close it."
)


@click.command()
@click.argument("name", metavar="LAB", required=False)
@click.option("--all", "everything", is_flag=True, help="Reset every lab.")
@click.option("--yes", is_flag=True, help="Empty the database that DATABASE_URL names, unasked.")
def reset(name: str | None, everything: bool, yes: bool) -> None:
    """Empty what a lab keeps on the server: rows, session files, caches. Repair damaged files.

    It deletes what this checkout has made. If DATABASE_URL names a database, it asks first, and
    never touches one with tables of another project.

    LAB may be a textbook version: 03:names-as-cookies. Cookies are in the browser; this says how to
    clear them there.
    """
    checkout = catalog()
    if bool(name) == everything:
        raise click.UsageError("Name one lab, or say --all.")
    if name and is_part(name):
        _reset_version(checkout, find_version(checkout, name))
        return
    labs = list(checkout.labs) if everything else [checkout.find(name or "")]
    named = _may_empty_named([lab for lab in labs if lab.database], yes)
    for lab in labs:
        with private_files():
            cleared = lab_reset.reset(checkout, lab, named=named)
        line = f"{lab.number} {lab.title}: {', '.join(cleared) or NOTHING_TO_CLEAR}."
        console.print(line, soft_wrap=True)
        if lab.redis and environment.redis_url():
            console.print(REDIS_KEYS_STAY.format(number=lab.number))
    console.print(COOKIES_STAY, soft_wrap=True)


def _reset_version(checkout: Catalog, version: Version) -> None:
    with private_files(), written(checkout, version) as lab:
        cleared = lab_reset.reset(checkout, lab)
    console.print(f"{version.full_name}: {', '.join(cleared) or NOTHING_TO_CLEAR}.")


def _may_empty_named(labs: list[Lab], yes: bool) -> bool:
    """Return whether to empty these labs' rows in the database that DATABASE_URL names.

    Raise ClickException if there is such a database and nobody to ask.
    """
    url = environment.database_url()
    if not (url and labs) or yes:
        return bool(url) and yes
    numbers = "lab " + ", ".join(lab.number for lab in labs)
    texts = {"url": environment.describe_url(url), "labs": numbers}
    if not sys.stdin.isatty():
        raise click.ClickException(NOBODY_TO_ASK.format(**texts))
    return click.confirm(ASK.format(**texts))
