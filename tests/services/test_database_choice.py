"""Test which database `--db` and DATABASE_URL choose."""

import pytest

from labkit.processes.manage_py import DatabaseNotReady
from labkit.services.database_choice import (
    DatabaseKind,
    choose_database,
    open_database,
    open_databases,
)

URL = "sqlite:///all.sqlite3"


@pytest.mark.parametrize(
    ("db", "url", "kind"),
    [
        (None, "", DatabaseKind.SQLITE),
        (None, URL, DatabaseKind.NAMED),
        ("sqlite", "", DatabaseKind.SQLITE),
        ("sqlite", URL, DatabaseKind.SQLITE),
        ("mysql", "", DatabaseKind.MARIADB),
        ("mysql", URL, DatabaseKind.NAMED),
        ("galera", "", DatabaseKind.GALERA),
        ("galera", URL, DatabaseKind.GALERA),
    ],
)
def test_the_option_counts_more_than_the_url(db, url, kind):
    assert choose_database(db, url) is kind


def test_sqlite_needs_no_url(checkout):
    with open_database(checkout, checkout.find("04"), DatabaseKind.SQLITE, URL) as database:
        assert (database.url, database.client_command) == ("", "")
    with open_databases(checkout, checkout.labs, DatabaseKind.SQLITE, URL) as urls:
        assert urls == {}


def test_a_named_database_is_used_as_it_is(checkout):
    with open_database(checkout, checkout.find("04"), DatabaseKind.NAMED, URL) as database:
        assert database.url == URL


def test_labs_without_a_database_get_no_url(checkout):
    labs = [checkout.find("03"), checkout.find("04")]
    with open_databases(checkout, labs, DatabaseKind.NAMED, URL) as urls:
        assert urls == {"04": URL}


def test_several_labs_cannot_share_one_database(checkout):
    labs = [checkout.find("04"), checkout.find("06")]
    with (
        pytest.raises(DatabaseNotReady),
        open_databases(checkout, labs, DatabaseKind.NAMED, URL),
    ):
        pytest.fail("it was opened")
    with open_databases(checkout, labs, DatabaseKind.NAMED, "sqlite://host/") as urls:
        assert [*urls] == ["04", "06"]


def test_a_private_server_has_a_database_per_lab(checkout, mariadb, own_checkout):
    own = type(checkout)(own_checkout)
    labs = [own.find("04"), own.find("06")]
    with open_databases(own, labs, DatabaseKind.MARIADB, "") as urls:
        assert "/lab_04?" in urls["04"]
        with open_database(own, labs[0], DatabaseKind.MARIADB, "") as database:
            assert database.url == urls["04"]
            assert "lab_04" in database.client_command
