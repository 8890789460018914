"""Test the command `lab` as a user runs it."""

import dataclasses
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import click
import pytest
from serving import closed, running, until

from labkit import cli
from labkit.base.served_labs import HANDOUT
from labkit.catalog import catalog
from labkit.commands import run
from labkit.commands.options import ENGINE_UNKNOWN, ENGINES, engine_path
from labkit.commands.reset import COOKIES_STAY, NOTHING_TO_CLEAR, REDIS_KEYS_STAY
from labkit.processes.manage_py import (
    CREATE_DATABASE,
    DATABASE_NOT_READY,
    lab_environment,
    run_manage_py,
)
from labkit.processes.ports import PortError
from labkit.services import requirements
from labkit.services.database_choice import DatabaseKind
from labkit.services.mariadb import PrivateMariaDB
from labkit.testing.contracts import CartPages, number, table
from labkit.testing.lab_server import free_port
from labkit.testing.wire_visitor import WireVisitor
from labkit.textbook_claims import Ledger


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (["--help"], {}),
        (["list"], {}),
        (["--version"], {}),
        ([], {"_LAB_COMPLETE": "bash_complete", "COMP_WORDS": "lab ", "COMP_CWORD": "1"}),
    ],
    ids=["help", "list", "version", "completion"],
)
def test_quick_commands_import_neither_django_nor_pytest(words, environ):
    code = (
        "import atexit, json, sys\n"
        "large = {'django', 'pytest', 'waitress', 'time_machine'}\n"
        "atexit.register(lambda: print(json.dumps(sorted(large & sys.modules.keys()))))\n"
        "from labkit.cli import main\n"
        "main(prog_name='lab')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    *printed, modules = run.stdout.splitlines()
    assert any(word in " ".join(printed) for word in ("serve", "04", "Python"))
    assert modules == "[]"


def one_line(text):
    """Return the text on one line, as `said` does."""
    return " ".join(text.split())


def test_every_module_of_commands_is_a_command(checkout):
    modules = {path.stem for path in (checkout.root / "src/labkit/commands").glob("*.py")}
    helpers = {
        "__init__",
        "compare_measure",
        "completion",
        "exercise_output",
        "options",
        "textbook_version",
    }
    assert modules - helpers == set(cli.COMMANDS)
    context = click.Context(cli.main)
    for name in cli.main.list_commands(context):
        assert cli.main.get_command(context, name).name == name


def test_a_command_imports_no_other_command():
    code = (
        "import sys; from labkit.cli import main; main(['list'], standalone_mode=False);"
        "print(*(name for name in sys.modules if name.startswith('labkit.commands.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    shared = "labkit.commands.options"
    assert done.stdout.splitlines()[-1] == f"{shared} labkit.commands.list"


def test_list_names_every_lab(said, checkout):
    status, text = said("list")
    assert status == 0
    for lab in checkout.labs:
        assert f"{lab.number} {lab.title}" in text
        assert f":{lab.port}/" in text
    places = [text.index(f":{lab.port}/") for lab in checkout.labs]
    assert places == sorted(places)


def test_claims_are_listed_with_reason_source_and_test(said):
    status, text = said("claims")
    assert status == 0
    assert "94 claims, 47 pitfalls." in text
    status, text = said("claims", "--lab", "9", "--verdict", "contradicted")
    assert "C63" in text
    (entry,) = (e for e in Ledger(catalog()).entries if e.id == "C63")
    for words in (entry.evidence, entry.why, *(source.title for source in entry.sources)):
        assert words in text
    path = "labs/09_session_expiry/tests/test_expiry.py::test_reading_does_not_extend_the_expiry"
    assert path in text.split()  # the path is on one line, so that it can be copied
    assert "1 claim, 0 pitfalls." in text
    assert said("claims", "--lab", "99")[0] == 1


@pytest.mark.parametrize("command", ["run", "reset"])
def test_an_unknown_lab_is_one_sentence(said, command):
    status, text = said(command, "99")
    assert status == 1
    assert text.startswith("Error: ")
    assert "99" in text


def test_a_busy_port_is_one_sentence_with_a_way_out(said):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, text = said("run", "03", "--port", str(port))
    assert status == 1
    assert str(PortError(port, privileged=False)) in text
    assert "lab run 03 --port" in text


def test_a_port_that_browsers_refuse_is_one_sentence(said):
    status, text = said("run", "03", "--port", "6666")
    assert status == 1
    assert str(PortError(6666)) in text
    assert text.endswith("lab run 03 --port 8003")


def test_a_port_that_is_none_is_one_sentence(said):
    status, text = said("run", "03", "--port", "99999")
    assert status == 2
    assert "1<=x<=65535" in text


def lacking(name):
    return dataclasses.replace(requirements.TOOLS[name], found=lambda: None)


def test_a_missing_driver_is_one_sentence(said, own_checkout, monkeypatch):
    monkeypatch.setitem(requirements.TOOLS, "mysqlclient", lacking("mysqlclient"))
    for environ in ({}, {"DATABASE_URL": "mysql://anu@db.example/cart"}):
        monkeypatch.setattr(os, "environ", os.environ | environ)
        status, text = said("run", "04", "--db", "mysql", "--port", str(free_port()))
        assert status == 1
        assert requirements.TOOLS["mysqlclient"].missing() in text
        assert requirements.pip_line("mysql") in text


def test_reset_wants_one_lab_or_all(said):
    assert said("reset")[0] == 2
    assert said("reset", "03", "--all")[0] == 2


def test_reset_empties_what_the_server_keeps_and_leaves_the_key(said, own_checkout, checkout):
    lab = dataclasses.replace(
        checkout.find("04"), folder=own_checkout / "labs" / checkout.find("04").folder.name
    )
    run_manage_py(lab, lab_environment(), "migrate", "--verbosity=0")
    state = own_checkout / ".lab" / "04"
    key = (state / "secret_key").read_text()
    with closing(sqlite3.connect(state / "db.sqlite3")) as database, database:
        database.execute("INSERT INTO django_session VALUES ('k', 'd', '2030-01-01')")
    (state / "sessions").mkdir(exist_ok=True)
    (state / "sessions" / "sessionid").touch()
    (state / "thesis.txt").touch()
    status, text = said("reset", "--all")
    assert status == 0
    assert f"03 {checkout.find('03').title}: {NOTHING_TO_CLEAR}." in text
    assert f"04 {lab.title}: rows in SQLite, session files." in text
    assert one_line(COOKIES_STAY) in text
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


def test_run_needs_nothing_but_the_lab_and_ends_with_ctrl_c(own_checkout, checkout):
    with running("cookie_cart") as lab:
        assert table(WireVisitor(lab.port).get("/display/")) == {}
    assert f"03 {checkout.find('03').title}: {lab.url}/" in lab.output
    assert "Traceback" not in lab.output
    assert lab.returncode in {0, -signal.SIGINT}
    assert list((own_checkout / "labs" / "03_cookie_cart").rglob("*.sqlite3")) == []


def test_run_migrates_and_uses_the_engine(own_checkout):
    environ = {"DATABASE_URL": "mysql://nobody@nowhere/x"}
    with running("06", "--db", "sqlite", "--engine", "cached_db", environ=environ) as lab:
        visitor = WireVisitor(lab.port)
        assert [number(visitor.get("/")) for _ in range(3)] == [1, 2, 3]
    with closing(sqlite3.connect(own_checkout / ".lab" / "06" / "db.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM django_session").fetchone() == (1,)


@pytest.mark.parametrize("engine", ENGINES)
def test_run_sets_the_engine(started, engine):
    assert started("06", "--engine", engine)[1]["SESSION_ENGINE"] == engine_path(engine)


def test_the_option_db_counts_more_than_the_url(started, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "mysql://nobody@nowhere/x")
    assert "DATABASE_URL" not in started("06", "--db", "sqlite")[1]


def test_run_says_where_every_exchange_is(started):
    printed, _ = started("03")
    assert re.search(r"/__lab__/$", printed)


def test_run_says_where_the_handout_is(started):
    printed, _ = started("03")
    assert re.search(rf"http://127\.0\.0\.1:[0-9]+{HANDOUT} ", printed)


@pytest.mark.parametrize("engine", ["cache", "cached_db"])
def test_run_says_which_cache_it_is(started, engine):
    printed, environ = started("10", "--engine", engine)
    for sentence in (run.CACHE_IS_LOCMEM, run.LOCMEM_ALONE, run.REDIS_URL_EXAMPLE):
        assert sentence in printed
    assert "REDIS_URL" not in environ


def test_a_lab_that_cannot_use_redis_does_not_speak_of_it(started, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    printed, _ = started("04", "--engine", "cache")
    assert run.CACHE_IS_LOCMEM in printed
    assert run.REDIS_URL_EXAMPLE not in printed


def test_run_uses_the_redis_that_the_url_names(own_checkout, redis):
    from redis import Redis

    with running("10", "--engine", "cache", environ={"REDIS_URL": redis.url}) as lab:
        CartPages().put(WireVisitor(lab.port), "apple", 3)
    with Redis.from_url(redis.url) as client:
        assert client.keys("lab_10:1:django.contrib.sessions.cache*")
    assert run.CACHE_IS_REDIS in lab.output
    assert redis.url not in lab.output  # the URL may contain a password


@pytest.mark.redis
def test_a_redis_that_does_not_answer_is_reported(started, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    printed, environ = started("10", "--engine", "cache")
    assert f"{run.CACHE_IS_REDIS} {run.REDIS_SILENT}" in printed
    assert environ["REDIS_URL"] == "redis://127.0.0.1:1/0"


@pytest.mark.redis
def test_a_redis_url_that_is_none_is_one_sentence(said, own_checkout, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "nonsense")
    status, text = said("run", "10", "--engine", "cache", "--port", str(free_port()))
    assert (status, text) == (1, f"{run.CACHE_IS_REDIS} Error: {run.REDIS_URL_INVALID}")


def test_reset_says_what_it_leaves_in_redis(said, own_checkout, monkeypatch):
    leaves = one_line(REDIS_KEYS_STAY.format(number="10"))
    assert leaves not in said("reset", "10")[1]
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert leaves in said("reset", "10")[1]
    assert one_line(REDIS_KEYS_STAY.format(number="04")) not in said("reset", "04")[1]


def test_a_redis_without_its_package_is_one_sentence(said, own_checkout, monkeypatch):
    monkeypatch.setitem(requirements.TOOLS, "redis-py", lacking("redis-py"))
    monkeypatch.setenv("REDIS_URL", "redis://cache.example/0")
    status, text = said("run", "10", "--engine", "cache", "--port", str(free_port()))
    assert status == 1
    assert requirements.TOOLS["redis-py"].missing() in text
    assert requirements.pip_line("redis") in text


def test_options_for_a_lab_without_sessions_are_ignored(started):
    printed, environ = started("03", "--engine", "file", "--db", "mysql")
    assert run.ENGINE_IGNORED.format(number="03") in printed
    assert run.DB_IGNORED.format(number="03") in printed
    assert not {"SESSION_ENGINE", "DATABASE_URL"} & set(environ)


def test_run_on_mysql_without_a_url_makes_a_mariadb_of_its_own(own_checkout, mariadb):
    with running("04", "--db", "mysql") as lab:
        assert WireVisitor(lab.port).get("/info/").status_code == 200
        joined = PrivateMariaDB.persistent(own_checkout / ".lab" / "mariadb")
        assert joined.pid is None  # None, because another process started the server
        with closing(joined.connect("lab_04")) as connection:
            connection.query("DESCRIBE django_session")
        joined.stop()
        assert joined.answers()
    assert not joined.answers()
    assert joined.client_command("lab_04") in lab.output
    assert not (own_checkout / ".lab" / "04" / "db.sqlite3").exists()


ENDS = {"kill": signal.SIGTERM, "closed terminal": signal.SIGHUP, "kill -9": signal.SIGKILL}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_whatever_ends_it_nothing_stays_behind(own_checkout, mariadb, end):
    with running("04", "--db", "mysql", end=end) as lab:
        joined = PrivateMariaDB.persistent(own_checkout / ".lab" / "mariadb")
        joined.stop()
        assert joined.answers()
    assert lab.returncode in {128 + end, -end}
    until(lambda: not joined.answers())
    closed(lab.port)


def test_killed_it_leaves_no_server_and_no_reloader(own_checkout):
    with running("03", end=signal.SIGKILL) as lab:
        pass  # running() checks at its end that no process is left
    assert lab.returncode == -signal.SIGKILL
    closed(lab.port)


@pytest.mark.parametrize("engine", ["", "shop.sessions"])
def test_another_projects_engine_does_not_count(started, monkeypatch, engine):
    monkeypatch.setenv("SESSION_ENGINE", engine)
    printed, _ = started("04")
    assert (one_line(ENGINE_UNKNOWN.format(engine=engine)) in printed) == bool(engine)


def test_a_relative_state_folder_is_where_the_user_is(started, own_checkout, monkeypatch):
    monkeypatch.setenv("LAB_STATE_DIR", "mine")
    assert started("04")[1]["LAB_STATE_DIR"] == str(own_checkout / "mine")


def test_a_settings_module_of_another_project_does_not_matter(started, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mysite.settings")
    assert started("03")[1]["DJANGO_SETTINGS_MODULE"] == "lab.settings"


def test_run_uses_the_database_that_the_url_names(own_checkout, started, monkeypatch, mariadb):
    monkeypatch.setenv("DATABASE_URL", mariadb.url("lab_77"))
    printed, environ = started("04", "--db", "mysql")
    assert run.SESSIONS_IN.format(database=DatabaseKind.NAMED.value) in printed
    assert environ["DATABASE_URL"] == mariadb.url("lab_77")
    assert not (own_checkout / ".lab" / "mariadb").exists()


def test_a_database_that_is_not_there_is_one_sentence(own_checkout, said, monkeypatch, mariadb):
    monkeypatch.setenv("DATABASE_URL", mariadb.url("lab_77").replace("lab_77", "nothing"))
    status, text = said("run", "04", "--port", str(free_port()))
    assert status == 1
    assert one_line(CREATE_DATABASE) in text
    assert "Traceback" not in text


def test_a_server_that_is_not_there_is_one_sentence(own_checkout, said, monkeypatch, mariadb):
    monkeypatch.setenv("DATABASE_URL", "mysql://root@127.0.0.1:1/x")
    status, text = said("run", "04", "--port", str(free_port()))
    assert status == 1
    assert text.partition("Error: ")[2].startswith(DATABASE_NOT_READY.format(number="04"))
    assert "Traceback" not in text


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
