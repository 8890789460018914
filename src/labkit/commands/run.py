"""The command `lab run`, which runs one lab with the database and engine of your choice."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click
from rich.text import Text

from labkit import environment
from labkit.base.served_labs import HANDOUT
from labkit.catalog import Catalog, Lab, catalog, database_name, state_dir
from labkit.clusters.galera import NODES, SUSPECT
from labkit.clusters.galera_child import GaleraChild
from labkit.clusters.load_balancer import SERVER_LETTERS
from labkit.clusters.redis_child import RedisFailoverChild
from labkit.clusters.server_pool import ServerPool, uses_files
from labkit.commands.options import (
    console,
    db_or_cluster_option,
    engine_option,
    engine_path,
    print_unknown_engine,
)
from labkit.commands.textbook_version import (
    print_failed_start,
    print_guide,
    refuse_options,
    written,
)
from labkit.kept_files import private_files
from labkit.processes.guard import STOP_SECONDS, Guard, end_child_group, interrupt_group
from labkit.processes.manage_py import lab_environment, run_manage_py
from labkit.processes.output import OutputThread, relayed_output
from labkit.processes.parent_pipe import exit_on_signals
from labkit.processes.ports import free_port, port_error, suggest_port
from labkit.services.database_choice import (
    DatabaseKind,
    choose_database,
    open_database,
)
from labkit.services.requirements import require_tools
from labkit.text_format import command_line
from labkit.textbook_versions import Version, find_version, is_part

# Messages; the tests look for them.
HANDOUT_AT = "The lab's handout: http://127.0.0.1:{port}{path}"
EVERY_EXCHANGE = "The latest requests to the lab: http://127.0.0.1:{port}/__lab__/"
ENGINE_IGNORED = "Lab {number} has no sessions, so --engine has no effect."
DB_IGNORED = "Lab {number} has no database, so --db has no effect."
REDIS_IGNORED = "Lab {number} cannot use Redis, so --redis-pair has no effect."
NO_CACHE = "This engine has no cache, so --redis-pair has no effect. Add: --engine cache"
STARTING_REDIS = (
    "The cache is a private Redis server with a replica. If you kill the primary, the\n"
    "replica takes over. Only writes that the replica has not received yet are lost."
)
STARTING_CLUSTER = (
    f"Starting a cluster of {NODES} MariaDB nodes, which takes a moment. Each node stores\n"
    "every session, and the summary bar shows which node was used. Kill one and continue:\n"
    f"writes wait {SUSPECT} seconds or a little longer, until the other nodes exclude it."
)
SESSIONS_IN = "Sessions are stored in {database}."
LOOK_INSIDE = "To look inside:"
CACHE_IS_LOCMEM = "The cache is LocMem, in the server's memory. It is lost when the server stops."
LOCMEM_PER_SERVER = "Each server has a separate cache, which the others cannot read."
LOCMEM_ALONE = (
    "The server also restarts after you edit a file. No other process can read this cache."
)
REDIS_URL_EXAMPLE = "To use Redis instead, set REDIS_URL=redis://host:6379/0"
CACHE_IS_REDIS = "The cache is the Redis server that REDIS_URL names."
REDIS_SILENT = "That server does not respond. Until it does, no session can be saved."
REDIS_URL_INVALID = "REDIS_URL is not valid. Example: redis://127.0.0.1:6379/0"
HOW_TO_END = "Ctrl-C ends everything."  # this message is printed once all servers are running
TAKE_TURNS = (
    "The servers take turns, with DEBUG off and without autoreload.\n"
    f"They log to .lab/NN/server-A.log and so on. {HOW_TO_END}"
)
ONE_SESSION_FOLDER = "All servers store session files in the folder that LAB_SESSION_FOLDER names."
OWN_SESSION_FOLDERS = (
    "Each server stores session files in its own folder in .lab/{number}, as if on separate "
    "machines: {folders}. To share one folder, set LAB_SESSION_FOLDER=sessions"
)


@click.command()
@click.argument("name", metavar="LAB")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The port to listen on. Default: 8000 plus the lab's number, such as 8004 for lab 04.",
)
@db_or_cluster_option
@engine_option("The session engine.")
@click.option(
    "--redis-pair",
    is_flag=True,
    help="For lab 10 with --engine cache or cached_db: use a private Redis server with a replica, "
    "which takes over if you kill the primary.",
)
@click.option(
    "--servers",
    type=click.IntRange(1, len(SERVER_LETTERS)),
    default=1,
    help="The number of servers that take turns, as if on several machines. With more than one, "
    "DEBUG is off and there is no autoreload, as with lab serve.",
)
def run(
    name: str,
    port: int | None,
    db: str | None,
    engine: str | None,
    redis_pair: bool,
    servers: int,
) -> None:
    """Run one lab on your own machine, with Django's autoreload and tracebacks.

    LAB is a number or name (3, 03, cookie_cart), the folder of a copy (mine/), or a textbook
    version, which is a lab with one fault from a textbook (03:names-as-cookies). `lab list 03`
    lists the versions of lab 03. Ctrl-C ends the lab.

    With --servers 2, two servers take turns, and the summary bar shows which one responded. A
    server cannot read sessions that the other one stores in its memory or its folder. If a server
    dies, it is restarted while the other one handles all requests. The panel's clock and other
    controls are turned off.
    """
    checkout = catalog()
    if is_part(name):
        version = find_version(checkout, name)
        refuse_options(db, redis_pair, servers)
        sys.exit(_run_version(checkout, version, port or free_port(), engine))
    lab = checkout.find(name)
    port = port or lab.port
    _check_port(port, lab, name)
    # Checked before any message is printed, since an error would make the message untrue.
    state_dir(lab.folder)
    exit_on_signals()
    with (
        private_files(),
        _environment(checkout, lab, db) as environ,
        contextlib.ExitStack() as stack,
    ):
        if engine and not lab.database:
            _print(ENGINE_IGNORED.format(number=lab.number))
        elif engine:
            environ["SESSION_ENGINE"] = engine_path(engine)
        elif lab.database:
            print_unknown_engine()
        if redis_pair and _can_use_redis(lab, environ):
            _print(STARTING_REDIS)
            environ.update(stack.enter_context(RedisFailoverChild(_print)).urls)
        elif lab.database and _uses_cache(environ):
            _print_cache(lab, environ, servers)
        if lab.database:
            run_manage_py(lab, environ, "migrate", "--verbosity=0")
        if servers > 1:
            _run_pool(lab, environ, port, servers)
            return
        _print_address(lab, port)
        status = _run_server(lab, environ, port)
    sys.exit(status)


def _run_version(checkout: Catalog, version: Version, port: int, engine: str | None) -> int:
    """Run a textbook version until Ctrl-C; return its exit status, or 1 if it does not start."""
    exit_on_signals()
    with (
        private_files(),
        written(checkout, version) as lab,
        _environment(checkout, lab, "sqlite" if lab.database else None) as environ,
    ):
        _check_port(port, lab, version.full_name)
        for variable in environment.SHARED:
            environ.pop(variable, None)
        if engine:
            environ["SESSION_ENGINE"] = engine_path(engine)
        if not version.starts:
            print_failed_start(version, lab, environ)
            return 1
        if lab.database:
            run_manage_py(lab, environ, "migrate", "--verbosity=0")
        print_guide(version, port)
        return _run_server(lab, environ, port)


def _run_pool(lab: Lab, environ: dict[str, str], port: int, count: int) -> None:
    """Run several servers behind a load balancer until Ctrl-C."""
    with (
        contextlib.closing(OutputThread()) as output,
        ServerPool(lab, environ, port, count, partial(output.call, _print)) as pool,
        contextlib.suppress(KeyboardInterrupt),
    ):
        if lab.database and uses_files(environ):
            folders = ", ".join(f"sessions-{server.letter}" for server in pool.servers)
            shared = "LAB_SESSION_FOLDER" in environ
            text = ONE_SESSION_FOLDER if shared else OWN_SESSION_FOLDERS
            output.call(_print, text.format(number=lab.number, folders=folders))
        pool.start()
        output.call(_print_address, lab, port)
        output.call(_print, TAKE_TURNS)
        while True:
            time.sleep(3600)


def _print_address(lab: Lab, port: int) -> None:
    title = (f"{lab.number} {lab.title}", "b")
    console.print(Text.assemble(title, f": http://127.0.0.1:{port}/"))
    _print(HANDOUT_AT.format(port=port, path=HANDOUT))
    _print(EVERY_EXCHANGE.format(port=port))


def _print(text: str) -> None:
    console.print(text, soft_wrap=True)


def _print_cache(lab: Lab, environ: dict[str, str], servers: int) -> None:
    """Print which cache the engine uses. Raise NotInstalled if the package for Redis is missing."""
    if lab.redis and (url := environment.redis_url(environ)):
        require_tools("redis-py")
        _print(CACHE_IS_REDIS)
        if not _redis_answers(url):
            _print(REDIS_SILENT)
        return
    _print(CACHE_IS_LOCMEM)
    _print(LOCMEM_PER_SERVER if servers > 1 else LOCMEM_ALONE)
    if lab.redis:
        _print(REDIS_URL_EXAMPLE)


def _uses_cache(environ: dict[str, str]) -> bool:
    return environ.get("SESSION_ENGINE", "").endswith((".cache", ".cached_db"))


def _can_use_redis(lab: Lab, environ: dict[str, str]) -> bool:
    """Return whether this lab with this engine can use Redis; if not, print why."""
    usable = lab.redis and _uses_cache(environ)
    if not usable:
        _print(NO_CACHE if lab.redis else REDIS_IGNORED.format(number=lab.number))
    return usable


def _redis_answers(url: str) -> bool:
    """Return whether a Redis server answers. Raise ClickException if the URL is not valid."""
    from redis import Redis, RedisError  # an optional package
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        with Redis.from_url(url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except ValueError:
        raise click.ClickException(REDIS_URL_INVALID) from None
    except RedisError:
        return False


def _check_port(port: int, lab: Lab, name: str) -> None:
    """Raise ClickException, with a command that works, if a port cannot be used."""
    if error := port_error(port):
        advice, other = "End the program that uses it, or choose another port", suggest_port(port)
        if error.blocked or error.privileged:
            advice = "Choose one above 1023" if error.privileged else "Choose another"
            other = lab.port
        line = command_line("lab", "run", name, "--port", str(other))
        raise click.ClickException(f"{error} {advice}: {line}")


@contextmanager
def _environment(checkout: Catalog, lab: Lab, db: str | None) -> Iterator[dict[str, str]]:
    """Yield the environment variables that select the lab's database, and print which one it is."""
    environ = lab_environment()
    environ.pop("DATABASE_URL", None)
    url = environment.database_url()
    if not lab.database:
        if db:
            _print(DB_IGNORED.format(number=lab.number))
        yield environ
        return
    kind = choose_database(db, url)
    if kind is DatabaseKind.GALERA:
        _print(STARTING_CLUSTER)
        name = database_name(lab.number)
        with GaleraChild([name], _print) as cluster:
            yield environ | {"DATABASE_URL": cluster.urls[name], "LAB_NODES": str(NODES)}
        return
    with open_database(checkout, lab, kind, url) as database:
        look_inside = f" {LOOK_INSIDE}" if database.client_command else ""
        if kind is not DatabaseKind.SQLITE:
            _print(SESSIONS_IN.format(database=kind.value) + look_inside)
        if database.client_command:
            _print(f"  {database.client_command} -e 'select * from django_session'")
        yield environ | ({"DATABASE_URL": database.url} if database.url else {})


def _run_server(lab: Lab, environ: dict[str, str], port: int) -> int:
    """Run Django's development server in a separate process; return its exit status."""
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"]
    environ = environ | {"DJANGO_RUNSERVER_HIDE_WARNING": "true"}
    with relayed_output() as streams:
        # The server runs in its own process session, so that it and its reloader's child can be
        # ended together.
        process = subprocess.Popen(
            command, cwd=lab.folder, env=environ, start_new_session=os.name != "nt", **streams
        )
        guard = Guard(process.pid)
        try:
            return process.wait()
        except KeyboardInterrupt:
            interrupt_group(process.pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(STOP_SECONDS)
            return 1
        finally:
            end_child_group(process)
            guard.release()
