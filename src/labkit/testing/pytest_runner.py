"""Run a lab's tests in a pytest process, and return the outcome of each test.

The tests may run a student's code. Therefore, the process has no terminal and no standard input,
each of its steps has a time limit, and it ends when this process ends.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.catalog import MANIFEST, CatalogError
from labkit.environment import SHARED
from labkit.processes.parent_pipe import end_child, start_child

CONFIGURATION = "pyproject.toml"  # the file with pytest's configuration, beside labs/
NO_CONFIGURATION = (
    "{path} is missing, so the tests cannot be run. Install labkit from its checkout with "
    "pip install -e, or start the command inside the checkout."
)
TESTS_IN_ALL = 15
SECONDS = 20.0  # the time limit for one test, or for loading one file
MEMORY = 4 * 2**30  # bytes
STOP_LIMIT = 30  # in seconds; tests may need a few seconds to stop their servers
# If a run exceeds its limit by this many seconds, the watchdog is considered dead.
UNRESPONSIVE = 10
PAUSE = 0.05  # in seconds, the pause between two checks of the process
# The names of a run's files: its output, and two files that labkit.testing.watchdog writes.
OUTPUT, JOURNAL, STACKS = "output.txt", "journal.jsonl", "stacks.txt"
LONGEST_OUTPUT = 100_000  # the maximum number of bytes of output to return
# The user's environment variables that could affect the tests.
NOT_INHERITED = {
    *SHARED,
    "PYTHONBREAKPOINT",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONWARNINGS",
}
FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)  # from faulthandler
CURRENT = "Current thread"
TIMEOUT = "Timeout ("  # the first words of faulthandler's output if the time limit was exceeded
COMPLETE = {0, 1}  # pytest's exit statuses for "all tests passed" and "some tests failed"

Place = tuple[str, int, str]  # path, line, function


class Cancelled(Exception):
    """The tests were stopped because their results are no longer needed."""


@dataclass
class Outcome:
    """The outcome of a test, or of a file that pytest could not collect."""

    id: str  # the node ID
    outcome: str = "passed"  # or "failed", "skipped"
    message: str = ""  # the error, or the reason for skipping
    places: list[tuple[str, int]] = field(default_factory=list)  # (path, line), test first
    properties: dict[str, Any] = field(default_factory=dict)  # its user_properties
    # (title, text) from labkit.testing.failure_report, and the test's output
    sections: list[tuple[str, str]] = field(default_factory=list)


# Reasons for stopping a run. STOPS has further ones.
TIME, ALL_TIME, NO_TESTS, UNKNOWN = "time", "time of all tests", "no tests", "unknown"
STOPS = {
    TIME: "It did not finish within {text} seconds.",
    ALL_TIME: "All tests together did not finish within {text} seconds.",
    NO_TESTS: "There was no test to run. The folder labs/ is not complete.",
    UNKNOWN: "The program ended before the tests were finished, with {text}.",
    "KeyboardInterrupt": "KeyboardInterrupt ended the program, as Ctrl-C does.",
    "SystemExit": "SystemExit ended the program.",
    "Exit": "pytest.exit() ended the tests.",
    "os._exit": "os._exit({text}) ended the program at once.",
}
CRASH = "The program ended with {cause}."


@dataclass
class Stop:
    """The reason why a run ended before the last test finished, or did not end after it."""

    cause: str  # a key of STOPS, the name of another exception, or the name of a signal
    # Depending on the cause: the exception's message, the limit in seconds, or the exit status.
    text: str = ""
    # The node ID of the test that was running; "" before the first and after the last test.
    test: str = ""
    # One stack for each thread, with the innermost call last.
    stacks: list[list[Place]] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """Return a sentence that states the cause, without the location."""
        return STOPS.get(self.cause, CRASH).format(cause=self.cause, text=self.text)


@dataclass
class Run:
    """The outcomes of a run. If `stop` is set, the run ended early, and outcomes are missing."""

    output: str  # the last lines of the process's output
    stop: Stop | None = None
    expected: int = 0  # the number of tests that pytest selected
    tests: list[Outcome] = field(default_factory=list)  # the finished tests
    uncollected: list[Outcome] = field(default_factory=list)  # the files that could not be loaded


def run_tests(
    root: Path,
    *arguments: str,
    checkout: Path | None = None,
    environ: dict[str, str] | None = None,
    on_finished: Callable[[str], None] = lambda test: None,
    seconds: float = SECONDS,
    memory: int | None = None,
    first: Sequence[str] = (),
    on_first: Callable[[Outcome], None] | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Run:
    """Run pytest in the folder `root`, with the configuration from a checkout's pyproject.toml.

    checkout: the folder that contains labs/; by default, the checkout that contains labkit.
    environ: variables to add to the environment, from which the user's settings for labs, pytest
        and Django are removed.
    on_finished: called with the node ID of each finished test.
    seconds: the time limit for each test, and for loading each file. The whole run may take
        TESTS_IN_ALL times as long.
    memory: the maximum memory of the tests, in bytes.
    first: the node IDs of the tests to run before all others.
    on_first: called with the outcome of the first test as soon as that test has finished.
    is_cancelled: called several times a second. If it returns True, the tests are ended at once.

    Raises CatalogError if there is no pyproject.toml, and Cancelled if `is_cancelled` returned
    True.
    """
    if is_cancelled():
        raise Cancelled
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LAB_", "PYTEST")) and name not in NOT_INHERITED
    }
    configuration = find_configuration(checkout)
    with tempfile.TemporaryDirectory(prefix="labkit-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        log = folder / "outcomes.jsonl"
        command = [sys.executable, "-m", "pytest", *arguments, "--tb=short"]
        command += ["-c", str(configuration), f"--rootdir={root}", f"--report-log={log}"]
        command += ["-p", "no:cacheprovider", "--continue-on-collection-errors"]
        command += ["-p", "labkit.testing.watchdog", "-p", "no:faulthandler"]
        command += [f"--watchdog={folder}", f"--watchdog-seconds={seconds}"]
        command += [f"--watchdog-memory={memory}"] if memory else []
        command += [f"--watchdog-first={test}" for test in first]
        for name in (JOURNAL, STACKS):
            (folder / name).touch()
        with (folder / OUTPUT).open("wb") as output:
            process = start_child(
                command,
                cwd=root,
                env=inherited | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        patience = min(seconds, STOP_LIMIT)
        try:
            finish = _and_first(on_finished, on_first, folder, log)
            late = _wait(process, folder, finish, seconds, is_cancelled)
        except Cancelled:
            patience = PAUSE
            raise
        finally:  # even after Ctrl-C
            _end(process, patience)
        run = _read(folder, log)
        run.stop = _read_stop(folder, run, process.returncode, late, seconds)
        return run


def _and_first(
    on_finished: Callable[[str], None],
    on_first: Callable[[Outcome], None] | None,
    folder: Path,
    log: Path,
) -> Callable[[str], None]:
    """Return a function that calls `on_finished` and, after the first test, `on_first`."""
    waiting = [on_first] if on_first else []

    def finish(test: str) -> None:
        on_finished(test)
        outcome = next((each for each in _read(folder, log).tests if each.id == test), None)
        if outcome and waiting:
            waiting.pop()(outcome)

    return finish if on_first else on_finished


def find_configuration(checkout: Path | None) -> Path:
    """Return the pyproject.toml of this checkout, or of the one that contains labkit.

    Raises CatalogError if neither exists, for example after `pip install` without -e.
    """
    own = Path(__file__).resolve().parents[3]
    for root in (checkout, own):
        if root and (root / CONFIGURATION).is_file() and (root / MANIFEST).is_file():
            return root / CONFIGURATION
    raise CatalogError(NO_CONFIGURATION.format(path=(checkout or own) / CONFIGURATION))


def _wait(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    on_finished: Callable[[str], None],
    seconds: float,
    is_cancelled: Callable[[], bool],
) -> str:
    """Wait until the process ends; return the time limit that it exceeded, or "".

    seconds: the time limit for a step, which the watchdog also enforces.
    Raises Cancelled.
    """
    rest, began = b"", time.monotonic()
    since = began
    with (folder / JOURNAL).open("rb") as journal:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PAUSE)
            *lines, rest = (rest + journal.read()).split(b"\n")
            for entry in map(json.loads, lines):
                since = time.monotonic()
                if "ended" in entry:
                    on_finished(entry["ended"])
            if process.returncode is not None:
                return ""
            if is_cancelled():
                raise Cancelled
            if is_timeout(folder) or time.monotonic() - since > seconds + UNRESPONSIVE:
                return TIME
            if time.monotonic() - began > seconds * TESTS_IN_ALL:
                return ALL_TIME


def is_timeout(folder: Path) -> bool:
    """Return whether faulthandler has written stacks because a step took too long."""
    return (folder / STACKS).read_text("utf-8", "replace").startswith(TIMEOUT)


def _end(process: "subprocess.Popen[bytes]", limit: float) -> None:
    """End a run and all processes in its group within `limit` seconds."""
    if sys.platform == "win32":
        end_child(process)
        return
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)  # lets pytest stop the servers that it started
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(limit)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        end_child(process)


# Reading the output of the process


def _read(folder: Path, log: Path) -> Run:
    """Read the output of the process, and the outcomes from pytest-reportlog."""
    with (folder / OUTPUT).open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_OUTPUT))
        run = Run(file.read().decode("utf-8", "replace"))
    tests: dict[str, Outcome] = {}
    ended: dict[str, None] = {}
    for report in _entries(log):
        kind = report["$report_type"]
        if kind == "CollectReport" and report["outcome"] != "passed":
            run.uncollected.append(Outcome(report["nodeid"], "failed", *_reason(report)))
        elif kind != "CollectReport" and "when" in report:
            known = tests.setdefault(report["nodeid"], Outcome(report["nodeid"]))
            # If there are several failures, for example of subtests, keep the first one.
            if report["outcome"] != "passed" and known.outcome == "passed":
                known.outcome = report["outcome"]
                known.message, known.places = _reason(report)
                known.sections = [tuple(section) for section in report.get("sections", ())]
            known.properties = dict(report["user_properties"])
            if report["when"] == "teardown":
                ended[report["nodeid"]] = None
    run.tests = [tests[id_] for id_ in ended]
    return run


def _read_stop(folder: Path, run: Run, status: int, late: str, seconds: float) -> Stop | None:
    """Set run.expected; return why the run is incomplete, or None if it is complete.

    late: TIME or ALL_TIME if the process had to be stopped, otherwise "".
    """
    chosen: list[str] | None = None
    test, finished, noted = "", None, None
    for entry in _entries(folder / JOURNAL):
        chosen = entry.get("collected", chosen)
        test = "" if "ended" in entry else entry.get("started", test)
        finished = entry.get("finished", finished)
        if "stopped" in entry and noted is None:
            stack = [tuple(place) for place in entry["places"]]
            noted = Stop(entry["stopped"], entry["text"], test, [stack])
    run.expected = len(chosen or ())
    text = (folder / STACKS).read_text("utf-8", "replace")
    if late or is_timeout(folder):
        limit = seconds * TESTS_IN_ALL if late == ALL_TIME else seconds
        stacks = [*_stacks(text), *(noted.stacks if noted else ())]
        return Stop(late or TIME, f"{limit:g}", test, stacks)
    if noted:
        return noted
    if text or status < 0:  # on Windows, a crash has a positive status
        cause = signal_name(-status) if status < 0 else text.partition("\n")[0]
        return Stop(cause, "", test, _stacks(text))
    if chosen == [] and not run.uncollected:
        return Stop(NO_TESTS)
    if finished is None or status not in COMPLETE or len(run.tests) < run.expected:
        return Stop(UNKNOWN, f"exit status {status}", test)
    return None


def signal_name(number: int) -> str:
    """Return the name of a signal, such as "SIGSEGV"."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _stacks(text: str) -> list[list[Place]]:
    """Return the stacks in faulthandler's output; the crashed or main thread comes first.

    In the output, threads are separated by empty lines, the main thread is last, and each stack
    begins with the innermost call.
    """
    threads = text.split("\n\n")[::-1]
    threads.sort(key=lambda thread: CURRENT not in thread)
    found = (FRAME.findall(thread) for thread in threads)
    return [[(path, int(line), name) for path, line, name in reversed(stack)] for stack in found]


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a file, one per line; the last line may be incomplete."""
    with contextlib.suppress(FileNotFoundError):  # pytest may have ended before it wrote the file
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                yield json.loads(line)


def _reason(report: dict[str, Any]) -> tuple[str, list[tuple[str, int]]]:
    """Return the message of a failed or skipped test, and the locations in its traceback."""
    long = report["longrepr"]
    if not isinstance(long, dict):
        return (long[2] if isinstance(long, list) else str(long)), []
    return long["reprcrash"]["message"], list(_places(long["reprtraceback"]["reprentries"]))


def _places(entries: Sequence[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    for entry in entries:
        if place := entry["data"].get("reprfileloc"):
            yield place["path"], place["lineno"]
