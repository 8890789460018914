"""Database connections that stay open from one request to the next.

To open one costs as much as a query. And whenever SQLite's last one is closed, the whole WAL is
moved into the database and the disk waited for: https://www.sqlite.org/wal.html#ckpt
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

LONGEST = 25  # seconds for the requests under way; one waits up to 20 for SQLite's lock
log = logging.getLogger("labkit.serve")
_guards: list["FileGuard"] = []  # signals do not keep their receivers


def keep_open(migrate: Callable[[], None]) -> None:
    """From now on each thread keeps its connection to the database; call it before any is open.

    A connection that the database has closed is found by a ping and opened again. Where SQLite's
    file is no longer there, or is another one, all are closed and `migrate` makes its tables.
    https://docs.djangoproject.com/en/5.2/ref/databases/#persistent-database-connections
    """
    connections.settings["default"].update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
    if connection.vendor == "sqlite":
        _guards.append(FileGuard(str(connection.settings_dict["NAME"]), migrate))


class FileGuard:
    """Lets go of SQLite's file when it is deleted or another takes its place.

    What is written to a deleted file is lost, and one that is made anew at its path would share
    the old one's WAL: https://www.sqlite.org/howtocorrupt.html#unlink. So all connections to the
    old one are closed before the first to the new one is opened.
    """

    def __init__(self, path: str, migrate: Callable[[], None]) -> None:
        self._path = path
        self._migrate = migrate
        self._file = _identity(path)
        self._turn = threading.Condition()
        self._inside = 0  # requests that are being answered
        self._opened: list[BaseDatabaseWrapper] = []  # one for each thread
        connection_created.connect(self._note)
        request_started.connect(self._enter)
        request_finished.connect(self._leave)

    def _note(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection not in self._opened:
            connection.inc_thread_sharing()  # whoever sees first that the file is gone closes it
            self._opened.append(connection)

    def _enter(self, **_: Any) -> None:
        with self._turn:
            if _identity(self._path) != self._file:
                self._turn.wait_for(lambda: not self._inside, LONGEST)
                if _identity(self._path) != self._file:  # no other request has seen to it meanwhile
                    self._begin_anew()
            self._inside += 1

    def _leave(self, **_: Any) -> None:
        with self._turn:
            self._inside -= 1
            self._turn.notify_all()

    def _begin_anew(self) -> None:
        log.error("%s was deleted or replaced; what was in it is gone", self._path)
        for opened in self._opened:
            opened.close()
        if _identity(self._path) is None:
            # Another process may still hold the old file, and its WAL would pass for the new one's.
            for leftover in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    os.unlink(self._path + leftover)
        try:
            self._migrate()
        except DatabaseError as error:
            log.error("Its tables could not be made: %s", error)
        self._file = _identity(self._path)


def _identity(path: str) -> tuple[int, int] | None:
    """Which file lies here; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
