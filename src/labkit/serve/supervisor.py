"""Keeps every lab running in a process of its own, and knows how each one is doing."""

import contextlib
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from labkit.catalog import Catalog, Lab, state_dir
from labkit.processes import ports
from labkit.processes.manage_py import DatabaseNotReady, add_hint
from labkit.processes.parent_pipe import close, start_child
from labkit.processes.start import NotInstalled, StartFailed
from labkit.serve.worker import READY
from labkit.services import lab_state

START_SECONDS = 60  # seconds until a lab must answer
STOP_SECONDS = 5  # seconds for a process to end by itself
MOST_DEATHS = 5  # of a lab that was running, in DEATHS_WITHIN; then it stays down
DEATHS_WITHIN = 60  # seconds
SETTLED = {"running", "failed", "stopped"}


@dataclass(frozen=True)
class Order:
    """Something to do while a lab's process is down."""

    state: str
    work: Callable[[], str]  # what it answers stands beside the lab from then on
    done: threading.Event


class LabProcess:
    """One lab, its process, and the thread that looks after it."""

    def __init__(
        self,
        lab: Lab,
        port: int,
        addresses: list[str],
        environ: Mapping[str, str],
        tell: Callable[["LabProcess", str], None],
        letter: str = "",
    ) -> None:
        """`letter` is its name where several servers have the same lab."""
        self.lab = lab
        self.port = port
        self.letter = letter
        self.state = "starting"  # starting, running, resetting, failed, stopped
        self.settled = threading.Event()  # set while it runs or stays down, and that is told
        self.reason = ""  # why it failed, or of what it died the last time
        self.restarts = 0  # how often it died and was started again
        self.note = ""  # what was last done to it from the console
        self.clock = ""  # "2 minutes ahead", as the console last heard
        self._command = [sys.executable, "-m", "labkit.serve.worker", str(port), *addresses]
        self._environ = environ
        self._tell = tell
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._waiting: list[threading.Event] = []
        self._ending = False
        self._deaths: deque[float] = deque(maxlen=MOST_DEATHS)
        self._thread = threading.Thread(target=self._supervise, daemon=True)

    @property
    def number(self) -> str:
        """The lab's number, "03"."""
        return self.lab.number

    @property
    def log(self) -> Path:
        """Where the lab's process writes what it has to say."""
        name = f"server-{self.letter}.log" if self.letter else "server.log"
        return state_dir(self.lab.folder) / name

    @property
    def pid(self) -> int | None:
        """Its process, if there is one."""
        process = self._process
        return process.pid if process else None

    def start(self) -> None:
        """Start it, and go on looking after it."""
        self.log.write_bytes(b"")  # of this start alone
        self._thread.start()

    def restart(self, state: str, work: Callable[[], str], limit: float) -> None:
        """End its process, do this work, start it again; wait until it answers, or `limit` s."""
        done = threading.Event()
        self._orders.put(Order(state, work, done))
        self._end_process()
        done.wait(limit)

    def end(self) -> None:
        """Tell it to stop for good; `gone` waits for that."""
        self._ending = True
        self._orders.put(None)
        self._end_process()

    def gone(self) -> None:
        """Wait until its process is gone, and kill it if it does not go."""
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join(STOP_SECONDS)

    # In its own thread

    def _supervise(self) -> None:
        while not self._ending:
            self._become("starting")
            was_running = self._one_life()
            order = None
            with contextlib.suppress(queue.Empty):
                order = self._orders.get_nowait()
            while order is None and not self._ending:
                if was_running and self._may_go_on():
                    self._become("starting")  # before it is counted: it runs no more
                    self.restarts += 1
                    self._tell(self, f"died ({self.reason}) and is started again")
                    break
                self._become("failed")
                order = self._orders.get()
            if order is not None and not self._ending:
                self._obey(order)
        self._become("stopped")

    def _obey(self, order: Order) -> None:
        self._become(order.state)
        self._waiting.append(order.done)
        self._deaths.clear()
        self.restarts, self.reason = 0, ""
        try:
            self.note = order.work()
        except (DatabaseNotReady, NotInstalled, StartFailed, OSError) as error:
            self.note = f"Not done: {error}"

    def _become(self, state: str) -> None:
        self.settled.clear()
        self.state = state
        if state in SETTLED:
            self._tell(self, "")
            self.settled.set()
            while self._waiting:
                self._waiting.pop().set()

    def _may_go_on(self) -> bool:
        """Whether it has not died too often of late."""
        now = time.monotonic()
        self._deaths.append(now)
        return len(self._deaths) < MOST_DEATHS or now - self._deaths[0] > DEATHS_WITHIN

    def _one_life(self) -> bool:
        """Start its process and wait for its end; whether it ever answered."""
        with self.log.open("ab") as output:
            said_before = output.tell()
            with self._lock:
                process = self._process = start_child(
                    self._command, cwd=self.lab.folder, env=self._environ, stderr=output
                )
        if self._ending or not self._orders.empty():  # asked for while there was no process
            close(process)
        assert process.stdout is not None
        late = threading.Timer(START_SECONDS, process.kill)
        late.start()
        answered = process.stdout.readline() == READY
        late.cancel()
        if answered:
            self._become("running")
        status = process.wait()
        with self._lock:
            self._process = None
            close(process)
            process.stdout.close()
        if not self._ending:
            self.reason = self._last_words(said_before, status)
        return answered

    def _end_process(self) -> None:
        with self._lock:
            if self._process is not None:
                close(self._process)

    def _last_words(self, since: int, status: int) -> str:
        if status < 0:
            with contextlib.suppress(ValueError):
                return f"ended by {signal.Signals(-status).name}"
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(since)
            lines = log.read().decode(errors="replace").strip().splitlines()
            if lines:
                return add_hint(lines[-1])
        return f"ended with status {status} and without a word"


