"""Several servers of the same lab behind a load balancer, for `lab run NN --servers 2`."""

import time
from collections.abc import Callable, Mapping

from labkit.catalog import Lab
from labkit.clusters.load_balancer import SERVER_LETTERS, LoadBalancer
from labkit.processes import ports
from labkit.processes.start import StartFailed, Stoppable
from labkit.serve.supervisor import START_SECONDS, LabProcess, end_all


class ServerPool(Stoppable):
    """Several processes of one lab, as `lab serve` runs them, and their load balancer."""

    def __init__(
        self,
        lab: Lab,
        environ: Mapping[str, str],
        port: int,
        count: int,
        report: Callable[[str], None],
    ) -> None:
        """Set up `count` servers of a lab. `port` is the load balancer's.

        `report` is called with a sentence whenever a server starts or ends. With the engine `file`,
        each server has a separate folder, as on separate machines, unless LAB_SESSION_FOLDER names
        a folder for all servers to share.
        """
        self._port = port
        self._report = report
        self._ending = False
        own_folders = uses_files(environ) and "LAB_SESSION_FOLDER" not in environ
        self.servers = []
        free = ports.free_ports(count, excluding=port)
        for letter, place in zip(SERVER_LETTERS, free, strict=False):
            own = {**environ, "LAB_DEBUG": "0", "LAB_SERVER": letter, "LAB_SERVERS": str(count)}
            if own_folders:
                own["LAB_SESSION_FOLDER"] = f"sessions-{letter}"
            self.servers.append(
                LabProcess(lab, place, [ports.LOOPBACK], own, self._report_state, letter)
            )
        self._balancer = LoadBalancer(port, [server.port for server in self.servers])

    def start(self) -> None:
        """Start all servers, and wait until each one responds. Raise StartFailed."""
        for server in self.servers:
            server.start()
        deadline = time.monotonic() + START_SECONDS
        while not all(server.stable.is_set() for server in self.servers):
            if time.monotonic() > deadline:
                break  # the supervisor gives up after START_SECONDS too
            time.sleep(0.02)
        if failed := [server for server in self.servers if server.state != "running"]:
            raise StartFailed(f"Server {failed[0].letter} did not start: {failed[0].reason}")
        try:
            self._balancer.start()
        except OSError as error:  # another program has taken the port
            raise StartFailed(f"The load balancer cannot use port {self._port}: {error}") from None

    def stop(self) -> None:
        """End the load balancer and all servers, and wait until they have ended."""
        self._ending = True
        self._balancer.stop()
        end_all(self.servers)

    def _report_state(self, server: LabProcess, sentence: str) -> None:
        if self._ending:
            return
        name = f"Server {server.letter}"
        if sentence:
            self._report(f"{name} {sentence}. The other servers continue.")
        elif server.state == "running":
            self._report(f"{name} is process {server.pid}. Its own URL is {server_url(server)}")
        elif server.state == "failed":
            self._report(f"{name} failed: {server.reason} (see {server.log})")


def server_url(server: LabProcess) -> str:
    """Return the URL of one server, without the load balancer."""
    return f"http://{ports.LOOPBACK}:{server.port}/"


def uses_files(environ: Mapping[str, str]) -> bool:
    """Return whether the session engine uses files."""
    return environ.get("SESSION_ENGINE", "").endswith(".file")
