"""Measure how long `lab serve` and quick commands take, and the memory of each lab.

    python bench/start.py

Starts of `lab serve` alternate with starts of one bare Django project (bench/bare.py) on `runserver
--noreload`. First starts, which create databases and keys, are measured separately. Memory is the
process's proportional share (PSS) after one request, so memory shared by several processes is
counted once. Commands that only print something alternate with an import of what they cannot do
without.
"""

import contextlib
import re
import shutil
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

ROUNDS = 5
START_AIM = 6  # at most this many times the start of one bare project
FIRST_AIM = 8
MEMORY_AIM = 260  # MB
COMMAND_AIM = 3  # at most this many times the import
IMPORT = [sys.executable, "-c", "import click, rich.console"]
LAB = [sys.executable, "-c", "from labkit.cli import main; main(prog_name='lab')"]
COMMANDS: dict[str, tuple[list[str], dict[str, str]]] = {  # arguments and environment
    "lab --help": (["--help"], {}),
    "lab list": (["list"], {}),
    "completion": (
        [],
        {"_LAB_COMPLETE": "bash_complete", "COMP_WORDS": "lab run 0", "COMP_CWORD": "2"},
    ),
}


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
        for lab in labs:
            common.until_it_responds(port + int(lab.number), "/")
        seconds = time.perf_counter() - begin
        if len(workers(port)) < len(labs):
            raise RuntimeError("another server responds on the port of a lab; measure again")
        yield seconds, port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def workers(port: int) -> dict[str, int]:
    """Return the process ID of each lab of this `lab serve`, by the lab's number.

    On Linux, the name of a lab's process contains its port. Elsewhere, its command does.
    """
    shown = "comm=" if sys.platform == "linux" else "args="
    done = subprocess.run(
        ["ps", "-A", "-o", f"pid=,{shown}"], capture_output=True, text=True, check=True
    )
    found = {}
    for pid, name in re.findall(r"^ *(\d+) (.*)$", done.stdout, re.M):
        lab = re.search(r"^lab:(\d+)$|labkit\.serve\.worker (\d+)", name)
        number = int(lab[1] or lab[2]) - port if lab else 0
        if 0 < number < 100:
            found[f"{number:02}"] = int(pid)
    return found


def children(parent: int) -> list[int]:
    """Return the process IDs of a process's children."""
    done = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    return [int(pid) for pid, above in rows if int(above) == parent]


def memories(parent: int, port: int) -> dict[str, int]:
    """Return the bytes of memory of each lab, of the "console", and of the "fork server"."""
    labs = workers(port)
    pids = {"console": parent, **labs}
    for pid in set(children(parent)) - set(labs.values()):
        pids["fork server"] = pid
    return {name: common.memory(pid) for name, pid in pids.items()}


def seconds_of(command: list[str], folder: Path, environ: dict[str, str]) -> float:
    """Return how long a command takes. Raises CalledProcessError if it fails."""
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def measure_commands(rounds: int, folder: Path) -> dict[str, Any]:
    """Return {command: seconds, and their ratio to those of the import}."""
    plain = common.environment()
    figures = {}
    for name, (arguments, own) in COMMANDS.items():
        here, beside = [], []
        for number in range(rounds + 1):
            times = (
                seconds_of(IMPORT, folder, plain),
                seconds_of([*LAB, *arguments], folder, plain | own),
            )
            if number:  # the first round reads files that are not in memory yet
                beside.append(times[0])
                here.append(times[1])
        figures[name] = {
            "seconds": statistics.median(here),
            "import_seconds": statistics.median(beside),
            "ratio": statistics.median(a / b for a, b in zip(here, beside, strict=True)),
        }
    return figures


def measure(rounds: int) -> dict[str, Any]:
    """Return the seconds and bytes of the labs and of the bare project."""
    labs = list(Catalog(common.ROOT).labs)
    times: dict[str, list[float]] = {"first": [], "later": [], "bare": []}
    with tempfile.TemporaryDirectory() as home, common.Steps(3 * rounds + 1) as steps:
        checkout, folder = common.copy_of_labs(Path(home)), Path(home, "bare")
        folder.mkdir()
        for _ in range(rounds):
            shutil.rmtree(checkout / ".lab", ignore_errors=True)
            for start in ("first", "later"):
                steps.begin(f"lab serve, {len(labs)} labs, {start} start")
                with serving(checkout, labs) as (seconds, port, pid):
                    memory = memories(pid, port)
                times[start].append(seconds)
                steps.done()
            steps.begin("runserver --noreload")
            with common.bare(common.environment(), folder) as bare:
                times["bare"].append(bare.seconds)
                bare_memory = common.memory(bare.pid)
            steps.done()
        steps.begin("quick commands")
        commands = measure_commands(4 * rounds, checkout)
        steps.done()
    ratios = {
        start: statistics.median(a / b for a, b in zip(times[start], times["bare"], strict=True))
        for start in ("first", "later")
    }
    return {
        "labs": len(labs),
        "first_seconds": statistics.median(times["first"]),
        "first_ratio": ratios["first"],
        "seconds": statistics.median(times["later"]),
        "bare_seconds": statistics.median(times["bare"]),
        "ratio": ratios["later"],
        "memory": memory,
        "bare_memory": bare_memory,
        "commands": commands,
    }


def tell(figures: dict[str, Any]) -> None:
    """Print the times, and a line with the memory of each process."""
    common.console.print(
        f"lab serve, all {figures['labs']} labs respond: {figures['seconds']:.2f} s, ratio "
        f"{figures['ratio']:.1f} (target: at most {START_AIM})\n"
        f"first start: {figures['first_seconds']:.2f} s, ratio {figures['first_ratio']:.1f} "
        f"(target: at most {FIRST_AIM})\n"
        f"one bare runserver --noreload: {figures['bare_seconds']:.2f} s"
    )
    table = Table("process", "memory", "times the bare project", box=None)
    for name, size in [*sorted(figures["memory"].items()), ("bare", figures["bare_memory"])]:
        table.add_row(name, f"{size / 1e6:.0f} MB", f"{size / figures['bare_memory']:.2f}")
    common.console.print(table)
    total = sum(figures["memory"].values()) / 1e6
    common.console.print(f"All processes: {total:.0f} MB (target: at most {MEMORY_AIM})")
    for name, found in figures["commands"].items():
        common.console.print(
            f"{name}: {found['seconds'] * 1000:.0f} ms, {found['ratio']:.1f} times the import of "
            f"click and rich.console (target: at most {COMMAND_AIM})"
        )


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
