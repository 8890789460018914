"""`lab serve`: all labs and the console, for a class."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from labkit.catalog import Catalog, Lab, catalog
from labkit.commands.options import ENGINES, db_option
from labkit.processes import ports
from labkit.processes.manage_py import lab_environment
from labkit.processes.start import NotInstalled
from labkit.serve import network
from labkit.serve.supervisor import LabProcess, Supervisor
from labkit.services import requirements
from labkit.services.lab_state import MARIADB
from labkit.services.mariadb_child import MariaDBChild

HIGHEST = 99  # of a lab's number
LOOPBACK_TOO = "LAB_LAN_ON_LOOPBACK"  # =1 for tests on a machine without a network
PATIENCE = 10  # seconds until the console's address is printed, though a lab still starts
console = Console(highlight=False)


@click.command(short_help="Run all labs at once, with a console, for a class.")
@click.option("--only", metavar="LABS", help="Only these, such as 03,04.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535 - HIGHEST),
    default=8000,
    show_default=True,
    help="The console's port. Each lab's is this and the lab's number: 8004 for lab 04.",
)
@db_option
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="The session engine of all labs. Default: in what SESSION_ENGINE names, else db.",
)
@click.option("--lan", is_flag=True, help="Let the class in over the local network.")
@click.option(
    "--address",
    metavar="IP",
    help="With --lan, on a machine with several networks: its address in the class's one.",
)
def serve(
    only: str | None, port: int, db: str | None, engine: str | None, lan: bool, address: str | None
) -> None:
    """Run all labs at once and a console beside them, at http://127.0.0.1:8000/.

    The console lists the labs, opens and resets them, and shows handouts, code, claims and the
    last exchanges. Each lab is a process of its own on a server that can take a class; DEBUG is
    off, and there is no autoreload: a lab whose code you changed is started anew in the console.

    With --lan students open the address that is printed, or scan its QR code. They get a list of
    the labs and the labs; the console's pages are for this machine alone.

    What a lab's process says lies in .lab/NN/server.log. Ctrl-C ends everything.
    """
    checkout = catalog()
    labs = _chosen(checkout, only)
    address = _address(lan, address)
    _need_free_ports(labs, port, address)
    began = time.monotonic()
    end = _end_by_signal()
    with contextlib.ExitStack() as stack:
        urls, where = stack.enter_context(_databases(checkout, labs, db))
        told: set[str] = set()

        def tell(served: LabProcess, sentence: str) -> None:
            line = _line(
                served, sentence, time.monotonic() - began, first=served.number not in told
            )
            told.add(served.number)
            if line and not end.is_set():
                console.print(line, soft_wrap=True)

        house = Supervisor(
            checkout,
            labs,
            port=port,
            environ=_environment(engine, address),
            database_urls=urls,
            address=address,
            database=where,
            tell=tell,
        )
        stack.callback(house.stop)
        house.start()
        _start_console(house)
        while not all(served.settled.is_set() for served in house.labs) and not end.wait(0.05):
            if time.monotonic() - began > PATIENCE:
                break
        _introduce(house)
        while not end.wait(0.5):  # without a limit Ctrl-C would not get through on Windows
            pass
        console.print("Ending all labs.")


def _chosen(checkout: Catalog, only: str | None) -> list[Lab]:
    """The labs to serve, in teaching order. Raises CatalogError for one that is none."""
    if only is None:
        return list(checkout.labs)
    wanted = {checkout.find(name.strip()).number for name in only.split(",") if name.strip()}
    if not wanted:
        raise click.UsageError("--only names no lab; it takes numbers, such as --only 03,04.")
    return [lab for lab in checkout.labs if lab.number in wanted]


def _address(lan: bool, address: str | None) -> str | None:
    """This machine's address for the class. Raises ClickException where there is none."""
    if not lan:
        if address:
            raise click.UsageError("--address goes with --lan.")
        return None
    address = address or network.own_address()
    if address is None:
        raise click.ClickException(
            "This machine has no address in a network. Join the class's network, or name the "
            "address: lab serve --lan --address 192.168.1.20"
        )
    try:
        found = ip_address(address)
    except ValueError:
        raise click.ClickException(f"{address} is no address of this machine.") from None
    if found.is_unspecified:
        raise click.ClickException(
            f"{address} stands for all addresses of this machine; --address names the one in the "
            "class's network."
        )
    if found.is_loopback and os.environ.get(LOOPBACK_TOO) != "1":
        raise click.ClickException(
            f"{address} is reached from this machine alone; --address names the one in the "
            "class's network."
        )
    try:
        ports.bind(0, address)
    except OSError:
        raise click.ClickException(f"{address} is no address of this machine.") from None
    return address


