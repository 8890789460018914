"""Measure 300 clients adding 3 items each at once, to a lab's cart and to a textbook's cart.

    python bench/burst.py

Labs 03 and 04 run as under `lab serve`. Lab 04 uses SQLite and, if it is installed, MariaDB. In the
same run, each lab is compared with a textbook's cart (tests/support/textbook.py) in a bare project
on `runserver`, where only 10 connections can wait. The other clients are refused and try again
after 1, 3, 7 … seconds. Lab 04 without its panel is also compared on gunicorn, if it is installed,
with the numbers of processes and threads in GUNICORN. A request without a response after LIMIT
seconds counts as failed.

The target for the labs: every request has a response, the 99th percentile is below one second on
2 cores, and every cart is correct.
"""

import asyncio
import contextlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import common
from rich.table import Table

from labkit.http.client import BrowserClient, Response
from labkit.measure.charts import Bars, BarSeries
from labkit.processes.ports import free_port

CLIENTS, ADDS = 300, 3
LIMIT = 15  # seconds to wait for a response; a request without one by then counts as failed
ROUNDS = 3  # bursts per lab; the textbook gets only one, which takes longer than all of a lab's
TOGETHER = 8  # how many clients open a page at once; more than this could not queue for `runserver`
GUNICORN = [(2, 16), (4, 32)]  # (processes, threads of each)
GUNICORN_AIM = 0.6  # the largest share of the best gunicorn's 99th percentile
LABS = {"03": "cart in cookies", "04": "cart in a session"}


@dataclass(frozen=True)
class Shop:
    """The paths of the page with the form, of the form's action, and of the cart."""

    enter: str
    add: str
    display: str


LAB = Shop("/add/", "/add/", "/display/")
TEXTBOOK = {
    "03": Shop("/cookies/", "/cookies/add/", "/cookies/"),
    "04": Shop("/session/", "/session/add/", "/session/"),
}


@dataclass
class Student:
    """A student's browser, with the duration of each of its adds, and its failures."""

    name: str
    shop: Shop
    client: BrowserClient
    seconds: list[float] = field(default_factory=list)
    added: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    async def add(self) -> None:
        """Add all items, one after the other."""
        for number in range(ADDS):
            item = f"{self.name}-{number}"
            begin = time.perf_counter()
            try:
                response = await self._within_limit(
                    self.client.post(self.shop.add, {"name": item, "quantity": "1"})
                )
                # After an add, the textbook responds with a page, not with a redirect.
                if response.status in {200, 302}:
                    self.added.add(item)
                else:
                    self.failures.append(str(response.status))
            except TimeoutError:
                self.failures.append(f"no response within {LIMIT} s")
            except (OSError, ValueError) as error:
                self.failures.append(repr(error))
            self.seconds.append(time.perf_counter() - begin)

    async def look(self) -> bool:
        """Return True if the cart contains all acknowledged items and no others."""
        try:
            page = await self._within_limit(self.client.get(self.shop.display))
        except (OSError, ValueError):
            return False
        seen = set(re.findall(r"client-\d+-\d+", page.body))
        return self.added <= seen <= {f"{self.name}-{number}" for number in range(ADDS)}

    async def enter(self) -> None:
        """Open the page with the form. If that fails, the first add will fail too."""
        with contextlib.suppress(OSError, ValueError):
            await self._within_limit(self.client.get(self.shop.enter))

    @staticmethod
    async def _within_limit(request: Any) -> Response:
        async with asyncio.timeout(LIMIT):
            return await request


