"""Test textbook faults that no version of a lab can show; nox -s textbook tests the versions."""

import contextlib
import sqlite3

import pytest

from labkit.testing import response_checks
from labkit.testing.contracts import words


@pytest.fixture(autouse=True)
def _pages_as_in_textbooks(settings):
    settings.ROOT_URLCONF = "textbook"
    own = "labkit.base.middleware.error_pages"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != own]


def expiry(value):
    return {"name": "_session_expiry", "quantity": value}


@pytest.mark.pitfall("B32")
@pytest.mark.parametrize("value", ["abc", "0", "120"])
def test_a_text_as_expiry_crashes_the_middleware(visitor, value):
    with visitor.expecting(response_checks.SERVER_ERROR):
        response = visitor.post("/session/add/", expiry(value))
    assert issubclass(response.exc_info[0], ValueError)


@pytest.mark.pitfall("B32")
def test_a_date_as_expiry_is_the_visitors_choice(visitor, clock):
    visitor.post("/session/add/", expiry("2030-12-31T00:00:00+00:00"))
    days = (visitor.jar.get("sessionid").expires - clock.now.timestamp()) / 86400
    assert 350 < days < 360
    visitor.post("/session/add/", {"name": "apple", "quantity": "1"})
    assert "apple 1" in words(visitor.get("/session/"))
    visitor.post("/session/add/", expiry("2001-01-01T00:00:00+00:00"))
    assert "apple 1" not in words(visitor.get("/session/"))


@pytest.mark.pitfall("B40")
def test_two_visits_count_once_unless_the_database_adds(tmp_path):
    with contextlib.ExitStack() as stack:
        one, two = (
            stack.enter_context(contextlib.closing(sqlite3.connect(tmp_path / "counts")))
            for _ in range(2)
        )
        one.execute("CREATE TABLE visits (n INTEGER)")
        one.execute("INSERT INTO visits VALUES (1)")
        one.commit()

        def read(connection):
            return connection.execute("SELECT n FROM visits").fetchone()[0]

        seen = [read(one), read(two)]
        for connection, n in zip((one, two), seen, strict=True):
            connection.execute("UPDATE visits SET n = ?", (n + 1,))
            connection.commit()
        assert read(one) == 2  # one of the two visits was lost
        read(two)
        for connection in (one, two):  # Django executes this statement for F("n") + 1
            connection.execute("UPDATE visits SET n = n + 1")
            connection.commit()
        assert read(one) == 4
