"""Drives real servers, as `lab serve` runs them, and measures what each variant of a table costs.

Each variant has servers of its own, with a state folder and a database to throw away; the exchange
panel is on, as it is in class. Bytes and seconds are taken from servers with nothing else around
them. Queries and what the store holds are asked of a second server, which has instruments.
"""

import asyncio
import contextlib
import json
import math
import re
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import time_machine

from labkit.catalog import Catalog
from labkit.http.client import BrowserClient, Response
from labkit.http.jar import Jar
from labkit.measure.meter_middleware import DELAY, OWN, QUERIES
from labkit.measure.workloads import ADDS, NAMES, SUBJECTS, Broken, Subject, Visit
from labkit.processes.manage_py import lab_environment
from labkit.processes.ports import free_ports
from labkit.serve.temporary_server import TemporaryServer, temporary_server
from labkit.services.mariadb_child import MariaDBChild
from labkit.tables import Table, Variant

SHORT = 0.02  # seconds that the view takes in the second row of the tabs
APART = 4 * 3600  # seconds between two sittings of one day

Tell = Callable[[str, float], None]  # what is done now, and the part of all that is done


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    samples: int = 100  # of each request at each size
    sizes: int = 1000  # the largest
    tabs: tuple[int, ...] = (2, 5, 10, 20, 50)
    ways: tuple[str, ...] = tuple(NAMES)  # kinds of names with which the end is looked for
    adds: int = ADDS  # by tabs; each of `tabs` is a divisor
    tries: int = 10  # of a visitor whose cookies are blocked
    robot: int = 100  # requests


WHOLE = Amount()


@dataclass
class Server:
    """One variant on a server of its own."""

    variant: Variant
    subject: Subject
    process: TemporaryServer

    def visit(self, *, blocked: bool = False) -> Visit:
        """A new visitor."""
        return Visit(
            BrowserClient(self.process.port, jar=Jar(blocked=blocked)), self.variant.prefix
        )

    async def held(self) -> dict[str, int]:
        """What its store holds, as meter_middleware.stored_sessions() returns it."""
        answer = await BrowserClient(self.process.port).get(f"{OWN}store/")
        return json.loads(answer.body)


def measure(
    checkout: Catalog, table: Table, db: str, tell: Tell, amount: Amount = WHOLE
) -> dict[str, Any]:
    """Measure all variants of a table on "sqlite" or "mysql"; the figures, as JSON has them.

    Raises NotInstalled, StartFailed, Broken.
    """
    subject = SUBJECTS[table.id]
    figures: dict[str, Any] = {
        "table": table.id,
        "db": db,
        "unit": subject.unit,
        "kinds": dict(subject.kinds),
        "panel": "on",
        "samples": amount.samples,
        "variants": {v.id: {"title": v.title} for v in table.variants},
    }
    if subject.crowd:
        figures |= {"crowd": subject.crowd, "adds": amount.adds}
    found = figures["variants"]
    with _place(checkout) as place, _databases(checkout, table, db, place) as urls:

        def servers(kind: str, **environ: str) -> contextlib.AbstractContextManager[list[Server]]:
            return _servers(checkout, table, subject, place / kind, urls, environ)

        tell("starting servers", 0)
        with servers("plain") as plain:
            for server in plain:
                tell(f"where it ends: {server.variant.title}", 0.05)
                ends = asyncio.run(_ends(server, amount))
                found[server.variant.id]["ends"] = ends
            for number, size in enumerate(_sizes(subject, found, amount)):
                tell(f"{size} {subject.unit}", 0.1 + 0.05 * number)
                able = [s for s in plain if size <= _most(found[s.variant.id])]
                for name, figure in asyncio.run(_at_size(able, size, amount)).items():
                    found[name].setdefault("sizes", []).append({"size": size, **figure})
            if subject.crowd:
                tell("tabs at once", 0.65)
                for server in plain:
                    found[server.variant.id]["tabs"] = {"as it is": _tabs(server, amount)}
        if subject.crowd:
            with servers("slow", **{"DJANGO_SETTINGS_MODULE": MEASURED, DELAY: str(SHORT)}) as slow:
                for server in slow:
                    tell(f"tabs at once, a slow view: {server.variant.title}", 0.75)
                    found[server.variant.id]["tabs"][SLOW] = _tabs(server, amount)
        with servers("within", DJANGO_SETTINGS_MODULE=MEASURED) as within:
            for server in within:
                tell(f"queries and the store: {server.variant.title}", 0.85)
                for figure in found[server.variant.id]["sizes"]:
                    asyncio.run(_look_inside(server, figure))
                tell(f"visitors: {server.variant.title}", 0.95)
                found[server.variant.id]["left"] = _left(server, amount)
    tell("done", 1)
    return figures


