"""A class at the same moment: 300 clients add 3 items each, to labs as `lab serve` runs them.

Usage: python bench/burst.py [--clients N]. Labs 03 and 04, on SQLite and, where it is installed, on
MariaDB. The aim: all adds answered, none after more than 5 s, and no one sees another's cart.
"""

import argparse
import asyncio
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from labkit.driving import Client
from labkit.mariadb import PrivateMariaDB
from labkit.private import Missing
from labkit.testing.server import free_port

ROOT = Path(__file__).parents[1]
ADDS = 3  # by each client


class Student(Client):
    """One browser: how long each of its adds took, and which ones failed."""

    def __init__(self, port: int, name: str) -> None:
        super().__init__(port)
        self.name = name
        self.seconds: list[float] = []
        self.failures: list[str] = []

    async def add(self) -> None:
        """Add all items, one after the other."""
        for item in range(ADDS):
            begin = time.perf_counter()
            try:
                answer = await self.post("/add/", {"name": f"{self.name}-{item}", "quantity": "1"})
                if answer.status != 302:
                    self.failures.append(str(answer.status))
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))
            self.seconds.append(time.perf_counter() - begin)

    async def look(self) -> bool:
        """Whether the cart holds what this client has put in, and nothing else."""
        page = await self.get("/display/")
        seen = set(re.findall(r"client-\d+-\d+", page.body))
        return seen == {f"{self.name}-{item}" for item in range(ADDS)}


async def burst(port: int, clients: int) -> tuple[list[Student], int]:
    """(the clients afterwards, how many of them saw another cart than their own)."""
    crowd = [Student(port, f"client-{number}") for number in range(clients)]
    for some in range(0, clients, 20):  # they come in little by little
        await asyncio.gather(*(client.get("/add/") for client in crowd[some : some + 20]))
    await asyncio.gather(*(client.add() for client in crowd))
    right = 0
    for some in range(0, clients, 20):
        right += sum(await asyncio.gather(*(client.look() for client in crowd[some : some + 20])))
    return crowd, clients - right


def measure(checkout: Path, db: str, clients: int, rounds: int) -> None:
    """Start `lab serve` on this database, and print a line for each lab."""
    port = free_port()
    while port > 60000:
        port = free_port()
    command = [sys.executable, "-m", "labkit.cli", "serve", "--only", "03,04"]
    serve = subprocess.Popen(
        [*command, "--port", str(port), "--db", db],
        cwd=checkout,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        assert serve.stdout is not None
        while (line := serve.stdout.readline()) and "console" not in line:
            pass
        for number in (3, 4):
            for _ in range(rounds):
                crowd, wrong = asyncio.run(burst(port + number, clients))
                report(number, db, crowd, wrong)
    finally:
        serve.send_signal(signal.SIGINT)
        serve.communicate(timeout=30)


def report(number: int, db: str, crowd: list[Student], wrong: int) -> None:
    """Print one line, and why adds failed if any did."""
    seconds = sorted(second for client in crowd for second in client.seconds)
    failures = [failure for client in crowd for failure in client.failures]
    p50, p99 = (seconds[len(seconds) * part // 100] for part in (50, 99))
    print(  # noqa: T201
        f"lab {number:02} {db:7} {len(seconds) - len(failures):4} of {len(seconds)} ok   "
        f"p50 {p50:5.2f} s   p99 {p99:5.2f} s   "
        f"max {seconds[-1]:5.2f} s   {wrong} saw a cart that was not theirs"
    )
    for failure in sorted(set(failures)):
        print(f"    {failures.count(failure)} x {failure}")  # noqa: T201


def main() -> None:
    """Measure SQLite, then MariaDB."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3, help="bursts for each line (3)")
    parser.add_argument("--db", choices=["sqlite", "mysql"], help="only this one")
    options = parser.parse_args()
    print(  # noqa: T201
        f"{options.clients} clients, {ADDS} adds each; Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"
    )
    databases = [options.db] if options.db else ["sqlite", "mysql"]
    with tempfile.TemporaryDirectory() as folder:
        ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
        shutil.copytree(ROOT / "labs", Path(folder, "labs"), ignore=ignored)
        for db in databases:
            try:
                if db == "mysql":
                    PrivateMariaDB.need()
            except Missing as missing:
                print(f"mysql: {missing}")  # noqa: T201
                continue
            measure(Path(folder), db, options.clients, options.rounds)


if __name__ == "__main__":
    main()
