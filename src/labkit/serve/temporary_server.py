"""One lab on the server that `lab serve` gives it, for as long as somebody measures it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labkit.processes.parent_pipe import cut, spawn
from labkit.processes.ports import LOOPBACK, free_port
from labkit.processes.start import Failed
from labkit.serve.worker import READY

STOP_LIMIT = 5  # seconds


@dataclass(frozen=True)
class Worker:
    """A lab's process."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait(self, name: str) -> None:
        """Until it answers. Raises Failed with the last of what it said."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() != READY:
            said = self.log.read_text(errors="replace").strip().splitlines()[-3:]
            raise Failed(f"The server of {name} did not start: {' '.join(said)}")


@contextmanager
def worker(folder: Path, environ: Mapping[str, str], log: Path, port: int = 0) -> Iterator[Worker]:
    """Start this lab at this port, or one of its own; it ends with the block, or with this process.

    It is not waited for, so that several can start at the same time: `wait()` does that. Theirs
    must come from `free_ports()`, since none listens while the next one is chosen.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "labkit.serve.worker", str(port), LOOPBACK]
    with log.open("ab") as output:
        process = spawn(command, cwd=folder, env=environ, stderr=output)
    try:
        yield Worker(port, process, log)
    finally:
        cut(process)
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
