"""Start a server program such as MariaDB or Redis, and wait until it responds."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from labkit.processes.guard import KILL_SECONDS, Guard
from labkit.processes.log_file import LONGEST_ENTRY, last_text


class NotInstalled(Exception):
    """A program or package is not installed; the message says how to install it."""


class StartFailed(Exception):
    """A server did not start; the message ends with the last lines of its log."""


class StartCancelled(Exception):
    """The server is no longer needed, for example because the parent process has ended."""


class Stoppable:
    """Something that runs until `stop()` is called or a with block ends."""

    def stop(self) -> None:
        """End it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class PrivateServer(Stoppable):
    """A server program that this process or another one has started."""

    _process: "ServerProcess | None" = None  # None if another process started the server

    @property
    def pid(self) -> int | None:
        """The ID of the server's process, if this process started it."""
        return self._process.pid if self._process else None

    def has_died(self) -> bool:
        """Return whether this process started the server and it has ended."""
        if self._process is None or self._process.poll() is None:
            return False
        self._process.release()
        return True

    def kill(self) -> None:
        """If this process started the server, kill it and its children, as a power failure would.

        `start()` restarts it.
        """
        if self._process is not None:
            kill_group(self._process)


class ServerProcess(subprocess.Popen[bytes]):
    """A server that also ends if this process is killed, unless `guarded` is false."""

    guard: Guard | None = None

    def release(self) -> None:
        """Stop guarding the server, because it has ended or should outlive this process."""
        if self.guard is not None:
            self.guard.release()


def start_server(
    name: str,
    command: list[str],
    log: Path,
    answers: Callable[[], bool],
    seconds: float,
    *,
    folder: Path | None = None,
    guarded: bool = True,
) -> ServerProcess:
    """Start a server, and wait at most `seconds` until it responds.

    The server runs in its own process session, so that Ctrl-C in the terminal reaches only the
    program that uses it. If this process is killed, the server stops too, and `folder` is deleted.
    Pass `guarded=False` for a server that other programs share, so that it keeps running. Raise
    StartFailed if the server exits or does not answer. If `answers` raises an exception, the server
    is stopped.
    """
    with log.open("ab") as output:
        process = ServerProcess(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        if guarded:
            process.guard = Guard(process.pid, folder)
        wait_until_answering(name, process, log, answers, seconds)
    except BaseException:  # after any exception, even Ctrl-C, the server would keep running
        kill_group(process)
        raise
    return process


def wait_until_answering(
    name: str,
    process: "subprocess.Popen[bytes]",
    log: Path,
    answers: Callable[[], bool],
    seconds: float,
) -> None:
    """Poll a server until it responds. Raise StartFailed if it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            end = "\n".join(last_lines(log, 5))
            raise StartFailed(f"{name} did not start. The end of its log:\n{end}")
        time.sleep(0.01)


def last_lines(log: Path, count: int) -> list[str]:
    """Return the last lines of a log file."""
    return last_text(log, LONGEST_ENTRY).strip().splitlines()[-count:]


def kill_group(process: ServerProcess) -> None:
    """Kill a server that `start_server` started, with all of its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(KILL_SECONDS)
    process.release()
