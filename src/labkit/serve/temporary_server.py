"""Run a lab during a measurement, on the server that `lab serve` uses."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labkit.processes.parent_pipe import end_child, read_line, start_child
from labkit.processes.ports import LOOPBACK, free_port
from labkit.processes.start import StartFailed, last_lines
from labkit.serve import worker

START_SECONDS = 60


@dataclass(frozen=True)
class TemporaryServer:
    """A lab's server process with its port and log."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait_until_ready(self, name: str) -> None:
        """Wait until the lab is ready. Raises StartFailed, with its last log lines, if it fails."""
        if read_line(self.process, START_SECONDS) != worker.READY:
            end = " ".join(last_lines(self.log, 3))
            raise StartFailed(f"The server of {name} did not start: {end}")


@contextmanager
def temporary_server(
    folder: Path, environ: Mapping[str, str], log: Path, port: int = 0
) -> Iterator[TemporaryServer]:
    """Start the lab in this folder, on this port or a free one; end it when the block ends.

    Several servers can start at the same time; `wait_until_ready()` waits for one of them. Choose
    their ports with `free_ports()`, which returns distinct ports.
    """
    port = port or free_port()
    with log.open("a+b") as output:
        process = start_child(
            worker.command(port, [LOOPBACK]),
            cwd=folder,
            env={**environ, **worker.ENVIRONMENT},
            stderr=output,
        )
    try:
        yield TemporaryServer(port, process, log)
    finally:
        end_child(process)
