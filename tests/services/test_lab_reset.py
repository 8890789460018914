"""`lab reset` repairs damaged files, and never changes another project's database."""

import dataclasses
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import urlencode

import pytest
from serving import page, running

from labkit.base import conf, foreign_database
from labkit.catalog import Catalog
from labkit.commands import reset
from labkit.environment import describe_url
from labkit.processes.manage_py import DatabaseNotReady, lab_environment, run_manage_py
from labkit.processes.ports import free_port
from labkit.services import lab_reset
from labkit.services.running_labs import RunningLab, running_labs
from labkit.testing.contracts import text
from labkit.testing.contracts.carts import CartPages
from labkit.testing.wire_visitor import WireVisitor
from labkit.textbook_versions import find_version

cart = CartPages()
COUNT = "SELECT count(*) FROM django_session"


@pytest.fixture
def lab(own_checkout):
    """Lab 04 with an empty state folder."""
    return Catalog(own_checkout).find("04")


@pytest.fixture
def state(own_checkout):
    return own_checkout / ".lab" / "04"


def migrate(lab, **environ):
    run_manage_py(lab, lab_environment() | environ, "migrate", "--verbosity=0")


def query(path, sql):
    with closing(sqlite3.connect(path)) as database, database:
        return database.execute(sql).fetchall()


def make_database(path, *tables):
    """Write a database that contains one session, and these tables of another project."""
    query(path, "CREATE TABLE django_session (session_key, session_data, expire_date)")
    query(path, "INSERT INTO django_session VALUES ('k', 'd', '2030-01-01')")
    for table in tables:
        query(path, f"CREATE TABLE {table} (id)")


# Damage


def overwrite(path):
    path.write_bytes(b"x" * path.stat().st_size)


def overwrite_a_page(path):
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 3] = b"\xff" * 4096 * 2
    path.write_bytes(content)


def replace_by_a_folder(path):
    path.unlink()
    (path / "inside").mkdir(parents=True)


def drop_the_table(path):
    query(path, "DROP TABLE django_session")


@pytest.mark.parametrize(
    "damage", [overwrite, overwrite_a_page, replace_by_a_folder, drop_the_table]
)
def test_a_damaged_database_is_replaced(said, lab, state, damage):
    migrate(lab)
    damage(state / "db.sqlite3")
    assert lab_reset.is_damaged(state / "db.sqlite3")
    status, _ = said("reset", "04")
    assert status == 0
    assert query(state / "db.sqlite3", COUNT) == [(0,)]


def test_a_whole_database_is_emptied_and_stays(said, lab, state):
    migrate(lab)
    before = (state / "db.sqlite3").stat().st_ino
    assert not lab_reset.is_damaged(state / "db.sqlite3")
    assert said("reset", "04")[0] == 0
    assert (state / "db.sqlite3").stat().st_ino == before


def test_a_new_database_is_not_damaged(tmp_path):
    (tmp_path / "db.sqlite3").touch()
    assert not lab_reset.is_damaged(tmp_path / "db.sqlite3")


def test_a_damaged_database_is_named_with_its_repair(lab, state):
    migrate(lab)
    overwrite(state / "db.sqlite3")
    with pytest.raises(DatabaseNotReady) as raised:
        migrate(lab)
    assert str(state / "db.sqlite3") in str(raised.value)
    assert "lab reset 04" in str(raised.value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00" * 40, None], ids=["empty", "binary", "folder"]
)
def test_a_damaged_key_is_named_and_repaired(said, lab, state, content):
    key = state / "secret_key"
    state.mkdir(parents=True)
    key.mkdir() if content is None else key.write_bytes(content)
    with pytest.raises(DatabaseNotReady) as raised:
        migrate(lab)
    assert str(key) in str(raised.value)
    assert "lab reset 04" in str(raised.value)
    assert said("reset", "04")[0] == 0
    assert conf.secret_key(lab.folder)
    migrate(lab)


def test_damaged_session_files_are_named_and_repaired(said, lab, state):
    state.mkdir(parents=True)
    (state / "sessions").touch()
    with pytest.raises(DatabaseNotReady) as raised:
        migrate(lab)
    assert str(state / "sessions") in str(raised.value)
    assert "lab reset 04" in str(raised.value)
    assert said("reset", "04")[0] == 0
    migrate(lab)
    (state / "sessions" / "a folder" / "inside").mkdir(parents=True)
    assert said("reset", "04")[0] == 0
    assert list((state / "sessions").iterdir()) == []


