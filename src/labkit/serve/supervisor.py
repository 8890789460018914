"""Run each lab in a separate process, restart it if it dies, and track its state."""

import contextlib
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from labkit import environment
from labkit.base import served_labs
from labkit.catalog import Catalog, Lab, state_dir
from labkit.processes import ports
from labkit.processes.fork_server import ForkServer, ForkServerError
from labkit.processes.guard import KILL_SECONDS
from labkit.processes.log_file import LONGEST_ENTRY, last_text
from labkit.processes.manage_py import DatabaseNotReady, add_hint
from labkit.processes.parent_pipe import Child, close, read_line, start_child
from labkit.processes.start import NotInstalled, StartFailed
from labkit.serve import worker
from labkit.services import lab_reset

START_SECONDS = 60  # how long a lab may take to become ready after it is started
STOP_SECONDS = 5  # how long a process may take to end before it is killed
RESTART_SECONDS = 30  # how long the console waits for a reset or restart
MAX_DEATHS = 5  # after this many deaths within DEATH_WINDOW, a lab is not restarted
DEATH_WINDOW = 60  # seconds
STABLE = {"running", "failed", "stopped"}


@dataclass(frozen=True)
class Maintenance:
    """Work to be done while a lab's process is not running."""

    state: str  # the state that the lab has during the work
    work: Callable[[], str]  # a function that returns a note for the console
    done: threading.Event  # set when the lab is running again or has failed


class LabProcess:
    """One lab, its process, and the thread that restarts the process when it dies."""

    def __init__(
        self,
        lab: Lab,
        port: int,
        addresses: list[str],
        environ: Mapping[str, str],
        report: Callable[["LabProcess", str], None],
        letter: str = "",
        name: str = "",
        host: str = ports.LOOPBACK,
        state: Path | None = None,
        fork_server: ForkServer | None = None,
    ) -> None:
        """`report` is called with a sentence when the lab dies, and with "" on other state changes.

        `letter` names the process if several servers run the same lab. `name`, `host` and `state`
        (the state folder) are used for a textbook version. `fork_server` creates the process; if
        it is None, the process imports Django itself.
        """
        self.lab = lab
        self.name = name or lab.number
        self.port = port
        self.url = f"http://{host}:{port}/"
        self.letter = letter
        self.state = "starting"  # one of starting, running, resetting, failed and stopped
        self.stable = threading.Event()  # set once a state in STABLE has been reported
        self.reason = ""  # why the lab failed or last died
        self.restarts = 0  # how many times the lab died and was restarted
        self.note = ""  # the result of the last action in the console
        self.action_failed = False  # if True, `note` says why the action failed
        # The last values that the console read from the lab:
        self.clock = ""  # "2 minutes ahead"
        # The number of visitors in the last minutes, or None if unknown.
        self.active: int | None = 0
        self.engine = ""  # the session engine, such as "db"
        self._state_folder = state
        self._command = worker.command(port, addresses)
        self.environ = {**environ, **worker.ENVIRONMENT}
        self._report = report
        self._fork_server = fork_server
        self._lock = threading.Lock()
        self._process: Child | None = None
        self._queue: queue.SimpleQueue[Maintenance | None] = queue.SimpleQueue()  # None: stop
        self._unfinished: list[threading.Event] = []
        self._last_done: threading.Event | None = None  # of the last restart
        self._ending = False
        self._deaths: deque[float] = deque(maxlen=MAX_DEATHS)
        self._thread = threading.Thread(target=self._supervise, daemon=True)

    @property
    def number(self) -> str:
        return self.lab.number

    @property
    def log(self) -> Path:
        """The file with the output of the lab's process."""
        name = f"server-{self.letter}.log" if self.letter else "server.log"
        return (self._state_folder or state_dir(self.lab.folder)) / name

    @property
    def pid(self) -> int | None:
        """The ID of the lab's process, if it has one."""
        process = self._process
        return process.pid if process else None

    @property
    def changing(self) -> bool:
        """True during a restart or reset, until the lab is running again or has failed."""
        return self._last_done is not None and not self._last_done.is_set()

    def start(self) -> None:
        """Start the process, and supervise it from now on. Raises CatalogError.

        The log keeps its entries from earlier runs of `lab serve`.
        """
        # Raises an error now, rather than in the thread, if the log is not writable.
        self.log.touch()
        self._thread.start()

    def restart(self, state: str, work: Callable[[], str]) -> threading.Event:
        """End the process, do the work, and restart; return an event that is set afterwards."""
        done = self._last_done = threading.Event()
        self._queue.put(Maintenance(state, work, done))
        self._close_process()
        return done

    def end(self) -> None:
        """End the process and do not restart it; return without waiting for it to exit."""
        self._ending = True
        self._queue.put(None)
        self._close_process()

    def wait_until_ended(self) -> None:
        """Wait until the process has ended; kill it if it takes too long."""
        if self._thread.ident is None:  # it was never started
            return
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join(KILL_SECONDS)

    # In the supervising thread

    def _supervise(self) -> None:
        while not self._ending:
            self._set_state("starting")
            was_running = self._run_once()
            task = None
            with contextlib.suppress(queue.Empty):
                task = self._queue.get_nowait()
            while task is None and not self._ending:
                if was_running and self._may_restart():
                    self._set_state("starting")  # this must happen before `restarts` is increased
                    self.restarts += 1
                    self._report(self, f"died ({self.reason}) and is being restarted")
                    break
                self._set_state("failed")
                task = self._queue.get()
            if task is not None and not self._ending:
                self._perform(task)
        self._set_state("stopped")

    def _perform(self, task: Maintenance) -> None:
        self._set_state(task.state)
        self._unfinished.append(task.done)
        self._deaths.clear()
        self.restarts, self.reason, self.action_failed = 0, "", False
        try:
            self.note = task.work()
        except (DatabaseNotReady, NotInstalled, StartFailed, OSError) as error:
            self.note, self.action_failed = f"Not done: {error}", True

    def _set_state(self, state: str) -> None:
        self.stable.clear()
        self.state = state
        if state in STABLE:
            self._report(self, "")
            self.stable.set()
            while self._unfinished:
                self._unfinished.pop().set()

    def _may_restart(self) -> bool:
        now = time.monotonic()
        self._deaths.append(now)
        return len(self._deaths) < MAX_DEATHS or now - self._deaths[0] > DEATH_WINDOW

    def _run_once(self) -> bool:
        """Start the process and wait until it ends; return whether it was ever ready."""
        try:
            with self.log.open("a+b") as output, self._lock:  # read as well, by LogFile
                log_size = output.tell()
                process = self._process = self._start_process(output)
        except OSError as error:
            # For example, the folder is missing, or there are too many processes.
            self.reason = str(error)
            return False
        if self._ending or not self._queue.empty():  # requested before it started
            close(process)
        answered = read_line(process, START_SECONDS) == worker.READY
        if answered:
            self._set_state("running")
        status = process.wait()
        with self._lock:
            self._process = None
            close(process)
            assert process.stdout is not None
            process.stdout.close()
        if not self._ending:
            self.reason = self._exit_reason(log_size, status)
        return answered

    def _start_process(self, output: IO[bytes]) -> Child:
        cwd, env = self.lab.folder, self.environ
        if self._fork_server is not None:
            with contextlib.suppress(ForkServerError):
                return self._fork_server.start(self._command, cwd=cwd, env=env, stderr=output)
        return start_child(self._command, cwd=cwd, env=env, stderr=output)

    def _close_process(self) -> None:
        with self._lock:
            if self._process is not None:
                close(self._process)

    def _exit_reason(self, log_size: int, status: int) -> str:
        """Return why the process ended: a signal, or the last line logged after `log_size`."""
        if status < 0:
            with contextlib.suppress(ValueError):
                return f"ended by {signal.Signals(-status).name}"
        with contextlib.suppress(OSError):
            if logged := last_text(self.log, LONGEST_ENTRY, log_size).strip():
                return add_hint(logged.splitlines()[-1], self.lab, self.environ)
        return f"ended with status {status} and no message"


