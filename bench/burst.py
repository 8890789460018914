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
from http.client import HTTPMessage, parse_headers
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

from labkit.mariadb import Missing, PrivateMariaDB
from labkit.testing.server import free_port

ROOT = Path(__file__).parents[1]
ADDS = 3  # by each client
LIMIT = 90  # seconds for one answer


class Client:
    """One browser: its cookies, and how long each of its adds took."""

    def __init__(self, port: int, name: str) -> None:
        self.port = port
        self.name = name
        self.cookies: dict[str, str] = {}
        self.seconds: list[float] = []
        self.failures: list[str] = []

    async def ask(
        self, method: str, path: str, fields: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """One request by a connection of its own; (status, page)."""
        body = urlencode(fields or {}).encode()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        ) + (f"Cookie: {cookies}\r\n" if cookies else "")
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(f"{head}\r\n".encode() + body)
            answer = await reader.read()
        finally:
            writer.close()
        status_line, _, rest = answer.partition(b"\r\n")
        stream = BytesIO(rest)
        headers: HTTPMessage = parse_headers(stream)
        for cookie in headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return int(status_line.split()[1]), stream.read().decode()

    async def come(self) -> None:
        """Open the form, as everybody has before the moment comes."""
        _, page = await self.ask("GET", "/add/")
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
        assert found, page
        self.token = found[1]

    async def add(self) -> None:
        """Add all items, one after the other."""
        for item in range(ADDS):
            fields = {"name": f"{self.name}-{item}", "quantity": "1"}
            begin = time.perf_counter()
            try:
                async with asyncio.timeout(LIMIT):
                    status, _ = await self.ask(
                        "POST", "/add/", fields | {"csrfmiddlewaretoken": self.token}
                    )
                if status != 302:
                    self.failures.append(str(status))
            except (OSError, TimeoutError, IndexError) as error:
                self.failures.append(repr(error))
            self.seconds.append(time.perf_counter() - begin)

    async def look(self) -> bool:
        """Whether the cart holds what this client has put in, and nothing else."""
        _, page = await self.ask("GET", "/display/")
        seen = set(re.findall(r"client-\d+-\d+", page))
        return seen == {f"{self.name}-{item}" for item in range(ADDS)}


async def burst(port: int, clients: int) -> tuple[list[Client], int]:
    """(the clients afterwards, how many of them saw another cart than their own)."""
    crowd = [Client(port, f"client-{number}") for number in range(clients)]
    for some in range(0, clients, 20):  # they come in little by little
        await asyncio.gather(*(client.come() for client in crowd[some : some + 20]))
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


def report(number: int, db: str, crowd: list[Client], wrong: int) -> None:
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
