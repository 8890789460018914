"""The plugin's fixtures: visitors, the clock, session engines, private servers, the lab's server.

They import Django and the rest of labkit when a test asks for them, not before.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from labkit.services.mariadb import PrivateMariaDB
    from labkit.services.redis import PrivateRedis
    from labkit.testing import Clock, Visitor, WireVisitor
    from labkit.testing.lab_server import LabServer


def skip_or_fail(reason: str) -> None:
    """Skip the test because something is not installed; in CI, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (a failure, since CI is set)")
    pytest.skip(reason)


@pytest.fixture
def visitor(request: pytest.FixtureRequest) -> "Visitor | WireVisitor":
    """A visitor with an empty cookie jar; at a real server with --lab-server."""
    return _new_visitor(request)


@pytest.fixture
def classmate(request: pytest.FixtureRequest) -> "Visitor | WireVisitor":
    """Another visitor, with another browser."""
    return _new_visitor(request)


def _new_visitor(request: pytest.FixtureRequest) -> "Visitor | WireVisitor":
    from labkit.testing import Visitor, WireVisitor

    if name := request.config.getoption("lab_server"):
        return WireVisitor(request.getfixturevalue("server").port, server=name)
    return Visitor()


@pytest.fixture
def clock() -> "Iterator[Clock]":
    """A clock that stands still until the test moves it, for server and browsers alike."""
    import time_machine

    from labkit.testing import clock as module

    with time_machine.travel(module.START, tick=False) as traveller:
        yield module.Clock(traveller)


@pytest.fixture
def use_engine(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Callable[[str], None]":
    """A function that chooses the session engine, by the last part of its name.

    It counts from the next request on. The engine `file` keeps its files in a folder of this test,
    not among those of the lab.
    """
    from django.contrib.sessions.backends import file

    folder = tmp_path / ".lab" / settings.LAB / "sessions"
    folder.mkdir(parents=True)
    settings.SESSION_FILE_PATH = folder
    # The engine reads the setting once and keeps it here.
    monkeypatch.setattr(file.SessionStore, "_storage_path", str(folder), raising=False)

    def use(engine: str) -> None:
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"

    return use


_mariadb_key = pytest.StashKey["PrivateMariaDB"]()


def private_mariadb(config: pytest.Config) -> "PrivateMariaDB":
    """Return the private server of this pytest run, which the first call starts.

    Raises UsageError where MariaDB is not installed.
    """
    from labkit.processes.start import NotInstalled
    from labkit.services.mariadb import PrivateMariaDB

    if _mariadb_key not in config.stash:
        try:
            server = PrivateMariaDB.temporary()
        except NotInstalled as missing:
            raise pytest.UsageError(str(missing)) from None
        config.add_cleanup(server.stop)
        config.stash[_mariadb_key] = server
    return config.stash[_mariadb_key]


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config) -> "PrivateMariaDB":
    """A private MariaDB on a separate socket, started once per run."""
    from labkit.processes.start import NotInstalled
    from labkit.services.mariadb import PrivateMariaDB

    try:
        PrivateMariaDB.check_installed()
    except NotInstalled as missing:
        skip_or_fail(str(missing))
    return private_mariadb(pytestconfig)


@pytest.fixture(scope="session")
def redis() -> "Iterator[PrivateRedis]":
    """A private Redis on a separate socket, started once per run."""
    from labkit.processes.start import NotInstalled
    from labkit.services.redis import PrivateRedis

    try:
        server = PrivateRedis.temporary()
    except NotInstalled as missing:
        skip_or_fail(str(missing))
    yield server
    server.stop()


def has_database() -> bool:
    """Return whether the project under test has a database."""
    from django.conf import settings

    # Django fills a missing DATABASES with an entry whose NAME is empty.
    return bool(settings.DATABASES.get("default", {}).get("NAME"))


@pytest.fixture(scope="session")
def server_environ() -> dict[str, str]:
    """Environment variables for the lab's server; a lab's conftest.py may replace them."""
    return {}


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, server_environ: dict[str, str]) -> "Iterator[LabServer]":
    """The lab under test on a real server, with a separate database.

    The server is the one that --lab-server names, or waitress; so is the database with --lab-db.
    """
    from django.conf import settings

    from labkit.testing.lab_server import LabServer

    environ = dict(server_environ)
    if pytestconfig.getoption("lab_db") == "mysql":
        environ["DATABASE_URL"] = private_mariadb(pytestconfig).url(f"lab_{settings.LAB}_server")
    server = LabServer(
        settings.FOLDER,
        migrate=has_database(),
        server=pytestconfig.getoption("lab_server") or "waitress",
        environ=environ,
    )
    yield server
    server.stop()
