"""A private MariaDB server on a socket, with its data in a temporary or persistent folder."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from labkit.kept_files import make_private_folder
from labkit.processes.start import PrivateServer, ServerProcess, StartFailed, start_server
from labkit.services.requirements import program, require_server
from labkit.text_format import command_line

# These options disable the network, and reduce the memory from 100 MB to 40 MB.
OPTIONS = [
    "--skip-networking",
    "--max-connections=500",  # this is more than the number of threads of all labs together
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=8M",
    "--aria-pagecache-buffer-size=1M",
    "--key-buffer-size=1M",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-dump-at-shutdown=0",
    "--innodb-stats-persistent=0",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
]
# A test run's databases need not survive a power failure.
NOT_DURABLE = [
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
]
# Keeps the processes of servers that others still use, so that Popen does not warn.
_left_running: list[ServerProcess | None] = []

START_SECONDS = 30
STOP_SECONDS = 20
CONNECT_SECONDS = 10
# How long to wait for another program that has the lock.
LOCK_SECONDS = START_SECONDS + STOP_SECONDS + 10
INSTALL_SECONDS = 120
LOCKED = "Another program takes too long to start or end the server in {folder}."
DAMAGED = "{error}\nIf its data are damaged, delete {folder}. It is then created empty."
TOO_MANY_CONNECTIONS = 1040  # ER_CON_COUNT_ERROR


class PrivateMariaDB(PrivateServer):
    """A server that `temporary()` or `persistent()` has started. Not available on Windows."""

    user = "root"  # the user as whom the server runs if this process runs as root
    start_seconds = START_SECONDS

    def __init__(self, folder: Path, socket: Path, options: list[str], *, temporary: bool) -> None:
        self.folder = folder
        self.socket = socket
        self._options = options
        self._temporary = temporary
        self._users: Any = None  # the lock file, which is open while this process uses the server

    @staticmethod
    def check_installed() -> None:
        """Raise NotInstalled if the server or the driver is not installed."""
        require_server("MariaDB", "mysqlclient", "mariadb")

    @classmethod
    def temporary(cls) -> "PrivateMariaDB":
        """Start a server for one test run; `stop()` deletes its data.

        Raise NotInstalled, StartFailed.
        """
        cls.check_installed()
        home = Path(tempfile.mkdtemp(prefix="labkit-"))
        server = cls(home / "data", home / "socket", [*OPTIONS, *NOT_DURABLE], temporary=True)
        try:
            shutil.copytree(data_template(), server.folder)
            server.start()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return server

    @classmethod
    def persistent(cls, folder: Path) -> "PrivateMariaDB":
        """Start a server with its data in `folder`, or join the one that is running there.

        Several programs may use the server at the same time; the last one that calls `stop()` ends
        it. Raise NotInstalled, StartFailed.
        """
        cls.check_installed()
        import fcntl  # missing on Windows

        make_private_folder(folder)
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
        server = cls(folder / "data", _own_tempdir() / f"{name}.socket", OPTIONS, temporary=False)
        server._users = (folder / "users").open("w")
        try:
            with server._exclusive_lock():
                fcntl.flock(server._users, fcntl.LOCK_SH)
                if not server.answers():
                    server._make_data_folder()
                    server.start()
        except StartFailed as error:
            server._users.close()
            raise StartFailed(DAMAGED.format(error=error, folder=folder)) from None
        except BaseException:
            server._users.close()
            raise
        return server

    def _make_data_folder(self) -> None:
        """Copy the template if there is no data folder yet; a failed copy leaves nothing behind."""
        if not self.folder.exists():
            with tempfile.TemporaryDirectory(dir=self.folder.parent) as temporary:
                whole = Path(temporary, "data")
                shutil.copytree(data_template(), whole)
                whole.rename(self.folder)

    def revive(self) -> None:
        """Restart a persistent server if it has died, even if another program had started it.

        Raise StartFailed.
        """
        if self.answers():
            return
        with self._exclusive_lock():
            if not self.answers():  # another program may have restarted it already
                self.has_died()
                self.start()

    @contextlib.contextmanager
    def _exclusive_lock(self) -> Iterator[None]:
        """Prevent other programs from starting, joining or ending the server during the block."""
        import fcntl

        deadline = time.monotonic() + LOCK_SECONDS
        with (self.folder.parent / "starting").open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StartFailed(LOCKED.format(folder=self.folder.parent)) from None
                    time.sleep(0.02)
            yield

    def start(self) -> None:
        """Start the server with its data folder, and wait until it answers. Raise StartFailed."""
        log = self.folder.parent / "server.log"
        command = [
            str(program("mariadbd")),
            "--no-defaults",
            *self._options,
            f"--datadir={self.folder}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder.parent / 'pid'}",
            f"--tmpdir={tempfile.gettempdir()}",
            *_user_option(self.user),
        ]
        self._process = start_server(
            "MariaDB",
            command,
            log,
            self.answers,
            self.start_seconds,
            folder=self.folder.parent if self._temporary else None,
            guarded=self._users is None,
        )

    def answers(self) -> bool:
        """Return whether the server accepts connections."""
        import MySQLdb  # an optional package

        try:
            self.connect().close()
        except MySQLdb.OperationalError as error:
            return bool(error.args[0] == TOO_MANY_CONNECTIONS)
        return True

    def connect(self, database: str = "") -> Any:
        """Return a MySQLdb connection as root. Raise MySQLdb.OperationalError."""
        import MySQLdb

        return MySQLdb.connect(
            unix_socket=str(self.socket),
            user="root",
            database=database,
            connect_timeout=CONNECT_SECONDS,
        )

    def url(self, database: str) -> str:
        """Return the DATABASE_URL of a database; create the database if it is missing."""
        with contextlib.closing(self.connect()) as connection:
            connection.query(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        return socket_url(self.socket, database)

    def client_command(self, database: str) -> str:
        """Return the command that opens a database in MariaDB's client."""
        client = "mariadb" if program("mariadb") else "mysql"
        return command_line(client, f"--socket={self.socket}", "--user=root", database)

    def stop(self) -> None:
        """End the server, unless another program still uses it; delete a temporary one."""
        if self._users is None:
            self._end()
            if self._temporary:
                shutil.rmtree(self.folder.parent, ignore_errors=True)
            return
        import fcntl

        with self._exclusive_lock(), self._users:
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _left_running.append(self._process)
            else:
                self._end()

    def _end(self) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((self.folder.parent / "pid").read_text()), signal.SIGTERM)
            if self._process is not None:
                try:
                    self._process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    self.kill()
                self._process.release()
                return
            deadline = time.monotonic() + STOP_SECONDS
            while self.answers() and time.monotonic() < deadline:
                time.sleep(0.01)


