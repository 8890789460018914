"""A cluster of one's own: three MariaDB nodes that replicate by Galera, and HAProxy in front.

Each node has every session, and HAProxy hands a connection to each in turn. One that is killed is
started again and brought up to date by the others; meanwhile they go on. All of it lies in a folder
to throw away. https://mariadb.com/kb/en/galera-cluster/
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from labkit.processes.ports import LOOPBACK, free_ports
from labkit.processes.start import NotInstalled, StartCancelled, kill_group, start_server
from labkit.services.mariadb import NOT_DURABLE, OPTIONS, PrivateMariaDB, data_template, socket_url
from labkit.services.requirements import TOOLS, missing_tools, program

NODES = 3  # the least of which one can be missed: two of three still are the majority
SUSPECT = 2  # seconds without a word from a node until the others go on without it; Galera's own: 5
START_SECONDS = 90  # seconds, with the copy of all data from another node
USER = "mysql"  # as root: rsync gives root's rights up and could not enter root's folder

# See https://mariadb.com/kb/en/configuring-mariadb-galera-cluster/
REPLICATED = [
    "--wsrep-on=ON",
    "--wsrep-cluster-name=labkit",
    "--wsrep-sst-method=rsync",
    "--binlog-format=ROW",
    "--default-storage-engine=InnoDB",
    "--innodb-autoinc-lock-mode=2",
    # Whoever asks one node sees what another one has acknowledged before: reads and writes wait
    # for it. Else a page after a redirect could show the cart of a moment ago.
    "--wsrep-sync-wait=7",
]
TIMES = (
    f"evs.suspect_timeout=PT{SUSPECT}S;evs.inactive_timeout=PT{3 * SUSPECT}S;"
    "evs.inactive_check_period=PT0.5S;evs.keepalive_period=PT0.5S;gcache.size=8M"
)
HAPROXY = """\
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    retries 3
    option redispatch 1
listen mariadb
    bind unix@{socket}
    balance roundrobin
    default-server check inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions
{servers}
"""


class Node(PrivateMariaDB):
    """One of the nodes. Its number, from 1, is in the version that it tells each connection."""

    user = USER
    start_seconds = START_SECONDS

    def __init__(self, cluster: "Cluster", number: int, ports: list[tuple[int, int, int]]) -> None:
        """`ports` has for each node those of the group, of catching up and of the first copy."""
        home = cluster.home / str(number)
        home.mkdir()
        shutil.copytree(data_template(), home / "data")
        group, catch_up, copy = ports[number - 1]
        options = [option for option in OPTIONS if option != "--skip-log-bin"]
        options += [*NOT_DURABLE, *REPLICATED, f"--wsrep-provider={TOOLS['galera'].found()}"]
        options += [
            f"--wsrep-node-name=node-{number}",
            f"--wsrep-node-address={LOOPBACK}",
            f"--wsrep-sst-receive-address={LOOPBACK}:{copy}",
            f"--wsrep-provider-options=gmcast.listen_addr=tcp://{LOOPBACK}:{group};"
            f"ist.recv_addr={LOOPBACK}:{catch_up};{TIMES}",
            f"--version={_version()}-MariaDB-node-{number}",
        ]
        super().__init__(home / "data", home / "socket", options, temporary=False)
        self.number = number
        self.way_in = home / "way-in"  # HAProxy's, there for as long as the node is ready
        self._cluster = cluster
        self._all = ",".join(f"{LOOPBACK}:{group}" for group, _, _ in ports)

    def join(self, *, first: bool = False) -> None:
        """Start with what the others have, or as the first one; wait until it is up to date.

        Raises StartFailed, StartCancelled.
        """
        self.way_in.unlink(missing_ok=True)
        usual = self._options
        self._options = [*usual, f"--wsrep-cluster-address=gcomm://{'' if first else self._all}"]
        try:
            self.start()
        finally:
            self._options = usual
        self.way_in.symlink_to(self.socket)

    def answers(self) -> bool:
        """Whether it takes part in the cluster, and is up to date. Raises StartCancelled."""
        if self._cluster.ending.is_set():
            raise StartCancelled
        return self.status("wsrep_ready") == "ON"

    def status(self, name: str) -> str:
        """One of its status variables, such as wsrep_cluster_size; empty where it is down."""
        import MySQLdb  # an extra, absent by default

        try:
            with contextlib.closing(self.connect()) as connection:
                cursor = connection.cursor()
                cursor.execute("SHOW STATUS LIKE %s", [name])
                row = cursor.fetchone()
        except MySQLdb.Error:
            return ""
        return row[1] if row else ""


class Cluster:
    """All nodes and HAProxy. Make it with `temporary()`, end it with `stop()`."""

    def __init__(self, home: Path, ending: threading.Event) -> None:
        self.home = home
        self.ending = ending
        self.socket = home / "socket"  # HAProxy's
        free = free_ports(3 * NODES)
        ports = list(zip(free[::3], free[1::3], free[2::3], strict=True))
        self.nodes = [Node(self, number + 1, ports) for number in range(NODES)]
        self._proxy: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            for path in [home, *home.rglob("*")]:
                shutil.chown(path, USER, USER)

    @staticmethod
    def check_installed() -> None:
        """Raises NotInstalled where a part of it is not installed."""
        if sys.platform == "win32":
            raise NotInstalled(
                f"There is no private cluster on Windows: {TOOLS['galera'].lines['']}"
            )
        if missing := missing_tools(["mysqlclient", "mariadb", "galera"]):
            raise NotInstalled(". ".join(missing))

    @classmethod
    def temporary(cls, ending: threading.Event | None = None) -> "Cluster":
        """Start all of it, about 10 s; `stop()` deletes it. `ending`, once set, breaks that off.

        Raises NotInstalled, StartFailed, StartCancelled.
        """
        cls.check_installed()
        home = Path(tempfile.mkdtemp(prefix="labkit-"))
        cluster = cls(home, ending or threading.Event())
        try:
            for node in cluster.nodes:
                node.join(first=node.number == 1)
            cluster._start_proxy()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def _start_proxy(self) -> None:
        servers = [f"    server node-{n.number} unix@{n.way_in}" for n in self.nodes]
        config = self.home / "haproxy.cfg"
        config.write_text(HAPROXY.format(socket=self.socket, servers="\n".join(servers)))
        command = [str(program("haproxy")), "-db", "-q", "-f", str(config)]
        log = self.home / "haproxy.log"
        self._proxy = start_server("HAProxy", command, log, self._answers, START_SECONDS)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
                return bool(probe.recv(1))  # a node's greeting
            except OSError:
                return False

    def url(self, database: str) -> str:
        """DATABASE_URL for this database behind HAProxy, which is made if it is missing."""
        self.nodes[0].url(database)
        return socket_url(self.socket, database)

    def dead(self) -> list[Node]:
        """The nodes whose process has ended."""
        return [node for node in self.nodes if node.has_died()]

    def stop(self) -> None:
        """End all of it and delete its folder; what the nodes hold is thrown away."""
        self.ending.set()
        for node in self.nodes:
            node.discard()
        if self._proxy is not None:
            kill_group(self._proxy)
        shutil.rmtree(self.home, ignore_errors=True)


def _version() -> str:
    """The server's version, such as 10.11.19."""
    said = subprocess.run(
        [str(program("mariadbd")), "--version"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"Ver ([0-9.]+)", said)
    return found[1] if found else "10.11.0"
