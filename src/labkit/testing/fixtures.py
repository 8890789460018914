"""The plugin's fixtures: visitors, a clock, session engines, servers and Chromium.

The fixtures import Django and the rest of labkit only when a test uses them.
"""

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from labkit.services.mariadb import PrivateMariaDB
    from labkit.services.redis import PrivateRedis
    from labkit.testing.chromium import Chromium
    from labkit.testing.clock import Clock
    from labkit.testing.lab_server import LabServer
    from labkit.testing.visitor import Visitor
    from labkit.testing.wire_visitor import WireVisitor


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test because a program is not installed; in CI, fail the test."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (a failure, since CI is set)")
    pytest.skip(reason)


@pytest.fixture
def visitor(request: pytest.FixtureRequest) -> "Visitor | WireVisitor":
    """Return a visitor with an empty cookie jar; with --lab-server, a visitor of a real server."""
    return _new_visitor(request)


@pytest.fixture
def classmate(request: pytest.FixtureRequest) -> "Visitor | WireVisitor":
    """Return another visitor, with another browser."""
    return _new_visitor(request)


def _new_visitor(request: pytest.FixtureRequest) -> "Visitor | WireVisitor":
    from labkit.testing.visitor import Visitor
    from labkit.testing.wire_visitor import WireVisitor

    if name := request.config.getoption("lab_server"):
        return WireVisitor(request.getfixturevalue("server").port, server=name)
    return Visitor()


@pytest.fixture
def clock() -> "Iterator[Clock]":
    """Yield a clock for server and browsers that stands still until the test moves it."""
    import time_machine

    from labkit.testing import clock as module

    with time_machine.travel(module.START, tick=False) as traveller:
        yield module.Clock(traveller)


@pytest.fixture
def use_engine(settings: Any, tmp_path: Path) -> "Iterator[Callable[[str], None]]":
    """Yield a function that sets the session engine, given the last part of its path.

    The engine is used from the next request on. The engine `file` stores its files in a temporary
    folder for this test.
    """
    from django.contrib.sessions.backends import file

    folder = tmp_path / ".lab" / settings.LAB / "sessions"
    folder.mkdir(parents=True)
    settings.SESSION_FILE_PATH = folder
    importlib.reload(file)  # its class caches SESSION_FILE_PATH, so the module is reloaded

    def use(engine: str) -> None:
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"

    yield use
    importlib.reload(file)


@pytest.fixture
def exchange_panel() -> Iterator[None]:
    """Turn on the lab's exchange panel so that this test can use labkit.testing.effects."""
    before = os.environ.get("LAB_PANEL")
    os.environ["LAB_PANEL"] = "1"
    yield
    if before is None:
        del os.environ["LAB_PANEL"]
    else:
        os.environ["LAB_PANEL"] = before


_mariadb_key = pytest.StashKey["PrivateMariaDB"]()


def private_mariadb(config: pytest.Config) -> "PrivateMariaDB":
    """Return the private MariaDB server of this pytest run; the first call starts the server.

    Raises NotInstalled.
    """
    from labkit.services.mariadb import PrivateMariaDB

    if _mariadb_key not in config.stash:
        server = PrivateMariaDB.temporary()
        config.add_cleanup(server.stop)
        config.stash[_mariadb_key] = server
    return config.stash[_mariadb_key]


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config) -> "PrivateMariaDB":
    """Return a private MariaDB server on a separate socket, started once per run."""
    from labkit.processes.start import NotInstalled

    try:
        return private_mariadb(pytestconfig)
    except NotInstalled as missing:
        skip_or_fail(str(missing))


@pytest.fixture(scope="session")
def redis() -> "Iterator[PrivateRedis]":
    """Yield a private Redis server on a separate socket, started once per run."""
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

    # Without DATABASES in the settings, Django adds an entry with an empty NAME.
    return bool(settings.DATABASES.get("default", {}).get("NAME"))


@pytest.fixture(scope="session")
def server_environ() -> dict[str, str]:
    """Return environment variables for the lab's server; a lab's conftest.py can override this."""
    return {}


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, server_environ: dict[str, str]) -> "Iterator[LabServer]":
    """Yield the lab under test on a real server, with a separate database.

    --lab-server selects the server (by default waitress), and --lab-db the database.
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


# Methods that would change a shared browser for later tests.
PROFILE_METHODS = {"close", "close_and_reopen", "block_cookies"}


@pytest.fixture(scope="session")
def playwright_driver() -> "Iterator[Playwright]":
    """Yield the Playwright driver, which starts browsers."""
    from labkit.services.requirements import missing_tools

    if missing := missing_tools(["playwright", "chromium"]):
        skip_or_fail(". ".join(missing))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def shared_chromium(playwright_driver: "Playwright") -> "Iterator[Browser]":
    """Yield the shared Chromium in which most tests open a window."""
    from labkit.testing.chromium import launch

    with launch(playwright_driver) as browser:
        yield browser


@pytest.fixture
def chromium(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Chromium]":
    """Yield a real Chromium without cookies; script errors in it fail the test.

    A test that closes the browser or changes its settings gets a browser with a separate profile,
    which starts more slowly. If a helper function does this, mark the test with own_profile.
    """
    from labkit.testing.chromium import Chromium

    playwright = request.getfixturevalue("playwright_driver")
    called = PROFILE_METHODS & set(request.function.__code__.co_names)
    separate = called or request.node.get_closest_marker("own_profile")
    shared = None if separate else request.getfixturevalue("shared_chromium")
    browser = Chromium(playwright, tmp_path / "profile", shared=shared)
    yield browser
    browser.close()
    assert browser.complaints == []
