"""Run a lab on a real server, in a separate process with a separate state folder."""

import http.client
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from labkit import environment
from labkit.processes.guard import Guard, end_child_group
from labkit.processes.ports import free_port
from labkit.processes.start import wait_until_answering

START_LIMIT = 60  # in seconds; starting usually takes one second, or ten on a busy machine

SERVERS = {
    "runserver": ["manage.py", "runserver", "--noreload", "127.0.0.1:{port}"],
    "waitress": [
        "-m",
        "waitress",
        "--listen=127.0.0.1:{port}",
        "--call",
        "django.core.wsgi:get_wsgi_application",
    ],
    # The server that `lab serve` uses.
    "worker": ["-m", "labkit.serve.worker", "{port}", "127.0.0.1"],
}

# {(lab folder, environment): (relative path, content) of a migrated database}
_migrated: dict[tuple[Path, frozenset[tuple[str, str]]], tuple[Path, bytes]] = {}
NOT_ABOUT_TABLES = {"LAB_DEBUG", "LAB_HOSTS", "LAB_PANEL", "REDIS_URL", "SESSION_ENGINE"}


class LabServer:
    """A lab that runs on one of SERVERS with DEBUG off. Call `stop()` at the end."""

    def __init__(
        self,
        folder: Path,
        *,
        migrate: bool,
        server: str = "runserver",
        environ: dict[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.port = free_port()
        # The state is in memory if possible, because SQLite waits for the disk on each write.
        memory = Path("/dev/shm")  # noqa: S108 only the owner can open the new folder
        self._state = tempfile.TemporaryDirectory(
            prefix="labkit-", dir=memory if os.access(memory, os.W_OK) else None
        )
        self.state = Path(self._state.name)
        self.log = self.state / "server.log"
        # The user's DATABASE_URL is ignored, but a test may set another one in `environ`.
        self._environ = environment.without_shared()
        self._environ |= {"LAB_STATE_DIR": self._state.name, "LAB_DEBUG": "0"}
        self._environ["DJANGO_SETTINGS_MODULE"] = "lab.settings"
        self._environ["LAB_PANEL"] = "1"  # turns the panel on, as in normal use
        self._environ |= environ or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None
        try:
            if migrate:
                self._migrate_once(environ or {})
            self._command = [part.format(port=self.port) for part in SERVERS[server]]
            self.start()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int | None:
        """Return the ID of the server's process, or None before the server has been started."""
        return self._process.pid if self._process else None

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Return a URL on this server."""
        return f"http://{host}:{self.port}{path}"

    def _migrate_once(self, environ: dict[str, str]) -> None:
        """Create the tables, or copy the SQLite file from an earlier server.

        The migrated database is copied, because `migrate` takes longer than starting the server.
        Nothing else is copied, so each server has a different secret key.
        """
        relevant = environ.keys() - NOT_ABOUT_TABLES
        key = (self.folder, frozenset((name, environ[name]) for name in relevant))
        if key in _migrated:
            path, content = _migrated[key]
            (self.state / path).parent.mkdir()
            (self.state / path).write_bytes(content)
            return
        self.migrate()
        files = [path.relative_to(self.state) for path in self.state.glob("*/db.sqlite3*")]
        # There may be no such file (MariaDB) or several (with a write-ahead log).
        if len(files) == 1:
            _migrated[key] = (files[0], (self.state / files[0]).read_bytes())

    def migrate(self) -> None:
        """Create the database tables. Raise RuntimeError with the server's log if that fails."""
        self.manage("migrate", "--verbosity=0")

    def manage(self, *arguments: str) -> None:
        """Run a manage.py command. Raise RuntimeError with the server's log if it fails."""
        with self._start_python("manage.py", *arguments) as process:
            failed = process.wait(START_LIMIT)
        if failed:
            log = self.log.read_text(errors="replace")
            raise RuntimeError(f"{self.folder.name}: {' '.join(arguments)} failed:\n{log}")

    def start(self) -> None:
        """Start the server, and wait until it responds. Raise StartFailed if it does not."""
        self._process = self._start_python(*self._command)
        name = self.folder.name
        self._guard = Guard(self._process.pid, self.state)
        wait_until_answering(name, self._process, self.log, self._answers, START_LIMIT)

    def kill(self) -> None:
        """Kill the server, as a power failure would; `start()` restarts it with the same state."""
        assert self._process is not None
        self._process.kill()
        self._end(0)

    def stop(self) -> None:
        """Stop the server, wait until it has ended, and delete its state."""
        self._end(START_LIMIT)
        self._state.cleanup()

    def _end(self, seconds: float) -> None:
        if self._process is None:
            return
        end_child_group(self._process, seconds)
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    def _start_python(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.PIPE,  # the worker ends when this pipe to it is closed
                stdout=log,
                stderr=log,
                start_new_session=os.name != "nt",
            )

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/__lab__/static/lab.css")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