class Supervisor:
    """All labs that are served, and how they are."""

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
        tell: Callable[[LabProcess, str], None] = lambda served, sentence: None,
    ) -> None:
        """`port` is the console's, each lab's is that and its number; `address` is the network's.

        `database_urls` has a DATABASE_URL for each lab's number that shall not be on SQLite.
        """
        self.checkout = checkout
        self.port = port
        self.address = address
        self.database = database  # where sessions are kept, in words
        self.addresses = [ports.LOOPBACK, *([address] if address else [])]
        urls = database_urls or {}
        self.labs = [
            LabProcess(
                lab,
                port + int(lab.number),
                self.addresses,
                {**environ, "DATABASE_URL": urls.get(lab.number, "")},
                tell,
            )
            for lab in labs
        ]

    def find(self, number: str) -> LabProcess | None:
        """The lab of this number, if it is served."""
        return next((served for served in self.labs if served.number == number), None)

    @property
    def class_url(self) -> str | None:
        """Where a class finds its list of labs; None where it is not let in."""
        return f"http://{self.address}:{self.port}/" if self.address else None

    def start(self) -> None:
        """Start all labs."""
        for served in self.labs:
            served.start()

    def reset(self, chosen: list[LabProcess], limit: float = 30) -> None:
        """Empty what these labs keep, start them anew, wait until all answer, or `limit` s."""
        self._each(chosen, "resetting", self._reset, limit)

    def restart(self, chosen: list[LabProcess], limit: float = 30) -> None:
        """Start these labs anew, as after a mistake in one was mended."""
        self._each(chosen, "starting", lambda served: "", limit)

    def _each(
        self, chosen: list[LabProcess], state: str, work: Callable[[LabProcess], str], limit: float
    ) -> None:
        threads = [
            threading.Thread(
                target=served.restart, args=(state, lambda served=served: work(served), limit)
            )
            for served in chosen
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(limit)

    def _reset(self, served: LabProcess) -> str:
        cleared = lab_state.reset(self.checkout, served.lab)
        served.log.touch()
        gone = ", ".join(part for part in cleared if part != served.log.name)
        return f"Reset at {time.strftime('%H:%M:%S')}: {gone or 'there was nothing to clear'}."

    def stop(self) -> None:
        """End all labs, and wait until they are gone."""
        for served in self.labs:
            served.end()
        for served in self.labs:
            if served._thread.ident is not None:
                served.gone()
