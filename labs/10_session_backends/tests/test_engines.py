"""Tests of claims about the five engines."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module

import pytest
from django.conf import global_settings
from django.contrib.sessions.backends import file
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labkit.base import error_pages
from labkit.services.redis import PrivateRedis
from labkit.testing.contracts import CartPages, notices, words
from labkit.testing.response_checks import SERVER_ERROR

cart = CartPages()
NOBODY = 65534


# A project of a few lines, without django.contrib.sessions in INSTALLED_APPS

PROJECT = """
import json
import django
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import path

def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return HttpResponse(request.session["count"])

urlpatterns = [path("", count)]
settings.configure(
    SECRET_KEY="x",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
said = {}
for name in ["db", "cached_db", "cache", "file", "signed_cookies"]:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends." + name
    client = Client()
    try:
        said[name] = [client.get("/").content.decode() for visit in range(2)]
    except RuntimeError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


@pytest.mark.claim("C36", "C37", "C41", "C45", "C49")
def test_three_engines_do_without_the_app(tmp_path):
    environ = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PROJECT],
        env=environ | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    for engine in ("db", "cached_db"):
        assert "doesn't declare an explicit app_label" in said.pop(engine)
    # The cache without CACHES in the settings, and files without SESSION_FILE_PATH
    assert said == {"cache": ["1", "2"], "file": ["1", "2"], "signed_cookies": ["1", "2"]}
    (path,) = temporary.iterdir()
    assert path.name.startswith("sessionid")


# Files


@pytest.fixture
def nowhere(settings):
    """Unset SESSION_FILE_PATH, and reload the engine `file`, so that it forgets its folder."""
    settings.SESSION_FILE_PATH = global_settings.SESSION_FILE_PATH
    importlib.reload(file)


