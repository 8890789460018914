"""A private MariaDB in a child process, so that it ends even if the parent is killed.

`python -m labkit.services.mariadb_child FOLDER NAME...` starts or joins the server and creates the
databases. The child reports the databases' URLs and the commands that open them, as
`labkit.processes.child` describes.
"""

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from labkit.processes.child import ChildProcess, run_child, send_report
from labkit.processes.start import StartFailed
from labkit.services.mariadb import PrivateMariaDB


class MariaDBChild(ChildProcess):
    """A private MariaDB; its last user stops it. Raises NotInstalled or StartFailed."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        PrivateMariaDB.check_installed()
        super().__init__("labkit.services.mariadb_child", str(folder), *names)


def main(folder: Path, names: list[str]) -> None:
    """Run the child, as the module's docstring describes."""

    def report(parent: IO[bytes], server: PrivateMariaDB) -> None:
        urls = {name: server.url(name) for name in names}
        commands = {name: server.client_command(name) for name in names}
        send_report(parent, urls=urls, client_commands=commands)

    def check(parent: IO[bytes], server: PrivateMariaDB) -> None:
        with contextlib.suppress(StartFailed):  # if this fails, the next check tries again
            server.revive()

    run_child(lambda ending: PrivateMariaDB.persistent(folder), report, check, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
