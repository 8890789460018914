"""The `lab` command."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from labkit import claims, needs, resetting
from labkit.catalog import Catalog, CatalogError, Lab, catalog
from labkit.comparing.command import compare
from labkit.diffing import commands
from labkit.galera import NODES, SUSPECT
from labkit.managing import ENGINES, NotReady, db_or_cluster_option, manage, own_environment
from labkit.mariadb import kept_server
from labkit.ports import bind
from labkit.private import Failed, Missing
from labkit.resetting import MARIADB
from labkit.serving.cluster import HeldCluster
from labkit.serving.command import serve
from labkit.serving.front import LETTERS
from labkit.serving.pair import HeldPair
from labkit.serving.several import Several, file_engine

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


@main.command(short_help="Run one lab at your own desk.")
@click.argument("name", metavar="LAB")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The port to listen on. Default: 8000 and the lab's number, so 8004 for lab 04.",
)
@db_or_cluster_option
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="The session engine. Default: in what SESSION_ENGINE names, else db.",
)
@click.option(
    "--redis-pair",
    is_flag=True,
    help="For the engines cache and cached_db of lab 10: a private Redis and its replica, which "
    "takes over when that one is killed.",
)
@click.option(
    "--servers",
    type=click.IntRange(1, len(LETTERS)),
    default=1,
    help="How many processes of the lab take turns to answer, as on several machines. "
    "More than one: with DEBUG off and without autoreload, as under lab serve.",
)
def run(
    name: str,
    port: int | None,
    db: str | None,
    engine: str | None,
    redis_pair: bool,
    servers: int,
) -> None:
    """Run one lab at your own desk, with Django's autoreload and tracebacks.

    LAB is a number or a name: 3, 03, cookie_cart; or the folder of a copy: mine/. Ctrl-C ends it.

    With --servers 2 each request goes to the other one of two processes, and the line below the
    page says to which: what one of them keeps in its memory, or in a folder of its own, the other
    one does not know. One that dies is started again, and meanwhile the other one answers. The
    panel's clock and controls are off there.
    """
    checkout = catalog()
    lab = checkout.find(name)
    port = port or lab.port
    _need_free(port, lab)
    # Closing the terminal must end a private MariaDB too: as SystemExit, on the way out.
    for end in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, end):
            signal.signal(getattr(signal, end), lambda number, _: sys.exit(128 + number))
    with _environment(checkout, lab, db) as environ, contextlib.ExitStack() as stack:
        if engine and not lab.database:
            console.print(f"Lab {lab.number} has no sessions; --engine changes nothing.")
        elif engine:
            environ["SESSION_ENGINE"] = f"django.contrib.sessions.backends.{engine}"
        if redis_pair and _can_use_redis(lab, environ):
            _tell("The cache is a private Redis and its replica, which takes over when that one is")
            _tell("killed. What the replica had not heard yet is lost then; all else goes on.")
            environ["REDIS_URL"] = stack.enter_context(HeldPair(_tell)).url
        elif lab.database:
            _tell_cache(lab, environ, servers)
        if lab.database:
            _prepare(lab, environ)
        if servers > 1:
            _serve_several(lab, environ, port, servers)
            return
        console.print(f"[b]{lab.number} {lab.title}[/b]: http://127.0.0.1:{port}/")
        status = _serve(lab, environ, port)
    sys.exit(status)


def _serve_several(lab: Lab, environ: dict[str, str], port: int, count: int) -> None:
    """Several servers behind one address, until Ctrl-C."""
    several = Several(lab, environ, port, count, _tell)
    if lab.database and file_engine(environ):
        _tell(_session_folders(lab, environ, several))
    try:
        several.start()
        console.print(f"[b]{lab.number} {lab.title}[/b]: http://127.0.0.1:{port}/")
        _tell("Each request goes to the next server; DEBUG is off, and there is no autoreload.")
        _tell("What a server says lies in .lab/NN/server-A.log and so on. Ctrl-C ends all.")
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        pass
    finally:
        several.stop()


def _tell(sentence: str) -> None:
    console.print(escape(sentence), soft_wrap=True)


def _session_folders(lab: Lab, environ: dict[str, str], several: Several) -> str:
    """Where the servers keep session files, and how to have it otherwise."""
    if "LAB_SESSION_FOLDER" in environ:
        return "All servers keep session files in the one folder that LAB_SESSION_FOLDER names."
    letters = ", ".join(f"sessions-{server.letter}" for server in several.servers)
    return (
        f"Each server keeps session files in a folder of its own in .lab/{lab.number}, as on "
        f"machines of their own: {letters}. LAB_SESSION_FOLDER=sessions gives all of them one."
    )


def _tell_cache(lab: Lab, environ: dict[str, str], servers: int) -> None:
    """Say which cache the engine uses, if any. Raises Missing where Redis lacks its package."""
    if not _uses_cache(environ):
        return
    if lab.redis and environ.get("REDIS_URL"):
        if missing := needs.missing_tools(["redis-py"]):
            raise Missing(missing[0])
        console.print("The cache is the Redis that REDIS_URL names.")
        if not _redis_answers(environ["REDIS_URL"]):
            console.print("It does not answer now; until it does, nothing can be kept.")
        return
    console.print("The cache is LocMem, the memory of the server's process: it ends with it,")
    if servers > 1:
        console.print("and each server has one of its own, which no other one sees.")
    else:
        console.print("at every change of a file too, and no other process sees it.")
    if lab.redis:
        console.print("REDIS_URL=redis://host:6379/0 names a Redis to take its place.")


def _uses_cache(environ: dict[str, str]) -> bool:
    return environ.get("SESSION_ENGINE", "").rpartition(".")[2] in {"cache", "cached_db"}


def _can_use_redis(lab: Lab, environ: dict[str, str]) -> bool:
    """Whether this lab with this engine can, and where not, say so."""
    if not lab.redis:
        console.print(f"Lab {lab.number} cannot use Redis; --redis-pair changes nothing.")
    elif not _uses_cache(environ):
        console.print("This engine has no cache; --redis-pair changes nothing. Add: --engine cache")
    return lab.redis and _uses_cache(environ)


def _redis_answers(url: str) -> bool:
    """Whether a Redis answers there. Raises ClickException for a URL that names none."""
    from redis import Redis, RedisError  # an extra
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        with Redis.from_url(url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except ValueError:
        raise click.ClickException(
            "REDIS_URL cannot be read. It looks like redis://127.0.0.1:6379/0."
        ) from None
    except RedisError:
        return False


def _need_free(port: int, lab: Lab) -> None:
    """Raises ClickException where nothing can listen on this port."""
    try:
        bind(port)
    except PermissionError:
        raise click.ClickException(
            f"Port {port} is not open to you. Take one above 1023: "
            f"lab run {lab.number} --port {lab.port}"
        ) from None
    except OSError:
        raise click.ClickException(
            f"Port {port} is in use. End what runs there, or take another: "
            f"lab run {lab.number} --port {port + 100 if port < 65436 else 8100}"
        ) from None


@contextmanager
def _environment(checkout: Catalog, lab: Lab, db: str | None) -> Iterator[dict[str, str]]:
    """The environment that gives the lab its database, and one line that says which one it is."""
    environ = own_environment()
    url = environ.pop("DATABASE_URL", "")
    if not lab.database:
        if db:
            console.print(f"Lab {lab.number} keeps nothing in a database; --db changes nothing.")
        yield environ
    elif db == "sqlite" or not (db or url):
        yield environ
    elif db == "galera":
        _tell(f"Starting a cluster of {NODES} MariaDB nodes; that takes a moment. Each of them has")
        _tell("every session; the line below the page says which one was asked. Kill one, go on:")
        _tell(f"writes wait until the others give it up, {SUSPECT} seconds or a little more.")
        with HeldCluster([f"lab_{lab.number}"], _tell) as cluster:
            url = cluster.urls[f"lab_{lab.number}"]
            yield environ | {"DATABASE_URL": url, "LAB_NODES": str(NODES)}
    elif url:
        if url.startswith("mysql") and (missing := needs.missing_tools(["mysqlclient"])):
            raise Missing(missing[0])
        console.print("Sessions are kept in the database that DATABASE_URL names.")
        yield environ | {"DATABASE_URL": url}
    else:
        database = f"lab_{lab.number}"
        with kept_server(checkout.root / MARIADB) as server:
            console.print(f"Sessions are kept in a private MariaDB ({MARIADB}). To look inside:")
            command = f"{server.client_command(database)} -e 'select * from django_session'"
            console.print(f"  {command}", soft_wrap=True)
            yield environ | {"DATABASE_URL": server.url(database)}


def _prepare(lab: Lab, environ: dict[str, str]) -> None:
    manage(lab, environ, "migrate", "--verbosity=0")


def _serve(lab: Lab, environ: dict[str, str], port: int) -> int:
    """Django's development server in a process of its own, until it ends; its exit status."""
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"]
    environ = environ | {"DJANGO_RUNSERVER_HIDE_WARNING": "true"}
    process = subprocess.Popen(command, cwd=lab.folder, env=environ)
    try:
        return process.wait()
    except KeyboardInterrupt:  # the terminal has told the server as well
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=5)
        return 1
    finally:
        process.terminate()
        process.wait()


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
        cleared = resetting.reset(checkout, lab)
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
    lacking = needs.missing_requirements(["dev"])
    rows = [
        ("Python", "everything", f"{version}, {sys.executable}", ""),
        (
            "packages",
            "labs and tests",
            "" if lacking else sys.prefix,
            f"{needs.pip_line('dev')}  (missing: {', '.join(lacking)})",
        ),
    ]
    for need in needs.NEEDS.values():
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


for command in (serve, compare, commands.diff, commands.make_copy, commands.check_copy):
    main.add_command(command)


if __name__ == "__main__":
    main()
