"""The `lab` command, run as a person runs it."""

import dataclasses
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import click
import pytest
from serving import closed, page, running

from labkit import cli
from labkit.commands.options import ENGINES
from labkit.services import requirements
from labkit.services.mariadb import PrivateMariaDB
from labkit.testing.contracts import CartPages, number, words
from labkit.testing.lab_server import free_port
from labkit.testing.wire_visitor import WireVisitor

LIMIT = 30  # seconds


def test_every_module_of_commands_is_a_command(checkout):
    modules = {path.stem for path in (checkout.root / "src/labkit/commands").glob("*.py")}
    assert modules - {"__init__", "measurement", "options"} == set(cli.COMMANDS)
    context = click.Context(cli.main)
    for name in cli.main.list_commands(context):
        assert cli.main.get_command(context, name).name == name


def test_a_command_imports_no_other_command():
    code = (
        "import sys; from labkit.cli import main; main(['list'], standalone_mode=False);"
        "print(*(name for name in sys.modules if name.startswith('labkit.commands.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "labkit.commands.list"


def test_list_names_every_lab(said, checkout):
    status, text = said("list")
    assert status == 0
    for lab in checkout.labs:
        assert f"{lab.number} {lab.title}" in text
        assert f":{lab.port}/" in text


def test_claims_are_told_with_their_tests(said):
    status, text = said("claims")
    assert status == 0
    assert "94 claims, 47 pitfalls." in text
    status, text = said("claims", "--lab", "9", "--verdict", "contradicted")
    assert "C63" in text
    path = "labs/09_session_expiry/tests/test_expiry.py::test_reading_does_not_prolong_it"
    assert path in text.split()  # in one piece, so that it can be copied
    assert "1 claim, 0 pitfalls." in text
    assert said("claims", "--lab", "99")[0] == 1


@pytest.mark.parametrize("command", ["run", "reset"])
def test_an_unknown_lab_is_one_sentence(said, command):
    status, text = said(command, "99")
    assert status == 1
    assert text.startswith("Error: There is no lab 99. The labs are ")


def test_a_busy_port_is_one_sentence_with_a_way_out(said):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, text = said("run", "03", "--port", str(port))
    assert status == 1
    assert f"Port {port} is in use." in text
    assert "lab run 03 --port" in text


def test_a_port_that_is_none_is_one_sentence(said):
    status, text = said("run", "03", "--port", "99999")
    assert status == 2
    assert "1<=x<=65535" in text


def test_a_missing_driver_is_one_sentence(said, own_checkout, monkeypatch):
    monkeypatch.setitem(requirements.TOOLS, "mysqlclient", lacking("mysqlclient"))
    for environ in ({}, {"DATABASE_URL": "mysql://anu@db.example/cart"}):
        monkeypatch.setattr(os, "environ", os.environ | environ)
        status, text = said("run", "04", "--db", "mysql", "--port", str(free_port()))
        assert status == 1
        assert "mysqlclient not found; get it by:" in text
        assert '-m pip install -e ".[mysql]"' in text


def lacking(name):
    need = requirements.TOOLS[name]
    return dataclasses.replace(need, found=lambda: None)


def test_doctor_names_the_line_that_mends_what_is_missing(said, monkeypatch):
    monkeypatch.setitem(requirements.TOOLS, "chromium", lacking("chromium"))
    monkeypatch.setenv("COLUMNS", "200")
    status, text = said("doctor")
    assert status == 0
    assert requirements.TOOLS["chromium"].advice() in text
    for lab in (8003, 8004):
        assert f"port {lab}" in text


def test_doctor_fails_where_no_lab_could_run(said, monkeypatch):
    monkeypatch.setattr(requirements, "missing_requirements", lambda extras: ["Django>=5.2"])
    status, text = said("doctor")
    assert status == 1
    assert "missing: Django>=5.2" in text


def test_reset_wants_one_lab_or_all(said):
    assert said("reset")[0] == 2
    assert said("reset", "03", "--all")[0] == 2


def test_reset_empties_what_the_server_keeps_and_leaves_the_key(said, own_checkout):
    with running("04"):
        pass
    state = own_checkout / ".lab" / "04"
    key = (state / "secret_key").read_text()
    with closing(sqlite3.connect(state / "db.sqlite3")) as database, database:
        database.execute("INSERT INTO django_session VALUES ('k', 'd', '2030-01-01')")
    (state / "sessions" / "sessionid").touch()
    (state / "thesis.txt").touch()
    status, text = said("reset", "--all")
    assert status == 0
    assert "03 A cart kept in cookies: nothing to clear." in text
    assert "04 A cart kept in a session: rows in SQLite, session files." in text
    assert "delete 127.0.0.1" in text
    with closing(sqlite3.connect(state / "db.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM django_session").fetchone() == (0,)
    assert sorted(path.name for path in state.iterdir()) == [
        "db.sqlite3",
        "secret_key",
        "sessions",
        "thesis.txt",
    ]
    assert list((state / "sessions").iterdir()) == []
    assert (state / "secret_key").read_text() == key


def test_run_needs_nothing_but_the_lab_and_ends_with_ctrl_c(own_checkout):
    with running("cookie_cart") as lab:
        assert "Your cart is empty" in page(f"{lab.url}/")
    assert f"03 A cart kept in cookies: {lab.url}/" in lab.output
    assert "Traceback" not in lab.output
    assert lab.returncode in {0, -signal.SIGINT}
    assert list((own_checkout / "labs" / "03_cookie_cart").rglob("*.sqlite3")) == []


def test_run_migrates_by_itself(own_checkout):
    with running(
        "04", "--db", "sqlite", environ={"DATABASE_URL": "mysql://nobody@nowhere/x"}
    ) as lab:
        assert "Where is the cart?" in page(f"{lab.url}/info/")
    assert (own_checkout / ".lab" / "04" / "db.sqlite3").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_run_puts_the_sessions_of_any_lab_into_any_engine(own_checkout, engine):
    with running("06", "--engine", engine) as lab:
        visitor = WireVisitor(int(lab.url.rpartition(":")[2]))
        assert [number(visitor.get("/")) for _ in range(3)] == [1, 2, 3]
    state = own_checkout / ".lab" / "06"
    assert len(list((state / "sessions").iterdir())) == (1 if engine == "file" else 0)
    with closing(sqlite3.connect(state / "db.sqlite3")) as database:
        (rows,) = database.execute("SELECT count(*) FROM django_session").fetchone()
    assert rows == (1 if engine in {"db", "cached_db"} else 0)


@pytest.mark.parametrize("engine", ["cache", "cached_db"])
def test_run_says_which_cache_it_is(own_checkout, engine, monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    with running("10", "--engine", engine) as lab:
        assert "its cache is <b>LocMem</b>" in page(f"{lab.url}/engines/")
    assert "The cache is LocMem, the memory of the server's process" in lab.output
    assert "REDIS_URL=" in lab.output


def test_a_lab_that_cannot_use_redis_does_not_speak_of_it(own_checkout):
    with running("04", "--engine", "cache", environ={"REDIS_URL": "redis://127.0.0.1:1/0"}) as lab:
        pass
    assert "The cache is LocMem" in lab.output
    assert "REDIS_URL=" not in lab.output


def test_run_uses_the_redis_that_the_url_names(own_checkout, redis):
    environ = {"REDIS_URL": redis.url}
    with running("10", "--engine", "cache", environ=environ) as lab:
        assert "its cache is <b>Redis</b>" in page(f"{lab.url}/engines/")
        visitor = WireVisitor(int(lab.url.rpartition(":")[2]))
        CartPages().put(visitor, "apple", 3)
        assert "lab_10:1:django.contrib.sessions.cache" in words(visitor.get("/store/"))
    assert "The cache is the Redis that REDIS_URL names." in lab.output
    assert redis.url not in lab.output  # there may be a password in it


@pytest.mark.redis
def test_a_redis_that_does_not_answer_is_told_and_so_is_a_url_that_names_none(
    said, own_checkout, monkeypatch
):
    with running("10", "--engine", "cache", environ={"REDIS_URL": "redis://127.0.0.1:1/0"}) as lab:
        assert "its cache is <b>Redis</b>" in page(f"{lab.url}/engines/")
    assert "It does not answer now" in lab.output
    monkeypatch.setenv("REDIS_URL", "nonsense")
    status, text = said("run", "10", "--engine", "cache", "--port", str(free_port()))
    assert status == 1
    assert "REDIS_URL cannot be read. It looks like redis://127.0.0.1:6379/0." in text


def test_reset_says_what_it_leaves_in_redis(said, own_checkout, monkeypatch):
    assert "Redis" not in said("reset", "10")[1]
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert "Its keys in Redis, lab_10, end by themselves" in said("reset", "10")[1]
    assert "Redis" not in said("reset", "04")[1]


def test_a_redis_without_its_package_is_one_sentence(said, own_checkout, monkeypatch):
    monkeypatch.setitem(requirements.TOOLS, "redis-py", lacking("redis-py"))
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    status, text = said("run", "10", "--engine", "cache", "--port", str(free_port()))
    assert status == 1
    assert "redis-py not found; get it by:" in text
    assert '-m pip install -e ".[redis]"' in text


def test_an_engine_for_a_lab_without_sessions_is_told(own_checkout):
    with running("03", "--engine", "file") as lab:
        pass
    assert "Lab 03 has no sessions; --engine changes nothing." in lab.output


def test_run_on_mysql_without_a_url_makes_a_mariadb_of_its_own(own_checkout, mariadb):
    with running("04", "--db", "mysql") as lab:
        assert "Where is the cart?" in page(f"{lab.url}/info/")
        joined = PrivateMariaDB.persistent(own_checkout / ".lab" / "mariadb")
        assert joined._process is None
        with closing(joined.connect("lab_04")) as connection:
            connection.query("DESCRIBE django_session")
        joined.stop()
        assert joined.answers()
    assert not joined.answers()
    assert joined.client_command("lab_04") in lab.output
    assert not (own_checkout / ".lab" / "04" / "db.sqlite3").exists()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP], ids=["kill", "closed terminal"])
def test_whatever_ends_it_nothing_stays_behind(own_checkout, mariadb, end):
    with running("04", "--db", "mysql", end=end) as lab:
        joined = PrivateMariaDB.persistent(own_checkout / ".lab" / "mariadb")
        joined.stop()
        assert joined.answers()
    assert lab.returncode in {128 + end, -end}
    assert not joined.answers()
    closed(lab.port)


def test_a_settings_module_of_another_project_does_not_matter(own_checkout):
    with running("03", environ={"DJANGO_SETTINGS_MODULE": "mysite.settings"}) as lab:
        assert "Your cart is empty" in page(f"{lab.url}/")


def test_run_uses_the_database_that_the_url_names(own_checkout, mariadb):
    environ = {"DATABASE_URL": mariadb.url("lab_77")}
    with running("04", "--db", "mysql", environ=environ) as lab:
        assert "Where is the cart?" in page(f"{lab.url}/info/")
        with closing(mariadb.connect("lab_77")) as connection:
            connection.query("DESCRIBE django_session")
    assert "that DATABASE_URL names" in lab.output
    assert not (own_checkout / ".lab" / "mariadb").exists()


def test_a_database_that_is_not_there_is_one_sentence(own_checkout, mariadb):
    url = mariadb.url("lab_77").replace("lab_77", "nothing")
    with running("04", environ={"DATABASE_URL": url}) as lab:
        pass
    assert lab.returncode == 1
    assert "Create it first" in lab.output
    assert "Traceback" not in lab.output


def test_a_server_that_is_not_there_is_one_sentence(own_checkout, mariadb):
    with running("04", environ={"DATABASE_URL": "mysql://root@127.0.0.1:1/x"}) as lab:
        pass
    assert lab.returncode == 1
    assert "The database of lab 04 is not ready" in lab.output
    assert "Traceback" not in lab.output


def test_reset_reaches_the_private_mariadb(said, own_checkout, mariadb):
    with running("04", "--db", "mysql"):
        joined = PrivateMariaDB.persistent(own_checkout / ".lab" / "mariadb")
        with closing(joined.connect("lab_04")) as connection:
            connection.query("INSERT INTO django_session VALUES ('k', 'd', '2030-01-01')")
            connection.commit()
        assert "rows in the private MariaDB" in said("reset", "04")[1]
        with closing(joined.connect("lab_04")) as connection:
            connection.query("SELECT count(*) FROM django_session")
            assert connection.store_result().fetch_row() == ((0,),)
        joined.stop()
