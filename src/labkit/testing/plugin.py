"""The pytest plugin: its options, its marks, and how it finds the lab under test."""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit import environment
from labkit.kept_files import write_whole

SETTINGS = "lab.settings"
SEVERAL_LABS = "pytest can test only one lab per run. To test them all, run nox."
MARKS = [
    "browser: needs Chromium, as in nox -t browser",
    "differential: compares the jar with Chromium on random cookies, as in nox -s differential",
    "mysql: needs the MariaDB server, as in nox -t mysql",
    "galera: also needs Galera and HAProxy, as in nox -s galera",
    "redis: needs the Redis server, as in nox -t redis",
    "charts: needs matplotlib, as in nox -s charts",
    "thorough: sends many requests, as in nox -s thorough",
    "textbook: runs a lab's tests on its textbook versions, as in nox -s textbook",
    "maintainer: runs benchmarks and measurements, as in nox -s maintain",
    "own_profile: closes Chromium or changes its settings",
    "in_process: needs the lab in this process; deselected with --lab-server",
    "no_database: does not depend on the database; deselected with --lab-db=mysql",
    "panel: runs the labs with the exchange panel, as in nox -s panel",
    "processes: may start another process, such as a server",
    "package: installs the wheel and the sdist, as in nox -s package",
    "claim(*ids): proves these claims of labs/claims.toml",
    "pitfall(*ids): shows how the labs avoid these pitfalls of labs/claims.toml",
]

# A test that uses a fixture in PROCESS_FIXTURES reads or changes the lab's process.
NEEDS = {  # {fixture: the mark of the tests that use it}
    "chromium": "browser",
    "playwright_driver": "browser",  # tests may use this fixture without `chromium`
    "mariadb": "mysql",
    "redis": "redis",
}
PROCESS_FIXTURES = {
    "clock",
    "db",
    "django_assert_num_queries",
    "django_capture_on_commit_callbacks",
    "exchange_panel",
    "mailoutbox",
    "rf",
    "settings",
    "transactional_db",
    "use_engine",
}

# The sessions of tests that have one of these engines as a parameter are not in the database.
ENGINES_WITHOUT_DATABASE = {"cache", "file", "signed_cookies"}

pytest_plugins = ["labkit.testing.fixtures"]
pytest.register_assert_rewrite("labkit.testing.contracts")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("labkit")
    group.addoption(
        "--lab-examples",
        type=int,
        help="number of random examples for the state machines; default: a few fixed examples",
    )
    group.addoption(
        "--lab-db",
        choices=["sqlite", "mysql"],
        default="sqlite",
        help="database for a lab's tests: SQLite in memory, or a private MariaDB",
    )
    group.addoption(
        "--lab-server",
        choices=["runserver", "waitress"],
        help="run a lab's tests over a socket, on this server; default: in this process",
    )
    group.addoption(
        "--lab-panel", action="store_true", help="run a lab's tests with the exchange panel"
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Iterator[None]:
    # The environment variables must be set before pytest-django reads the settings, which depend on
    # them.
    for mark in MARKS:
        early_config.addinivalue_line("markers", mark)
    lab = _lab_around(early_config.known_args_namespace.file_or_dir or ["."])
    # DJANGO_SETTINGS_MODULE may have been set for another project.
    if lab is not None and not os.environ.get("DJANGO_SETTINGS_MODULE", "").startswith("lab."):
        sys.path.insert(0, str(lab))
        pytest.register_assert_rewrite("tests.contract", "tests.probes")
        for name in environment.SHARED:  # keeps the tests from using the user's servers
            os.environ.pop(name, None)
        os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
        _borrow_number(lab)
        os.environ["LAB_PANEL"] = "1" if early_config.known_args_namespace.lab_panel else "0"
        if early_config.known_args_namespace.lab_db == "mysql":
            from labkit.base import conf
            from labkit.catalog import database_name
            from labkit.processes.start import NotInstalled
            from labkit.testing.fixtures import private_mariadb

            try:
                server = private_mariadb(early_config)
            except NotInstalled as missing:
                raise pytest.UsageError(str(missing)) from None
            os.environ["DATABASE_URL"] = server.url(database_name(conf.number(lab)))
    return (yield)


def _lab_around(paths: list[str]) -> Path | None:
    """Return the lab that contains these paths: a folder with manage.py and lab/settings.py.

    Raises UsageError if there are several labs, since a process has only one settings module.
    """
    starts = [Path(path.partition("::")[0]).resolve() for path in paths]
    labs = {
        folder
        for start in starts
        for folder in (start, *start.parents)
        if (folder / "manage.py").is_file() and (folder / "lab" / "settings.py").is_file()
    }
    if len(labs) > 1 or any((start / "labs.toml").is_file() for start in starts):
        raise pytest.UsageError(SEVERAL_LABS)
    return labs.pop() if labs else None


def _borrow_number(lab: Path) -> None:
    """Use the original lab's number for a copy, because its tests expect that lab's cookies."""
    from labkit.catalog import CatalogError, catalog

    with contextlib.suppress(CatalogError):
        copy = catalog().copy_in(lab)
        # Labs that have a number ignore this variable.
        os.environ["LAB_AS"] = copy.original or ""


# Runs first, so that the option -m can select by the marks that are added here.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests according to their requirements, and deselect those that the options exclude."""
    for item in items:
        for fixture, mark in NEEDS.items():
            if _uses(fixture, item):
                item.add_marker(mark)
        if _needs_process(item):
            item.add_marker("in_process")
        if _parameters(item).get("engine") in ENGINES_WITHOUT_DATABASE:
            item.add_marker("no_database")
        marks = [*item.iter_markers("claim"), *item.iter_markers("pitfall")]
        if proves := sorted({id_ for mark in marks for id_ in mark.args}):
            item.user_properties.append(("proves", proves))
    if config.getoption("lab_db") == "mysql":
        _keep(config, items, lambda item: not item.get_closest_marker("no_database"))
    if config.getoption("lab_server"):
        _keep(config, items, _works_over_a_socket)
    elif os.environ.get("DJANGO_SETTINGS_MODULE") == SETTINGS:
        from labkit.testing.fixtures import has_database

        for item in items if has_database() else []:
            if not item.get_closest_marker("browser"):
                # Each test runs in a transaction that is rolled back.
                item.add_marker(pytest.mark.django_db)


def _keep(
    config: pytest.Config, items: list[pytest.Item], wanted: Callable[[pytest.Item], bool]
) -> None:
    """Deselect the tests that are not wanted."""
    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]


