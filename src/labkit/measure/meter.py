"""Measure what each variant of a table costs, on servers like those of `lab serve`.

Each variant has its own servers, with a temporary state folder and database. As in class, the
exchange panel is on. Bytes and times are measured on unmodified servers. A second server with the
meter's middleware counts queries and reads the store.
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
from functools import partial
from pathlib import Path
from typing import Any

import time_machine

from labkit.catalog import Catalog, writable
from labkit.comparison_tables import Table, Variant
from labkit.http.client import BrowserClient, Response
from labkit.http.jar import Jar
from labkit.measure.meter_middleware import DELAY, METER_URL, QUERIES
from labkit.measure.workloads import ADDS, NAMES, WORKLOADS, Visit, Workload, WorkloadError
from labkit.processes.manage_py import lab_environment
from labkit.processes.ports import free_ports
from labkit.serve.temporary_server import TemporaryServer, temporary_server
from labkit.services.mariadb_child import MariaDBChild

SHORT = 0.02  # how many seconds a slow view takes
APART = 4 * 3600  # seconds between two visits on one day

LIMIT_LOST = "{name} accepted {count}, but has only {size}. Is it too slow?"
SIZE_LOST = "{name} had {size} {unit}, but now has {left}. Is it too slow?"

# Called with the current step and the fraction completed, from 0 to 1.
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Amount:
    """The extent of a measurement."""

    samples: int = 100  # how many samples to take for each kind of request and each size
    sizes: int = 1000  # the largest
    tabs: tuple[int, ...] = (2, 5, 10, 20, 50)
    ways: tuple[str, ...] = tuple(NAMES)  # the kinds of name with which the limit is measured
    adds: int = ADDS  # adds from several tabs; the number is divisible by each number of tabs
    tries: int = 10  # how often a visitor who blocks cookies tries
    robot: int = 100  # requests of a robot


WHOLE = Amount()


@dataclass
class Server:
    """The server of one variant."""

    variant: Variant
    workload: Workload
    process: TemporaryServer

    def new_visit(self, *, blocked: bool = False) -> Visit:
        """Return a new visitor, who may block cookies."""
        return Visit(
            BrowserClient(self.process.port, jar=Jar(blocked=blocked)), self.variant.prefix
        )

    async def read_store(self) -> dict[str, int]:
        """Return stored_sessions() of meter_middleware, which the server must have."""
        answer = await BrowserClient(self.process.port).get(f"{METER_URL}store/")
        return json.loads(answer.body)


def measure(
    checkout: Catalog, table: Table, db: str, report: Progress, amount: Amount = WHOLE
) -> dict[str, Any]:
    """Measure all variants of a table on "sqlite" or "mysql"; return the figures as JSON data.

    Raises NotInstalled, StartFailed, WorkloadError.
    """
    workload = WORKLOADS[table.id]
    figures: dict[str, Any] = {
        "table": table.id,
        "db": db,
        "unit": workload.unit,
        "kinds": dict(workload.kinds),
        "panel": "on",
        "samples": amount.samples,
        "variants": {v.id: {"title": v.title} for v in table.variants},
    }
    if workload.crowd:
        figures |= {"crowd": workload.crowd, "adds": amount.adds}
    found = figures["variants"]
    with temporary_folder(checkout) as folder, _databases(checkout, table, db, folder) as urls:
        servers = partial(start_servers, checkout, table, workload, url=urls)
        report("starting servers", 0)
        with servers(folder / "plain", environ={}) as plain:
            for server in plain:
                report(f"the limit: {server.variant.title}", 0.05)
                found[server.variant.id]["ends"] = asyncio.run(find_limits(server, amount))
            for number, size in enumerate(_sizes(workload, found, amount)):
                report(f"{size} {workload.unit}", 0.1 + 0.05 * number)
                able = [s for s in plain if size <= _limit(found[s.variant.id])]
                for name, figure in asyncio.run(measure_at_size(able, size, amount)).items():
                    found[name].setdefault("sizes", []).append({"size": size, **figure})
            if workload.crowd:
                report("tabs at once", 0.65)
                for server in plain:
                    found[server.variant.id]["tabs"] = {FAST: _count_survivors(server, amount)}
        if workload.crowd:
            with servers(folder / "slow", environ=MEASURED | {DELAY: str(SHORT)}) as slow:
                for server in slow:
                    report(f"tabs at once, a slow view: {server.variant.title}", 0.75)
                    found[server.variant.id]["tabs"][SLOW] = _count_survivors(server, amount)
        with servers(folder / "within", environ=MEASURED) as within:
            for server in within:
                report(f"queries and the store: {server.variant.title}", 0.85)
                for figure in found[server.variant.id]["sizes"]:
                    asyncio.run(_measure_inside(server, figure))
                report(f"visitors: {server.variant.title}", 0.95)
                found[server.variant.id]["left"] = _count_left_sessions(server, amount)
    report("done", 1)
    return figures


MEASURED = {"DJANGO_SETTINGS_MODULE": "labkit.measure.metered_settings"}
FAST = "no delay in the view"
SLOW = f"{SHORT * 1000:.0f} ms in the view"


def _limit(figures: dict[str, Any]) -> float:
    """Return the largest size that this variant reached with names of the first kind."""
    ends = list(figures["ends"].values())
    return ends[0]["count"] if ends else math.inf


def _sizes(workload: Workload, found: dict[str, Any], amount: Amount) -> list[int]:
    """Return the sizes to measure: those of the workload, and the limit of each variant."""
    ends = {int(limit) for v in found.values() if (limit := _limit(v)) != math.inf}
    return sorted(size for size in {*workload.sizes, *ends} if size <= amount.sizes)


# Measurements


async def find_limits(server: Server, amount: Amount) -> dict[str, dict[str, int]]:
    """Return how many names of each kind fit, and the size of the full cookies in bytes."""
    limits = {}
    for way in filter(amount.ways.__contains__, server.workload.ways):
        visit = server.new_visit()
        await server.workload.begin(visit)
        count = 0
        while await server.workload.grow(visit, count + 1, way):
            count += 1
            if count >= 1000:
                raise WorkloadError(f"{server.variant.title} takes more than 1000")
        size = await server.workload.size(visit)
        if size != count:
            name = server.variant.title
            raise WorkloadError(LIMIT_LOST.format(name=name, count=count, size=size))
        answer = await visit.client.get("/")
        limits[way] = {"count": count, "cookie": answer.cookie}
    return limits


async def measure_at_size(
    servers: list[Server], size: int, amount: Amount
) -> dict[str, dict[str, Any]]:
    """Return the cost of each kind of request, for each variant. The variants take turns."""
    visits = {server.variant.id: await _grow(server, size) for server in servers}
    workload = servers[0].workload
    samples: dict[tuple[str, str], list[list[Response]]] = {}
    for _ in range(amount.samples):
        for kind in workload.kinds:
            for name, visit in visits.items():
                samples.setdefault((name, kind), []).append(await workload.ask(kind, visit))
    for name, visit in visits.items():
        left = await workload.size(visit)
        if left < size:
            unit = workload.unit
            raise WorkloadError(SIZE_LOST.format(name=name, size=size, unit=unit, left=left))
    found: dict[str, dict[str, Any]] = {name: {} for name in visits}
    for (name, kind), several in samples.items():
        found[name][kind] = summarize(several)
    return found


async def _grow(server: Server, size: int) -> Visit:
    """Return a new visitor with state of this size."""
    visit = server.new_visit()
    await server.workload.begin(visit)
    for number in range(size):
        if not await server.workload.grow(visit, number + 1):
            raise WorkloadError(f"{server.variant.title} took {number} {server.workload.unit} only")
    return visit


def summarize(several: list[list[Response]]) -> dict[str, float]:
    """Return the first sample's bytes, and the median and 99th percentile of the times (in ms)."""
    seconds = sorted(sum(answer.seconds for answer in answers) for answers in several)
    late = seconds[math.ceil(0.99 * len(seconds)) - 1]
    return {
        "up": sum(answer.sent for answer in several[0]),
        "down": sum(answer.received for answer in several[0]),
        "cookie": max(answer.cookie for answer in several[0]),
        "median": round(statistics.median(seconds) * 1000, 2),
        "p99": round(late * 1000, 2),
    }