def _user_option(user: str) -> list[str]:
    return [f"--user={user}"] if os.geteuid() == 0 else []


def socket_url(socket: Path, database: str) -> str:
    """Return the DATABASE_URL of a database on the server that listens on this socket."""
    return f"mysql://root@localhost/{database}?unix_socket={quote(str(socket), safe='')}"


def is_private_url(url: str) -> bool:
    """Return whether socket_url() returned this URL: its socket is in a folder of labkit."""
    socket = Path(unquote(url.partition("?unix_socket=")[2]))
    return any(part.startswith("labkit-") for part in socket.parts)


def _own_tempdir() -> Path:
    """Return a private folder of this user in the system's temporary folder.

    A socket's path must be shorter than 108 characters, and the path of a checkout may be longer.
    """
    path = Path(tempfile.gettempdir()) / f"labkit-{os.getuid()}"
    make_private_folder(path)
    if path.stat().st_uid != os.getuid():
        raise StartFailed(f"{path} belongs to another user; set TMPDIR to a folder of yours.")
    return path


def data_template() -> Path:
    """Return an empty data folder to copy; it is created once for each version of the server."""
    server = Path(program("mariadbd") or "").resolve()
    mark = hashlib.sha256(f"{server} {server.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    template = _own_tempdir() / f"mariadb-{mark}"
    if not template.exists():
        fresh = Path(tempfile.mkdtemp(dir=_own_tempdir()))
        command = [
            str(program("mariadb-install-db")),
            "--no-defaults",
            *OPTIONS,
            *NOT_DURABLE,
            f"--datadir={fresh}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *_user_option("root"),
        ]
        try:
            subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            shutil.rmtree(fresh, ignore_errors=True)
            said = str(error.stdout or error)[-800:]
            raise StartFailed(f"MariaDB's data folder could not be created:\n{said}") from None
        try:
            fresh.rename(template)
        except OSError:  # another process was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return template
