"""Empty what a lab keeps on the server; its secret key stays."""

import shutil

from labkit import session_stores
from labkit.catalog import Catalog, Lab, state_dir
from labkit.processes.manage_py import lab_environment, run_manage_py
from labkit.services.database_choice import DatabaseKind, has_private_rows, open_database

# What a lab writes into its state folder, apart from its key and its database.
FILES = ["cache", "*.log"]


def reset(checkout: Catalog, lab: Lab) -> list[str]:
    """Empty this lab's stores and return what was emptied, in words.

    What a running lab holds in memory (LocMem cache) goes when its process ends. Raise
    DatabaseNotReady, NotInstalled or StartFailed.
    """
    cleared = []
    state = state_dir(lab.folder)
    environ = lab_environment()
    url = environ.pop("DATABASE_URL", "")
    if lab.database:
        flush = ("flush", "--no-input", "--verbosity=0")
        if (state / "db.sqlite3").exists():
            run_manage_py(lab, environ, *flush)
            cleared.append("rows in SQLite")
        if has_private_rows(checkout, lab):
            with open_database(checkout, lab, DatabaseKind.MARIADB, "") as database:
                run_manage_py(lab, environ | {"DATABASE_URL": database.url}, *flush)
            cleared.append("rows in the private MariaDB")
        if url:
            run_manage_py(lab, environ | {"DATABASE_URL": url}, *flush)
            cleared.append(f"rows in {DatabaseKind.NAMED.value}")
    if session_stores.wipe_files(*state.glob("sessions*")):
        cleared.append("session files")
    for path in sorted(path for pattern in FILES for path in state.glob(pattern)):
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except PermissionError:  # on Windows the log of a lab that is running cannot be deleted
            continue
        cleared.append(path.name)
    return cleared
