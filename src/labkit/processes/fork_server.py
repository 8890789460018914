"""Start child processes as copies of one process that has imported what they need.

The fork server is a process without threads. For each child, it receives the files that the child
uses, makes a copy of itself (a fork), and reports how the child ended. Forking is safe only without
threads: https://docs.python.org/3/library/os.html#os.fork. Like a child of
`parent_pipe.start_child`, it has its own process session and ends when its `stdin` is closed.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, NoReturn

Run = Callable[[list[str]], None]  # the function that a child calls with its command
UNKNOWN_STATUS = 255  # used if the fork server was killed before it reported the status
M_ARENA_MAX = -8  # a parameter of glibc's mallopt()
COMM = Path("/proc/self/comm")  # the name of this process in the output of ps and top


class ForkServerError(OSError):
    """The fork server has ended, or cannot start a process."""


class ForkedProcess:
    """A child of the fork server, with the methods of `subprocess.Popen` that labkit uses."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], status: IO[bytes]) -> None:
        """Wait until the child exists. Raises ForkServerError if it is not created.

        `status` contains a line with the process ID and, at the end, one with the exit status.
        """
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._status = status
        self.returncode: int | None = None
        line = status.readline()
        if not line:
            raise ForkServerError("The process could not be created.")
        self.pid = int(line)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the process to end; return its exit status, or minus the number of a signal.

        Raises TimeoutExpired after `timeout` seconds.
        """
        if self.returncode is None:
            if timeout is not None and not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            self.returncode = int(self._status.readline() or UNKNOWN_STATUS)
            self._status.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return the exit status as `wait` does, or None if the process has not ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def kill(self) -> None:
        """Kill the child, if it has not ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class ForkServer:
    """The process that is copied for each child."""

    def __init__(self, run: Run) -> None:
        """Create the fork server as a copy of this process, which must have no other threads.

        Import everything that `run` needs before. Each child calls `run` with its command, and
        ends when `run` returns.
        """
        gc.freeze()  # otherwise, a collection writes to all objects and so copies shared memory
        sys.stdout.flush()
        sys.stderr.flush()
        self.control, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            self.control.close()  # so that it is closed when the parent ends
            _call_and_exit(partial(serve, theirs, run))
        theirs.close()

    def start(
        self, command: list[str], *, cwd: Path, env: Mapping[str, str], stderr: IO[bytes]
    ) -> ForkedProcess:
        """Start a child in this folder, with these environment variables.

        Raises ForkServerError if no child can be created. A child that cannot use the folder writes
        the reason to its stderr.
        """
        request = json.dumps({"command": command, "cwd": str(cwd), "env": dict(env)})
        pipes = [os.pipe() for _ in range(3)]
        (reads_stdin, stdin), (stdout, writes_stdout), (status, writes_status) = pipes
        files = os.fdopen(stdin, "wb", 0), os.fdopen(stdout, "rb"), os.fdopen(status, "rb")
        theirs = [reads_stdin, writes_stdout, stderr.fileno(), writes_status]
        try:
            try:
                socket.send_fds(self.control, [b"f"], theirs)
            finally:
                for each in (reads_stdin, writes_stdout, writes_status):
                    os.close(each)
            child = ForkedProcess(*files)
            files[0].write(request.encode() + b"\n")
        except OSError as error:
            for file in files:
                file.close()
            raise ForkServerError(str(error)) from error
        return child

    def stop(self) -> None:
        """End the fork server. Its children keep running."""
        self.control.close()
        os.waitpid(self.pid, 0)


def name_process(name: str) -> None:
    """Set the name of this process in `ps` and `top` on Linux, of at most 15 bytes."""
    with contextlib.suppress(OSError):
        COMM.write_text(name, encoding="ascii")


# These functions run in the fork server.


def serve(control: socket.socket, run: Run) -> None:
    """Start children until the parent ends or closes the socket; see ForkServer for `run`."""
    os.setsid()  # Ctrl-C reaches only the parent
    name_process("lab-fork-server")
    with contextlib.suppress(AttributeError):  # a C library other than glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)  # like MALLOC_ARENA_MAX=1 in the environment
    # Remove the parent's handlers, as an exec would.
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    child_ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    statuses: dict[int, int] = {}  # process ID -> the pipe for its exit status
    while True:
        ready, _, _ = select.select([control.fileno(), child_ended], [], [])
        if child_ended in ready:
            os.read(child_ended, 4096)
            _report_ended(statuses)
        if control.fileno() not in ready:
            continue
        message, files, _, _ = socket.recv_fds(control, 1, 4)
        if not message:
            return
        status = files[-1]
        try:
            pid = os.fork()
        except OSError:  # too many processes
            pid = -1
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            for each in (child_ended, wake, *statuses.values()):
                os.close(each)
            _call_and_exit(partial(_become_child, files, run))
        if pid > 0:
            statuses[pid] = status
            with contextlib.suppress(OSError):
                os.write(status, b"%d\n" % pid)
        for each in files[:3] if pid > 0 else files:
            os.close(each)


def _report_ended(statuses: dict[int, int]) -> None:
    """Write the exit status of each child that has ended."""
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        pipe = statuses.pop(pid)
        with contextlib.suppress(OSError):
            os.write(pipe, b"%d\n" % os.waitstatus_to_exitcode(status))
        os.close(pipe)


# These functions run in a child.


def _become_child(files: list[int], run: Run) -> None:
    """Use these files as stdin, stdout and stderr, then read the request and run its command.

    The pipe for the exit status stays open, so that the parent notices this process's end even if
    the fork server has been killed.
    """
    os.setsid()
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(0, 65536)
        if not part:
            return
        line += part
    request = json.loads(line)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    if not sys.flags.safe_path:
        sys.path[0] = request["cwd"]  # as `python -m` does, instead of the parent's folder
    run(request["command"])


def _call_and_exit(function: Callable[[], None]) -> NoReturn:
    """Call a function, then exit as Python would, but without the parent's exit handlers."""
    status = 1
    try:
        try:
            function()
            status = 0
        except SystemExit as end:
            if isinstance(end.code, str):
                sys.stderr.write(f"{end.code}\n")
            else:
                status = end.code or 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