def _count_survivors(server: Server, amount: Amount) -> list[list[int]]:
    """Return [number of tabs, number of stored adds] for each number of tabs."""
    return [
        [tabs, asyncio.run(server.workload.survivors(server.new_visit(), tabs, amount.adds))]
        for tabs in amount.tabs
    ]


async def _measure_inside(server: Server, figure: dict[str, Any]) -> None:
    """Add a visitor's records and bytes in the store, and the queries per request, to `figure`."""
    before = await server.read_store()
    visit = await _grow(server, figure["size"])
    after = await server.read_store()
    figure["records"] = after["records"] - before["records"]
    figure["stored"] = after["bytes"] - before["bytes"]
    for kind in server.workload.kinds:
        for _ in range(2):  # the first request may fill a cache for the second
            answers = await server.workload.ask(kind, visit)
        figure[kind]["queries"] = sum(int(answer.headers[QUERIES]) for answer in answers)


def _count_left_sessions(server: Server, amount: Amount) -> dict[str, int]:
    """Return how many sessions each kind of visitor leaves in the store."""
    workload = server.workload

    def count() -> int:
        return asyncio.run(server.read_store())["sessions"]

    async def blocked() -> None:
        visit = server.new_visit(blocked=True)
        for _ in range(amount.tries):
            # A refused request is not an error here: it leaves no session.
            with contextlib.suppress(WorkloadError):
                await workload.sitting(visit)

    async def robot() -> None:
        for number in range(amount.robot):
            page = workload.robot[number % len(workload.robot)]
            await server.new_visit().client.get(page.format(server.variant.prefix))

    def day() -> None:
        visit = server.new_visit()
        forward = f"{METER_URL}forward/?seconds={APART}"
        with time_machine.travel(datetime.now(UTC), tick=True) as browser:
            for _ in range(3):
                asyncio.run(workload.sitting(visit))
                browser.shift(APART)
                asyncio.run(BrowserClient(server.process.port).get(forward))

    start = count()
    asyncio.run(blocked())
    after_blocked = count()
    asyncio.run(robot())
    after_robot = count()
    day()  # this must be last, since it moves the server's clock
    return {
        "one visitor, 3 times a day": count() - after_robot,
        f"a robot, {amount.robot} pages": after_robot - after_blocked,
        f"cookies blocked, {amount.tries} tries": after_blocked - start,
    }


