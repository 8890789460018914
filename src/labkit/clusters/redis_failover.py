"""Two private Redis servers: a primary, and a replica that can take over if the primary dies.

Clients use one path, a link to the socket of the current primary. Redis Sentinel does the same
across machines. https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
"""

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

from labkit.processes.ports import LOOPBACK, free_ports
from labkit.processes.start import StartCancelled, Stoppable
from labkit.services.redis import OPTIONS, PrivateRedis


class Member(PrivateRedis):
    """One of the two servers. A replica connects to its primary's loopback port."""

    def __init__(self, home: Path, number: int, port: int, ending: threading.Event) -> None:
        super().__init__(home / str(number))
        self.folder.mkdir()
        self.number = number
        self.port = port
        self._ending = ending

    def start_as(self, primary: "Member | None") -> None:
        """Start as an empty primary, or as a replica with a copy of its primary's data.

        Raise StartFailed, StartCancelled.
        """
        own = ["--port", str(self.port), "--bind", LOOPBACK, "--repl-diskless-sync-delay", "0"]
        follow = ["--replicaof", LOOPBACK, str(primary.port)] if primary else []
        self.options = [*OPTIONS, *own, *follow]
        self.start()

    def answers(self) -> bool:
        """Return whether the server accepts connections and, as a replica, is up to date."""
        if self._ending.is_set():
            raise StartCancelled
        if not super().answers():
            return False
        return self.execute("INFO", "replication").get("master_link_status", "up") == "up"

    def execute(self, *command: str) -> Any:
        """Return the server's reply to a command. Raise redis.RedisError."""
        from redis import Redis  # an optional package
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        with Redis(unix_socket_path=str(self.socket), retry=Retry(NoBackoff(), 0)) as client:
            return client.execute_command(*command)


class RedisPair(Stoppable):
    """A primary and its replica, which run from `temporary()` to `stop()`; not on Windows."""

    def __init__(self, home: Path, ending: threading.Event) -> None:
        self.home = home
        self.members = [
            Member(home, number, port, ending) for number, port in enumerate(free_ports(2), 1)
        ]
        self.primary, self.replica = self.members
        self._link = home / "socket"

    @classmethod
    def temporary(cls, ending: threading.Event | None = None) -> "RedisPair":
        """Start both servers in a private folder; `stop()` ends them and deletes the folder.

        Setting `ending` cancels the start. Raise NotInstalled, StartFailed, StartCancelled.
        """
        PrivateRedis.check_installed()
        pair = cls(Path(tempfile.mkdtemp(prefix="labkit-")), ending or threading.Event())
        try:
            pair.primary.start_as(None)
            pair.replica.start_as(pair.primary)
            pair._point_to_primary()
        except BaseException:
            pair.stop()
            raise
        return pair

    @property
    def url(self) -> str:
        """Return REDIS_URL for the current primary."""
        return f"unix://{self._link}"

    def fail_over(self) -> None:
        """Promote the replica. Writes that the dead primary had not sent to it are lost."""
        self.replica.execute("REPLICAOF", "NO", "ONE")
        self.primary, self.replica = self.replica, self.primary
        self._point_to_primary()

    def revive_replica(self) -> None:
        """Start the dead server as a replica of the other. Raise StartFailed or StartCancelled."""
        self.replica.start_as(self.primary)

    def _point_to_primary(self) -> None:
        new = self.home / "new"
        new.symlink_to(self.primary.socket)
        os.replace(new, self._link)  # replaced in a single step, so that the link always exists

    def stop(self) -> None:
        """End both servers and delete their folder."""
        for member in self.members:
            member.kill()
        shutil.rmtree(self.home, ignore_errors=True)
