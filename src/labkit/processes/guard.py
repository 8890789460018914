"""Ends a server if the process that started it is killed and cannot end it any more.

`python guard.py PID [FOLDER]` is a separate process. It reads its standard input to the end, which
comes when the process that started the server has ended. Unless it has read a line by then, it ends
the server with its process group, and deletes the folder. It imports only the standard library, to
start quickly.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

STOP_SECONDS = 5  # for a process to end by itself
KILL_SECONDS = 60  # for a killed one to be gone, on a busy machine
SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]  # they end the others of a terminal's processes


class Guard:
    """Watches over one process from now on until `release()`."""

    def __init__(self, pid: int, folder: Path | None = None) -> None:
        """`pid`: a process that leads its process group. `folder`: to be deleted with it."""
        command = [sys.executable, "-I", "-S", __file__, str(pid)]
        self._process = subprocess.Popen(
            [*command, *([str(folder)] if folder else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parent,  # a folder that stays
            start_new_session=os.name != "nt",
        )

    def release(self) -> None:
        """Leave the process alone from now on. Calling it again does nothing."""
        if self._process.poll() is not None:
            return
        try:
            self._process.communicate(b"released\n", STOP_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(STOP_SECONDS)


def end_group(pid: int, seconds: float = STOP_SECONDS) -> None:
    """End a process with its group; kill what has not ended after so many seconds."""
    if not _send(pid, "SIGTERM"):
        return
    deadline = time.monotonic() + seconds
    while _send(pid, "") and time.monotonic() < deadline:
        time.sleep(0.02)
    _send(pid, "SIGKILL")


def end_child_group(process: "subprocess.Popen[bytes]", seconds: float = STOP_SECONDS) -> None:
    """End a child that leads its process group, and all of that group, within so many seconds."""
    _send(process.pid, "SIGTERM")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    _send(process.pid, "SIGKILL")
    process.wait(KILL_SECONDS)


def interrupt_group(pid: int) -> None:
    """Send a process group what Ctrl-C sends."""
    _send(pid, "SIGINT")


def _send(pid: int, name: str) -> bool:
    """Send a signal, or none, to a process group; return whether there is one."""
    try:
        if os.name == "nt":  # there every signal ends the process
            os.kill(pid, signal.SIGTERM)
            return False
        os.killpg(pid, getattr(signal, name, 0))
    except OSError:
        return False
    return True


def main(pid: int, folder: str = "") -> None:
    """See the module's docstring."""
    for name in SIGNALS:
        with contextlib.suppress(AttributeError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if sys.stdin.buffer.read():
        return
    end_group(pid)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