@pytest.mark.claim("C46")
def test_files_go_to_the_temporary_folder_unless_told(nowhere, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert global_settings.SESSION_FILE_PATH is None
    session = file.SessionStore()
    session.save()
    assert (tmp_path / f"sessionid_10{session.session_key}").is_file()


@pytest.mark.claim("C46")
def test_a_folder_that_is_not_there_is_told(nowhere, settings, tmp_path):
    settings.SESSION_FILE_PATH = tmp_path / "nowhere"
    with pytest.raises(ImproperlyConfigured, match="doesn't exist"):
        file.SessionStore()


@contextmanager
def nobody_may_write(folder):
    """Run the block as another user, because root can write everywhere."""
    folder.chmod(0o500)
    if root := os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.claim("C47")
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rights")
def test_a_folder_that_may_not_be_written_is_an_error_and_a_page(visitor, use, settings):
    use("file")
    fields = cart.with_token(visitor, name="apple", quantity=3)
    # Load the error page's template now, while files can still be read.
    visitor.get("/no/such/page/")
    with nobody_may_write(settings.SESSION_FILE_PATH):
        with pytest.raises(PermissionError):
            file.SessionStore().save()
        with visitor.expecting(SERVER_ERROR):
            response = visitor.post("/add/", fields)
    assert response.status_code == 503
    assert error_pages.STORE_TITLE in words(response)
    assert "sessionid_10" not in {cookie.name for cookie in visitor.jar}
    cart.put(visitor, "apple", 3)
    assert cart.cart(visitor) == {"apple": 3}


def test_a_file_that_cannot_be_replaced_is_not_told(use, settings, monkeypatch):
    use("file")
    session = file.SessionStore()
    session["count"] = 1
    session.save()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    session["count"] = 2
    session.save()  # without an error
    assert file.SessionStore(session.session_key)["count"] == 1


def test_with_whole_seconds_a_file_never_ends_and_with_a_date_it_does(use, clock):
    use("file")
    for expiry, kept in [(120, 1), (datetime(2030, 1, 7, 9, 2, tzinfo=UTC), None)]:
        session = file.SessionStore()
        session["count"] = 1
        session.set_expiry(expiry)
        session.save()
        clock.forward(days=400)
        assert file.SessionStore(session.session_key).get("count") == kept
        clock.forward(days=-400)


# Caches and databases


@pytest.mark.claim("C49")
def test_what_a_cache_forgets_is_gone(visitor, use):
    use("cache")
    cart.put(visitor, "apple", 3)
    caches["default"].clear()
    assert cart.cart(visitor) == {}


@pytest.mark.claim("C50")
@pytest.mark.parametrize(
    ("engine", "to_read", "to_write"),
    [
        ("db", 1, 4),  # read, SAVEPOINT (BEGIN outside a test), UPDATE, RELEASE
        ("cached_db", 0, 3),
        ("cache", 0, 0),
        ("file", 0, 0),
        ("signed_cookies", 0, 0),
    ],
    indirect=["engine"],
)
def test_a_cache_saves_queries(engine, visitor, to_read, to_write):
    fields = cart.put(visitor, "apple", 3)
    with CaptureQueriesContext(connection) as queries:
        cart.cart(visitor)
    assert len(queries) == to_read
    with CaptureQueriesContext(connection) as queries:
        visitor.post("/add/", fields)
    assert len(queries) == to_write


@pytest.mark.claim("C86")
def test_a_session_cookie_outlives_the_browser_unless_told_otherwise(engine, visitor):
    assert global_settings.SESSION_EXPIRE_AT_BROWSER_CLOSE is False
    cart.put(visitor, "apple", 3)
    assert visitor.jar.get("sessionid_10").expires is not None
    # test_table.py tests the effect of a server restart.


@pytest.mark.claim("C29")
@pytest.mark.parametrize("value", [{1}, Decimal("1.5"), b"abc", datetime(2030, 1, 7, tzinfo=UTC)])
@pytest.mark.parametrize("name", ["db", "file", "signed_cookies"])
def test_not_everything_can_be_kept(use, name, value):
    use(name)
    session = import_module(f"django.contrib.sessions.backends.{name}").SessionStore()
    session["value"] = value
    with pytest.raises(TypeError, match="not JSON serializable"):
        session.save()
    with pytest.raises(TypeError):
        json.dumps(value)


@pytest.mark.claim("C29")
def test_a_cache_keeps_python_s_own_things(use):
    use("cache")
    session = import_module("django.contrib.sessions.backends.cache").SessionStore()
    session["value"] = {1}
    session.save()  # with the engine db, this line would raise an error
    assert type(session)(session.session_key)["value"] == {1}


@pytest.mark.xfail(strict=True, reason="a signed cookie is good as long as its signature is")
@pytest.mark.claim("C48")
def test_in_cookies_an_emptied_cart_stays_empty(visitor, use):
    use("signed_cookies")
    cart.put(visitor, "apple", 3)
    copied = visitor.jar.get("sessionid_10").value
    cart.empty(visitor)
    visitor.edit_cookie("sessionid_10", copied)
    assert cart.cart(visitor) == {}


# With and without Redis


@pytest.mark.parametrize("name", ["cache", "cached_db"])
def test_while_redis_is_away_a_page_says_so(visitor, use, redis, settings, name):
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    own = PrivateRedis.temporary()  # a separate server, because other tests use the fixture's
    use(name, own.url)
    # Without this option, redis-py would retry for some seconds.
    settings.CACHES["default"]["OPTIONS"] = {"retry": Retry(NoBackoff(), 0)}
    fields = cart.with_token(visitor, name="apple", quantity=3)
    own.kill()
    with visitor.expecting(SERVER_ERROR):
        response = visitor.post("/add/", fields)
    assert response.status_code == 503
    assert error_pages.STORE_TITLE in words(response)
    own.start()
    assert visitor.post("/add/", fields).status_code == 302
    assert cart.cart(visitor) == {"apple": 3}
    own.stop()


def test_while_redis_is_away_a_look_costs_the_key(visitor, use, redis, settings):
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    own = PrivateRedis.temporary()
    use("cache", own.url)
    settings.CACHES["default"]["OPTIONS"] = {"retry": Retry(NoBackoff(), 0)}
    cart.put(visitor, "apple", 3)
    own.kill()
    assert notices(visitor.get("/display/")) != []
    assert visitor.jar.get("sessionid_10") is None
    own.stop()
