"""The pipe by which a child process notices, on every system, that its parent has ended.

The pipe is closed even if the parent is killed, and then the child ends. The first line that the
child writes to its stdout means that it is ready.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from typing import IO, Any, Protocol

from labkit.processes.guard import KILL_SECONDS

STOP_SECONDS = 5  # how long a child may take to end after its pipe is closed


class Child(Protocol):
    """The part of `subprocess.Popen` that children of a fork server have too."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


def start_child(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a child that ends when this process does, or when its `stdin` is closed.

    The child gets a separate process group, so that Ctrl-C reaches only the parent, which then ends
    the child. The child's `stdout` is a pipe unless the options name another file.
    """
    options.setdefault("stdout", subprocess.PIPE)
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    return subprocess.Popen(command, stdin=subprocess.PIPE, **options)


def read_line(process: Child, seconds: float) -> bytes:
    """Return the child's next line, or b"" if the child ends. Kill it if no line comes in time."""
    assert process.stdout is not None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()


def close(process: Child) -> None:
    """Close the child's `stdin`, so that the child ends."""
    assert process.stdin is not None
    process.stdin.close()


def end_child(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """Close the pipe and wait until the child has ended; kill it after `seconds`."""
    close(process)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(KILL_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def on_signals(names: Iterable[str], act: Callable[[int], Any]) -> None:
    """Make each of these signals call `act` with its number; skip those that the system lacks.

    SIGHUP is still ignored if it was ignored when this process was started, as by `nohup`.
    """
    for name in names:
        number = getattr(signal, name, None)
        if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
            continue
        signal.signal(number, lambda received, _: act(received))


def exit_on_signals() -> None:
    """Raise SystemExit on `kill` or when the terminal closes, so that with blocks end properly."""
    on_signals(["SIGTERM", "SIGHUP"], lambda number: sys.exit(128 + number))


def on_parent_exit(act: Callable[[], Any], pipe: int = 0) -> None:
    """In the child: call `act` in a thread when the parent ends or closes the pipe.

    `pipe`: the descriptor of the child's end, by default its standard input.
    """

    def wait() -> None:
        while os.read(pipe, 1024):  # nothing is ever sent
            pass
        act()

    threading.Thread(target=wait, daemon=True).start()


def reserve_stdout() -> IO[bytes]:
    """In the child: return the pipe to the parent, and send all other output to stderr."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe
