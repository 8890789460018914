"""Real servers for probes: restarted, two with the same state, or without tables."""

import os
from collections.abc import Callable
from typing import Any

from labkit.base import error_pages
from labkit.testing.contracts import words
from labkit.testing.fixtures import has_database
from labkit.testing.lab_server import LabServer
from labkit.testing.response_checks import BrokenPromise
from labkit.testing.wire_visitor import WireVisitor

Act = Callable[[WireVisitor], Any]


class Servers:
    """Servers of the lab under test, with its current engine and database.

    Two processes share a state folder, with a secret key, a database and session files. The
    processes are kept for later probes of the same engine. Call `stop()` at the end.
    """

    def __init__(self) -> None:
        self._engine = ""
        self._pair: list[LabServer] = []

    def pair(self) -> tuple[LabServer, LabServer]:
        """Return two processes of the lab, with a migrated database."""
        from django.conf import settings

        if self._engine != settings.SESSION_ENGINE:
            self.stop()
            environ = _environ()
            self._pair.append(LabServer(settings.FOLDER, migrate=has_database(), environ=environ))
            environ["LAB_STATE_DIR"] = str(self._pair[0].state)
            self._pair.append(LabServer(settings.FOLDER, migrate=False, environ=environ))
            self._engine = settings.SESSION_ENGINE
        first, second = self._pair
        return first, second

    def one(self) -> LabServer:
        """Return one process of the lab."""
        return self.pair()[0]

    def needs_migrate(self, act: Act) -> bool:
        """Return True if `act` fails before `manage.py migrate` and works after it."""
        from django.conf import settings

        server = LabServer(settings.FOLDER, migrate=False, environ=_environ("_bare"))
        try:
            return needs_table(server, act)
        finally:
            server.stop()

    def stop(self) -> None:
        """Stop all servers."""
        while self._pair:
            self._pair.pop().stop()


def needs_table(server: LabServer, act: Act) -> bool:
    """Return True if the server shows the page about a missing table until `migrate` is run."""
    visitor = WireVisitor(server.port)
    try:
        act(visitor)
        return False
    except BrokenPromise:
        assert error_pages.MIGRATE_TITLE in words(visitor.exchanges[-1].response)
    server.migrate()
    act(WireVisitor(server.port))
    return True


def kill_and_restart(server: LabServer) -> None:
    """Kill a server, and start it again with the same state."""
    server.kill()
    server.start()


def second_process_sees(visitor: Any, elsewhere: Any, put: Any, look: Any) -> str:
    """Return whether a second process sees what the first one stored: "yes", "late" or "no".

    put(visitor, name): store an item.
    look(visitor): return the names of all stored items, in order.

    "late" means that the second process sees the first item, but not an item stored later.
    """
    elsewhere.jar = visitor.jar  # both visitors share one cookie jar, since cookies ignore ports
    put(visitor, "apple")
    at_first = look(elsewhere)
    # A process that does not find the session deletes its cookie, so everything is lost.
    assert look(visitor) == at_first
    put(visitor, "pear")
    answers: dict[tuple[str, ...], str] = {
        (): "no",
        ("apple", "/", "apple"): "late",
        ("apple", "/", "apple", "pear"): "yes",
    }
    at_last = look(elsewhere)
    return answers[(*at_first, "/", *at_last) if at_first else tuple(at_last)]


def _environ(suffix: str = "") -> dict[str, str]:
    """Return environment variables for the engine under test and a separate MariaDB database."""
    from django.conf import settings
    from django.db import connection

    environ = {"SESSION_ENGINE": settings.SESSION_ENGINE}
    if url := os.environ.get("DATABASE_URL", ""):
        name = f"servers_{settings.LAB}{suffix}"
        maker = connection.copy()  # CREATE DATABASE would commit the test's transaction
        with maker.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE DATABASE {name}")
        maker.close()
        head, _, query = url.partition("?")
        environ["DATABASE_URL"] = f"{head.rpartition('/')[0]}/{name}?{query}"
    return environ
