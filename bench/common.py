"""Code that the benchmarks share: options, servers, memory, and results."""

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from labkit.measure import charts as drawing
from labkit.measure import results as keeping
from labkit.processes.ports import free_port
from labkit.processes.start import NotInstalled
from labkit.serve.temporary_server import temporary_server
from labkit.services.mariadb import PrivateMariaDB

ROOT = Path(__file__).parents[1]
NAMES = {"sqlite": "SQLite", "mysql": "MariaDB"}
console = Console(highlight=False)
UNSET = {"DATABASE_URL", "REDIS_URL", "LAB_STATE_DIR", "SESSION_ENGINE", "DJANGO_SETTINGS_MODULE"}


def parser(text: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options of every benchmark, and make SIGTERM act like Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument(
        "--out", type=Path, default=ROOT / ".lab" / "bench", help="folder for JSON and SVG"
    )
    made.add_argument(
        "--tiny",
        action="store_true",
        help="run every step briefly, for meaningless figures",
    )
    return made


def environment(**own: str) -> dict[str, str]:
    """Return the environment variables of a lab in class, without the user's own databases."""
    kept = {name: value for name, value in os.environ.items() if name not in UNSET}
    return kept | {"LAB_DEBUG": "0", "LAB_PANEL": "1", "PYTHONUNBUFFERED": "1"} | own


def lab_folder(number: str) -> Path:
    """Return the folder of this lab."""
    return next((ROOT / "labs").glob(f"{number}_*"))


def copy_of_labs(folder: Path) -> Path:
    """Copy the labs to a separate checkout, so that the original .lab/ stays unchanged."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    shutil.copytree(ROOT / "labs", folder / "labs", ignore=ignored)
    return folder


class Steps(Progress):
    """A progress bar, or a line for each step if the output is not a terminal."""

    def __init__(self, total: int) -> None:
        super().__init__(transient=True, console=console)
        self._task = self.add_task("", total=total)

    def begin(self, text: str) -> None:
        """Show the current step."""
        self.update(self._task, description=text)
        if not console.is_terminal:
            console.print(f"{time.strftime('%H:%M:%S')} {text}")

    def done(self, part: float = 1) -> None:
        """Advance the progress bar by one step, or by this fraction of a step."""
        self.advance(self._task, part)


@contextlib.contextmanager
def worker(number: str, environ: dict[str, str], log: Path) -> Iterator[int]:
    """Run a lab on a server like that of `lab serve`; yield its port."""
    settings = environ | {"DJANGO_SETTINGS_MODULE": "lab.settings"}
    with temporary_server(lab_folder(number), settings, log) as started:
        started.wait_until_ready(f"lab {number}")
        yield started.port


def memory(pid: int) -> int:
    """Return how much memory a process uses, in bytes.

    On Linux, the result is the PSS, which includes a proportional share of shared pages. Elsewhere,
    it is the RSS, which includes all shared pages.
    """
    try:
        found = re.search(
            r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8"), re.M
        )
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024
    done = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return int(done.stdout) * 1024


def peak_memory() -> int:
    """Return the peak memory use of this process, in bytes."""
    try:
        found = re.search(
            r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.M
        )
    except OSError:
        found = None
    if found:  # the alternative, ru_maxrss, would also include the memory of the parent process
        return int(found[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def keep(
    options: argparse.Namespace, name: str, figures: Any, charts: dict[str, Any], *databases: str
) -> None:
    """Write the figures to NAME.json in the folder --out, with their charts."""
    stamp = keeping.stamp(f"python bench/{name}.py", "sqlite" if "sqlite" in databases else "")
    if "mysql" in databases:
        stamp["versions"]["MariaDB"] = keeping.mariadb_version()
    path = options.out / f"{name}.json"
    keeping.write(path, stamp, figures, charts)
    console.print(keeping.describe(stamp))
    try:
        drawn = drawing.draw_all(path, charts)
    except NotInstalled as missing:
        console.print(f"Written to {path}, without charts: {missing}")
    else:
        console.print(f"Written to {', '.join(map(str, [path, *drawn]))}")


@dataclass(frozen=True)
class Bare:
    """A bare project that has started and responds to requests."""

    port: int
    pid: int
    seconds: float  # the time from the start of the process to its first response


@contextlib.contextmanager
def bare(environ: dict[str, str], folder: Path) -> Iterator[Bare]:
    """Run bench/bare.py under `runserver`.

    `environ` may set DATABASE_URL; the default is an SQLite file in the project's folder.
    """
    environ = {"DATABASE_URL": f"sqlite:///{folder / 'bare.sqlite3'}"} | environ
    script = [sys.executable, str(Path(__file__).with_name("bare.py"))]
    subprocess.run([*script, "migrate", "--verbosity=0"], env=environ, check=True)
    port, begin = free_port(), time.perf_counter()
    with (folder / "bare.log").open("ab") as log:
        process = subprocess.Popen(
            [*script, "runserver", "--noreload", str(port)],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until_it_responds(port, "/session/")
        yield Bare(port, process.pid, time.perf_counter() - begin)
    finally:
        process.terminate()
        process.wait()


def until_it_responds(port: int, path: str) -> None:
    """Wait until a request for this path gets status 200. Raises TimeoutError after a minute."""

    def responds() -> bool:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, HTTPException):  # the server may not be listening yet
            return False
        finally:
            connection.close()

    until(responds, f"no server responds at port {port}")


def until(
    condition: Callable[[], bool], otherwise: str, limit: float = 60, pause: float = 0.01
) -> None:
    """Wait until the condition holds. Raises TimeoutError after `limit` seconds.

    pause: seconds between two checks; use a longer pause if a check needs much processor time.
    """
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(pause)


@contextlib.contextmanager
def mariadb(folder: Path, **variables: int) -> Iterator[PrivateMariaDB | None]:
    """Yield a private MariaDB with these variables, or None if it is not installed."""
    try:
        server = PrivateMariaDB.persistent(folder)
    except NotInstalled as missing:
        console.print(f"Without MariaDB: {missing}")
        yield None
        return
    try:
        with contextlib.closing(server.connect()) as connection:
            for name, value in variables.items():
                connection.query(f"SET GLOBAL {name} = {value}")
        yield server
    finally:
        server.stop()
