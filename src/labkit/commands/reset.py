"""The command `lab reset`, which deletes a lab's data on the server."""

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
    "The lab's entries in Redis, whose keys begin with lab_{number}, are not deleted. They expire "
    "two minutes after the last write."
)
ASK = "DATABASE_URL names {url}. Delete all rows of {labs} in that database too?"
NOBODY_TO_ASK = (
    "Nothing was reset, because DATABASE_URL names {url}, which may belong to another project. To "
    "delete all rows of {labs} in that database too, add --yes. To leave it unchanged, unset "
    "DATABASE_URL."
)
COOKIES_STAY = (
    "Restart a running lab to empty its LocMem cache.\n"
    "To delete the cookies: in the browser, click the icon to the left of the URL, then Cookies "
    "and site data, and delete 127.0.0.1. Or open the labs in a private window, and close it."
)


@click.command()
@click.argument("name", metavar="LAB", required=False)
@click.option("--all", "everything", is_flag=True, help="Reset every lab.")
@click.option(
    "--yes", is_flag=True, help="Also empty the database that DATABASE_URL names, without asking."
)
def reset(name: str | None, everything: bool, yes: bool) -> None:
    """Delete a lab's data on the server, and repair damaged files.

    The data consists of the rows, session files and caches of this checkout. If DATABASE_URL names
    a database, the command asks before it empties that database. It never changes a database that
    contains another project's tables.

    LAB may be a textbook version, such as 03:names-as-cookies. Cookies are stored in the browser,
    and the command says how to delete them there.
    """
    checkout = catalog()
    if bool(name) == everything:
        raise click.UsageError("Specify one lab, or use --all.")
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
    """Return whether to delete these labs' rows from the database that DATABASE_URL names.

    Raise ClickException if there is such a database, but no terminal in which to ask.
    """
    url = environment.database_url()
    if not (url and labs) or yes:
        return bool(url) and yes
    numbers = "lab " + ", ".join(lab.number for lab in labs)
    texts = {"url": environment.describe_url(url), "labs": numbers}
    if not sys.stdin.isatty():
        raise click.ClickException(NOBODY_TO_ASK.format(**texts))
    return click.confirm(ASK.format(**texts))
