"""Has a table of `lab compare` asked in the background: `python -m labkit.console.table_run TABLE`.

One at a time, in a process of its own, which ends with the console. What it finds is where
`lab compare` would put it; the pages look there.
"""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime

from labkit.catalog import Catalog, CatalogError, catalog
from labkit.compare import Table, Tables
from labkit.compare.test_runner import run_table
from labkit.processes.parent_pipe import on_parent_exit, reserve_stdout, start_child

OVER = b"."  # written for each test that is over


@dataclass
class TableRun:
    """One table that is being asked, or was."""

    table: Table
    process: subprocess.Popen[bytes] = field(repr=False)
    since: datetime = field(default_factory=lambda: datetime.now().astimezone())
    done: int = 0  # tests
    failure: str = ""  # why it came to no answers

    @property
    def count(self) -> int:
        """How many tests there are: one for each cell."""
        return sum(len(row.cells) for row in self.table.questions)

    @property
    def runs(self) -> bool:
        """Whether it is still at it."""
        return self.process.poll() is None

    def watch(self) -> None:
        """Count the tests until it ends, and note how it ended."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        while self.process.stdout.read(1):
            self.done += 1
        said = self.process.stderr.read().decode(errors="replace").strip()
        if self.process.wait():
            self.failure = said.rpartition("\n")[2] or "It was ended before it was done."


_lock = threading.Lock()
_last: list[TableRun] = []


def last_asked() -> TableRun | None:
    """The table that is being asked, or was the last to be; None before the first."""
    return _last[0] if _last else None


def begin(checkout: Catalog, table: Table) -> None:
    """Have this table asked, unless one is being asked at this moment."""
    with _lock:
        if _last and _last[0].runs:
            return
        command = [sys.executable, "-m", "labkit.console.table_run", table.id]
        process = start_child(command, cwd=checkout.root, stderr=subprocess.PIPE)
        _last[:] = [TableRun(table, process)]
        threading.Thread(target=_last[0].watch, daemon=True).start()


# In the process


def main(table: str) -> None:
    """Ask this table; its answers go to .lab/compare/."""
    pipe = reserve_stdout()
    on_parent_exit(_end_all)

    def step(test: str) -> None:
        pipe.write(OVER)
        pipe.flush()

    try:
        checkout = catalog()
        run_table(checkout, Tables(checkout).find(table), on_finished=step)
    except CatalogError as error:
        sys.exit(str(error))


def _end_all() -> None:
    """End the tests and their servers with it: they are its process group."""
    if sys.platform == "win32":
        os._exit(1)
    os.killpg(0, signal.SIGINT)


if __name__ == "__main__":
    main(sys.argv[1])
