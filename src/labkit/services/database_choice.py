"""Choose a lab's database according to `--db` and DATABASE_URL, and open it.

All commands use this module, so that the options mean the same everywhere.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from labkit.catalog import Catalog, Lab, database_name, writable
from labkit.processes.manage_py import DatabaseNotReady
from labkit.services.mariadb_child import MariaDBChild
from labkit.services.requirements import require_tools

PRIVATE_MARIADB = "mariadb"  # the private server's folder, beside the labs' state folders
ONE_DATABASE = (
    "DATABASE_URL names one database for all labs, but each needs its own. Leave the "
    "name out, as in mysql://user:password@host:3306/, and create lab_01, lab_04 and "
    "so on; or serve one lab with --only."
)


class DatabaseKind(Enum):
    """The kinds of database that a lab can use; messages contain the values."""

    SQLITE = "SQLite"
    NAMED = "the database that DATABASE_URL names"
    MARIADB = "a private MariaDB"
    GALERA = "a private MariaDB cluster"


@dataclass(frozen=True)
class LabDatabase:
    """A lab's database, ready to use."""

    url: str  # for DATABASE_URL; empty for SQLite
    # The command that opens a client for the private MariaDB in a terminal.
    client_command: str = ""


def choose_database(db: str | None, url: str) -> DatabaseKind:
    """Return the kind of database that `--db` (None if absent) and DATABASE_URL select.

    "mysql" selects the database that DATABASE_URL names, or else a private MariaDB. Without `--db`,
    the database that DATABASE_URL names is selected, or else SQLite.
    """
    if db == "galera":
        return DatabaseKind.GALERA
    if db == "sqlite" or not (db or url):
        return DatabaseKind.SQLITE
    return DatabaseKind.NAMED if url else DatabaseKind.MARIADB


@contextmanager
def open_database(
    checkout: Catalog, lab: Lab, kind: DatabaseKind, url: str
) -> Iterator[LabDatabase]:
    """Yield one lab's database; a private server runs during the block.

    The server runs in a child process, which ends even if this process is killed. Raise
    NotInstalled or StartFailed. For a cluster, see `labkit.clusters`.
    """
    if kind is DatabaseKind.MARIADB:
        name = database_name(lab.number)
        with MariaDBChild(_private_folder(checkout), [name]) as server:
            yield LabDatabase(server.urls[name], server.client_commands[name])
    elif kind is DatabaseKind.NAMED:
        _check_driver(url)
        yield LabDatabase(url)
    else:
        yield LabDatabase("")


@contextmanager
def open_databases(
    checkout: Catalog, labs: Iterable[Lab], kind: DatabaseKind, url: str
) -> Iterator[dict[str, str]]:
    """Yield {lab's number: DATABASE_URL} for several labs; empty for SQLite.

    A private server runs in a child process, which ends even if this process is killed. Raise
    NotInstalled, StartFailed or DatabaseNotReady.
    """
    numbers = [lab.number for lab in labs if lab.database]
    if kind is DatabaseKind.MARIADB:
        names = {number: database_name(number) for number in numbers}
        with MariaDBChild(_private_folder(checkout), names.values()) as server:
            yield {number: server.urls[name] for number, name in names.items()}
    elif kind is DatabaseKind.NAMED:
        _check_driver(url)
        if len(numbers) > 1 and not url.partition("?")[0].endswith("/"):
            raise DatabaseNotReady(ONE_DATABASE)
        yield dict.fromkeys(numbers, url)
    else:
        yield {}


def has_private_rows(checkout: Catalog, lab: Lab) -> bool:
    """Return True if the private MariaDB has a database for this lab."""
    return (checkout.state / PRIVATE_MARIADB / "data" / database_name(lab.number)).exists()


def _private_folder(checkout: Catalog) -> Path:
    """Return the private server's folder. Raise CatalogError if it is not writable."""
    return writable(checkout.state / PRIVATE_MARIADB)


def _check_driver(url: str) -> None:
    if url.startswith("mysql"):
        require_tools("mysqlclient")
