"""`lab run`: one lab at one's own desk, with whatever it keeps its sessions in."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.markup import escape

from labkit.catalog import Catalog, Lab, catalog
from labkit.clusters.galera import NODES, SUSPECT
from labkit.clusters.galera_child import GaleraChild
from labkit.clusters.load_balancer import SERVER_LETTERS
from labkit.clusters.redis_child import RedisFailoverChild
from labkit.clusters.server_pool import ServerPool, file_engine
from labkit.commands.options import ENGINES, db_or_cluster_option
from labkit.processes.manage_py import lab_environment, run_manage_py
from labkit.processes.parent_pipe import exit_on_signals
from labkit.processes.ports import port_error
from labkit.processes.start import NotInstalled
from labkit.services import requirements
from labkit.services.lab_state import MARIADB
from labkit.services.mariadb import persistent_server

console = Console(highlight=False)


@click.command(short_help="Run one lab at your own desk.")
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
    type=click.IntRange(1, len(SERVER_LETTERS)),
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
    exit_on_signals()
    with _environment(checkout, lab, db) as environ, contextlib.ExitStack() as stack:
        if engine and not lab.database:
            console.print(f"Lab {lab.number} has no sessions; --engine changes nothing.")
        elif engine:
            environ["SESSION_ENGINE"] = f"django.contrib.sessions.backends.{engine}"
        if redis_pair and _can_use_redis(lab, environ):
            _tell("The cache is a private Redis and its replica, which takes over when that one is")
            _tell("killed. What the replica had not heard yet is lost then; all else goes on.")
            environ["REDIS_URL"] = stack.enter_context(RedisFailoverChild(_tell)).url
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
    several = ServerPool(lab, environ, port, count, _tell)
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


def _session_folders(lab: Lab, environ: dict[str, str], several: ServerPool) -> str:
    """Where the servers keep session files, and how to have it otherwise."""
    if "LAB_SESSION_FOLDER" in environ:
        return "All servers keep session files in the one folder that LAB_SESSION_FOLDER names."
    letters = ", ".join(f"sessions-{server.letter}" for server in several.servers)
    return (
        f"Each server keeps session files in a folder of its own in .lab/{lab.number}, as on "
        f"machines of their own: {letters}. LAB_SESSION_FOLDER=sessions gives all of them one."
    )


def _tell_cache(lab: Lab, environ: dict[str, str], servers: int) -> None:
    """Say which cache the engine uses, if any. Raises NotInstalled without redis-py."""
    if not _uses_cache(environ):
        return
    if lab.redis and environ.get("REDIS_URL"):
        if missing := requirements.missing_tools(["redis-py"]):
            raise NotInstalled(missing[0])
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
    if error := port_error(port):
        advice, other = "End what runs there, or take another", port + 100
        if error.privileged:
            advice, other = "Take one above 1023", lab.port
        elif other > 65535:
            other = 8100
        raise click.ClickException(f"{error} {advice}: lab run {lab.number} --port {other}")


@contextmanager
def _environment(checkout: Catalog, lab: Lab, db: str | None) -> Iterator[dict[str, str]]:
    """The environment that gives the lab its database, and one line that says which one it is."""
    environ = lab_environment()
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
        with GaleraChild([f"lab_{lab.number}"], _tell) as cluster:
            url = cluster.urls[f"lab_{lab.number}"]
            yield environ | {"DATABASE_URL": url, "LAB_NODES": str(NODES)}
    elif url:
        if url.startswith("mysql") and (missing := requirements.missing_tools(["mysqlclient"])):
            raise NotInstalled(missing[0])
        console.print("Sessions are kept in the database that DATABASE_URL names.")
        yield environ | {"DATABASE_URL": url}
    else:
        database = f"lab_{lab.number}"
        with persistent_server(checkout.root / MARIADB) as server:
            console.print(f"Sessions are kept in a private MariaDB ({MARIADB}). To look inside:")
            command = f"{server.client_command(database)} -e 'select * from django_session'"
            console.print(f"  {command}", soft_wrap=True)
            yield environ | {"DATABASE_URL": server.url(database)}


def _prepare(lab: Lab, environ: dict[str, str]) -> None:
    run_manage_py(lab, environ, "migrate", "--verbosity=0")


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
