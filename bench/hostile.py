"""Measure how long a visitor waits while other clients hold connections or send too much.

    python bench/hostile.py

Lab 03 runs as under `lab serve`, with at most 256 open files. A visitor opens its page again and
again, each time on a new connection. Periods in which other processes attack the lab alternate with
periods without an attack.
"""

import contextlib
import http.client
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
from rich.table import Table

from labkit.measure.charts import Bars, BarSeries
from labkit.processes.parent_pipe import end_child, on_parent_exit, read_line, start_child
from labkit.serve.temporary_server import temporary_server

OPEN_FILES = 256
CONNECTIONS = 300  # of attackers
VISITS, ROUNDS = 100, 3  # requests of the visitor in each period, and periods of each kind
LIMIT = 30  # seconds for one response
# The number of attacking processes; several are needed, since each can open only OPEN_FILES files.
ATTACKERS = 2
START = 60  # how many seconds to wait until an attacker has begun

HEAD = b"POST /add/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
KINDS = {  # {kind: (bytes to send on a connection, whether to repeat them on new connections)}
    "idle connections": (b"", False),
    "requests that never end": (HEAD, False),
    "headers of 200 kB": (HEAD + b"Cookie: a=" + b"x" * 200_000 + b"\r\n\r\n", True),
    "bodies of 300 MB": (HEAD + b"Content-Length: 300000000\r\n\r\n" + b"x" * 3_000_000, True),
    "TLS clients": (bytes.fromhex("1603010200010001fc0303") + b"x" * 506, True),
}


def visit(port: int, count: int) -> list[float]:
    """Open the page on new connections; return the seconds each took, or LIMIT if it failed."""
    seconds = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        begin = time.perf_counter()
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            response.read()
            seconds.append(time.perf_counter() - begin if response.status == 200 else LIMIT)
        except (OSError, http.client.HTTPException):
            seconds.append(LIMIT)
        finally:
            connection.close()
    return seconds


@contextlib.contextmanager
def attack(kind: str, port: int) -> Iterator[None]:
    """Attack during the block."""
    command = [sys.executable, __file__, "--attack", kind, "--port", str(port)]
    attackers = [start_child(command) for _ in range(ATTACKERS)]
    try:
        for attacker in attackers:
            if not read_line(attacker, START):
                raise RuntimeError(f"The attack with {kind} did not begin.")
        yield
    finally:
        for attacker in attackers:
            end_child(attacker)


def run_attack(kind: str, port: int) -> None:
    """Attack in this process until the parent ends or closes the pipe."""
    ending = threading.Event()
    on_parent_exit(ending.set)
    data, again = KINDS[kind]
    send = _send_and_leave if again else _hold
    with contextlib.ExitStack() as held:
        count = 1 if again else CONNECTIONS // ATTACKERS
        for _ in range(count):
            send(port, data, held)
        print("ready", flush=True)  # noqa: T201 for the parent
        while not ending.wait(0 if again else 1):
            if again:
                send(port, data, held)


def _hold(port: int, data: bytes, held: contextlib.ExitStack) -> None:
    with contextlib.suppress(OSError):
        connection = held.enter_context(socket.create_connection(("127.0.0.1", port), LIMIT))
        connection.sendall(data)


def _send_and_leave(port: int, data: bytes, held: contextlib.ExitStack) -> None:
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), LIMIT) as connection,
    ):
        connection.sendall(data)
        connection.recv(1000)


def measure(visits: int, rounds: int) -> list[dict[str, Any]]:
    """Return {kind: {attack, peace: {p50, p99, max}, attacked: …, ratio, failed, memory}}."""
    figures = []
    with (
        tempfile.TemporaryDirectory() as folder,
        common.Steps(len(KINDS) * rounds) as steps,
    ):
        environ = common.environment(LAB_STATE_DIR=folder, DJANGO_SETTINGS_MODULE="lab.settings")
        for kind in KINDS:
            log = Path(folder, "server.log")
            with temporary_server(common.lab_folder("03"), environ, log) as server:
                server.wait_until_ready("lab 03")
                visit(server.port, 10)
                peace, attacked = [], []
                for _ in range(rounds):
                    steps.begin(kind)
                    peace += visit(server.port, visits)
                    with attack(kind, server.port):
                        attacked += visit(server.port, visits)
                    steps.done()
                figures.append(
                    {
                        "attack": kind,
                        "peace": summary(peace),
                        "attacked": summary(attacked),
                        "ratio": summary(attacked)["p99"] / summary(peace)["p99"],
                        "visits": len(attacked),
                        "failed": attacked.count(LIMIT),
                        "memory": common.memory(server.process.pid),
                    }
                )
    return figures


def summary(seconds: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the maximum of these times."""
    ordered = sorted(seconds)
    at: Callable[[int], float] = lambda percent: ordered[len(ordered) * percent // 100]  # noqa: E731
    return {"p50": at(50), "p99": at(99), "max": ordered[-1]}


def limit_files() -> None:
    """Limit the open files of this process and its children, as on a small system."""
    with contextlib.suppress(ImportError):  # Windows
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def charts(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a chart of the 99th percentile of the visitor's waits, with and without an attack."""
    return {
        "p99": Bars(
            "How long other visitors wait for a page: 99th percentile",
            "Seconds for lab 03's page, without an attack and while other clients hold connections "
            "or send too much.",
            "seconds",
            [row["attack"] for row in figures],
            [
                BarSeries("no attack", [row["peace"]["p99"] for row in figures]),
                BarSeries(
                    "during the attack", [row["attacked"]["p99"] for row in figures], "server"
                ),
            ],
        )
    }


def show(figures: list[dict[str, Any]]) -> None:
    """Print a line for each kind of attack."""
    names = ["attack", "p50", "p99", "max", "times the p99 without attack", "failed", "memory"]
    table = Table(*names, box=None)
    for row in figures:
        table.add_row(
            row["attack"],
            *(f"{row['attacked'][name] * 1000:.1f} ms" for name in ("p50", "p99", "max")),
            f"{row['ratio']:.1f} ({row['peace']['p99'] * 1000:.1f} ms)",
            f"{row['failed']} of {row['visits']}",
            f"{row['memory'] / 1e6:.0f} MB",
        )
    common.console.print(table)


def main() -> None:
    """Measure, print and write the figures."""
    parser = common.parser(__doc__)
    parser.add_argument("--attack", choices=KINDS, help="only attack, until stdin is closed")
    parser.add_argument("--port", type=int, help="with --attack")
    options = parser.parse_args()
    limit_files()
    if options.attack:
        run_attack(options.attack, options.port)
        return
    figures = measure(*(5, 1) if options.tiny else (VISITS, ROUNDS))
    show(figures)
    common.keep(options, "hostile", figures, charts(figures))


if __name__ == "__main__":
    main()
