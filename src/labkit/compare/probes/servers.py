"""Labs on real servers for the questions about them: started again, two at a time, not migrated."""

import os
from collections.abc import Callable
from typing import Any

from labkit.testing.contracts import words
from labkit.testing.lab_server import LabServer
from labkit.testing.response_checks import BrokenPromise
from labkit.testing.wire_visitor import WireVisitor

Act = Callable[[WireVisitor], Any]


class Servers:
    """Servers of the lab under test, with the engine and the database that it has now.

    Two processes share one state folder: one secret key, one database, one folder of files. They
    stay for the questions that follow on the same engine; call `stop()` at the end.
    """

    def __init__(self) -> None:
        self._engine = ""
        self._pair: list[LabServer] = []

    def pair(self) -> tuple[LabServer, LabServer]:
        """Two processes of the lab, both migrated."""
        from django.conf import settings

        if self._engine != settings.SESSION_ENGINE:
            self.stop()
            environ = _environ()
            self._pair.append(LabServer(settings.FOLDER, migrate=_migrates(), environ=environ))
            environ["LAB_STATE_DIR"] = str(self._pair[0].state)
            self._pair.append(LabServer(settings.FOLDER, migrate=False, environ=environ))
            self._engine = settings.SESSION_ENGINE
        first, second = self._pair
        return first, second

    def one(self) -> LabServer:
        """One process of the lab."""
        return self.pair()[0]

    def needs_migrate(self, act: Act) -> bool:
        """Whether this cannot be done before `manage.py migrate`, and can after it."""
        from django.conf import settings

        server = LabServer(settings.FOLDER, migrate=False, environ=_environ("_bare"))
        try:
            return refused_without_table(server, act)
        finally:
            server.stop()

    def stop(self) -> None:
        """End them all."""
        while self._pair:
            self._pair.pop().stop()


def refused_without_table(server: LabServer, act: Act) -> bool:
    """Whether a server that is not migrated cannot do this until it is, and says so."""
    visitor = WireVisitor(server.port)
    try:
        act(visitor)
        return False
    except BrokenPromise:
        assert "The table is not there yet" in words(visitor.exchanges[-1].response)
    server.migrate()
    act(WireVisitor(server.port))
    return True


def restarted(server: LabServer) -> None:
    """Cut its power, and start it again on what was kept."""
    server.kill()
    server.start()


def seen_by_a_second(visitor: Any, elsewhere: Any, put: Any, look: Any) -> str:
    """Whether a second process knows what the first one was told: "yes", "late" or "no".

    `put(visitor, name)` keeps something, `look(visitor)` names all that is kept, in order. Late:
    what came first is known, what came after the second process had looked is not.
    """
    elsewhere.jar = visitor.jar  # one browser: cookies ignore ports
    put(visitor, "apple")
    at_first = look(elsewhere)
    # Who does not know the key has the browser throw it away, and the first process loses it all.
    assert look(visitor) == at_first
    put(visitor, "pear")
    answers: dict[tuple[str, ...], str] = {
        (): "no",
        ("apple", "/", "apple"): "late",
        ("apple", "/", "apple", "pear"): "yes",
    }
    at_last = look(elsewhere)
    return answers[(*at_first, "/", *at_last) if at_first else tuple(at_last)]


def _migrates() -> bool:
    from django.conf import settings

    return bool(settings.DATABASES.get("default", {}).get("NAME"))


def _environ(suffix: str = "") -> dict[str, str]:
    """The engine under test, and a database of the servers' own where it is on MariaDB."""
    from django.conf import settings
    from django.db import connection

    environ = {"SESSION_ENGINE": settings.SESSION_ENGINE}
    if url := os.environ.get("DATABASE_URL", ""):
        name = f"servers_{settings.LAB}{suffix}"
        maker = connection.copy()  # since this makes an end to a transaction, and the test has one
        with maker.cursor() as cursor:
            cursor.execute(f"CREATE OR REPLACE DATABASE {name}")
        maker.close()
        head, _, query = url.partition("?")
        environ["DATABASE_URL"] = f"{head.rpartition('/')[0]}/{name}?{query}"
    return environ
