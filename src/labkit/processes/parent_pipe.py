"""The pipe that ties a child process to its parent, the same on every system."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import IO, Any


def spawn(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a child that ends when this process does, or when its `stdin` is closed.

    It has a group of its own: Ctrl-C in the terminal is for the parent, which then ends it.
    """
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def cut(process: subprocess.Popen[bytes]) -> None:
    """Close the child's `stdin`, by which it ends."""
    assert process.stdin is not None
    process.stdin.close()


def exit_on_signals() -> None:
    """Have `kill` and closing the terminal end this process as SystemExit, on the way out.

    So that what it has started ends with it, a private MariaDB too.
    """
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))


def on_parent_exit(act: Callable[[], Any]) -> None:
    """In the child: call `act` in a thread as soon as the parent is gone or has cut the pipe."""

    def wait() -> None:
        while os.read(0, 1024):  # nothing is ever sent
            pass
        act()

    threading.Thread(target=wait, daemon=True).start()


def reserve_stdout() -> IO[bytes]:
    """In the child: the pipe to the parent; what is printed goes to stderr from now on."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe
