import os
import tempfile
from pathlib import Path

import pytest
from django.db import connections


@pytest.fixture(scope="session")
def django_db_modify_db_settings():
    """Store SQLite's test database in a file. In memory, all threads would share one lock."""
    if connections["default"].vendor != "sqlite":
        yield
        return
    memory = Path("/dev/shm")  # noqa: S108 the temporary folder is private
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="labkit-", dir=where) as folder:
        connections.settings["default"]["TEST"]["NAME"] = str(Path(folder, "test.sqlite3"))
        yield
