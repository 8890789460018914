"""A child process that keeps something running and reports to its parent in lines of JSON."""

import contextlib
import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Protocol, Self, TypeVar

from labkit.processes.parent_pipe import cut, on_parent_exit, reserve_stdout, spawn
from labkit.processes.start import Ended, Failed, Missing

T = TypeVar("T", bound="Stoppable")


class ChildProcess:
    """A child that holds something as long as the with block lasts; `urls` names its databases."""

    def __init__(self, command: list[str]) -> None:
        """The child says in one line of JSON how that went. Raises Failed."""
        self._process = spawn(command)
        assert self._process.stdout is not None
        try:
            told = json.loads(self._process.stdout.readline() or b'{"error": "It gave up."}')
        except BaseException:
            ChildProcess.end(self)
            raise
        if "error" in told:
            ChildProcess.end(self)
            raise Failed(told["error"])
        self.urls: dict[str, str] = told["urls"]

    def end(self) -> None:
        """Have the child end, and wait until it has."""
        cut(self._process)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

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
    """A child that goes on telling what happens, in lines of JSON: {"said": sentence}."""

    def __init__(self, command: list[str], tell: Callable[[str], None]) -> None:
        """`tell` gets each sentence, in a thread of its own. Raises Failed."""
        super().__init__(command)
        self._tell = tell
        self._ending = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not self._ending:
                self._tell(json.loads(line)["said"])

    def end(self) -> None:
        """Have the child end, and wait until it has."""
        self._ending = True
        cut(self._process)
        self._listener.join()  # else its pipe would be closed while it reads
        super().end()


class Stoppable(Protocol):
    """Something that has been started."""

    def stop(self) -> None:
        """End it."""


def hold(
    start: Callable[[threading.Event], T],
    begin: Callable[[IO[bytes], T], None],
    look_after: Callable[[IO[bytes], T], None],
    pause: float,
) -> None:
    """In the child of a Heard: start it, tell of it, look after it, and end it with the parent.

    `start` is given an event that is set when the parent is gone, and may raise Missing, Failed or
    Ended; `look_after` is called every `pause` seconds.
    """
    parent = reserve_stdout()
    ending = threading.Event()
    on_parent_exit(ending.set)
    try:
        held = start(ending)
    except (Missing, Failed) as error:
        answer(parent, error=str(error))
        return
    except Ended:
        return
    try:
        begin(parent, held)
        while not ending.wait(pause):
            look_after(parent, held)
    except Ended:
        pass
    finally:
        held.stop()


def answer(parent: IO[bytes], **content: object) -> None:
    """In the child: write one line of JSON to the parent."""
    with contextlib.suppress(OSError, ValueError):  # the parent is gone, or was told before
        parent.write(json.dumps(content).encode() + b"\n")
        parent.flush()
