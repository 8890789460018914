"""Test Django's sessions, in any lab."""

from importlib import import_module

import django
import pytest
from django.conf import global_settings

from labkit.testing.contracts import words


@pytest.mark.claim("C35")
def test_sessions_are_kept_in_the_database_unless_told_otherwise():
    assert global_settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"


@pytest.mark.claim("C77")
def test_sessions_live_for_14_days_unless_told_otherwise(visitor, clock, settings):
    assert global_settings.SESSION_COOKIE_AGE == 14 * 24 * 60 * 60 == 1_209_600
    settings.ROOT_URLCONF = "textbook"
    visitor.post("/session/add/", {"name": "apple", "quantity": 3})
    assert "Max-Age=1209600;" in visitor.exchanges[-1].set_cookies[0]
    clock.forward(days=14, seconds=-1)
    assert words(visitor.get("/session/")) == "apple 3"
    clock.forward(seconds=1)
    # The template tests `if request.session`, as in pitfall B05.
    assert words(visitor.get("/session/")) == ("" if django.VERSION < (6, 1) else "no items")


@pytest.mark.claim("C33")
def test_a_page_that_only_reads_makes_no_session(visitor, settings):
    settings.ROOT_URLCONF = "textbook"
    visitor.get("/session/")
    assert list(visitor.jar) == []
    visitor.post("/session/add/", {"name": "apple", "quantity": 3})
    # A cookie with an expiry is stored on disk.
    assert visitor.jar.get("sessionid").expires is not None


@pytest.mark.pitfall("B40")
@pytest.mark.parametrize("engine", ["cache", "file"])
def test_of_two_that_load_before_either_saves_the_last_one_wins(engine, settings, tmp_path):
    settings.SESSION_FILE_PATH = tmp_path
    SessionStore = import_module(f"django.contrib.sessions.backends.{engine}").SessionStore
    first = SessionStore()
    first["count"] = 1
    first.save()
    tabs = [SessionStore(first.session_key), SessionStore(first.session_key)]
    for tab in tabs:
        assert tab["count"] == 1
    for tab in tabs:
        tab["count"] += 1
        tab.save()
    assert SessionStore(first.session_key)["count"] == 2
