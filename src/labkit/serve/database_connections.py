"""Keep database connections open from one request to the next.

Opening a connection costs as much as a query. When the last connection is closed, SQLite also moves
the whole WAL into the database and waits for the disk: https://www.sqlite.org/wal.html#ckpt
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

# The limit for waiting until all requests end; a request may wait 20 s for SQLite's lock.
REQUEST_SECONDS = 25
FILE_REPLACED = "%s was deleted or replaced, and its data are lost"
log = logging.getLogger("labkit.serve")
_guards: list["FileGuard"] = []  # keeps the guards alive, since signals hold only weak references


def keep_open(migrate: Callable[[], None]) -> None:
    """Make each thread keep its database connection. Call this before any connection is opened.

    If the database has closed a connection, a ping detects this, and the connection is reopened. If
    SQLite's file is deleted or replaced, all connections are closed and `migrate` creates the
    tables.
    https://docs.djangoproject.com/en/5.2/ref/databases/#persistent-database-connections
    """
    connections.settings["default"].update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
    if connection.vendor == "sqlite":
        _guards.append(FileGuard(str(connection.settings_dict["NAME"]), migrate))


class FileGuard:
    """Closes all connections to SQLite's file when it is deleted or replaced.

    Data written to a deleted file are lost, and a new file at its path would share the old one's
    WAL: https://www.sqlite.org/howtocorrupt.html#unlink. So all connections to the old file are
    closed before the first one to the new file is opened.
    """

    def __init__(self, path: str, migrate: Callable[[], None]) -> None:
        self._path = path
        self._migrate = migrate
        self._file = _identity(path)
        self._changed = threading.Condition()
        self._requests = 0  # requests in progress
        self._opened: list[BaseDatabaseWrapper] = []  # one for each thread
        connection_created.connect(self._note)
        request_started.connect(self._enter)
        request_finished.connect(self._leave)

    def _note(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if connection not in self._opened:
            connection.inc_thread_sharing()  # one thread may close the connections of all threads
            self._opened.append(connection)

    def _enter(self, **_: Any) -> None:
        with self._changed:
            if _identity(self._path) != self._file:
                self._changed.wait_for(lambda: not self._requests, REQUEST_SECONDS)
                # Another thread may have reopened it already.
                if _identity(self._path) != self._file:
                    self._reopen()
            self._requests += 1

    def _leave(self, **_: Any) -> None:
        with self._changed:
            self._requests -= 1
            self._changed.notify_all()

    def _reopen(self) -> None:
        log.error(FILE_REPLACED, self._path)
        for opened in self._opened:
            opened.close()
        if _identity(self._path) is None:
            # If another process has the old file open, the old WAL could be used for the new file.
            for leftover in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    os.unlink(self._path + leftover)
        try:
            self._migrate()
        except DatabaseError as error:
            log.error("Its tables could not be created: %s", error)
        self._file = _identity(self._path)


def _identity(path: str) -> tuple[int, int] | None:
    """Return (device, inode) of the file at this path, or None if there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
