"""The pytest plugin of `run_tests`, which records why a run ended early.

A run may execute a student's code, which might end the process, never return, or use all memory.
For each step, the plugin writes a line of JSON to a journal. If a step takes too long, Python's
faulthandler writes the stack of each thread, even if a thread never releases the interpreter's
lock. https://docs.python.org/3/library/faulthandler.html
"""

import contextlib
import faulthandler
import json
import os
import pdb
import signal
import sys
import threading
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NoReturn

import django.test  # noqa: F401  imported here so that its loading is not timed
import pytest

from labkit.processes.parent_pipe import on_parent_exit
from labkit.testing.pytest_runner import JOURNAL, STACKS

PARENT_LIMIT = 20  # in seconds; a run has this long to stop its servers after its parent has ended
LARGEST_FILE = 64 * 2**20  # in bytes; this also limits the size of a test's output
LONGEST_SECTION = 10_000  # how many characters of a test's output to keep in its report
NO_KEYBOARD = "breakpoint() and pdb.set_trace() need a keyboard, but a check has none."


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("watchdog")
    group.addoption("--watchdog", type=Path, help="folder for the journal")
    group.addoption("--watchdog-seconds", type=float, help="time limit for each step")
    group.addoption("--watchdog-memory", type=int, help="maximum memory of the run, in bytes")
    group.addoption("--watchdog-first", action="append", help="test to run before the others")


class Watchdog:
    """Writes the journal of a run, and limits the time of each step."""

    def __init__(self, folder: Path, seconds: float) -> None:
        """Write the journal and stacks to `folder`; limit each step to this number of `seconds`."""
        self.seconds = seconds
        self._journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_APPEND)
        self._stacks = os.open(folder / STACKS, os.O_WRONLY | os.O_APPEND)
        # Processes forked by a student's code have another ID, and must not write.
        self._pid = os.getpid()
        faulthandler.enable(file=self._stacks)
        if sys.platform != "win32":
            faulthandler.register(signal.SIGTERM, self._stacks, chain=True)

    def write(self, **entry: Any) -> None:
        """Append a line to the journal, and start the time limit of the next step."""
        if os.getpid() == self._pid:
            os.write(self._journal, json.dumps(entry).encode() + b"\n")
            faulthandler.dump_traceback_later(self.seconds, file=self._stacks)

    def write_exception(self, error: BaseException) -> None:
        """Record an exception that ends the run, with the lines in its traceback."""
        frames = traceback.extract_tb(error.__traceback__)
        text = str(getattr(error, "msg", error))  # pytest's exception Exit has its text in `msg`
        self.write(stopped=type(error).__name__, text=text, places=_places(frames))

    def write_exit(self, status: int) -> None:
        """Record a call of os._exit, with the lines in its stack."""
        places = _places(traceback.extract_stack()[:-2])  # leaves out this function and its caller
        self.write(stopped="os._exit", text=str(status), places=places)

    # Hooks of pytest

    @pytest.hookimpl(trylast=True)  # last, because pytest installs its own debugger in this hook
    def pytest_configure(self) -> None:
        sys.breakpointhook = pdb.set_trace = refuse_breakpoint

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        self.write(collecting=collector.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        first = config.getoption("watchdog_first") or ()
        items.sort(key=lambda item: item.nodeid not in first)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.write(collected=[item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.write(started=nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        report.sections = [(name, text[-LONGEST_SECTION:]) for name, text in report.sections]
        return report

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.write(ended=nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.write_exception(excinfo.value)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self.write_exception(excinfo.value)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.write(finished=int(exitstatus))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    options = early_config.known_args_namespace
    watchdog = Watchdog(options.watchdog, options.watchdog_seconds)
    early_config.pluginmanager.register(watchdog, "watchdog of this run")
    if options.watchdog_memory:
        limit_resources(options.watchdog_memory)
    follow_parent()
    end_process = os._exit

    def note_and_exit(status: int) -> NoReturn:
        watchdog.write_exit(status)
        end_process(status)

    os._exit = note_and_exit
    watchdog.write(loading="settings")
    try:
        return (yield)
    except (SystemExit, KeyboardInterrupt, pytest.exit.Exception) as error:
        watchdog.write_exception(error)
        raise


def refuse_breakpoint(*_: Any, **__: Any) -> NoReturn:
    """Raise RuntimeError instead of starting a debugger."""
    raise RuntimeError(NO_KEYBOARD)


def limit_resources(memory: int) -> None:
    """Limit this process's memory, in bytes, and the size of files that it writes.

    If a limit is exceeded, Python raises MemoryError or OSError. On systems without such limits,
    this function does nothing.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    for kind, wanted in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_FSIZE, LARGEST_FILE)):
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some limits
            _, most = resource.getrlimit(kind)
            if most == resource.RLIM_INFINITY or wanted < most:
                resource.setrlimit(kind, (wanted, most))


def follow_parent() -> None:
    """End this process when its parent ends; give the tests an empty standard input.

    The original standard input is a pipe from the parent, which the tests must not read.
    """
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    on_parent_exit(end_run, pipe)


def end_run() -> None:
    """Stop the run as Ctrl-C would, so that it stops its servers; then end its process group."""
    if sys.platform == "win32":
        os.kill(os.getpid(), signal.SIGTERM)  # ends this process immediately
        return
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(PARENT_LIMIT)
    os.killpg(0, signal.SIGKILL)


def _places(frames: list[traceback.FrameSummary]) -> list[tuple[str, int, str]]:
    """Return (path, line, function) for each frame; the innermost frame is last."""
    return [(frame.filename, frame.lineno or 0, frame.name) for frame in frames]