# The database that DATABASE_URL names


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Create a database with these tables of another project; return its name."""

    def name(*tables):
        path = tmp_path / "named.sqlite3"
        make_database(path, *tables)
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
        return path

    return name


def test_without_a_terminal_a_named_database_is_left_alone(said, lab, named):
    path = named()
    status, printed = said("reset", "04")
    assert status == 1
    url = describe_url(os.environ["DATABASE_URL"])
    expected = reset.NOBODY_TO_ASK.format(urls=url, labs="lab 04")
    assert printed == f"Error: {' '.join(expected.split())}"
    assert query(path, COUNT) == [(1,)]


def test_a_lab_without_a_database_asks_nothing(said, own_checkout, named):
    named()
    assert said("reset", "03")[0] == 0


def test_yes_empties_a_named_database(said, lab, named):
    path = named()
    query(path, "DROP TABLE django_session")
    migrate(lab, DATABASE_URL=os.environ["DATABASE_URL"])
    query(path, "INSERT INTO django_session VALUES ('k', 'd', '2030-01-01')")
    assert said("reset", "04", "--yes")[0] == 0
    assert query(path, COUNT) == [(0,)]


@pytest.mark.parametrize("command", [("reset", "04", "--yes"), ("run", "04"), ("run", "11")])
def test_a_database_of_another_project_is_refused(said, own_checkout, named, command):
    path = named("polls_question", "django_admin_log")
    before = path.read_bytes()
    port = ("--port", str(free_port())) if command[0] == "run" else ()
    status, printed = said(*command, *port)
    assert status == 1
    refusal = foreign_database.REFUSED.format(tables="django_admin_log, polls_question")
    assert refusal in printed
    assert "--db sqlite" in printed
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 1), (b"y\n", 0)])
def test_in_a_terminal_it_asks(lab, named, answer, left):
    path = named()
    query(path, "DROP TABLE django_session")
    migrate(lab, DATABASE_URL=os.environ["DATABASE_URL"])
    query(path, "INSERT INTO django_session VALUES ('k', 'd', '2030-01-01')")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "labkit.cli", "reset", "04"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE) as process:
        os.write(ours, answer)
        printed = process.communicate(timeout=60)[0].decode()
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert reset.ASK.format(urls=describe_url(os.environ["DATABASE_URL"]), labs="lab 04") in printed
    assert query(path, COUNT) == [(left,)]


def test_a_password_is_not_printed():
    assert describe_url("mysql://anu:secret@db.example:3306/cart") == "mysql://db.example:3306/cart"
    assert "secret" not in describe_url("mysql://anu:secret@db.example:x/cart")


# Tests with a running lab


@contextmanager
def responding(status, body):
    """Run a server that gives every POST this response; yield its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def counted(lab):
    """Return the panel's report: (seconds ahead, number of exchanges, number of the newest)."""
    report = json.loads(page(f"{lab.url}/__lab__/exchanges.json"))
    numbers = [each["number"] for each in report["exchanges"]]
    return report["moved"], len(numbers), max(numbers, default=0)


@pytest.mark.parametrize("servers", [1, 2])
def test_a_running_lab_is_reset_through_its_control(said, own_checkout, servers):
    many = ("--servers", str(servers)) if servers > 1 else ()
    with running("04", "--engine", "cache", *many) as lab:
        visitor = WireVisitor(lab.port)
        for _ in range(servers):  # each server has a separate cache
            cart.add(visitor, "apple", 1)
        servers_of_lab = running_labs(own_checkout / ".lab" / "04")
        assert len(servers_of_lab) == servers
        status, printed = said("reset", "04")
        assert status == 0
        for server in servers_of_lab:
            assert lab_reset.MEMORY.format(url=server.url) in printed
            assert counted(server) == (0.0, 0, 0)
        assert cart.cart(visitor) == {}
    assert not running_labs(own_checkout / ".lab" / "04")


def test_reset_moves_a_running_labs_clock_back(said, own_checkout):
    with running("03") as lab:
        shown = WireVisitor(lab.port).get("/")
        token = re.search(r"/__lab__/exchange/(\w+)/", text(shown))[1]
        (server,) = running_labs(own_checkout / ".lab" / "03")
        fields = urlencode({"key": server.key, "by": "120"}).encode()
        urllib.request.urlopen(f"{lab.url}/__lab__/exchange/{token}/clock/", fields).close()
        assert counted(server)[0] == 120
        assert said("reset", "03")[0] == 0
        assert counted(server) == (0.0, 0, 0)


def test_a_running_version_is_reset_through_its_control(said, own_checkout):
    name = "03:names-as-cookies"
    with running(name) as version:
        WireVisitor(version.port).get("/")
        said("reset", "03")  # this lab is not running
        state = find_version(Catalog(own_checkout), name).state(Catalog(own_checkout)) / "03"
        (server,) = running_labs(state)
        assert counted(server)[1] == 1
        assert lab_reset.MEMORY.format(url=server.url) in said("reset", name)[1]
        assert counted(server) == (0.0, 0, 0)


def test_the_record_of_a_killed_lab_is_deleted(said, state):
    state.mkdir(parents=True)
    RunningLab(f"http://127.0.0.1:{free_port()}", "key").write(state)
    status, printed = said("reset", "04")
    assert (status, lab_reset.MEMORY.partition("{")[0] in printed) == (0, False)
    assert not running_labs(state)


@pytest.mark.parametrize(
    ("answer", "status"), [((404, b""), 0), ((403, b""), 0), ((409, b'{"error": "No."}'), 1)]
)
def test_only_the_lab_itself_is_reset(said, state, answer, status):
    state.mkdir(parents=True)
    with responding(*answer) as port:
        RunningLab(f"http://127.0.0.1:{port}", "key").write(state)
        assert said("reset", "04")[0] == status
    assert bool(running_labs(state)) == bool(status)


def test_a_running_labs_own_database_is_left_alone(said, state):
    state.mkdir(parents=True)
    RunningLab("http://127.0.0.1:1", "key", "mysql://db.example/cart").write(state)
    status, printed = said("reset", "04")
    assert status == 1
    assert "mysql://db.example/cart" in printed


def test_only_the_key_of_the_process_resets_it(own_checkout):
    with running("03") as lab:
        WireVisitor(lab.port).get("/")
        (server,) = running_labs(own_checkout / ".lab" / "03")
        assert not dataclasses.replace(server, key="guessed").reset()
        assert counted(server)[1] == 1
        assert server.reset()


def test_no_other_user_can_read_the_key(own_checkout, state):
    state.mkdir(parents=True)
    path = RunningLab("http://127.0.0.1:8004", "key").write(state)
    assert path.stat().st_mode & 0o077 == 0