def _works_over_a_socket(item: pytest.Item) -> bool:
    """Return whether a test sends requests and does not need access to the lab's process."""
    sends = _uses("visitor", item) or _uses("classmate", item)
    return sends and not item.get_closest_marker("in_process")


def _parameters(item: pytest.Item) -> dict[str, Any]:
    """Return the parameters of a test and its fixtures as {name: value}."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def _definitions(item: pytest.Item) -> dict[str, Any]:
    """Return the fixtures that a test uses, directly or indirectly, as {name: definitions}."""
    info = getattr(item, "_fixtureinfo", None)
    return dict(info.name2fixturedefs) if info else {}


def _needs_process(item: pytest.Item) -> bool:
    """Return whether a test uses a fixture that accesses the lab's process."""
    info = getattr(item, "_fixtureinfo", None)
    # Check only the test's own arguments, since a pytest-django fixture always uses monkeypatch.
    patches = info is not None and "monkeypatch" in info.argnames
    return patches or bool(PROCESS_FIXTURES & set(_definitions(item)))


def _uses(fixture: str, item: pytest.Item) -> bool:
    """Return whether a test uses labkit's fixture with this name, rather than the project's."""
    definitions = _definitions(item).get(fixture, ())
    return bool(definitions) and definitions[-1].func.__module__ in pytest_plugins


# The claims that this run proved. They are written to the file LAB_RESULTS, which nox sets, and
# read by labkit.textbook_claims.
_proved: list[dict[str, Any]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if hasattr(report, "wasxfail"):  # pytest reports it as "skipped", but it failed as expected
        return
    proves = dict(report.user_properties).get("proves")
    if proves and (report.when == "call" or report.outcome != "passed"):
        _proved.append({"test": report.nodeid, "outcome": report.outcome, "proves": proves})


def pytest_sessionfinish(session: pytest.Session) -> None:
    # With pytest-xdist, the main process has the reports of all workers.
    is_worker = hasattr(session.config, "workerinput")
    if (path := os.environ.get("LAB_RESULTS")) and not is_worker:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(path), json.dumps({"tests": _proved}, indent=1), private=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if module := sys.modules.get("labkit.testing.base_visitor"):
        module.visitors_of_this_test.clear()
    _empty_local_caches()


def _empty_local_caches() -> None:
    """Empty the in-memory caches, so that tests do not depend on earlier ones."""
    if "django.core.cache.backends.locmem" in sys.modules:
        from django.core.cache import caches
        from django.core.cache.backends.locmem import LocMemCache

        for cache in caches.all(initialized_only=True):
            if isinstance(cache, LocMemCache):
                cache.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Add the visitors' last exchanges to the report of a failed test."""
    report: Any = yield
    if report.failed and "labkit.testing.base_visitor" in sys.modules:
        from labkit.testing.failure_report import report_sections

        try:
            report.sections += report_sections(getattr(item, "funcargs", {}))
        except Exception as error:  # an error in the report must not hide the failure of the test
            report.sections.append(("last exchanges", f"cannot be shown: {error!r}"))
    return report
