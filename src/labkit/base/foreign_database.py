"""Prevent labs from using another project's database, which DATABASE_URL may name.

DATABASE_URL is often set in a shell for another project. `migrate` would add tables to that
project's database and, for lab 11, a user with a known password; `flush` would delete its sessions
and users.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.db import connections

from labkit import environment
from labkit.catalog import database_name

# The tables of all labs; the list is shared, since labs may share a database.
LAB_TABLES = {
    "django_migrations",
    "django_session",
    "django_content_type",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "auth_user",
    "auth_user_groups",
    "auth_user_user_permissions",
}
SHOWN = 3  # tables in a message
REFUSED = (
    "DATABASE_URL names a database with tables of another project ({tables}). Nothing was changed. "
    "Unset DATABASE_URL, or name an empty database"
)


def has_foreign_tables(path: Path) -> bool:
    """Return whether this SQLite file has another project's tables, without changing the file."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {name for (name,) in rows if not name.startswith("sqlite_")}
    except (OSError, sqlite3.Error):
        return False
    return not names <= LAB_TABLES


def foreign_tables(using: str = "default") -> list[str]:
    """Return another project's tables in the database that DATABASE_URL names.

    A database named lab_NN was created for the lab, so all of its tables belong to the lab.
    """
    connection = connections[using]
    own_name = database_name(getattr(settings, "LAB", ""))
    if not environment.database_url() or connection.settings_dict["NAME"] == own_name:
        return []
    introspection = connection.introspection
    own = LAB_TABLES | set(introspection.django_table_names())
    return sorted(set(introspection.table_names()) - own)


def refuse_foreign_database(using: str = "default", **_: Any) -> None:
    """Raise CommandError if the database has another project's tables."""
    if found := foreign_tables(using):
        more = ", …" if len(found) > SHOWN else ""
        raise CommandError(REFUSED.format(tables=", ".join(found[:SHOWN]) + more))
