"""A private cluster of three MariaDB nodes that replicate with Galera, behind HAProxy.

Each node stores every session, and HAProxy forwards each new connection to the next node. If a node
is killed, the others continue, and update the node after it restarts. All files are in a temporary
folder. https://mariadb.com/kb/en/galera-cluster/
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from labkit.processes.ports import LOOPBACK, free_ports
from labkit.processes.start import (
    ServerProcess,
    StartCancelled,
    Stoppable,
    kill_group,
    start_server,
)
from labkit.services.mariadb import NOT_DURABLE, OPTIONS, PrivateMariaDB, data_template, socket_url
from labkit.services.requirements import TOOLS, program, require_server

NODES = 3  # the minimum: if one node fails, the other two are still a majority
SUSPECT = 2  # seconds without a message after which a node is excluded; Galera's default is 5
START_SECONDS = 90  # this includes the time to copy all data from another node
# The user that runs the nodes if this process runs as root, because rsync drops root's privileges.
USER = "mysql"

# See https://mariadb.com/kb/en/configuring-mariadb-galera-cluster/
REPLICATED = [
    "--wsrep-on=ON",
    "--wsrep-cluster-name=labkit",
    "--wsrep-sst-method=rsync",
    "--binlog-format=ROW",
    "--default-storage-engine=InnoDB",
    "--innodb-autoinc-lock-mode=2",
    # Reads and writes wait until the node has applied all changes that other nodes acknowledged.
    # Otherwise, the page after a redirect could show an old cart.
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
    """A node of the cluster. Its version string contains its number, counted from 1."""

    user = USER
    start_seconds = START_SECONDS

    def __init__(self, cluster: "Cluster", number: int, ports: list[tuple[int, int, int]]) -> None:
        """`ports` has three ports for each node: for messages, missed changes, and a full copy."""
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
        self.proxy_socket = home / "proxy-socket"  # this link exists while the node is ready
        self._cluster = cluster
        self._all = ",".join(f"{LOOPBACK}:{group}" for group, _, _ in ports)

    def join(self, *, first: bool = False) -> None:
        """Start the node, as the first one or to join the others, and wait until it is up to date.

        Raise StartFailed, StartCancelled.
        """
        self.proxy_socket.unlink(missing_ok=True)
        usual = self._options
        self._options = [*usual, f"--wsrep-cluster-address=gcomm://{'' if first else self._all}"]
        try:
            self.start()
        finally:
            self._options = usual
        self.proxy_socket.symlink_to(self.socket)

    def answers(self) -> bool:
        """Return whether the node has joined and is up to date. Raise StartCancelled if stopped."""
        if self._cluster.ending.is_set():
            raise StartCancelled
        return self.status("wsrep_ready") == "ON"

    def status(self, name: str) -> str:
        """Return a status variable such as wsrep_cluster_size, or "" if the node is down."""
        import MySQLdb  # an optional package

        try:
            with contextlib.closing(self.connect()) as connection:
                cursor = connection.cursor()
                cursor.execute("SHOW STATUS LIKE %s", [name])
                row = cursor.fetchone()
        except MySQLdb.Error:
            return ""
        return row[1] if row else ""


class Cluster(Stoppable):
    """All nodes and HAProxy, from `temporary()` to `stop()`."""

    def __init__(self, home: Path, ending: threading.Event) -> None:
        self.home = home
        self.ending = ending
        self.socket = home / "socket"  # HAProxy's
        free = free_ports(3 * NODES)
        ports = list(zip(free[::3], free[1::3], free[2::3], strict=True))
        self.nodes = [Node(self, number + 1, ports) for number in range(NODES)]
        self._proxy: ServerProcess | None = None
        if os.geteuid() == 0:
            for path in [home, *home.rglob("*")]:
                shutil.chown(path, USER, USER)

    @staticmethod
    def check_installed() -> None:
        """Raise NotInstalled if a required program is missing."""
        require_server("cluster", "mysqlclient", "mariadb", "galera")

    @classmethod
    def temporary(cls, ending: threading.Event | None = None) -> "Cluster":
        """Start the cluster, which takes about 10 s; `stop()` deletes it.

        Setting `ending` cancels the start. Raise NotInstalled, StartFailed, StartCancelled.
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
        servers = [f"    server node-{n.number} unix@{n.proxy_socket}" for n in self.nodes]
        config = self.home / "haproxy.cfg"
        config.write_text(HAPROXY.format(socket=self.socket, servers="\n".join(servers)))
        command = [str(program("haproxy")), "-db", "-q", "-f", str(config)]
        log = self.home / "haproxy.log"
        self._proxy = start_server("HAProxy", command, log, self._answers, START_SECONDS)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(START_SECONDS)
            try:
                probe.connect(str(self.socket))
                return bool(probe.recv(1))  # the first byte of a node's greeting
            except OSError:
                return False

    def url(self, database: str) -> str:
        """Return DATABASE_URL for a database behind HAProxy; create it if it is missing.

        Every node has the database afterwards. Galera executes a change of the schema in the same
        order on all nodes, so a node that executes the second one has applied the first.
        """
        for node in self.nodes:
            node.url(database)
        return socket_url(self.socket, database)

    def dead(self) -> list[Node]:
        """Return the nodes whose process has ended."""
        return [node for node in self.nodes if node.has_died()]

    def stop(self) -> None:
        """End all processes and delete the folder with all data."""
        self.ending.set()
        for node in self.nodes:
            node.kill()
        if self._proxy is not None:
            kill_group(self._proxy)
        shutil.rmtree(self.home, ignore_errors=True)


def _version() -> str:
    """Return the server's version, such as 10.11.19."""
    output = subprocess.run(
        [str(program("mariadbd")), "--version"],
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    ).stdout
    found = re.search(r"Ver ([0-9.]+)", output)
    return found[1] if found else "10.11.0"
