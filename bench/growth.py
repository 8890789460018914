"""Measure sessions in a large table: reading, writing, new visitors, and clearing expired ones.

    python bench/growth.py

Tables of 1,000, 100,000 and 1,000,000 sessions are measured alternately, in SQLite and, if it is
installed, in MariaDB. One operation is one call of the session store, because the time for a whole
page would hide the growth. The target: loading one of 1,000,000 sessions takes at most 1.2 times as
long as loading one of 1,000.

Then 1,000,000 expired sessions are cleared, by Django's `clearsessions` in one DELETE and by
labkit's `clearexpired` in batches, for at most a minute. During that time a visitor of lab 04 reads
on one tab and writes on another, and new visitors arrive. The script measures the memory of the
clearing process, the longest wait of a visitor, and the number of lost changes.

The private MariaDB has more memory here (see MARIADB) than under `lab serve`, which never has a
million sessions.
"""

import asyncio
import contextlib
import datetime
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
import dj_database_url
import django
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from rich.table import Table

from labkit.base.conf import SQLITE_OPTIONS
from labkit.http.client import BrowserClient
from labkit.measure.charts import Bars, BarSeries, Lines, Series

SIZES, TINY_SIZES = [1_000, 100_000, 1_000_000], [100, 300, 1_000]
ROUNDS, BATCH = 60, 20  # the time of a whole batch is measured; batches use the tables in turn
OPERATIONS = ["read", "write", "new visitor"]
# The sessions expired 40 to 60 days ago, so 70 days ago they had not expired.
BACK = datetime.timedelta(days=70)
QUIET = 3  # for this many seconds before clearing, visits are measured for comparison
LIMIT = 60  # after this many seconds, no further batch is cleared
WAYS = {"clearsessions": "one DELETE", "clearexpired": "in batches"}
MARIADB = {"innodb_buffer_pool_size": 512 << 20, "innodb_log_file_size": 256 << 20}  # bytes
AIM = 1.2


# The tables


class Router:
    """Route sessions to the database that is being measured."""

    alias = ""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return self.alias

    db_for_write = db_for_read


router = Router()


def configure(urls: dict[str, str]) -> None:
    """Set up a Django project with only sessions, in these databases."""
    databases: dict[str, dict[str, Any]] = {"default": {}}
    for alias, url in urls.items():
        databases[alias] = dict(dj_database_url.parse(url, conn_max_age=None))
        if url.startswith("sqlite"):
            databases[alias]["OPTIONS"] = SQLITE_OPTIONS
    settings.configure(
        SECRET_KEY="growth",  # noqa: S106
        USE_TZ=True,
        INSTALLED_APPS=["django.contrib.sessions"],
        DATABASES=databases,
        DATABASE_ROUTERS=[router],
    )
    django.setup()


# Keys are random, like real ones. SQLite stores rows in the order of creation, which is roughly the
# order of expiry. MariaDB stores them in the order of their keys, so the rows are created in that
# order, which is faster.
FILL = {
    "sqlite": """
        INSERT INTO django_session (session_key, session_data, expire_date)
        WITH RECURSIVE serial(n) AS
            (VALUES (0) UNION ALL SELECT n + 1 FROM serial WHERE n + 1 < {rows})
        SELECT lower(hex(randomblob(16))), %s,
            datetime('now', '-60 days', printf('%%d seconds', n * 1728000 / {rows}))
        FROM serial""",
    "mysql": """
        INSERT INTO django_session (session_key, session_data, expire_date)
        SELECT concat(lpad(lower(hex(seq * {step})), 8, '0'), substr(md5(rand()), 1, 24)), %s,
            utc_timestamp() - interval 40 day - interval floor(rand() * 1728000) second
        FROM seq_0_to_{last}""",
}


