"""Test the session cart's table on MariaDB, as a database client shows it."""

import contextlib
import os
import subprocess
import sys

import pytest

from labkit.testing.contracts import CartPages
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()


@pytest.fixture(scope="module")
def server(checkout, mariadb):
    environ = {"DATABASE_URL": mariadb.url("lab_04_table")}
    server = LabServer(checkout.find("04").folder, migrate=True, environ=environ)
    yield server
    server.stop()


@pytest.fixture
def visitor(server):
    return WireVisitor(server.port)


@pytest.fixture
def classmate(server):
    return WireVisitor(server.port)


@pytest.fixture
def ask(mariadb):
    """Run SQL in the lab's database; return the rows as text."""

    def ask(sql):
        with contextlib.closing(mariadb.connect("lab_04_table")) as connection:
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(map(str, row)) for row in cursor.fetchall()]

    return ask


@pytest.mark.claim("C87")
def test_the_table(server, ask):
    assert [row[:5] for row in ask("DESCRIBE django_session")] == [
        ("session_key", "varchar(40)", "NO", "PRI", "None"),
        ("session_data", "longtext", "NO", "", "None"),
        ("expire_date", "datetime(6)", "NO", "MUL", "None"),
    ]


@pytest.mark.claim("C90", "C91")
def test_a_second_add_changes_the_row_and_a_second_browser_makes_another(visitor, classmate, ask):
    row = "SELECT * FROM django_session WHERE session_key = '{}'"
    before = len(ask("SELECT * FROM django_session"))
    cart.put(visitor, "apple")
    key = visitor.jar.get("sessionid_04").value
    ((_, data, ends),) = ask(row.format(key))
    cart.put(visitor, "pear")
    ((_, later_data, later_ends),) = ask(row.format(key))
    assert later_data != data
    assert later_ends > ends
    assert len(ask("SELECT * FROM django_session")) == before + 1
    cart.put(classmate, "apple")
    assert classmate.jar.get("sessionid_04").value != key
    assert len(ask("SELECT * FROM django_session")) == before + 2


def manage(lab, url, *before):
    """Run `manage.py migrate` with this DATABASE_URL; return (exit status, output)."""
    code = ";".join(["import runpy, sys", *before, "sys.argv[1:] = ['migrate']"])
    done = subprocess.run(
        [sys.executable, "-c", f"{code};runpy.run_path('manage.py', run_name='__main__')"],
        cwd=lab.folder,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "lab.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.claim("C92")
def test_first_the_database_then_migrate(checkout, mariadb, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path))
    lab = checkout.find("04")
    absent = mariadb.url("lab_04_absent")
    with contextlib.closing(mariadb.connect()) as connection:
        connection.query("DROP DATABASE lab_04_absent")
    status, said = manage(lab, absent)
    assert status != 0
    assert "(1049, \"Unknown database 'lab_04_absent'\")" in said
    status, said = manage(lab, mariadb.url("lab_04_absent"))
    assert status == 0, said
    assert "Applying sessions.0001_initial... OK" in said


@pytest.mark.claim("C92")
def test_without_mysqlclient_nothing_starts(checkout, mariadb, tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path))
    url = mariadb.url("lab_04_table")
    status, said = manage(checkout.find("04"), url, "sys.modules['MySQLdb'] = None")
    assert status != 0
    assert "ImproperlyConfigured: Error loading MySQLdb module" in said