MEASURED = "labkit.measure.meter_settings"
SLOW = f"{SHORT * 1000:.0f} ms in the view"


def _most(figures: dict[str, Any]) -> float:
    """The largest size that this variant takes with the names with which it is measured."""
    ends = list(figures["ends"].values())
    return ends[0]["count"] if ends else math.inf


def _sizes(subject: Subject, found: dict[str, Any], amount: Amount) -> list[int]:
    """The sizes to measure at: the subject's, and where a variant breaks."""
    ends = {int(most) for v in found.values() if (most := _most(v)) != math.inf}
    return sorted(size for size in {*subject.sizes, *ends} if size <= amount.sizes)


# What is measured


async def _ends(server: Server, amount: Amount) -> dict[str, dict[str, int]]:
    """For each kind of names, how many fit until one is refused, and the cookies' bytes then."""
    ends = {}
    for way in filter(amount.ways.__contains__, server.subject.ways):
        visit = server.visit()
        await server.subject.begin(visit)
        count = 0
        while await server.subject.grow(visit, count + 1, way):
            count += 1
            if count >= 1000:
                raise Broken(f"{server.variant.title} takes more than 1000")
        kept = await server.subject.size(visit)
        if kept != count:
            raise Broken(f"{server.variant.title} took {count} and has {kept}: is it too slow?")
        answer = await visit.client.get("/")
        ends[way] = {"count": count, "cookie": answer.cookie}
    return ends


async def _at_size(servers: list[Server], size: int, amount: Amount) -> dict[str, dict[str, Any]]:
    """For each of these variants what a request costs with so much in it, asked by turns."""
    visits = {server.variant.id: await _grown(server, size) for server in servers}
    subject = servers[0].subject
    samples: dict[tuple[str, str], list[list[Response]]] = {}
    for _ in range(amount.samples):
        for kind in subject.kinds:
            for name, visit in visits.items():
                samples.setdefault((name, kind), []).append(await subject.ask(kind, visit))
    for name, visit in visits.items():
        kept = await subject.size(visit)
        if kept < size:
            raise Broken(f"{name} had {size} {subject.unit} and has {kept}: is it too slow?")
    found: dict[str, dict[str, Any]] = {name: {} for name in visits}
    for (name, kind), several in samples.items():
        found[name][kind] = _cost(several)
    return found


async def _grown(server: Server, size: int) -> Visit:
    """A new visitor with so much."""
    visit = server.visit()
    await server.subject.begin(visit)
    for number in range(size):
        if not await server.subject.grow(visit, number + 1):
            raise Broken(f"{server.variant.title} took {number} {server.subject.unit} only")
    return visit


def _cost(several: list[list[Response]]) -> dict[str, float]:
    """Bytes up and down, of the first; milliseconds: the median, and the 99th of 100."""
    seconds = sorted(sum(answer.seconds for answer in answers) for answers in several)
    late = seconds[math.ceil(0.99 * len(seconds)) - 1]
    return {
        "up": sum(answer.sent for answer in several[0]),
        "down": sum(answer.received for answer in several[0]),
        "cookie": max(answer.cookie for answer in several[0]),
        "median": round(statistics.median(seconds) * 1000, 2),
        "p99": round(late * 1000, 2),
    }


def _tabs(server: Server, amount: Amount) -> list[list[int]]:
    """[number of tabs, how many of the adds are kept] for each number of tabs."""
    return [
        [tabs, asyncio.run(server.subject.survivors(server.visit(), tabs, amount.adds))]
        for tabs in amount.tabs
    ]


