"""The private MariaDB of `lab serve`, in a child so that it ends even if the parent is killed.

`python -m labkit.services.mariadb_child FOLDER NAME...` starts the server or joins it, creates the
databases, and writes one line of JSON: {"urls": {name: DATABASE_URL}}, or {"error": sentence}.
"""

import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from labkit.processes.child import ChildProcess, send_report
from labkit.processes.parent_pipe import on_parent_exit, reserve_stdout
from labkit.processes.start import NotInstalled, StartFailed
from labkit.services.mariadb import PrivateMariaDB, persistent_server


class MariaDBChild(ChildProcess):
    """A private MariaDB that ends with its last user. Raises NotInstalled, StartFailed."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        PrivateMariaDB.check_installed()
        super().__init__(
            [sys.executable, "-m", "labkit.services.mariadb_child", str(folder), *names]
        )


def main(folder: Path, names: list[str]) -> None:
    """See the module's docstring."""
    parent = reserve_stdout()
    ended = threading.Event()
    on_parent_exit(ended.set)
    try:
        with persistent_server(folder) as server:
            send_report(parent, urls={name: server.url(name) for name in names})
            while not ended.wait(1):
                server.revive()
    except (NotInstalled, StartFailed) as error:
        send_report(parent, error=str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
