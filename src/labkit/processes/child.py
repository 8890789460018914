"""A child process that runs servers and reports to its parent in lines of JSON.

The first line is {"urls": {name: URL}} or {"error": sentence}. The child may then write
{"event": sentence} whenever a server starts or dies.
"""

import contextlib
import json
import sys
import threading
from collections.abc import Callable
from typing import IO, TypeVar

from labkit.processes.parent_pipe import (
    close,
    end_child,
    on_parent_exit,
    read_line,
    reserve_stdout,
    start_child,
)
from labkit.processes.start import NotInstalled, StartCancelled, StartFailed, Stoppable

T = TypeVar("T", bound=Stoppable)
# The time limit for starting all servers of a child; the limit for each server is shorter.
START_SECONDS = 600
STOP_SECONDS = 60  # the time limit for ending all servers of a child


class ChildProcess(Stoppable):
    """A child that runs servers during a with block; `urls` contains their URLs by name."""

    def __init__(
        self, module: str, *arguments: str, report: Callable[[str], None] = lambda event: None
    ) -> None:
        """Run a module, and wait for its first report. Raise StartFailed.

        `report` is called with the sentence of each event, in a separate thread.
        """
        self._report = report
        self._ending = False
        self._process = start_child([sys.executable, "-m", module, *arguments])
        self._listener = threading.Thread(target=self._listen, daemon=True)
        try:
            line = read_line(self._process, START_SECONDS)
            first = json.loads(line or b'{"error": "It ended without a report."}')
            if "error" in first:
                raise StartFailed(first["error"])
        except BaseException:
            self.stop()
            raise
        self.urls: dict[str, str] = first["urls"]
        self.client_commands: dict[str, str] = first.get("client_commands", {})  # by name
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            content = json.loads(line)
            if not self._ending:
                self._report(content.get("event") or content["error"])

    def stop(self) -> None:
        """End the child and wait until it has ended."""
        self._ending = True
        close(self._process)
        if self._listener.is_alive():
            # The pipe must not be closed while the thread reads from it.
            self._listener.join(STOP_SECONDS)
        end_child(self._process, STOP_SECONDS)


def run_child(
    start: Callable[[threading.Event], T],
    first_report: Callable[[IO[bytes], T], None],
    check: Callable[[IO[bytes], T], None],
    pause: float,
) -> None:
    """In the child: start, report and check servers, and end them when the parent ends.

    `start` is called with an event that is set when the parent has ended. All three functions may
    raise NotInstalled, StartFailed or StartCancelled. `check` is called every `pause` seconds.
    """
    parent = reserve_stdout()
    ending = threading.Event()
    on_parent_exit(ending.set)
    try:
        with start(ending) as servers:
            first_report(parent, servers)
            while not ending.wait(pause):
                check(parent, servers)
    except (NotInstalled, StartFailed) as error:
        send_report(parent, error=str(error))
    except StartCancelled:
        pass


def send_report(parent: IO[bytes], **content: object) -> None:
    """In the child: write one line of JSON to the parent."""
    with contextlib.suppress(OSError, ValueError):  # the parent has ended
        parent.write(json.dumps(content).encode() + b"\n")
        parent.flush()


def report_process(parent: IO[bytes], name: str, pid: int | None) -> None:
    """In the child: report that this server is running, and how to kill it."""
    send_report(parent, event=f"{name}: process {pid}. To kill it: kill -9 {pid}")
