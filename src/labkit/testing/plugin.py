"""The pytest plugin: fixtures, and the lab around the tests found without being told."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

    from labkit.services.mariadb import PrivateMariaDB
    from labkit.services.redis import PrivateRedis
    from labkit.testing import Clock, Visitor
    from labkit.testing.chromium import Chromium
    from labkit.testing.lab_server import LabServer

SETTINGS = "lab.settings"

pytest.register_assert_rewrite("labkit.testing.contracts")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("labkit")
    group.addoption(
        "--lab-examples",
        type=int,
        help="how many random examples the state machines try; default: a few, always the same",
    )
    group.addoption(
        "--lab-db",
        choices=["sqlite", "mysql"],
        default="sqlite",
        help="the database of a lab's tests: SQLite in memory, or a private MariaDB for this run",
    )
    group.addoption(
        "--lab-panel", action="store_true", help="run a lab's tests with its exchange panel"
    )
    group.addoption(
        "--lab-record", type=Path, help="write down every exchange of a lab's tests, into a file"
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Iterator[None]:
    # Before pytest-django reads the settings, since they depend on what is set here.
    for mark in (
        "browser: needs Chromium, as in nox -t browser",
        "mysql: needs MariaDB's server, as in nox -t mysql",
        "galera: needs Galera and HAProxy as well, as in nox -s galera",
        "redis: needs Redis's server, as in nox -t redis",
        "charts: needs matplotlib, as in nox -s charts",
        "thorough: many requests, as in nox -s thorough",
        "maintainer: runs benchmarks and measurements, as in nox -s maintain",
        "own_profile: its Chromium is closed, or has its settings changed",
        "panel: runs the labs with the exchange panel, as in nox -s panel",
        "claim(*ids): shows what becomes of these claims of labs/claims.toml",
        "pitfall(*ids): shows how these pitfalls of labs/claims.toml are met",
    ):
        early_config.addinivalue_line("markers", mark)
    lab = _lab_around(early_config.known_args_namespace.file_or_dir or ["."])
    # A settings module of another project may be set in the shell; it is not meant for a lab.
    if lab is not None and not os.environ.get("DJANGO_SETTINGS_MODULE", "").startswith("lab."):
        sys.path.insert(0, str(lab))
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        for name in ("DATABASE_URL", "REDIS_URL"):  # nobody's own server is touched
            os.environ.pop(name, None)
        _borrow_number(lab)
        os.environ["LAB_PANEL"] = "1" if early_config.known_args_namespace.lab_panel else "0"
        if early_config.known_args_namespace.lab_db == "mysql":
            from labkit.base import conf

            server = _private_mariadb(early_config)
            os.environ["DATABASE_URL"] = server.url(f"lab_{conf.number(lab)}")
    return (yield)


def _lab_around(paths: list[str]) -> Path | None:
    """The lab that holds these paths: a folder with manage.py and lab/settings.py.

    Raises UsageError for several labs: a process has one settings module.
    """
    starts = [Path(path.partition("::")[0]).resolve() for path in paths]
    labs = {
        folder
        for start in starts
        for folder in (start, *start.parents)
        if (folder / "manage.py").is_file() and (folder / "lab" / "settings.py").is_file()
    }
    if len(labs) > 1 or any((start / "labs.toml").is_file() for start in starts):
        raise pytest.UsageError("One run of pytest tests one lab; `nox` tests them all.")
    return labs.pop() if labs else None


def _borrow_number(lab: Path) -> None:
    """A copy's tests ask for the cookies of the lab that its handout says it was made from."""
    from labkit.catalog import CatalogError, catalog

    with contextlib.suppress(CatalogError):
        copy = catalog().copy_in(lab)
        # A lab with a number of its own does not heed it.
        os.environ["LAB_AS"] = copy.original or ""


# First of all, so that -m sees the marks that are given here.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs Chromium, a private MariaDB or Redis, or the lab's own database."""
    for item in items:
        if _asks_for("chromium", item):
            item.add_marker(pytest.mark.browser)
        if _asks_for("mariadb", item):
            item.add_marker(pytest.mark.mysql)
        if _asks_for("redis", item):
            item.add_marker(pytest.mark.redis)
        marks = [*item.iter_markers("claim"), *item.iter_markers("pitfall")]
        if proves := sorted({id_ for mark in marks for id_ in mark.args}):
            item.user_properties.append(("proves", proves))
    if os.environ.get("DJANGO_SETTINGS_MODULE") == SETTINGS and _has_database():
        for item in items:
            if not item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.django_db)  # a transaction, rolled back


def _asks_for(fixture: str, item: pytest.Item) -> bool:
    """Whether this test uses this plugin's fixture of this name, not the project's own."""
    found = getattr(item, "_fixtureinfo", None)
    definitions = list(found.name2fixturedefs.get(fixture, ())) if found else []
    return bool(definitions) and definitions[-1].func.__module__ == __name__


