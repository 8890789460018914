import os
import tempfile
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections

from labkit.testing.lab_server import LabServer


@pytest.fixture(scope="session")
def django_db_modify_db_settings():
    """SQLite's test database in a file: in memory the threads of a test would share one lock."""
    if connections["default"].vendor != "sqlite":
        yield
        return
    memory = Path("/dev/shm")  # noqa: S108 only its owner can enter what is made there
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="labkit-", dir=where) as folder:
        connections.settings["default"]["TEST"]["NAME"] = str(Path(folder, "test.sqlite3"))
        yield


@pytest.fixture(scope="module")
def server(request):
    """The lab on waitress, and on the database that --lab-db names."""
    environ = {}
    if request.config.getoption("lab_db") == "mysql":
        environ["DATABASE_URL"] = request.getfixturevalue("mariadb").url("lab_12_server")
    server = LabServer(settings.FOLDER, migrate=True, server="waitress", environ=environ)
    yield server
    server.stop()
