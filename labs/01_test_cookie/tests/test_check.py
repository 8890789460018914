import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import RequestFactory

from labkit.base import error_pages
from labkit.testing.contracts import notices, words
from tests.contract import (
    DO_NOT_WORK,
    NOT_SET,
    WORK,
    CookieCheckPages,
    answer,
    answer_at_once,
)


class TestTheTestCookie(CookieCheckPages):
    pass


pages = TestTheTestCookie()


@pytest.mark.in_process
@pytest.mark.claim("C14")
def test_it_is_an_entry_in_the_session_and_no_cookie_of_its_own(visitor):
    visitor.get("/")
    row = Session.objects.get()
    assert [cookie.pair for cookie in visitor.jar] == [f"sessionid_01={row.session_key}"]
    assert row.get_decoded() == {"testcookie": "worked"}


@pytest.mark.in_process
def test_after_the_look_the_session_stays_and_is_empty(visitor):
    visitor.get("/")
    visitor.get("/check/")
    assert Session.objects.get().get_decoded() == {}
    assert visitor.jar.get("sessionid_01").value == Session.objects.get().session_key


def test_its_cookie_is_for_the_server_alone_and_lives_two_weeks(visitor, clock):
    visitor.get("/")
    cookie = visitor.jar.get("sessionid_01")
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    clock.forward(days=13)
    assert pages.look(visitor) == WORK
    visitor.get("/")
    clock.forward(days=14)
    assert pages.look(visitor) == DO_NOT_WORK


@pytest.mark.claim("C13")
@pytest.mark.parametrize("name", ["set_test_cookie", "test_cookie_worked", "delete_test_cookie"])
def test_its_methods_are_the_sessions_and_not_the_requests(name):
    request = RequestFactory().get("/")
    request.session = SessionStore()
    assert callable(getattr(request.session, name))
    with pytest.raises(AttributeError, match=f"'WSGIRequest' object has no attribute '{name}'"):
        getattr(request, name)


@pytest.mark.claim("C15")
def test_set_and_asked_in_one_breath_it_lies():
    session = SessionStore()  # no browser is involved
    session.set_test_cookie()
    assert session.test_cookie_worked() is True


def test_the_page_says_what_the_method_said_at_once(visitor, monkeypatch):
    monkeypatch.setattr(SessionBase, "test_cookie_worked", lambda session: "Perhaps")
    assert answer_at_once(visitor.get("/")) == "Perhaps"


@pytest.mark.claim("C17")
def test_deleting_what_was_never_set_is_an_error():
    session = SessionStore()
    with pytest.raises(KeyError, match="testcookie"):
        session.delete_test_cookie()
    session.set_test_cookie()
    session.delete_test_cookie()
    assert session.test_cookie_worked() is False


@pytest.mark.in_process
def test_with_cookies_blocked_each_setting_leaves_a_row_behind(visitor):
    visitor.block_cookies()
    for _ in range(3):
        visitor.get("/")
        visitor.get("/check/")
    assert Session.objects.count() == 3


LOST = {
    "deleted": lambda: Session.objects.all().delete(),
    "expired": lambda: Session.objects.update(expire_date="2001-01-01 00:00:00Z"),
    "empty": lambda: Session.objects.update(session_data=""),
    "damaged": lambda: Session.objects.update(session_data="a:b:c"),
}


@pytest.mark.in_process
@pytest.mark.parametrize("how", LOST)
def test_a_session_that_the_server_has_lost_is_told_from_no_cookie(visitor, how):
    visitor.get("/")
    LOST[how]()
    response = visitor.get("/check/")
    assert answer(response) == NOT_SET
    assert notices(response)
    visitor.get("/")
    assert pages.look(visitor) == WORK


def test_a_session_that_is_deleted_during_the_look_is_a_page(visitor, monkeypatch):
    visitor.get("/")
    delete = SessionBase.delete_test_cookie

    def delete_both(session):
        delete(session)
        Session.objects.all().delete()

    monkeypatch.setattr(SessionBase, "delete_test_cookie", delete_both)
    response = visitor.get("/check/")
    assert response.status_code == 400
    assert error_pages.SESSION_DELETED in words(response)
    assert Session.objects.count() == 0


def test_a_key_that_nobody_was_given_is_never_taken_over(visitor):
    visitor.jar.store(f"sessionid_01={'a' * 32}; Path=/", visitor.origin)
    assert pages.look(visitor) == NOT_SET
    visitor.jar.store(f"sessionid_01={'a' * 32}; Path=/", visitor.origin)
    visitor.get("/")
    assert visitor.jar.get("sessionid_01").value != "a" * 32
    assert pages.look(visitor) == WORK


def test_large_letters_open_the_same_session_on_mariadb_alone(visitor):
    visitor.get("/")
    visitor.edit_cookie("sessionid_01", visitor.jar.get("sessionid_01").value.upper())
    assert pages.look(visitor) == (WORK if connection.vendor == "mysql" else NOT_SET)
