"""Test the lock, and repairs that do not work. Threads with Django's middleware act as tabs."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module

import pytest
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labkit.base.session_lock import CHANGED_BEFORE, NO_ROW, locked

pytestmark = pytest.mark.usefixtures("transactional_db")  # each thread has its own connection
LIMIT = 30  # seconds for a thread


def send(view, key=""):
    """Send a request with this session key through Django's own middleware."""
    request = RequestFactory().post("/")
    if key:
        request.COOKIES["sessionid_12"] = key
    return SessionMiddleware(view)(request)


def elsewhere(what, *arguments):
    """Run a function in another thread, with a separate connection, and wait until it finishes."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(alone, what, *arguments).result(LIMIT)


def alone(what, *arguments):
    try:
        return what(*arguments)
    finally:
        connection.close()


def wave(view, tabs, key):
    """Run the view in this many tabs at once, and return the exceptions."""
    with ThreadPoolExecutor(tabs) as pool:
        sent = [pool.submit(alone, send, view, key) for _ in range(tabs)]
        return [error for future in sent if (error := future.exception(LIMIT))]


def stored(key):
    return Session.objects.get(session_key=key).get_decoded()


def key_in(response):
    return response.cookies["sessionid_12"].value


@pytest.fixture
def key():
    """Return the key of a stored session with a count of 0 and an empty cart."""
    session = import_module("django.contrib.sessions.backends.db").SessionStore()
    session.update({"count": 0, "cart": {"apple": 0}})
    session.save()
    return session.session_key


def add(session):
    session["count"] += 1


def add_deep_inside(session):
    session["cart"]["apple"] += 1
    session.modified = True


def add_locked(request):
    with locked(request) as session:
        session["count"] = session.get("count", 0) + 1
    return HttpResponse()


# Lost updates, without the lock and with it


@pytest.mark.pitfall("B40")
@pytest.mark.parametrize("change", [add, add_deep_inside])
def test_without_a_lock_one_of_so_many_tabs_is_kept(key, change):
    all_have_read = threading.Barrier(5)

    def naive(request):
        request.session.get("count")
        all_have_read.wait(LIMIT)
        change(request.session)
        return HttpResponse()

    assert wave(naive, 5, key) == []
    assert stored(key) in ({"count": 1, "cart": {"apple": 0}}, {"count": 0, "cart": {"apple": 1}})


MANY = pytest.param(50, marks=pytest.mark.thorough)


@pytest.mark.pitfall("B40")
@pytest.mark.parametrize("tabs", [2, 10, MANY])
def test_with_the_lock_all_are_kept_even_where_all_had_read_before(key, tabs):
    all_have_read = threading.Barrier(tabs)

    def repaired(request):
        assert request.session["count"] == 0
        all_have_read.wait(LIMIT)
        return add_locked(request)

    assert wave(repaired, tabs, key) == []
    assert stored(key)["count"] == tabs


def test_a_change_deep_inside_of_a_value_is_saved_too(key):
    def view(request):
        with locked(request) as session:
            session["cart"]["apple"] += 1  # Django alone would not notice this change
        return HttpResponse()

    send(view, key)
    assert stored(key)["cart"] == {"apple": 1}


# Repairs that fail


def test_a_lock_alone_loses_as_much_if_the_session_is_not_read_again(key):
    all_have_read = threading.Barrier(5)

    def half_repaired(request):
        request.session.get("count")
        all_have_read.wait(LIMIT)
        with transaction.atomic():
            Session.objects.select_for_update().get(session_key=key)
            request.session["count"] += 1
            request.session.save()
        return HttpResponse()

    assert wave(half_repaired, 5, key) == []
    assert stored(key)["count"] == 1


def test_the_usual_repair_loses_the_first_item_of_every_visitor():
    def usual(request):
        if request.session.session_key is None:
            request.session.create()  # create() marks the session as modified
        with transaction.atomic():
            row = Session.objects.select_for_update().get(session_key=request.session.session_key)
            kept = row.get_decoded()
            row.session_data = Session.objects.encode(kept | {"count": kept.get("count", 0) + 1})
            row.save()
        return HttpResponse()  # after this, the middleware saves request.session

    def mends(request):
        request.session["name"] = "Anu"
        return usual(request)

    key = key_in(send(mends))
    assert stored(key) == {"name": "Anu"}
    send(usual, key)
    assert stored(key) == {"name": "Anu", "count": 1}


@pytest.fixture
def another_sqlite(tmp_path, monkeypatch):
    """Return a function that gives later threads a separate SQLite database with these options."""

    def use(options):
        other = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "db"}
        for name, value in {**other, "OPTIONS": options}.items():
            monkeypatch.setitem(connections.settings["default"], name, value)

    return use


@pytest.mark.parametrize(
    "options",
    [{}, {"init_command": "PRAGMA journal_mode=WAL"}],
    ids=["Django's own options", "WAL alone"],
)
def test_on_sqlite_a_transaction_that_reads_first_is_refused(another_sqlite, options):
    another_sqlite(options)
    elsewhere(lambda: call_command("migrate", verbosity=0))
    both_have_read = threading.Barrier(2)

    def adds(key):
        with transaction.atomic():
            Session.objects.select_for_update().filter(session_key=key).first()  # locks nothing
            both_have_read.wait(LIMIT)
            Session.objects.create(session_key=key, expire_date=timezone.now())

    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(alone, adds, key) for key in ("one", "two")]
        (error,) = filter(None, [future.exception(LIMIT) for future in sent])
    assert isinstance(error, OperationalError)
    assert str(error) == "database is locked"


def test_on_sqlite_it_wants_transactions_that_lock_when_they_begin(another_sqlite):
    another_sqlite({})
    with pytest.raises(ImproperlyConfigured, match="IMMEDIATE, but it is DEFERRED"):
        elsewhere(send, add_locked)


# The first write of a new session, and writes after the lock is released


def test_the_first_write_of_a_new_visitor_makes_one_session_and_is_saved_once():
    with CaptureQueriesContext(connection) as queries:
        response = send(add_locked)
    written = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE"))]
    assert [sql.split()[0] for sql in written] == ["INSERT"]
    assert stored(key_in(response)) == {"count": 1}
    assert Session.objects.count() == 1


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_what_others_add_after_the_lock_is_not_saved_over(key, known):
    def slow_to_answer(request):
        add_locked(request)
        elsewhere(send, add_locked, request.session.session_key)
        return HttpResponse()

    response = send(slow_to_answer, key if known else "")
    assert stored(key_in(response))["count"] == 2


def test_a_write_renews_the_cookie_as_any_other_does(key):
    assert send(add_locked, key).cookies["sessionid_12"]["max-age"] == 1209600
    assert key_in(send(add_locked, key)) == key


def test_what_is_changed_after_the_lock_is_saved_as_ever(key):
    def view(request):
        add_locked(request)
        request.session["name"] = "Anu"
        return HttpResponse()

    send(view, key)
    assert stored(key) == {"count": 1, "cart": {"apple": 0}, "name": "Anu"}


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "after"])
def test_a_new_key_keeps_everything(key, inside):
    def view(request):
        with locked(request) as session:
            session["count"] += 1
            if inside:
                session.cycle_key()
        if not inside:
            request.session.cycle_key()
        return HttpResponse()

    new = key_in(send(view, key))
    assert new != key
    assert stored(new) == {"count": 1, "cart": {"apple": 0}}
    assert Session.objects.count() == 1


def test_a_flush_inside_ends_the_session(key):
    def view(request):
        with locked(request) as session:
            session.flush()
        return HttpResponse()

    assert key_in(send(view, key)) == ""
    assert Session.objects.count() == 0


def test_who_changes_nothing_saves_nothing_and_gets_no_session(key):
    def view(request):
        with locked(request) as session:
            session.get("count")
        return HttpResponse()

    with CaptureQueriesContext(connection) as queries:
        assert "sessionid_12" not in send(view, key).cookies
        assert "sessionid_12" not in send(view).cookies
    assert [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE"))] == []
    assert Session.objects.count() == 1


# A session that ends while a tab waits for the lock


def ends(how, key):
    row = Session.objects.filter(session_key=key)
    if how == "deleted":
        row.delete()
    else:
        row.update(expire_date=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("how", ["deleted", "expired"])
def test_a_session_that_ends_during_the_request_is_not_brought_back(key, how):
    def view(request):
        assert request.session["count"] == 0
        elsewhere(ends, how, key)
        return add_locked(request)

    with pytest.raises(SessionInterrupted):
        send(view, key)
    assert list(Session.objects.filter(expire_date__gt=timezone.now())) == []


@pytest.mark.parametrize("how", ["deleted", "expired"])
def test_a_key_that_opened_nothing_before_is_not_taken_over(key, how):
    ends(how, key)
    new = key_in(send(add_locked, key))
    assert new != key
    assert stored(new) == {"count": 1}


def test_where_the_block_fails_nothing_of_it_is_kept(key):
    def view(request):
        with contextlib.suppress(KeyError), locked(request) as session:
            session["count"] += 1
            del session["nothing"]
        assert request.session["count"] == 0
        return HttpResponse(status=400)  # which Django would save

    with CaptureQueriesContext(connection) as queries:
        send(view, key)
    assert [q["sql"] for q in queries if q["sql"].startswith("UPDATE")] == []
    assert stored(key)["count"] == 0


def test_a_change_before_the_lock_would_be_undone_and_is_refused(key):
    def view(request):
        request.session["name"] = "Anu"
        return add_locked(request)

    with pytest.raises(RuntimeError, match=CHANGED_BEFORE):
        send(view, key)


# Engines


@pytest.mark.parametrize("engine", ["cache", "file", "signed_cookies"])
def test_an_engine_without_rows_is_refused_by_name(use_engine, engine):
    use_engine(engine)
    with pytest.raises(ImproperlyConfigured, match=NO_ROW.format(engine=engine)):
        send(add_locked)


def test_with_cached_db_the_row_is_what_counts_and_not_an_old_copy(use_engine):
    use_engine("cached_db")
    key = key_in(send(add_locked))
    old = dict(caches["default"]._cache), dict(caches["default"]._expire_info)
    send(add_locked, key)
    # Simulate another process whose memory still has the old session.
    caches["default"]._cache.update(old[0])
    caches["default"]._expire_info.update(old[1])
    send(add_locked, key)
    assert stored(key)["count"] == 3