async def burst(port: int, shop: Shop, clients: int) -> dict[str, Any]:
    """Simulate a class that adds items at the same moment; return counts and seconds."""
    crowd = [Student(f"client-{number}", shop, BrowserClient(port)) for number in range(clients)]
    groups = [crowd[first : first + TOGETHER] for first in range(0, clients, TOGETHER)]
    for group in groups:
        await asyncio.gather(*(student.enter() for student in group))
    await asyncio.gather(*(student.add() for student in crowd))
    right = 0
    for group in groups:
        right += sum(await asyncio.gather(*(student.look() for student in group)))
    seconds = sorted(second for student in crowd for second in student.seconds)
    failures = [failure for student in crowd for failure in student.failures]
    return {
        "adds": len(seconds),
        "answered": len(seconds) - len(failures),
        "p50": seconds[len(seconds) // 2],
        "p99": seconds[len(seconds) * 99 // 100],
        "max": seconds[-1],
        "failures": {failure: failures.count(failure) for failure in sorted(set(failures))},
        "wrong_carts": clients - right,
    }


def together(bursts: list[dict[str, Any]]) -> dict[str, Any]:
    """Combine several bursts: sums, medians of p50 and p99, and the longest time."""
    failures: dict[str, int] = {}
    for one in bursts:
        for failure, many in one["failures"].items():
            failures[failure] = failures.get(failure, 0) + many
    return {
        **{name: sum(one[name] for one in bursts) for name in ("adds", "answered", "wrong_carts")},
        **{name: statistics.median(one[name] for one in bursts) for name in ("p50", "p99")},
        "max": max(one["max"] for one in bursts),
        "failures": failures,
        "bursts": len(bursts),
    }


@contextlib.contextmanager
def places(home: Path) -> Iterator[list[tuple[str, str, dict[str, str], dict[str, str]]]]:
    """Yield (lab, database, the lab's environment, the environment of the textbook's project)."""
    own = common.environment(LAB_STATE_DIR=str(home / "state"))
    found = [("03", "", own, own), ("04", "sqlite", own, own)]
    with common.mariadb(home / "mariadb") as server:
        if server:
            urls = [{"DATABASE_URL": server.url(name)} for name in ("lab_04", "textbook")]
            found.append(("04", "mysql", own | urls[0], own | urls[1]))
        yield found


@contextlib.contextmanager
def gunicorn(environ: dict[str, str], processes: int, threads: int, log: Path) -> Iterator[int]:
    """Run lab 04 without its panel on gunicorn, with the tables of the lab; yield its port."""
    port = free_port()
    bind = f"--bind=127.0.0.1:{port}"
    options = [f"--threads={threads}", "django.core.wsgi:get_wsgi_application()"]
    with log.open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", bind, f"-w{processes}", *options],
            cwd=common.lab_folder("04"),
            env=environ | {"DJANGO_SETTINGS_MODULE": "lab.settings", "LAB_PANEL": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        common.until_it_responds(port, LAB.enter)
        yield port
    finally:
        server.terminate()
        server.wait()


def gunicorn_settings(lab: str) -> list[tuple[int, int]]:
    """Return the settings of gunicorn to measure for a lab; none if gunicorn is missing."""
    return GUNICORN if lab == "04" and find_spec("gunicorn") else []


def best_gunicorn(row: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the setting that answered most requests, and of these the fastest one, or None."""
    return min(
        row["gunicorn"].items(),
        key=lambda item: (-item[1]["answered"], item[1]["p99"]),
        default=None,
    )


def measure(clients: int, rounds: int) -> list[dict[str, Any]]:
    """Return {lab, database, served: …, textbook: …, gunicorn: …} for each lab and database."""
    figures = []
    with (
        tempfile.TemporaryDirectory() as folder,
        places(Path(folder)) as found,
        common.Steps(
            sum(rounds * (1 + len(gunicorn_settings(lab))) + 1 for lab, *_ in found)
        ) as steps,
    ):

        def run(port: int, shop: Shop, who: str) -> dict[str, Any]:
            steps.begin(who)
            done = asyncio.run(burst(port, shop, clients))
            steps.done()
            return done

        for number, (lab, db, of_lab, of_textbook) in enumerate(found):
            home = Path(folder, str(number))
            home.mkdir()
            with (
                common.worker(lab, of_lab, home / "lab.log") as port,
                common.bare(of_textbook, home) as bare,
            ):
                name = where(lab, db)
                served = [run(port, LAB, f"{name}, lab {lab}") for _ in range(rounds)]
                textbook = run(bare.port, TEXTBOOK[lab], f"{name}, the textbook's project")
                others = {}
                for processes, threads in gunicorn_settings(lab):
                    label = f"{processes} × {threads}"
                    log = home / "gunicorn.log"
                    with gunicorn(of_lab, processes, threads, log) as other:
                        who = f"{name}, gunicorn {label}"
                        others[label] = together([run(other, LAB, who) for _ in range(rounds)])
            figures.append(
                {
                    "lab": lab,
                    "database": db,
                    "served": together(served),
                    "textbook": together([textbook]),
                    "gunicorn": others,
                }
            )
    return figures


def where(lab: str, db: str) -> str:
    """Return a label such as "cart in a session, SQLite"."""
    return f"{LABS[lab]}, {common.NAMES[db]}" if db else LABS[lab]


def charts(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a chart of the 99th percentile of the times, for the labs and the textbook's carts."""
    return {
        "p99": Bars(
            "A class adds items at the same moment: 99th percentile of the time",
            f"Seconds, at most {LIMIT}: labs as under lab serve, and a textbook's project on "
            "runserver.",
            "seconds",
            [where(row["lab"], row["database"]) for row in figures],
            [
                BarSeries("lab serve", [row["served"]["p99"] for row in figures], "server"),
                BarSeries(
                    "a textbook's project, runserver", [row["textbook"]["p99"] for row in figures]
                ),
            ],
        )
    }


def servers(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the results of a row for each server, by the server's name."""
    others = {f"gunicorn {label}": found for label, found in row["gunicorn"].items()}
    return {f"lab {row['lab']}": row["served"], **others, "textbook": row["textbook"]}


def tell(figures: list[dict[str, Any]]) -> None:
    """Print a line for each lab and each textbook's cart, and why requests failed."""
    table = Table("", "", "responses", "p50", "p99", "max", "wrong carts", box=None)
    for row in figures:
        for who, found in servers(row).items():
            table.add_row(
                where(row["lab"], row["database"]),
                who,
                f"{found['answered']} of {found['adds']}",
                *(f"{found[name]:.2f} s" for name in ("p50", "p99", "max")),
                str(found["wrong_carts"]),
            )
    common.console.print(table)
    for row in figures:
        for who, found in servers(row).items():
            for failure, many in found["failures"].items():
                common.console.print(
                    f"{where(row['lab'], row['database'])}, {who}: {many} x {failure}"
                )
        if best := best_gunicorn(row):
            common.console.print(
                f"{where(row['lab'], row['database'])}: the lab's p99 is "
                f"{row['served']['p99'] / best[1]['p99']:.2f} times that of gunicorn {best[0]} "
                f"(target: at most {GUNICORN_AIM})"
            )


def main() -> None:
    """Measure, print and write the figures."""
    parser = common.parser(__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="bursts on each lab")
    options = parser.parse_args()
    clients, rounds = (4, 1) if options.tiny else (options.clients, options.rounds)
    common.console.print(f"{clients} clients, {ADDS} adds each, {LIMIT} s for a response")
    figures = measure(clients, rounds)
    tell(figures)
    databases = {row["database"] for row in figures} - {""}
    common.keep(options, "burst", figures, charts(figures), *databases)


if __name__ == "__main__":
    main()
