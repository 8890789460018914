"""Storage and machine fail for real, under labs on real servers: what a visitor gets, and keeps.

Always the same is asked: a plain page with 503 and Retry-After, never Django's "session was
deleted" and never a traceback; reading goes on where it can; what was acknowledged is there
afterwards; the next request works. Which fault is made where:

    locked by another process             test_while_another_process_writes_*, test_a_lock_held_*
    disk full                             TestAFullDisk: max_page_count, tmpfs
    database file deleted, not migrated   test_a_deleted_file_*, test_without_tables_*
    kill -9 in mid-request                test_killed_in_mid_request_*
    clearsessions of 50 000 under load    test_clearing_*
    clock +13 d, +15 d, -2 d              test_the_clock_*
    more than max_allowed_packet          test_the_fullest_session_*
    MariaDB killed, absent, back          test_mariadb_*, test_a_connection_that_*
    files: no right to write, disk full   TestFiles
    Redis killed, back                    test_redis_*
    cookie-only labs                      test_labs_without_a_store_*
    two tabs add at once, 300 students    bench/, labs/12_session_race; here no test is timed
"""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from serving import until

from labkit.driving import Client
from labkit.redis import PrivateRedis
from labkit.testing.checks import SERVER_ERROR
from labkit.testing.contracts import CartPages, PageCountPages, words
from labkit.testing.server import LabServer
from labkit.testing.wire import WireVisitor

cart = CartPages()
MOST_ITEMS, LONGEST_NAME = 200, 40  # of lab 04
SERVERS = [  # (the server, DEBUG): as `lab serve` runs it, and as at a student's own desk
    pytest.param(("worker", "0"), id="worker"),
    pytest.param(("runserver", "1"), id="runserver-debug"),
]
ENGINE = "django.contrib.sessions.backends."


@pytest.fixture
def start(checkout):
    """Start a lab on a server of one's own; all are ended with the test."""
    with contextlib.ExitStack() as running:

        def start(number, server="worker", **environ):
            lab = checkout.find(number)
            started = LabServer(lab.folder, migrate=lab.database, server=server, environ=environ)
            running.callback(started.stop)
            return started

        yield start


@pytest.fixture(params=SERVERS)
def carts(request, start):
    """Lab 04 on SQLite."""
    server, debug = request.param
    return start("04", server, LAB_DEBUG=debug)


def database(server):
    return next(server.state.glob("*/db.sqlite3"))


def by_hand(server):
    """The lab's SQLite file, opened by another program."""
    connection = sqlite3.connect(database(server), isolation_level=None, timeout=20)
    return contextlib.closing(connection)


def assert_unavailable(visitor, send, title="The store does not answer"):
    """This request is answered by the page that says so, and sets no session cookie."""
    with visitor.expecting(SERVER_ERROR):  # a traceback is not expected, and would fail the test
        response = send()
    assert response.status_code == 503, words(response)
    assert response["Retry-After"] == "5"
    assert title in words(response)
    assert "nothing was changed" in words(response)
    lines = visitor.exchanges[-1].set_cookies
    assert [line for line in lines if line.startswith("sessionid")] == []
    return response


# SQLite, locked


def test_while_another_process_writes_reading_goes_on_and_writing_waits(carts):
    visitor, newcomer = WireVisitor(carts.port), WireVisitor(carts.port)
    fields = cart.put(visitor, "apple", 3)
    new_fields = cart.with_token(newcomer, name="plum", quantity=1)
    with ThreadPoolExecutor() as pool, by_hand(carts) as other:
        other.execute("BEGIN IMMEDIATE")
        try:
            add = pool.submit(visitor.post, "/add/", fields)
            new = pool.submit(newcomer.post, "/add/", new_fields)
            reader = WireVisitor(carts.port)
            reader.jar.store(f"sessionid_04={visitor.jar.get('sessionid_04').value}", reader.origin)
            for _ in range(3):
                assert cart.cart(reader) == {"apple": 3}
            assert not add.done()
            assert not new.done()
        finally:
            other.execute("COMMIT")
        assert [add.result().status_code, new.result().status_code] == [302, 302]
    assert cart.cart(visitor) == {"apple": 6}
    assert cart.cart(newcomer) == {"plum": 1}