def _need_free_ports(labs: list[Lab], port: int, address: str | None) -> None:
    """Raises ClickException, with one sentence for each port on which nothing can listen."""
    sentences = []
    for number, user in [
        (0, "the console"),
        *((int(lab.number), f"lab {lab.number}") for lab in labs),
    ]:
        for where in filter(None, (ports.LOOPBACK, address)):
            if error := ports.port_error(port + number, where):
                sentences.append(f"{str(error)[:-1]}; {user} would listen there.")
                break
    if sentences:
        other = port + 100 if port + 100 + HIGHEST <= 65535 else 8100
        sentences.append(
            "End what runs there, leave labs out with --only, or move all of them: "
            f"lab serve --port {max(other, 8100)}"
        )
        raise click.ClickException("\n".join(sentences))


def _end_by_signal() -> threading.Event:
    """An event that Ctrl-C, `kill` and closing the terminal set."""
    end = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: end.set())
    return end


def _environment(engine: str | None, address: str | None) -> dict[str, str]:
    """What all labs find in their environment."""
    environ = lab_environment() | {"LAB_DEBUG": "0"}
    if address:
        environ["LAB_HOSTS"] = ",".join(filter(None, [os.environ.get("LAB_HOSTS"), address]))
    if engine:
        environ["SESSION_ENGINE"] = f"django.contrib.sessions.backends.{engine}"
    return environ


@contextmanager
def _databases(
    checkout: Catalog, labs: list[Lab], db: str | None
) -> Iterator[tuple[dict[str, str], str]]:
    """({lab's number: DATABASE_URL}, where that is in words); no URL for SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    numbers = [lab.number for lab in labs if lab.database]
    if db == "sqlite" or not (db or url):
        yield {}, "SQLite"
    elif url:
        if url.startswith("mysql") and (missing := requirements.missing_tools(["mysqlclient"])):
            raise NotInstalled(missing[0])
        if len(numbers) > 1 and not url.partition("?")[0].endswith("/"):
            raise click.ClickException(
                "DATABASE_URL names one database for all labs, but each needs its own. Leave the "
                "name out, as in mysql://user:password@host:3306/, and create lab_01, lab_04 and "
                "so on; or serve one lab with --only."
            )
        yield dict.fromkeys(numbers, url), "the database that DATABASE_URL names"
    else:
        names = {number: f"lab_{number}" for number in numbers}
        with MariaDBChild(checkout.root / MARIADB, names.values()) as server:
            yield (
                {number: server.urls[name] for number, name in names.items()},
                f"a private MariaDB ({MARIADB})",
            )


def _start_console(house: Supervisor) -> None:
    """The console, in a thread of this process."""
    from labkit.console import application
    from labkit.serve.worker import listen

    server: Any = listen(application(house), house.port, house.addresses, threads=8)
    threading.Thread(target=server.run, daemon=True).start()


def _line(served: LabProcess, sentence: str, seconds: float, *, first: bool) -> str:
    """One line of progress: a lab that has started, or what has become of it since."""
    name = f"[b]{served.number}[/b] {escape(served.lab.title)}"
    if sentence:
        return f"{name}: {escape(sentence)}"
    if served.state == "failed":
        return f"[red]✗[/] {name} failed: {escape(served.reason)} (see {escape(str(served.log))})"
    if served.state == "running":
        spent = f"  [dim]{seconds:.1f} s[/]" if first else "  runs again"
        return f"[green]✓[/] {name}  http://127.0.0.1:{served.port}/{spent}"
    return ""


def _introduce(house: Supervisor) -> None:
    console.print(f"\n[b]The console:  http://127.0.0.1:{house.port}/[/b]")
    console.print(f"Sessions are kept in {house.database}. Ctrl-C ends everything.\n")
    if house.class_url:
        qr = network.qr_for_terminal(house.class_url)
        console.print(qr, markup=False, style="bright_white on black")
        width = len(house.class_url) + 6
        console.print(f"┏{'━' * width}┓\n┃   [b]{house.class_url}[/b]   ┃\n┗{'━' * width}┛")
        console.print(
            "The class opens this address. All of it travels in plain http: no real names"
        )
        console.print("and no real passwords.\n")
    sys.stdout.flush()
