"""A private Redis server on a socket, in a temporary folder."""

import shutil
import socket
import tempfile
from pathlib import Path

from labkit.processes.start import PrivateServer, start_server
from labkit.services.requirements import program, require_server

# These options disable network access, and keep Redis from saving its data in files.
OPTIONS = ["--port", "0", "--save", "", "--appendonly", "no", "--databases", "1"]

START_SECONDS = 20
ANSWER_SECONDS = 5


class PrivateRedis(PrivateServer):
    """A server that runs from `temporary()` until `stop()`. Not available on Windows."""

    options = OPTIONS

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "socket"

    @staticmethod
    def check_installed() -> None:
        """Raise NotInstalled if the server or the Python package is not installed."""
        require_server("Redis", "redis-py", "redis-server")

    @classmethod
    def temporary(cls) -> "PrivateRedis":
        """Start a server in a private folder; `stop()` ends it and deletes the folder.

        Raise NotInstalled, StartFailed.
        """
        cls.check_installed()
        server = cls(Path(tempfile.mkdtemp(prefix="labkit-")))
        try:
            server.start()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def url(self) -> str:
        """Return REDIS_URL for this server."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start an empty server, and wait until it answers. Raise StartFailed."""
        log = self.folder / "server.log"
        command = [str(program("redis-server")), *self.options]
        command += ["--unixsocket", str(self.socket), "--dir", str(self.folder)]
        self._process = start_server(
            "Redis", command, log, self.answers, START_SECONDS, folder=self.folder
        )

    def answers(self) -> bool:
        """Return whether the server accepts connections."""
        # This does not use redis-py, which would retry for several seconds.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(ANSWER_SECONDS)
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(7) == b"+PONG\r\n"
            except OSError:
                return False

    def stop(self) -> None:
        """End the server and delete its folder."""
        self.kill()  # there is no data to save
        shutil.rmtree(self.folder, ignore_errors=True)
