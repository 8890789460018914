"""Test the commands that have to run before the first start, and starting without them."""

import contextlib
import io
import os
import subprocess
import sys

import pytest
from django.conf import settings as lab
from django.contrib.sessions.backends import db
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader

from labkit.base import error_pages
from labkit.testing import response_checks
from labkit.testing.contracts import words
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor
from tests.contract import DO_NOT_WORK, NOT_SET, WORK, CookieCheckPages

IN_THE_TABLE = ["db", "cached_db"]
ELSEWHERE = ["cache", "file", "signed_cookies"]

pages = CookieCheckPages()


@pytest.fixture
def no_table():
    """Run the test on a database that has not been migrated."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_session RENAME TO elsewhere")
        yield
        cursor.execute("ALTER TABLE elsewhere RENAME TO django_session")


@pytest.fixture
def engine(request, use_engine):
    """Use the session engine with this name."""
    use_engine(request.param)


@pytest.mark.claim("C18")
@pytest.mark.parametrize("engine", IN_THE_TABLE, indirect=True)
def test_an_engine_that_keeps_rows_needs_the_table(engine, no_table, visitor, settings, subtests):
    for debug in (False, True):
        with subtests.test(debug=debug):
            settings.DEBUG = debug
            with visitor.expecting(response_checks.SERVER_ERROR):
                says_what_to_type(visitor.get("/"))
    assert list(visitor.jar) == []


@pytest.mark.claim("C18")
@pytest.mark.parametrize("engine", ELSEWHERE, indirect=True)
def test_an_engine_that_keeps_none_does_without_the_table(engine, no_table, visitor):
    visitor.get("/")
    assert pages.look(visitor) == WORK
    assert pages.look(visitor) == NOT_SET


@pytest.mark.in_process
@pytest.mark.claim("C44")
def test_each_database_has_its_own_words_for_a_missing_table(no_table, visitor):
    store = db.SessionStore()
    if connection.vendor == "mysql":
        with pytest.raises(ProgrammingError, match=r"1146.*django_session' doesn't exist"):
            store.save()
    else:
        with pytest.raises(OperationalError, match=r"^no such table: django_session$"):
            store.save()
    # Without a cookie there is nothing to load, so the table is not needed.
    assert pages.look(visitor) == DO_NOT_WORK


def says_what_to_type(response):
    assert response.status_code == 503
    assert error_pages.MIGRATE_ADVICE in words(response)
    assert b"Traceback" not in response.content


@pytest.fixture
def bare():
    """Return a function that starts the lab on a database that has not been migrated."""
    with contextlib.ExitStack() as stack:

        def start(**environ):
            server = LabServer(lab.FOLDER, migrate=False, environ=environ)
            stack.callback(server.stop)
            return server

        yield start


@pytest.mark.claim("C43")
@pytest.mark.pitfall("B02")
def test_to_type_what_it_says_helps_and_syncdb_does_not(bare):
    server = bare(LAB_DEBUG="1")  # a student's machine has the same setting
    visitor = WireVisitor(server.port)
    with visitor.expecting(response_checks.SERVER_ERROR):
        says_what_to_type(visitor.get("/"))
    with pytest.raises(CommandError, match="Unknown command: 'syncdb'"):
        call_command("syncdb")
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    environ = os.environ | {"LAB_STATE_DIR": str(server.state), "DATABASE_URL": ""}
    subprocess.run(command, cwd=lab.FOLDER, env=environ, check=True)
    visitor.get("/")
    assert pages.look(visitor) == WORK


@pytest.mark.claim("C44")
@pytest.mark.parametrize("debug", ["0", "1"])
def test_on_mariadb_it_says_the_same(bare, mariadb, debug):
    server = bare(LAB_DEBUG=debug, DATABASE_URL=mariadb.url("lab_01_bare"))
    visitor = WireVisitor(server.port)
    with visitor.expecting(response_checks.SERVER_ERROR):
        says_what_to_type(visitor.get("/"))
    assert pages.look(visitor) == DO_NOT_WORK


@pytest.mark.claim("C38")
def test_nothing_is_left_for_makemigrations_to_make():
    said = io.StringIO()
    # This command exits if a migration is missing.
    call_command("makemigrations", "--check", stdout=said)
    assert said.getvalue().strip() == "No changes detected"
    assert ("sessions", "0001_initial") in MigrationLoader(connection).disk_migrations
