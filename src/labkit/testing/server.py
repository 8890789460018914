"""A lab on a real server and a real socket: a process and a state folder of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_LIMIT = 20  # seconds


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LabServer:
    """`manage.py runserver` for one lab, with DEBUG off. Call `stop()` at the end."""

    def __init__(
        self, folder: Path, state: Path, *, migrate: bool, environ: dict[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = state / "server.log"
        self._environ = os.environ | {"LAB_STATE_DIR": str(state), "LAB_DEBUG": "0"}
        self._environ |= environ or {}
        self._environ.pop("DJANGO_SETTINGS_MODULE", None)
        if migrate:
            self._manage("migrate", "--verbosity=0").wait()
        self._process = self._manage("runserver", "--noreload", f"127.0.0.1:{self.port}")
        self._wait()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """An address on this server."""
        return f"http://{host}:{self.port}{path}"

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        self._process.terminate()
        self._process.wait(START_LIMIT)

    def _manage(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                cwd=self.folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while True:
            try:
                urllib.request.urlopen(self.url("/__lab__/static/lab.css"), timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self._process.kill()
                    log = self.log.read_text(errors="replace")
                    raise RuntimeError(f"{self.folder.name} did not start:\n{log}") from None
            time.sleep(0.01)
