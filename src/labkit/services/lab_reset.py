"""Reset a lab to its initial state on the server, and repair damaged files.

Afterwards, the rows, session files, cache, log and clock are those of a new checkout. The secret
key is kept. A running lab is also reset through its own control, which empties its memory.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from labkit import kept_files, session_stores
from labkit.catalog import Catalog, Lab, state_dir
from labkit.processes.manage_py import lab_environment, run_manage_py
from labkit.services.database_choice import DatabaseKind, has_private_rows, open_database
from labkit.services.running_labs import RunningLab, forget, running_labs

# The files that a lab writes to its state folder, except for its key and database.
FILES = ["cache", "*.log"]
SQLITE_FILES = ["db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "db.sqlite3-journal"]
MEMORY = "the memory of the running lab at {url}"
MIGRATE = ("migrate", "--no-input", "--verbosity=0")
FLUSH = ("flush", "--no-input", "--verbosity=0")
# A query that works in the database of every lab after migrate.
EXPECTED = "SELECT session_key, session_data, expire_date FROM django_session LIMIT 1"


def reset(checkout: Catalog, lab: Lab, *, named: bool = False) -> list[str]:
    """Empty this lab's stores, and return in words what was emptied or repaired.

    `named`: also empty the database that DATABASE_URL names, unless it contains another project's
    tables. If `named` is False, a running lab that uses such a database is not reset. Raise
    DatabaseNotReady, NotInstalled or StartFailed.
    """
    state = state_dir(lab.folder)
    running = running_labs(state)
    # This comes first, since no lab starts with a damaged key or session folder.
    cleared = list(_repair(state))
    environ = lab_environment()
    url = environ.pop("DATABASE_URL", "")
    if lab.database:
        if any((state / name).exists() for name in SQLITE_FILES):
            cleared.append(_reset_sqlite(lab, state, environ))
        if has_private_rows(checkout, lab):
            with open_database(checkout, lab, DatabaseKind.MARIADB, "") as database:
                run_manage_py(lab, environ | {"DATABASE_URL": database.url}, *FLUSH)
            cleared.append("rows in the private MariaDB")
        if url.strip() and named:
            environ["DATABASE_URL"] = url
            # This command fails if the database belongs to another project.
            run_manage_py(lab, environ, *MIGRATE)
            run_manage_py(lab, environ, *FLUSH)
            cleared.append(f"rows in {DatabaseKind.NAMED.value}")
    if session_stores.wipe_files(*state.glob("sessions*")):
        cleared.append("session files")
    for path in sorted(path for pattern in FILES for path in state.glob(pattern)):
        try:
            kept_files.remove(path) if not running else _empty(path)
        except PermissionError:  # Windows cannot delete the log of a lab that is running
            continue
        cleared.append(path.name)
    cleared += _reset_running(state, [each for each in running if named or not each.database])
    return cleared


def _empty(path: Path) -> None:
    """Empty a file that a running lab writes to; delete a folder."""
    if path.is_file():
        path.write_bytes(b"")
    else:
        kept_files.remove(path)


def _reset_running(state: Path, running: list[RunningLab]) -> Iterator[str]:
    """Reset these servers through their own controls; yield a phrase for each."""
    for server in running:
        if server.reset():
            yield MEMORY.format(url=server.url)
        else:
            forget(state, server)


def _repair(state: Path) -> Iterator[str]:
    """Delete a damaged secret key, and a file where the session folder belongs; yield names."""
    key = state / "secret_key"
    if key.exists() and kept_files.read_key(key) is None:
        kept_files.remove(key)
        yield "a damaged secret_key"
    for path in state.glob("sessions*"):
        if not path.is_dir():
            kept_files.remove(path)
            yield f"{path.name}, which was not a folder"


def _reset_sqlite(lab: Lab, state: Path, environ: dict[str, str]) -> str:
    """Delete all rows, or replace a damaged file with an empty one; return which, in words."""
    if not is_damaged(state / SQLITE_FILES[0]):
        run_manage_py(lab, environ, *FLUSH)
        return "rows in SQLite"
    for name in SQLITE_FILES:
        kept_files.remove(state / name)
    run_manage_py(lab, environ, *MIGRATE)
    return "the damaged SQLite file, which was replaced"


def is_damaged(path: Path) -> bool:
    """Return whether a file is not a valid SQLite database, or lacks a lab's table."""
    if not path.is_file():
        return True
    address = f"file:{quote(str(path))}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=20)) as database:
            whole = database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,)
            if tables:  # an empty database is valid too
                database.execute(EXPECTED)
    except sqlite3.OperationalError as error:
        return not str(error).startswith("database is locked")
    except sqlite3.DatabaseError:
        return True
    return not whole