async def _look_inside(server: Server, figure: dict[str, Any]) -> None:
    """Add what one visitor with so much has in the store, and the queries of what he asks for."""
    before = await server.held()
    visit = await _grown(server, figure["size"])
    after = await server.held()
    figure["records"] = after["records"] - before["records"]
    figure["stored"] = after["bytes"] - before["bytes"]
    for kind in server.subject.kinds:
        for _ in range(2):  # the second one finds what the first may have put into a cache
            answers = await server.subject.ask(kind, visit)
        figure[kind]["queries"] = sum(int(answer.headers[QUERIES]) for answer in answers)


def _left(server: Server, amount: Amount) -> dict[str, int]:
    """How many sessions each kind of visitor leaves in the store."""
    subject = server.subject

    async def blocked() -> None:
        visit = server.visit(blocked=True)
        for _ in range(amount.tries):
            with contextlib.suppress(Broken):  # it may well be refused: that is the answer
                await subject.sitting(visit)

    async def robot() -> None:
        for number in range(amount.robot):
            page = subject.robot[number % len(subject.robot)]
            await server.visit().client.get(page.format(server.variant.prefix))

    def day() -> None:
        visit = server.visit()
        with time_machine.travel(datetime.now(UTC), tick=True) as browser:
            for _ in range(3):
                asyncio.run(subject.sitting(visit))
                browser.shift(APART)
                asyncio.run(_forward(server, APART))

    left = {}
    for name, scene in (
        (f"cookies blocked, {amount.tries} tries", lambda: asyncio.run(blocked())),
        (f"a robot, {amount.robot} pages", lambda: asyncio.run(robot())),
        ("one visitor, 3 times a day", day),
    ):
        before = asyncio.run(server.held())["sessions"]
        scene()
        left[name] = asyncio.run(server.held())["sessions"] - before
    return dict(reversed(left.items()))


async def _forward(server: Server, seconds: float) -> None:
    await BrowserClient(server.process.port).get(f"{OWN}forward/?seconds={seconds}")


# The servers


@contextmanager
def _place(checkout: Catalog) -> Iterator[Path]:
    """A folder to throw away, on the disk on which labs keep what they keep."""
    home = checkout.root / ".lab" / "compare"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="state-", dir=home, ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def _databases(
    checkout: Catalog, table: Table, db: str, place: Path
) -> Iterator[Callable[[Variant, str], str]]:
    """What DATABASE_URL is for a variant and a kind of server: "" for SQLite."""
    if db == "sqlite":
        yield lambda variant, kind: ""
        return

    def name(variant: Variant, kind: str) -> str:
        return re.sub(r"\W", "_", f"{variant.id}_{kind}")

    with_database = [v for v in table.variants if checkout.find(v.lab).database]
    names = [name(v, kind) for v in with_database for kind in ("plain", "slow", "within")]
    with MariaDBChild(place / "mariadb", names) as server:
        yield lambda variant, kind: server.urls.get(name(variant, kind), "")


@contextmanager
def _servers(
    checkout: Catalog,
    table: Table,
    subject: Subject,
    folder: Path,
    url: Callable[[Variant, str], str],
    environ: dict[str, str],
) -> Iterator[list[Server]]:
    """All variants, each on a server; all of them end with the block, or with this process."""
    with ExitStack() as stack:
        servers = []
        places = free_ports(len(table.variants))  # none listens yet while the next one is chosen
        for variant, port in zip(table.variants, places, strict=True):
            state = folder / variant.id
            state.mkdir(parents=True)
            own = {name: v for name, v in lab_environment().items() if not name.startswith("LAB_")}
            own |= {"LAB_DEBUG": "0", "LAB_STATE_DIR": str(state), "REDIS_URL": ""}
            own |= {"DATABASE_URL": url(variant, folder.name)}
            own.pop("SESSION_ENGINE", None)
            own |= variant.environ
            cwd = checkout.find(variant.lab).folder
            started = stack.enter_context(
                temporary_server(cwd, own | environ, state / "server.log", port)
            )
            servers.append(Server(variant, subject, started))
        for server in servers:
            server.process.wait_until_ready(server.variant.title)
        yield servers
