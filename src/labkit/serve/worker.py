"""One lab under waitress: `python -m labkit.serve.worker PORT ADDRESS...` in the lab's folder.

Brings its database up to date, listens, and then writes the line READY to its stdout. Ends with
its parent. Where it cannot start, the last line on stderr says why.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Callable
from importlib import import_module
from ipaddress import ip_address
from typing import Any

import waitress
from waitress import wasyncore
from waitress.server import MultiSocketServer

from labkit.processes.parent_pipe import on_parent_exit, reserve_stdout

READY = b"ready\n"
# For requests that wait for a database. More make nothing faster, since Python runs one thread at
# a time, and those that wait for SQLite's lock look for it by turns: bench/burst.py.
THREADS = 8
# https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html
OPTIONS: dict[str, Any] = {
    "backlog": 1024,  # a whole class at the same moment
    "connection_limit": 2000,
    "asyncore_use_poll": os.name != "nt",  # select() takes no more than 1024 connections
    # Who asks on behalf of another machine must be seen to do so: see labkit.panel.access.
    "clear_untrusted_proxy_headers": False,
    "ident": None,
}
# Whenever something comes or goes, waitress asks each of its connections, in Python, what it waits
# for. With a class at the door that takes longer than the answers; so it rests, and then finds
# several that have something. bench/burst.py.
CROWD = 30  # connections
REST = 0.005  # seconds
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def listen(application: Callable[..., Any], port: int, addresses: list[str], threads: int) -> Any:
    """A waitress server that listens already; `run(server)` answers until the process ends."""
    places = " ".join(f"{address}:{port}" for address in addresses)
    return waitress.create_server(
        without_opener_policy(application), listen=places, threads=threads, **OPTIONS
    )


def run(server: Any) -> None:
    """What `server.run()` does, with rests while there is a crowd; until the process ends."""
    sockets = server.map if isinstance(server, MultiSocketServer) else server._map
    while True:
        wasyncore.loop(timeout=1, use_poll=OPTIONS["asyncore_use_poll"], map=sockets, count=1)
        if len(sockets) > CROWD:
            time.sleep(REST)


def without_opener_policy(application: Callable[..., Any]) -> Callable[..., Any]:
    """This application without Cross-Origin-Opener-Policy where browsers ignore it.

    That is in plain http to another machine; Chromium complains of it at every page. See
    https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies
    """

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if _is_trustworthy(environ):
            return application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            kept = [pair for pair in headers if pair[0].lower() != "cross-origin-opener-policy"]
            return start_response(status, kept, *error)

        return application(environ, start)

    return answer


def _is_trustworthy(environ: dict[str, Any]) -> bool:
    """Whether a browser trusts this origin: https, or this machine itself."""
    if environ["wsgi.url_scheme"] == "https":
        return True
    host = re.sub(r":[0-9]+$", "", environ.get("HTTP_HOST", "").lower())
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def main(port: int, addresses: list[str]) -> None:
    """See the module's docstring."""
    parent = reserve_stdout()
    on_parent_exit(lambda: os._exit(0))
    # With DEBUG off Django sends errors by mail; here they are for the log.
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    sys.path.insert(0, os.getcwd())
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    import_module(settings.ROOT_URLCONF)  # a mistake in the code is found now and not in class
    if settings.DATABASES.get("default", {}).get("NAME"):
        from labkit.serve.database_connections import keep_open

        _migrate()
        if not os.environ.get("LAB_NODES"):  # of a cluster each request asks the next node
            keep_open(_migrate)
    server = listen(application, port, addresses, THREADS)
    parent.write(READY)
    parent.close()
    run(server)


def _migrate() -> None:
    """Bring the database up to date; nothing is done, and soon, where it is already."""
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