# The servers


@contextmanager
def temporary_folder(checkout: Catalog) -> Iterator[Path]:
    """Yield a temporary folder on the disk where labs store their state."""
    home = writable(checkout.state / "compare")
    with tempfile.TemporaryDirectory(prefix="state-", dir=home, ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def _databases(
    checkout: Catalog, table: Table, db: str, folder: Path
) -> Iterator[Callable[[Variant, str], str]]:
    """Yield a function that returns the DATABASE_URL for a variant and a kind of server."""
    if db == "sqlite":
        yield lambda variant, kind: ""
        return

    names = {
        (variant.id, kind): re.sub(r"\W", "_", f"{variant.id}_{kind}")
        for variant in table.variants
        if checkout.find(variant.lab).database
        for kind in ("plain", "slow", "within")
    }
    with MariaDBChild(folder / "mariadb", [*names.values()]) as server:
        yield lambda variant, kind: server.urls.get(names.get((variant.id, kind), ""), "")


@contextmanager
def start_servers(
    checkout: Catalog,
    table: Table,
    workload: Workload,
    folder: Path,
    url: Callable[[Variant, str], str],
    environ: dict[str, str],
) -> Iterator[list[Server]]:
    """Yield a server for each variant; all stop when the block or this process ends."""
    with ExitStack() as stack:
        servers = []
        # All ports are chosen before the first server listens on one.
        ports = free_ports(len(table.variants))
        for variant, port in zip(table.variants, ports, strict=True):
            state = folder / variant.id
            state.mkdir(parents=True)
            own = {name: v for name, v in lab_environment().items() if not name.startswith("LAB_")}
            own.pop("SESSION_ENGINE", None)
            own |= {"LAB_DEBUG": "0", "LAB_STATE_DIR": str(state), "REDIS_URL": ""}
            own |= {"DATABASE_URL": url(variant, folder.name)} | variant.environ | environ
            cwd = checkout.find(variant.lab).folder
            started = temporary_server(cwd, own, state / "server.log", port)
            servers.append(Server(variant, workload, stack.enter_context(started)))
        for server in servers:
            server.process.wait_until_ready(server.variant.title)
        yield servers
