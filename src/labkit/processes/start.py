"""Starts a server of one's own, MariaDB or Redis, and waits until it answers."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


class Missing(Exception):
    """Something that a private server needs is not installed; the message says how to get it."""


class Failed(Exception):
    """The server did not start; the message ends with the last lines of its log."""


class Ended(Exception):
    """Whoever wanted the server is gone, or wants it no more, while it was starting."""


def started(
    name: str, command: list[str], log: Path, answers: Callable[[], bool], limit: float
) -> "subprocess.Popen[bytes]":
    """Start this server and wait until it answers, `limit` seconds at most. Raises Failed."""
    with log.open("ab") as output:
        # A session of its own: Ctrl-C in the terminal is for who uses it, who then stops it.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + limit
    try:
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(errors="replace").splitlines()[-5:]
                raise Failed(f"{name} did not start. The end of its log:\n" + "\n".join(last))
            time.sleep(0.01)
    except BaseException:  # Ctrl-C as well: nobody else knows of it yet
        kill(process)
        raise
    return process


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server that `started` has started, and whatever it has started itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
