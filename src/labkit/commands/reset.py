"""The command `lab reset`, which resets a lab to its initial state on the server."""

import sys

import click

from labkit import environment
from labkit.catalog import Catalog, Lab, catalog, state_dir
from labkit.commands.options import console
from labkit.commands.textbook_version import written
from labkit.kept_files import private_files
from labkit.services import lab_reset
from labkit.services.running_labs import running_labs
from labkit.textbook_versions import Version, find_version, is_part

NOTHING_TO_CLEAR = "nothing to clear"
REDIS_KEYS_STAY = (
    "The lab's entries in Redis, whose keys begin with lab_{number}, are not deleted. They expire "
    "two minutes after the last write."
)
ASK = "DATABASE_URL names {urls}. Delete all rows of {labs} in that database too?"
NOBODY_TO_ASK = (
    "Nothing was reset, because DATABASE_URL names {urls}, which may belong to another project. To "
    "delete all rows of {labs} in that database too, add --yes. To leave it unchanged, unset "
    "DATABASE_URL, and stop the lab if it runs with it."
)
NOT_RESET = "The running lab at {url} was not reset, because it uses {database}."
COOKIES_STAY = (
    "Cookies are in the browser, which no command can reach. To delete a lab's cookies there, use "
    "Reset in the console of lab serve, or in the panel of the running lab.\n"
    "To delete the cookies of all labs: in the browser, click the icon to the left of the URL, "
    "then Cookies and site data, and delete 127.0.0.1 and localhost. Or open the labs in a private "
    "window, and close it."
)


@click.command()
@click.argument("name", metavar="LAB", required=False)
@click.option("--all", "everything", is_flag=True, help="Reset every lab.")
@click.option(
    "--yes", is_flag=True, help="Also empty the database that DATABASE_URL names, without asking."
)
def reset(name: str | None, everything: bool, yes: bool) -> None:
    """Reset a lab to its initial state on the server, and repair damaged files.

    The command deletes the rows, session files and caches of this checkout. If the lab is running,
    it also empties the lab's memory: its LocMem cache, its log and its clock. The secret key is
    kept.

    If DATABASE_URL names a database, the command asks before it empties that database. It never
    changes a database that contains another project's tables.

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
        running = [] if named else running_labs(state_dir(lab.folder))
        with private_files():
            cleared = lab_reset.reset(checkout, lab, named=named)
        line = f"{lab.number} {lab.title}: {', '.join(cleared) or NOTHING_TO_CLEAR}."
        console.print(line, soft_wrap=True)
        for server in running:
            if server.database:
                text = NOT_RESET.format(url=server.url, database=server.database)
                console.print(text, soft_wrap=True)
        if lab.redis and environment.redis_url():
            console.print(REDIS_KEYS_STAY.format(number=lab.number))
    console.print(COOKIES_STAY, soft_wrap=True)


def _reset_version(checkout: Catalog, version: Version) -> None:
    with private_files(), written(checkout, version) as lab:
        cleared = lab_reset.reset(checkout, lab)
    line = f"{version.full_name}: {', '.join(cleared) or NOTHING_TO_CLEAR}."
    console.print(line, COOKIES_STAY, sep="\n", soft_wrap=True)


def _may_empty_named(labs: list[Lab], yes: bool) -> bool:
    """Return whether to delete these labs' rows from databases that DATABASE_URL names.

    DATABASE_URL may be set here or in a running lab. Raise ClickException if there is such a
    database, but no terminal in which to ask.
    """
    running = [each for lab in labs for each in running_labs(state_dir(lab.folder))]
    urls = {each.database for each in running if each.database}
    if (url := environment.database_url()) and labs:
        urls.add(environment.describe_url(url))
    if not urls or yes:
        return bool(urls)
    numbers = "lab " + ", ".join(lab.number for lab in labs)
    texts = {"urls": " and ".join(sorted(urls)), "labs": numbers}
    if not sys.stdin.isatty():
        raise click.ClickException(NOBODY_TO_ASK.format(**texts))
    return click.confirm(ASK.format(**texts))
