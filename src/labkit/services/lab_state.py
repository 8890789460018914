"""Empties what a lab keeps on the server; its secret key stays."""

import shutil
from pathlib import Path

from labkit import stores
from labkit.catalog import Catalog, Lab, state_dir
from labkit.processes.manage_py import lab_environment, run_manage_py
from labkit.services.mariadb import persistent_server

MARIADB = Path(".lab", "mariadb")  # in the checkout
# What a lab writes into its state folder besides its key and its database.
FILES = ["cache", "*.log"]


def reset(checkout: Catalog, lab: Lab) -> list[str]:
    """Empty this lab's stores and return what was emptied, in words.

    Raises DatabaseNotReady, NotInstalled, StartFailed.

    What a running lab holds in memory (LocMem cache) goes when its process ends.
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
        if (checkout.root / MARIADB / "data" / f"lab_{lab.number}").exists():
            with persistent_server(checkout.root / MARIADB) as server:
                own = {"DATABASE_URL": server.url(f"lab_{lab.number}")}
                run_manage_py(lab, environ | own, *flush)
            cleared.append("rows in the private MariaDB")
        if url:
            run_manage_py(lab, environ | {"DATABASE_URL": url}, *flush)
            cleared.append("rows in the database that DATABASE_URL names")
    if stores.wipe_files(*state.glob("sessions*")):
        cleared.append("session files")
    for path in sorted(path for pattern in FILES for path in state.glob(pattern)):
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except PermissionError:  # on Windows the log of a lab that is running cannot be deleted
            continue
        cleared.append(path.name)
    return cleared
