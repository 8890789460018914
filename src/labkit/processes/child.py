"""A child process that keeps servers running and reports to its parent in lines of JSON.

The first line is {"urls": {name: URL}} or {"error": sentence}. A child that watches its servers
then writes {"event": sentence} whenever one starts or dies.
"""

import contextlib
import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol, Self, TypeVar

from labkit.processes.parent_pipe import (
    close,
    end_child,
    on_parent_exit,
    read_line,
    reserve_stdout,
    start_child,
)
from labkit.processes.start import NotInstalled, StartCancelled, StartFailed

T = TypeVar("T", bound="Stoppable")
START_SECONDS = 600  # for all of a child's servers; each one has its own, shorter limit
STOP_SECONDS = 60  # for all of them to end


class ChildProcess:
    """A child that keeps servers running during a with block; `urls` names what they offer."""

    def __init__(self, command: list[str]) -> None:
        """Start the child and wait for its first report. Raise StartFailed."""
        self._process = start_child(command)
        try:
            line = read_line(self._process, START_SECONDS)
            report = json.loads(line or b'{"error": "It ended without a report."}')
        except BaseException:
            ChildProcess.end(self)
            raise
        if "error" in report:
            ChildProcess.end(self)
            raise StartFailed(report["error"])
        self.urls: dict[str, str] = report["urls"]

    def end(self) -> None:
        """End the child and wait until it has ended."""
        end_child(self._process, STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


class ReportingChild(ChildProcess):
    """A child that reports events for as long as it runs."""

    def __init__(self, command: list[str], report: Callable[[str], None]) -> None:
        """Call `report` with a sentence per event, in a separate thread. Raise StartFailed."""
        super().__init__(command)
        self._report = report
        self._ending = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not self._ending:
                self._report(json.loads(line)["event"])

    def end(self) -> None:
        """End the child and wait until it has ended."""
        self._ending = True
        close(self._process)
        self._listener.join()  # otherwise its pipe would be closed while it reads
        super().end()


class Stoppable(Protocol):
    """Servers that have been started."""

    def stop(self) -> None:
        """End them."""


def run_child(
    start: Callable[[threading.Event], T],
    first_report: Callable[[IO[bytes], T], None],
    check: Callable[[IO[bytes], T], None],
    pause: float,
) -> None:
    """In the child: start servers, report on them, check them, and end them with the parent.

    `start` gets an event that is set when the parent has ended, and may raise NotInstalled,
    StartFailed or StartCancelled. `check` is called every `pause` seconds.
    """
    parent = reserve_stdout()
    ending = threading.Event()
    on_parent_exit(ending.set)
    try:
        servers = start(ending)
    except (NotInstalled, StartFailed) as error:
        send_report(parent, error=str(error))
        return
    except StartCancelled:
        return
    try:
        first_report(parent, servers)
        while not ending.wait(pause):
            check(parent, servers)
    except StartCancelled:
        pass
    finally:
        servers.stop()


def send_report(parent: IO[bytes], **content: object) -> None:
    """In the child: write one line of JSON to the parent."""
    with contextlib.suppress(OSError, ValueError):  # the parent has ended
        parent.write(json.dumps(content).encode() + b"\n")
        parent.flush()
