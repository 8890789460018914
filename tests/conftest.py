"""Shared fixtures, and a Django project whose pages break every rule that the tests check."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import django
import pytest
from click.testing import CliRunner
from django.conf import settings

from labkit import cli
from labkit.catalog import Catalog
from labkit.processes.ports import CHOSEN_FROM, free_port

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent / "support"))

# Each pytest-xdist process, and every process that it starts, uses its own range of ports.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    first, last = (int(port) for port in os.environ.get("LABKIT_PORTS", CHOSEN_FROM).split("-"))
    each = (last - first + 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    first += each * int(worker.removeprefix("gw"))
    os.environ["LABKIT_PORTS"] = f"{first}-{first + each - 1}"

settings.configure(
    SECRET_KEY="not a secret: only for tests",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="misbehaving",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "labkit.base"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "labkit.base.middleware.error_pages",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    CSRF_FAILURE_VIEW="labkit.base.error_pages.csrf_failure",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "DIRS": [ROOT / "labs" / "03_cookie_cart" / "lab" / "templates"],
        }
    ],
    FOLDER=ROOT / "labs" / "03_cookie_cart",
    LAB="03",
    TIME_ZONE="UTC",
)
django.setup()


def pytest_addoption(parser):
    group = parser.getgroup("differential")
    group.addoption("--lines", type=int, help="how many new Set-Cookie lines Chromium and jar get")
    group.addoption("--seed", type=int, help="draw the lines again of a failure that printed this")


def pytest_configure(config):
    """Keep tests that share a server in one process of pytest-xdist."""
    if config.pluginmanager.has_plugin("xdist"):
        from group_scheduler import GroupPlugin

        config.pluginmanager.register(GroupPlugin())


@pytest.hookimpl(tryfirst=True)  # the option -m can then select by these marks
def pytest_collection_modifyitems(items):
    """Mark the tests that may start a process. The tests of LONGEST begin first."""
    for item in items:
        if {"pytester", "said"}.intersection(item.fixturenames) or _imports_starters(item.module):
            item.add_marker("processes")
    items.sort(key=_place_in_longest)


# The beginnings of the node IDs of tests that take longest. If such tests began last, other
# processes of pytest-xdist would have nothing to do.
LONGEST = [
    "tests/clusters/test_galera.py",
    "tests/panel/test_recorded_visits.py",
    "tests/console/test_reset_in_chromium.py",
    "tests/labs/test_every_page_in_chromium.py",
    "tests/labs/test_reset_state.py",
    "tests/serve/test_serve.py",
    "tests/labs/test_faults.py",
    "tests/clusters/test_server_pool.py",
    "tests/testing/test_runner.py",
    "tests/services/test_lab_reset.py",
    "tests/test_code_blocks.py",
    "tests/test_documents.py",
]


def _place_in_longest(item):
    found = (place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start))
    return next(found, len(LONGEST))


# Modules in tests/support, and the packages that run pytest.
STARTERS = ("serving", "forked_pytest", "labkit.compare", "labkit.measure", "labkit.practice")


@cache
def _imports_starters(module):
    """Return True if a module has the module subprocess, or anything that STARTERS define."""
    return any(_starts_processes(value) for value in vars(module).values())


def _starts_processes(value):
    """Return True for the module subprocess, and for anything that one of STARTERS defines."""
    module = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    return value is subprocess or str(module).startswith(STARTERS)


@pytest.fixture(scope="session")
def checkout() -> Catalog:
    return Catalog(ROOT)


@pytest.fixture
def own_checkout(tmp_path, monkeypatch, checkout):
    """A copy of the labs without .lab/, as the current folder."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    shutil.copytree(checkout.root / "labs", tmp_path / "labs", ignore=ignored)
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "REDIS_URL", "LAB_STATE_DIR", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def said(monkeypatch):
    """Run `lab` in this process; return (exit status, output)."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*arguments):
        result = CliRunner().invoke(cli.main, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, " ".join(result.output.split())

    return run


@pytest.fixture(scope="module")
def forked_runs():
    """Make run_tests() start pytest as a copy of a process, which takes less time."""
    from forked_pytest import pytest_server

    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            start_child = pytest_server().start_child
            patch.setattr("labkit.testing.pytest_runner.start_child", start_child)
        yield


# A replacement for a lab's manage.py, which records its arguments and environment.
MANAGE_PY = """\
import json, os, sys
with open("calls.json", "a") as calls:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=calls)
"""


@pytest.fixture
def started(own_checkout, said, monkeypatch):
    """Run `lab run` with MANAGE_PY instead of a server; return (output, server's environment)."""

    monkeypatch.setattr("labkit.commands.run.exit_on_signals", lambda: None)

    def start(name, *arguments):
        (folder,) = own_checkout.glob(f"labs/{name}_*")
        (folder / "manage.py").write_text(MANAGE_PY)
        port = free_port()
        status, printed = said("run", name, "--port", str(port), *arguments)
        assert status == 0
        lines = (folder / "calls.json").read_text().splitlines()
        (folder / "calls.json").unlink()
        calls = [json.loads(line) for line in lines]
        *migrations, server = [call[0] for call in calls]
        assert migrations == [["migrate", "--verbosity=0"]] * (name != "03")  # has no database
        assert server == ["runserver", f"127.0.0.1:{port}"]
        return printed, calls[-1][1]

    return start