# What the marked tests of this run proved, for labkit.claims; nox names the file.
_proved: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if hasattr(report, "wasxfail"):  # pytest calls it skipped, but it ran and failed as foretold
        return
    proves = dict(report.user_properties).get("proves")
    if proves and (report.when == "call" or report.outcome != "passed"):
        _proved.append({"test": report.nodeid, "outcome": report.outcome, "proves": proves})


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    """The time stands still while a run is recorded, so that two runs have the same.

    In the past: the engine `file` compares it with when a file was really written.
    """
    if not request.config.getoption("lab_record") or "clock" in request.fixturenames:
        yield
        return
    import time_machine

    with time_machine.travel("2020-01-06 09:00 +0000", tick=False):
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    module = sys.modules.get("labkit.testing.recording")
    if module and module.recording:
        module.recording.write(session.config.getoption("lab_record"))
    # With pytest-xdist the workers' reports have reached the process that started them.
    is_worker = hasattr(session.config, "workerinput")
    if (path := os.environ.get("LAB_RESULTS")) and not is_worker:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps({"tests": _proved}, indent=1), encoding="utf-8")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if module := sys.modules.get("labkit.testing.base_visitor"):
        module.of_this_test.clear()
    if item.config.getoption("lab_record"):
        from labkit.testing import recording

        recording.recording = recording.recording or recording.Recording()
        recording.recording.test = item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """A failing test tells what its visitors sent and got; see labkit.testing.failure_report."""
    report: Any = yield
    if report.failed and "labkit.testing.base_visitor" in sys.modules:
        from labkit.testing.failure_report import sections

        try:
            report.sections += sections(getattr(item, "funcargs", {}))
        except Exception as error:  # the test's own failure matters more than its report
            report.sections.append(("last exchanges", f"cannot be shown: {error!r}"))
    return report


def _has_database() -> bool:
    from django.conf import settings

    # Django fills a missing DATABASES with an entry whose NAME is empty.
    return bool(settings.DATABASES.get("default", {}).get("NAME"))


_server_key = pytest.StashKey["PrivateMariaDB"]()


def _private_mariadb(config: pytest.Config) -> "PrivateMariaDB":
    """The private server of this pytest run, started when first asked for."""
    from labkit.processes.start import NotInstalled
    from labkit.services.mariadb import PrivateMariaDB

    if _server_key not in config.stash:
        try:
            server = PrivateMariaDB.temporary()
        except NotInstalled as missing:
            raise pytest.UsageError(str(missing)) from None
        config.add_cleanup(server.stop)
        config.stash[_server_key] = server
    return config.stash[_server_key]


def absent(reason: str) -> None:
    """Skip the test because something is not installed; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (a failure, since CI is set)")
    pytest.skip(reason)


@pytest.fixture
def visitor() -> "Visitor":
    """A visitor with an empty cookie jar."""
    from labkit.testing import Visitor

    return Visitor()


@pytest.fixture
def classmate() -> "Visitor":
    """Another visitor, with another browser."""
    from labkit.testing import Visitor

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

    A visitor meets it from the first request on. The engine `file` keeps its files in a folder of
    this test's own, and not among those of the lab.
    """
    from django.contrib.sessions.backends import file

    folder = tmp_path / ".lab" / settings.LAB / "sessions"
    folder.mkdir(parents=True)
    settings.SESSION_FILE_PATH = folder
    # Which the engine reads once and then remembers.
    monkeypatch.setattr(file.SessionStore, "_storage_path", str(folder), raising=False)

    def use(engine: str) -> None:
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"

    return use


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config) -> "PrivateMariaDB":
    """A private MariaDB on a socket of its own, started once per run."""
    from labkit.processes.start import NotInstalled
    from labkit.services.mariadb import PrivateMariaDB

    try:
        PrivateMariaDB.check_installed()
    except NotInstalled as missing:
        absent(str(missing))
    return _private_mariadb(pytestconfig)


@pytest.fixture(scope="session")
def redis() -> "Iterator[PrivateRedis]":
    """A private Redis on a socket of its own, started once per run."""
    from labkit.processes.start import NotInstalled
    from labkit.services.redis import PrivateRedis

    try:
        server = PrivateRedis.temporary()
    except NotInstalled as missing:
        absent(str(missing))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _playwright() -> "Iterator[Playwright]":
    from labkit.services.requirements import missing_tools

    if missing := missing_tools(["playwright", "chromium"]):
        absent(". ".join(missing))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def _open_chromium(_playwright: "Playwright") -> "Iterator[Browser]":
    from labkit.testing.chromium import launch

    with launch(_playwright) as browser:
        yield browser


@pytest.fixture
def chromium(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[Chromium]":
    """A real Chromium with no cookies yet; its complaints fail the test.

    A test that closes it or changes its settings has one with a profile of its own, which takes
    longer to start; where a helper does it for the test, the mark own_profile says so.
    """
    from labkit.testing.chromium import Chromium

    playwright = request.getfixturevalue("_playwright")
    used = request.function.__code__.co_names
    own = {"close", "close_and_reopen", "block_cookies"} & set(
        used
    ) or request.node.get_closest_marker("own_profile")
    shared = None if own else request.getfixturevalue("_open_chromium")
    browser = Chromium(playwright, tmp_path / "profile", shared=shared)
    yield browser
    browser.close()
    assert browser.complaints == []


@pytest.fixture(scope="session")
def server() -> "Iterator[LabServer]":
    """The lab under test on a real server, with a database of its own."""
    from django.conf import settings

    from labkit.testing.lab_server import LabServer

    server = LabServer(settings.FOLDER, migrate=_has_database(), server="waitress")
    yield server
    server.stop()