@pytest.mark.parametrize(("server", "debug"), [("worker", "0"), ("runserver", "1")])
def test_a_lock_held_for_too_long_is_told_and_nothing_is_lost(start, tmp_path, server, debug):
    path = tmp_path / "impatient.sqlite3"
    carts = start("04", server, LAB_DEBUG=debug, DATABASE_URL=f"sqlite:///{path}?timeout=0")
    visitor, newcomer = WireVisitor(carts.port), WireVisitor(carts.port)
    fields = cart.put(visitor, "apple", 3)
    new_fields = cart.with_token(newcomer, name="plum", quantity=1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert_unavailable(visitor, lambda: visitor.post("/add/", fields))
        assert_unavailable(newcomer, lambda: newcomer.post("/add/", new_fields))
        assert cart.cart(visitor) == {"apple": 3}
        other.execute("COMMIT")
    assert visitor.post("/add/", fields).status_code == 302
    assert newcomer.post("/add/", new_fields).status_code == 302
    assert cart.cart(visitor) == {"apple": 6}
    assert cart.cart(newcomer) == {"plum": 1}


# SQLite, gone


def test_a_deleted_file_is_made_anew_by_lab_serve(start):
    carts = start("04")
    visitor = WireVisitor(carts.port)
    everybody = [WireVisitor(carts.port) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:  # so that many threads have a connection
        list(pool.map(lambda one: cart.put(one, "pear"), everybody))
    for gone in range(2):
        cart.put(visitor, "apple", 3)
        before = database(carts).stat().st_ino
        aside = database(carts).with_suffix(f".{gone}")
        # Linked elsewhere, so that the new file cannot get the old one's number.
        os.link(database(carts), aside)
        database(carts).unlink()
        assert "opens nothing" in words(visitor.get("/display/"))
        assert database(carts).stat().st_ino != before
        with ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda one: cart.put(one, "plum", gone + 1), everybody))
        assert [cart.cart(one) for one in everybody] == [{"plum": gone + 1}] * 20
        with by_hand(carts) as seen:  # it is in the file, and not in the one that is gone
            assert seen.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert seen.execute("SELECT count(*) FROM django_session").fetchall() == [(20,)]
    assert "deleted or replaced" in carts.log.read_text()


@pytest.mark.parametrize("debug", ["0", "1"])
def test_a_deleted_file_is_told_at_the_own_desk(start, debug):
    carts = start("04", "runserver", LAB_DEBUG=debug)
    visitor, newcomer = WireVisitor(carts.port), WireVisitor(carts.port)
    fields = cart.put(visitor, "apple", 3)
    new_fields = cart.with_token(newcomer, name="plum", quantity=1)
    for path in database(carts).parent.glob("db.sqlite3*"):
        path.unlink()
    title = "The table is not there yet"
    for _ in range(2):
        page = assert_unavailable(visitor, lambda: visitor.get("/display/"), title)
        assert "type: python manage.py migrate" in words(page)
        assert_unavailable(visitor, lambda: visitor.post("/add/", fields), title)
        assert_unavailable(newcomer, lambda: newcomer.post("/add/", new_fields), title)
        assert newcomer.get("/").status_code == 200  # without a key nothing is looked up
    carts.migrate()
    assert visitor.post("/add/", fields).status_code == 302
    assert newcomer.post("/add/", new_fields).status_code == 302
    assert cart.cart(newcomer) == {"plum": 1}


def test_without_tables_it_is_told(carts):
    visitor = WireVisitor(carts.port)
    fields = cart.put(visitor, "apple", 3)
    with by_hand(carts) as other:
        other.execute("ALTER TABLE django_session RENAME TO elsewhere")
        title = "The table is not there yet"
        assert_unavailable(visitor, lambda: visitor.get("/display/"), title)
        assert_unavailable(visitor, lambda: visitor.post("/add/", fields), title)
        other.execute("ALTER TABLE elsewhere RENAME TO django_session")
    assert cart.cart(visitor) == {"apple": 3}
    assert visitor.post("/add/", fields).status_code == 302


# A full disk


def fill_up(carts, visitor):
    """Add until it is refused; what was acknowledged."""
    kept = {}
    token = cart.token(visitor)
    for number in range(MOST_ITEMS):
        name = f"{number:03}-{os.urandom(18).hex()}"  # 40 characters that cannot be compressed
        fields = {"csrfmiddlewaretoken": token, "name": name, "quantity": 1}
        answers = []
        with contextlib.suppress(AssertionError), visitor.expecting(SERVER_ERROR):
            answers.append(visitor.post("/add/", fields))
        if answers[0].status_code == 503:
            assert_unavailable(visitor, lambda: visitor.post("/add/", fields))
            return kept, fields
        assert answers[0].status_code == 302
        kept[name] = 1
    raise AssertionError("there was room for everything")