class Supervisor:
    """All labs that `lab serve` runs."""

    def __init__(
        self,
        checkout: Catalog,
        labs: list[Lab],
        *,
        port: int,
        environ: Mapping[str, str],
        database_urls: Mapping[str, str] | None = None,
        address: str | None = None,
        database: str = "SQLite",
        report: Callable[[LabProcess, str], None] = lambda process, sentence: None,
        fork_server: ForkServer | None = None,
    ) -> None:
        """Prepare the processes.

        `port` is the console's port; a lab's port is the console's plus the lab's number. `address`
        is this machine's address on the network. `database` describes where sessions are stored.
        `database_urls` contains a DATABASE_URL, by lab number, for each lab that does not use
        SQLite.
        """
        self.checkout = checkout
        self.port = port
        self.address = address
        self.database = database
        self.addresses = [ports.LOOPBACK, *([address] if address else [])]
        urls = database_urls or {}
        served = served_labs.to_environment(port, [lab.number for lab in labs])
        self.labs = [
            LabProcess(
                lab,
                port + int(lab.number),
                self.addresses,
                {**environ, **served, "DATABASE_URL": urls.get(lab.number, "")},
                report,
                fork_server=fork_server,
            )
            for lab in labs
        ]

    def find(self, number: str) -> LabProcess | None:
        """Return the process of the lab with this number, or None if the lab is not served."""
        return next((process for process in self.labs if process.number == number), None)

    @property
    def class_url(self) -> str | None:
        """The URL of the students' list of labs, or None without a network address."""
        return f"http://{self.address}:{self.port}/" if self.address else None

    def start(self) -> None:
        """Start all labs."""
        for process in self.labs:
            process.start()

    def reset(self, chosen: list[LabProcess]) -> None:
        """Empty these labs' stores and restart the labs; wait at most RESTART_SECONDS."""
        wait_for_all([p.restart("resetting", partial(self._reset, p)) for p in chosen])

    def restart(self, chosen: list[LabProcess]) -> None:
        """Restart these labs, for example after their code was changed; wait as `reset` does."""
        wait_for_all([process.restart("starting", _restart_note) for process in chosen])

    def _reset(self, process: LabProcess) -> str:
        url = environment.database_url()
        named = bool(url) and environment.database_url(process.environ) == url
        cleared = lab_reset.reset(self.checkout, process.lab, named=named)
        process.log.touch()
        gone = ", ".join(part for part in cleared if part != process.log.name)
        what = f"Deleted: {gone}." if gone else "There was nothing to delete."
        return f"Reset at {time.strftime('%H:%M:%S')}. {what}"

    def stop(self) -> None:
        """End all labs, and wait until their processes have ended."""
        end_all(self.labs)


def _restart_note() -> str:
    return f"Restarted at {time.strftime('%H:%M:%S')}."


def end_all(processes: list[LabProcess]) -> None:
    """End these processes, and wait until they have ended."""
    for process in processes:
        process.end()
    for process in processes:
        process.wait_until_ended()


def wait_for_all(events: list[threading.Event]) -> None:
    """Wait at most RESTART_SECONDS for all of these events to be set."""
    deadline = time.monotonic() + RESTART_SECONDS
    for event in events:
        event.wait(deadline - time.monotonic())