def fill(alias: str, rows: int) -> None:
    """Recreate the table, fill it with this many expired sessions, and then create its index."""
    from django.contrib.sessions.backends.db import SessionStore

    for target in ("zero", None):
        name = [target] if target else []
        call_command("migrate", "sessions", *name, database=alias, verbosity=0)
    connection = connections[alias]
    data = SessionStore().encode({"cart": {f"item {n}": n for n in range(1, 6)}})
    with connection.cursor() as cursor:
        parts = connection.introspection.get_constraints(cursor, "django_session").items()
        index = next(name for name, part in parts if part["columns"] == ["expire_date"])
        vendor = "sqlite" if connection.vendor == "sqlite" else "mysql"
        if vendor == "sqlite":
            cursor.execute("PRAGMA cache_size = -200000")  # KiB, for random keys
        cursor.execute(f"DROP INDEX {index}{'' if vendor == 'sqlite' else ' ON django_session'}")
        sql = FILL[vendor]
        cursor.execute(sql.format(rows=rows, last=rows - 1, step=0xFFFFFFFF // rows), [data])
        cursor.execute(f"CREATE INDEX {index} ON django_session (expire_date)")
    connection.close()  # closing the connection also drops its cache


def some_keys(alias: str, many: int) -> list[str]:
    """Return this many random keys from the table."""
    from django.contrib.sessions.models import Session

    keys = (
        Session.objects.using(alias).order_by("session_key").values_list("session_key", flat=True)
    )
    chosen = []
    for _ in range(many):
        begin = f"{random.randrange(1 << 32):08x}"
        chosen.append(keys.filter(session_key__gte=begin).first() or keys[0])
    return chosen


# The cost of one session


def operate(operation: str, alias: str, keys: list[str]) -> float:
    """Return the mean number of seconds that this operation takes, for these keys of the table."""
    from django.contrib.sessions.backends.db import SessionStore

    router.alias = alias
    if operation == "new visitor":
        stores = [SessionStore() for _ in keys]
    else:
        stores = [SessionStore(key) for key in keys]
    if operation != "read":
        for store in stores:
            store["cart"] = {"apple": random.randrange(1000)}
    act = SessionStore.load if operation == "read" else SessionStore.save
    begin = time.perf_counter()
    answers = [act(store) for store in stores]
    seconds = (time.perf_counter() - begin) / len(keys)
    if operation == "read" and not all(answers):
        raise RuntimeError("a session was not found")
    return seconds


def compare(db: str, sizes: list[int], rounds: int, tick: Callable[[], Any]) -> dict[str, Any]:
    """Return {operation: {milliseconds: {rows: …}, ratio: of the most rows to the fewest}}."""
    keys = {size: some_keys(f"{db}-{size}", rounds * BATCH) for size in sizes}
    found: dict[str, Any] = {}
    for operation in OPERATIONS:
        times: dict[int, list[float]] = {size: [] for size in sizes}
        for number in range(rounds):
            some = slice(number * BATCH, (number + 1) * BATCH)
            for size in random.sample(sizes, len(sizes)):
                times[size].append(operate(operation, f"{db}-{size}", keys[size][some]))
            tick()
        fewest, most = times[sizes[0]], times[sizes[-1]]
        found[operation] = {
            "milliseconds": {str(size): 1000 * statistics.median(times[size]) for size in sizes},
            "ratio": statistics.median(b / a for a, b in zip(fewest, most, strict=True)),
        }
    return found


# Clearing


def clear(way: str) -> None:
    """Clear this lab's expired sessions in a separate process; print the measurements as JSON."""
    django.setup()
    from django.contrib.sessions.models import Session

    from labkit.base.session_cleanup import clear_expired

    expired = Session.objects.filter(expire_date__lt=datetime.datetime.now(datetime.UTC))
    rows = expired.count()
    before, begin = common.peak_memory(), time.perf_counter()
    if way == "clearexpired":
        gone = 0
        for some in clear_expired():
            gone += some
            if time.perf_counter() - begin > LIMIT:
                break
    else:
        call_command(way, verbosity=0)
        gone = rows - expired.count()
    seconds = time.perf_counter() - begin
    took = {"gone": gone, "seconds": seconds, "before": before, "peak": common.peak_memory()}
    sys.stdout.write(json.dumps(took))


class Visits:
    """Visitors of lab 04 until `enough` is set: one with two tabs, and a series of new visitors."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.enough = False
        self.waits: dict[str, list[float]] = {"read": [], "write": [], "new visitor": []}
        self.failures: list[str] = []
        self.lost = 0  # the number of carts in which an acknowledged item is missing
        self.writer = BrowserClient(port)

    async def _add(self, client: BrowserClient, kind: str, name: str) -> bool:
        """Add an item; return True if it was acknowledged."""
        status = await self._timed(kind, client.post("/add/", {"name": name, "quantity": "1"}))
        if status != 302:
            self.failures.append(f"{kind}: {status}")
        return status == 302

    async def _timed(self, kind: str, request: Any) -> int:
        begin = time.perf_counter()
        try:
            status = (await request).status
        except (OSError, ValueError) as error:
            status = repr(error)
        self.waits[kind].append(time.perf_counter() - begin)
        await asyncio.sleep(0.01)
        return status

    async def begin(self) -> None:
        """Start a cart, then write and read it."""
        await self.writer.get("/add/")
        await self.writer.post("/add/", {"name": "first", "quantity": "1"})

    async def write(self) -> None:
        number = 0
        while not self.enough:
            number = (number + 1) % 100  # below the cart's limit of 200 items
            await self._add(self.writer, "write", f"item {number}")

    async def read(self) -> None:
        tab = self.writer.tab()
        while not self.enough:
            begin = time.perf_counter()
            page = await tab.get("/display/")
            self.waits["read"].append(time.perf_counter() - begin)
            if page.status != 200:
                self.failures.append(f"read: {page.status}")
            elif "first" not in page.body:
                self.lost += 1
            await asyncio.sleep(0.01)

    async def arrive(self) -> None:
        while not self.enough:
            client = BrowserClient(self.port)
            await client.get("/add/")
            if await self._add(client, "new visitor", "pear"):
                page = await client.get("/display/")
                self.lost += page.status == 200 and "pear" not in page.body

    def worst(self) -> dict[str, float]:
        """Return {kind: the longest wait in seconds}, and forget all waits."""
        found = {kind: max(waits, default=0.0) for kind, waits in self.waits.items()}
        for waits in self.waits.values():
            waits.clear()
        return found


async def watch(port: int, environ: dict[str, str], way: str, quiet: float) -> dict[str, Any]:
    """Clear expired sessions with this method while visits are running; return both
    measurements."""
    visits = Visits(port)
    await visits.begin()
    async with asyncio.TaskGroup() as tasks:
        for doing in (visits.read, visits.write, visits.arrive):
            tasks.create_task(doing())
        await asyncio.sleep(quiet)
        before = visits.worst()
        took = await cleared(way, environ)
        visits.enough = True
    return {
        **took,
        "worst": visits.worst(),
        "worst_before": before,
        "failures": {text: visits.failures.count(text) for text in sorted(set(visits.failures))},
        "lost": visits.lost,
    }


async def cleared(way: str, environ: dict[str, str]) -> dict[str, Any]:
    """Clear sessions with this method in a separate process; return what `clear` printed."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, __file__, "--clear", way],
        cwd=common.lab_folder("04"),
        env=environ | {"DJANGO_SETTINGS_MODULE": "lab.settings", "PYTHONPATH": "."},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{way} failed")
    return dict(json.loads(said))


def clear_each_way(
    db: str, places: dict[int, dict[str, str]], quiet: float, log: Path, steps: common.Steps
) -> dict[str, Any]:
    """Return {way: measurements of the clearing and the visits}, with the largest table."""
    few, most = min(places), max(places)
    found = {}
    for way, words in WAYS.items():
        if found:  # the tables are already filled for the first variant
            steps.begin(f"{common.NAMES[db]}: {most:,} expired sessions for {way}")
            for size in (few, most):
                fill(f"{db}-{size}", size)
            steps.done()
        of_few = asyncio.run(cleared(way, places[few]))
        steps.begin(f"{common.NAMES[db]}: {way}, {words}")
        with common.worker("04", places[most], log) as port:
            found[way] = asyncio.run(watch(port, places[most], way, quiet))
        found[way] |= {"peak_of_few": of_few["peak"], "rows": most}
        steps.done()
    return found


# The whole benchmark


@contextlib.contextmanager
def servers(
    folder: Path, sizes: list[int], only: str | None
) -> Iterator[dict[str, dict[int, dict[str, str]]]]:
    """Yield {database: {rows: the environment for lab 04 with such a table}}."""
    environ = {size: common.environment(LAB_STATE_DIR=str(folder / str(size))) for size in sizes}
    for size in sizes:
        (folder / str(size) / "04").mkdir(parents=True)
    places = {} if only == "mysql" else {"sqlite": environ}
    if only == "sqlite":
        yield places
        return
    with common.mariadb(folder / "mariadb", **MARIADB) as server:
        if server:
            places["mysql"] = {
                size: environ[size] | {"DATABASE_URL": server.url(f"growth_{size}")}
                for size in sizes
            }
        yield places


def measure(sizes: list[int], rounds: int, quiet: float, only: str | None) -> dict[str, Any]:
    """Return {database: {"operations": …, "clearing": …}}."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as home, servers(Path(home), sizes, only) as places:
        configure(
            {
                f"{db}-{size}": environ.get("DATABASE_URL")
                or f"sqlite:///{environ['LAB_STATE_DIR']}/04/db.sqlite3"
                for db, each in places.items()
                for size, environ in each.items()
            }
        )
        with common.Steps(len(places) * (len(sizes) + 2 * len(WAYS))) as steps:
            for db in places:
                for size in sizes:
                    steps.begin(f"{common.NAMES[db]}: a table of {size:,} sessions")
                    fill(f"{db}-{size}", size)
                    steps.done()
                steps.begin(f"{common.NAMES[db]}: {', '.join(OPERATIONS)}")
                with time_machine.travel(datetime.datetime.now(datetime.UTC) - BACK):
                    operations = compare(db, sizes, rounds, lambda: steps.done(1 / 3 / rounds))
                log = Path(home, "server.log")
                clearing = clear_each_way(db, places[db], quiet, log, steps)
                figures[db] = {"operations": operations, "clearing": clearing}
        connections.close_all()
    return figures


def charts(figures: dict[str, Any]) -> dict[str, Any]:
    """Return a chart of operations by table size, and one of the longest waits."""
    lines = [
        Series(
            f"{common.NAMES[db]}, {operation}",
            [(int(rows), ms) for rows, ms in found["milliseconds"].items()],
            place="store",
        )
        for db, both in figures.items()
        for operation, found in both["operations"].items()
    ]
    ways = [(db, way) for db in figures for way in WAYS]
    waits = [
        BarSeries(kind, [figures[db]["clearing"][way]["worst"][kind] for db, way in ways], "store")
        for kind in OPERATIONS
    ]
    return {
        "operations": Lines(
            "One session in a table of many",
            "Time to load, save and create a session, by the number of rows in the table.",
            "rows in the table",
            "milliseconds",
            lines,
        ),
        "clearing": Bars(
            "The longest wait while a million expired sessions are cleared",
            "The longest wait in seconds of a reader, a writer and a new visitor, for each way.",
            "seconds",
            [f"{common.NAMES[db]}, {WAYS[way]}" for db, way in ways],
            waits,
        ),
    }


def tell(figures: dict[str, Any]) -> None:
    """Print two tables."""
    sizes = list(next(iter(figures.values()))["operations"]["read"]["milliseconds"])
    table = Table("", "", *(f"{int(size):,} rows" for size in sizes), "ratio", "target", box=None)
    for db, both in figures.items():
        for operation, found in both["operations"].items():
            cells = [f"{found['milliseconds'][size]:.3f} ms" for size in sizes]
            aim = f"≤ {AIM}" if operation == "read" else ""
            table.add_row(common.NAMES[db], operation, *cells, f"{found['ratio']:.2f}", aim)
    common.console.print(table)
    heads = [
        "memory (of few rows)",
        *(f"longest {kind}" for kind in OPERATIONS),
        "failed requests",
        "lost changes",
    ]
    table = Table("clearing", "", "rows", "took", *heads, box=None)
    for db, both in figures.items():
        for way, found in both["clearing"].items():
            table.add_row(
                common.NAMES[db],
                f"{way}, {WAYS[way]}",
                f"{found['gone']:,}",
                f"{found['seconds']:.1f} s",
                f"{found['peak'] / 1e6:.0f} MB ({found['peak_of_few'] / 1e6:.0f} MB)",
                *(f"{found['worst'][kind]:.2f} s" for kind in OPERATIONS),
                str(sum(found["failures"].values())),
                str(found["lost"]),
            )
    common.console.print(table)


def main() -> None:
    """Measure, print and write the figures."""
    parser = common.parser(__doc__)
    parser.add_argument("--clear", choices=WAYS, help="(for internal use)")
    parser.add_argument("--db", choices=list(common.NAMES), help="only this database")
    options = parser.parse_args()
    if options.clear:
        clear(options.clear)
        return
    extent = (TINY_SIZES, 2, 0.2) if options.tiny else (SIZES, ROUNDS, QUIET)
    figures = measure(*extent, options.db)
    tell(figures)
    common.keep(options, "growth", figures, charts(figures), *figures)


if __name__ == "__main__":
    main()
