"""Start pytest as a copy of a process that has already imported pytest and Django.

This takes about half as long as a new process. Tests that check the process itself start new ones.
"""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from functools import cache
from importlib import import_module

from labkit.processes.fork_server import ForkServer, serve
from labkit.processes.parent_pipe import end_child, start_child

LIMIT = 600  # in seconds, for a run


class PytestServer(ForkServer):
    """A fork server whose children run pytest. It is a new process, since this one has threads."""

    def __init__(self):
        self.control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self.pid = self._process.pid

    def start_child(self, command, *, cwd, env, stdout, stderr):
        """Replace the function of this name in labkit.testing.pytest_runner."""
        assert command[:3] == [sys.executable, "-m", "pytest"]
        assert stderr == subprocess.STDOUT
        return self.start(command, cwd=cwd, env=env, stderr=stdout)


@cache
def pytest_server():
    """Return the fork server of this process, which ends with this process."""
    return PytestServer()


def run_forked(*arguments, cwd, env):
    """Run pytest with these arguments; return (exit status, output)."""
    command = [sys.executable, "-m", "pytest", *map(str, arguments)]
    start = pytest_server().start_child if sys.platform == "linux" else start_child
    with tempfile.TemporaryFile() as output:
        process = start(command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            status = process.wait(LIMIT)
        finally:
            end_child(process)
        output.seek(0)
        return status, output.read().decode("utf-8", "replace")


# These functions run in the fork server and its children.


def run_pytest(command):
    """Do what Python does at its start, and then what `python -m pytest` does."""
    import pytest

    end = os._exit  # labkit.testing.watchdog replaces it
    os.dup2(2, 1)  # there is one file for all output
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # pytest changes labkit's modules when it imports them, so that they explain assertions.
    for name in [name for name in sys.modules if name.partition(".")[0] == "labkit"]:
        del sys.modules[name]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = command[2:]
    status = 1
    try:
        status = pytest.main()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()
    sys.stdout.flush()
    sys.stderr.flush()
    end(status)


def main():
    import pytest  # noqa: F401

    from labkit.serve.preload import MODULES

    # The labs need these modules. Another Django may not have one of them.
    for name in [name for name in MODULES.split() if name.startswith("django.")]:
        with contextlib.suppress(ImportError):
            import_module(name)
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])), run_pytest)


if __name__ == "__main__":
    main()
