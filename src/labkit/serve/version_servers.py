"""Run textbook versions alongside the labs, each at its own host name, on this machine only."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from labkit import environment
from labkit.catalog import Catalog, CatalogError, writable
from labkit.processes import ports
from labkit.processes.fork_server import ForkServer
from labkit.serve.supervisor import LabProcess, end_all, wait_for_all
from labkit.textbook_versions import Version

MOST = 6  # the maximum number of running versions; each uses 35 MB
TOO_MANY = "{count} textbook versions are running. Stop one before you start another."
DOES_NOT_START = "{name} does not start: Django refuses it."


@dataclass(frozen=True)
class VersionServer:
    """A textbook version and its process."""

    version: Version
    process: LabProcess


class VersionServers:
    """The textbook versions that the instructor has started.

    Each version has its own copy of the lab, its own state, a free port and the host name
    NAME.localhost, which keeps its cookies separate from those of the labs. Versions are not
    reachable from the network.
    """

    def __init__(
        self,
        checkout: Catalog,
        environ: Mapping[str, str],
        report: Callable[[LabProcess, str], None],
        fork_server: ForkServer | None = None,
    ) -> None:
        """`environ`: the labs' environment; its database, engine and address are not used here."""
        self._checkout = checkout
        self._environ = environment.without_shared(environ) | {
            "DJANGO_SETTINGS_MODULE": "lab.settings",
            "LAB_HOSTS": "",
        }
        self._report = report
        self._fork_server = fork_server
        self._lock = threading.Lock()
        self._servers: dict[str, VersionServer] = {}

    @property
    def all(self) -> list[VersionServer]:
        """All versions that were started and not stopped, in the order of their starts."""
        with self._lock:
            return list(self._servers.values())

    def find(self, full_name: str) -> VersionServer | None:
        """Return the server of a version, such as "03:names-as-cookies", or None."""
        with self._lock:
            return self._servers.get(full_name)

    def start(self, version: Version) -> VersionServer:
        """Start a version; wait at most RESTART_SECONDS until it is ready or has failed.

        If the version is already running, it is not restarted. Raises CatalogError if Django
        refuses to start it, if too many versions are running, or if its folder cannot be written.
        """
        if not version.starts:
            raise CatalogError(DOES_NOT_START.format(name=version.full_name))
        with self._lock:
            server = self._servers.get(version.full_name)
            if server is None or server.process.state in {"failed", "stopped"}:
                others = len(self._servers.keys() - {version.full_name})
                if others >= MOST:
                    raise CatalogError(TOO_MANY.format(count=others))
                if server is not None:
                    end_all([server.process])
                server = self._start(version)
        wait_for_all([server.process.stable])
        return server

    def _start(self, version: Version) -> VersionServer:
        folder = writable(version.state(self._checkout).absolute())
        lab = version.write(folder)
        process = LabProcess(
            lab,
            ports.free_port(),
            [ports.LOOPBACK],
            {**self._environ, "LAB_STATE_DIR": str(folder)},
            self._report,
            name=version.full_name,
            host=version.host,
            state=writable(folder / lab.number),
            fork_server=self._fork_server,
        )
        process.start()
        self._servers[version.full_name] = VersionServer(version, process)
        return self._servers[version.full_name]

    def stop(self, full_name: str) -> None:
        """Stop a version, if it is running, and wait until its process has ended."""
        with self._lock:
            server = self._servers.pop(full_name, None)
        if server is not None:
            end_all([server.process])

    def stop_all(self) -> None:
        """Stop all versions, and wait until their processes have ended."""
        with self._lock:
            servers = list(self._servers.values())
            self._servers.clear()
        end_all([server.process for server in servers])
