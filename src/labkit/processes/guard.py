"""End a server if the process that started it is killed and so cannot end it.

`python guard.py PID [FOLDER]` is a separate process. The guard reads its standard input until the
process that started the server ends. If it has not received a line by then, it ends the server's
process group and deletes the folder. It imports only the standard library, so that it starts
quickly.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

STOP_SECONDS = 5  # how long a process may take to end after it received the signal
KILL_SECONDS = 60  # how long a killed process may take to disappear on a busy machine
# The guard ignores these, because a terminal sends them to all of its processes.
SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]


class Guard:
    """Watch a process until `release()` is called."""

    def __init__(self, pid: int, folder: Path | None = None) -> None:
        """Start watching the process group led by `pid`; delete `folder` when the group ends."""
        command = [sys.executable, "-I", "-S", __file__, str(pid)]
        self._process = subprocess.Popen(
            [*command, *([str(folder)] if folder else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parent,  # a folder that is never deleted
            start_new_session=os.name != "nt",
        )

    def release(self) -> None:
        """Stop watching. A second call does nothing."""
        if self._process.poll() is not None:
            return
        try:
            self._process.communicate(b"released\n", STOP_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(STOP_SECONDS)


def end_group(pid: int, seconds: float = STOP_SECONDS) -> None:
    """End a process group; kill any process that has not ended after `seconds`."""
    if not _send(pid, "SIGTERM"):
        return
    deadline = time.monotonic() + seconds
    while _send(pid, "") and time.monotonic() < deadline:
        time.sleep(0.02)
    _send(pid, "SIGKILL")


def end_child_group(process: "subprocess.Popen[bytes]", seconds: float = STOP_SECONDS) -> None:
    """End the process group of this child within `seconds`. The child leads its group."""
    _send(process.pid, "SIGTERM")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    _send(process.pid, "SIGKILL")
    process.wait(KILL_SECONDS)


def interrupt_group(pid: int) -> None:
    """Send a process group the signal that Ctrl-C sends."""
    _send(pid, "SIGINT")


def _send(pid: int, name: str) -> bool:
    """Send a signal to a process group; return whether the group exists."""
    try:
        if os.name == "nt":  # on Windows, every signal ends the process
            os.kill(pid, signal.SIGTERM)
            return False
        os.killpg(pid, getattr(signal, name, 0))
    except OSError:
        return False
    return True


def main(pid: int, folder: str = "") -> None:
    """Wait until the parent ends, then end the server if needed; see the module's docstring."""
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
