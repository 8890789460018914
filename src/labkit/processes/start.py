"""Start a server program such as MariaDB or Redis, and wait until it answers."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class NotInstalled(Exception):
    """A program or package is not installed; the message says how to install it."""


class StartFailed(Exception):
    """A server did not start; the message ends with the last lines of its log."""


class StartCancelled(Exception):
    """The server is no longer wanted, for example because the parent process has ended."""


def start_server(
    name: str, command: list[str], log: Path, answers: Callable[[], bool], seconds: float
) -> "subprocess.Popen[bytes]":
    """Start a server and wait until it answers, at most so many seconds.

    The server gets its own session, so that Ctrl-C in the terminal reaches only the program that
    uses it. Raise StartFailed if it ends or does not answer; whatever else `answers` raises ends
    the server too.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until_answering(name, process, log, answers, seconds)
    except BaseException:  # Ctrl-C as well: no one else knows the process yet
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
    """Poll a server until it answers. Raise StartFailed if it ends or is too late."""
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            end = "\n".join(last_lines(log, 5))
            raise StartFailed(f"{name} did not start. The end of its log:\n{end}")
        time.sleep(0.01)


def last_lines(log: Path, count: int) -> list[str]:
    """Return the last lines of a log file."""
    return log.read_text(errors="replace").strip().splitlines()[-count:]


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server that `start_server` started, and all that it has started itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
