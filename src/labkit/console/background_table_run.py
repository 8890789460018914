"""Run the tests of a table in the background: `python -m labkit.console.background_table_run
TABLE`.

Only one table is tested at a time, in a separate process that ends with the console. The results
are stored where `lab compare` stores its results, and the pages read them from there.
"""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime

from labkit.catalog import Catalog, CatalogError, catalog
from labkit.compare.table_runner import run_table
from labkit.comparison_tables import Table, Tables
from labkit.processes.parent_pipe import on_parent_exit, reserve_stdout, start_child

FINISHED = b"."  # the child process writes this after each finished test


@dataclass
class TableRun:
    """One run of a table's tests."""

    table: Table
    process: subprocess.Popen[bytes] = field(repr=False)
    since: datetime = field(default_factory=lambda: datetime.now().astimezone())
    done: int = 0  # tests
    failure: str = ""  # why the run has no results; "" if it did not fail

    @property
    def count(self) -> int:
        """The number of tests: one for each cell."""
        return sum(len(row.cells) for row in self.table.questions)

    @property
    def runs(self) -> bool:
        """True while its process runs."""
        return self.process.poll() is None

    def watch(self) -> None:
        """Count the finished tests until the process ends, and store the reason if it failed."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        while self.process.stdout.read(1):
            self.done += 1
        said = self.process.stderr.read().decode(errors="replace").strip()
        if self.process.wait():
            self.failure = said.rpartition("\n")[2] or "The run ended before it was finished."


_lock = threading.Lock()
_last: list[TableRun] = []


def last_run() -> TableRun | None:
    """Return the current run or else the last one; None if there has been no run."""
    return _last[0] if _last else None


def start(checkout: Catalog, table: Table) -> None:
    """Start the tests of this table, unless a run is under way."""
    with _lock:
        if _last and _last[0].runs:
            return
        command = [sys.executable, "-m", "labkit.console.background_table_run", table.id]
        process = start_child(command, cwd=checkout.root, stderr=subprocess.PIPE)
        _last[:] = [TableRun(table, process)]
        threading.Thread(target=_last[0].watch, daemon=True).start()


# In the process


def main(table: str) -> None:
    """Run the tests of this table, and store the results in .lab/compare/."""
    pipe = reserve_stdout()
    on_parent_exit(_end_all)

    def step(test: str) -> None:
        pipe.write(FINISHED)
        pipe.flush()

    try:
        checkout = catalog()
        run_table(checkout, Tables(checkout).find(table), on_finished=step)
    except CatalogError as error:
        sys.exit(str(error))


def _end_all() -> None:
    """End this process group, which includes the tests and their servers."""
    if sys.platform == "win32":
        os._exit(1)
    os.killpg(0, signal.SIGINT)


if __name__ == "__main__":
    main(sys.argv[1])
