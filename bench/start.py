"""Measure how long `lab serve` takes until all labs respond, and the memory of each.

    python bench/start.py

Starts of `lab serve` alternate with starts of one bare Django project (bench/bare.py) on `runserver
--noreload`. The first start is measured separately, because it creates databases and keys. Memory
is the process's proportional share (PSS) after one request, so memory shared by several processes
is counted once.
"""

import contextlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import common
from rich.table import Table

from labkit.catalog import Catalog, Lab
from labkit.measure.charts import Bars, BarSeries
from labkit.processes import ports

ROUNDS = 3


@contextlib.contextmanager
def serving(checkout: Path, labs: list[Lab]) -> Iterator[tuple[float, int, int]]:
    """Run `lab serve`; yield the seconds until all labs respond, its port, and its process ID."""
    port, begin = ports.free_port(*(int(lab.number) for lab in labs)), time.perf_counter()
    with (checkout / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "labkit.cli", "serve", "--port", str(port)],
            cwd=checkout,
            env=common.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        # Another server may respond on one of these ports until the lab's own process has started.
        common.until(
            lambda: len(workers(process.pid, port)) == len(labs), "not all labs run", pause=0.2
        )
        for lab in labs:
            common.until_it_responds(port + int(lab.number), "/")
        yield time.perf_counter() - begin, port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def workers(parent: int, port: int) -> dict[str, int]:
    """Return the process ID of each lab under this `lab serve`, by the lab's number."""
    done = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    found = {}
    for line in done.stdout.splitlines():
        pid, above, command = line.split(None, 2)
        worker = re.search(r"labkit\.serve\.worker (\d+)", command)
        if worker and int(above) == parent:
            found[f"{int(worker[1]) - port:02}"] = int(pid)
    return found


def memories(parent: int, port: int) -> dict[str, int]:
    """Return the bytes of memory of each lab, and of the "console", which starts them."""
    pids = {"console": parent, **workers(parent, port)}
    return {name: common.memory(pid) for name, pid in pids.items()}


def measure(rounds: int) -> dict[str, Any]:
    """Return the seconds and bytes of the labs and of the bare project."""
    labs = list(Catalog(common.ROOT).labs)
    served: list[float] = []
    alone: list[float] = []
    with tempfile.TemporaryDirectory() as home, common.Steps(2 * rounds + 1) as steps:
        checkout = common.copy_of_labs(Path(home))
        for number in range(rounds + 1):
            steps.begin(f"lab serve, {len(labs)} labs")
            with serving(checkout, labs) as (seconds, port, pid):
                memory = memories(pid, port)
            served.append(seconds)
            steps.done()
            if number == 0:
                continue  # the first start is not compared, because it creates tables and keys
            steps.begin("runserver --noreload")
            folder = Path(home, "bare")
            folder.mkdir(exist_ok=True)
            with common.bare(common.environment(), folder) as bare:
                alone.append(bare.seconds)
                bare_memory = common.memory(bare.pid)
            steps.done()
    first, *later = served
    return {
        "labs": len(labs),
        "first_seconds": first,
        "seconds": statistics.median(later),
        "bare_seconds": statistics.median(alone),
        "ratio": statistics.median(a / b for a, b in zip(later, alone, strict=True)),
        "memory": memory,
        "bare_memory": bare_memory,
    }


def tell(figures: dict[str, Any]) -> None:
    """Print the times, and a line with the memory of each process."""
    common.console.print(
        f"lab serve, all {figures['labs']} labs respond: {figures['seconds']:.2f} s "
        f"(first start: {figures['first_seconds']:.2f} s)\n"
        f"one bare runserver --noreload: {figures['bare_seconds']:.2f} s   "
        f"ratio {figures['ratio']:.1f}, per lab {figures['ratio'] / figures['labs']:.2f}"
    )
    table = Table("process", "memory", "times the bare project", box=None)
    for name, size in [*sorted(figures["memory"].items()), ("bare", figures["bare_memory"])]:
        table.add_row(name, f"{size / 1e6:.0f} MB", f"{size / figures['bare_memory']:.2f}")
    common.console.print(table)
    common.console.print(f"All processes: {sum(figures['memory'].values()) / 1e6:.0f} MB")


def charts(figures: dict[str, Any]) -> dict[str, Any]:
    """Return a chart with a bar for each process."""
    memory = dict(sorted(figures["memory"].items()))
    return {
        "memory": Bars(
            "Memory of each lab under lab serve",
            "Megabytes of each process, with its share of shared memory, and of a bare project.",
            "megabytes",
            [*(f"lab {n}" if n.isdigit() else n for n in memory), "a bare project, runserver"],
            [
                BarSeries(
                    "memory",
                    [round(size / 1e6, 1) for size in (*memory.values(), figures["bare_memory"])],
                    "server",
                )
            ],
        )
    }


def main() -> None:
    """Measure, print and write the figures."""
    options = common.parser(__doc__).parse_args()
    figures = measure(1 if options.tiny else ROUNDS)
    tell(figures)
    common.keep(options, "start", figures, charts(figures), "sqlite")


if __name__ == "__main__":
    main()
