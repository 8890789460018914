"""Serve one lab with waitress: `python -m labkit.serve.worker PORT ADDRESS...` in its folder.

The process migrates the lab's database, starts listening, and then writes the line READY to stdout.
It ends when its parent ends. If it cannot start, the last line on stderr says why.
"""

import contextlib
import gc
import logging
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from labkit.http.origin import Origin
from labkit.kept_files import OWNER_ONLY
from labkit.processes.fork_server import name_process
from labkit.processes.log_file import limit_log
from labkit.processes.parent_pipe import on_parent_exit, reserve_stdout
from labkit.serve.http_server import HttpServer

READY = b"ready\n"
# Several threads are needed, because requests may wait for a database. More threads would not help:
# Python runs one at a time, and threads that wait for SQLite's lock take turns polling it
# (bench/burst.py).
THREADS = 8
# With one arena per thread, glibc would keep the memory of all large requests.
# https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def command(port: int, addresses: list[str]) -> list[str]:
    """Return the command that serves the lab in the current folder with this module."""
    return [sys.executable, "-m", "labkit.serve.worker", str(port), *addresses]


def run_command(command: list[str]) -> None:
    """Serve a lab as its command says, in this process, which a fork server has created."""
    gc.enable()
    port, *addresses = command[command.index("labkit.serve.worker") + 1 :]
    main(int(port), addresses)


def listen(
    application: Callable[..., Any], port: int, addresses: list[str], threads: int
) -> HttpServer:
    """Return a server that is already listening; its `run()` handles requests."""
    return HttpServer(without_opener_policy(application), port, addresses, threads)


def without_opener_policy(application: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an application so that it sends Cross-Origin-Opener-Policy only if browsers heed it.

    Browsers ignore Cross-Origin-Opener-Policy over plain HTTP from another machine, and Chromium
    logs a warning on every page. See
    https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if _is_trustworthy(environ["wsgi.url_scheme"], environ.get("HTTP_HOST", "")):
            return application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            kept = [pair for pair in headers if pair[0].lower() != "cross-origin-opener-policy"]
            return start_response(status, kept, *error)

        return application(environ, start)

    return answer


@lru_cache(maxsize=256)
def _is_trustworthy(scheme: str, host: str) -> bool:
    try:
        return Origin.of(f"{scheme}://{host}").trustworthy
    except ValueError:
        return False


def main(port: int, addresses: list[str]) -> None:
    """Serve the lab in the current folder, as the module's docstring describes."""
    name_process(f"lab:{port}")
    os.umask(OWNER_ONLY)
    parent = reserve_stdout()
    at_end = contextlib.ExitStack()
    on_parent_exit(lambda: _end(at_end))
    limit_log()
    # With DEBUG off, Django emails errors to the administrators; log them instead.
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    sys.path.insert(0, os.getcwd())
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    from labkit.panel.running_record import write_record

    application = get_wsgi_application()
    # This finds errors in the code now rather than during class.
    import_module(settings.ROOT_URLCONF)
    if settings.DATABASES.get("default", {}).get("NAME"):
        from labkit.serve.database_connections import keep_open

        _migrate()
        # In a cluster, connections are not kept, so that each request uses the next node.
        if not os.environ.get("LAB_NODES"):
            keep_open(_migrate)
    threads = getattr(settings, "SERVER_THREADS", THREADS)
    server = listen(application, port, addresses, threads)
    at_end.callback(write_record(port))
    parent.write(READY)
    parent.close()
    server.run()


def _end(at_end: contextlib.ExitStack) -> None:
    """End this process without waiting for its threads, which may be busy."""
    try:
        at_end.close()
    finally:
        os._exit(0)


def _migrate() -> None:
    """Migrate the database, unless it is up to date."""
    from django.core.management import call_command
    from django.db import connection

    from labkit.base.foreign_database import refuse_foreign_database
    from labkit.serve.migrations import pending_migrations

    refuse_foreign_database()
    if pending_migrations():
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
