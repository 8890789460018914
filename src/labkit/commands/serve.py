"""The command `lab serve`, which runs all labs and the console for a class."""

import contextlib
import os
import queue
import threading
import time
from ipaddress import ip_address

import click
from rich.box import HEAVY
from rich.panel import Panel
from rich.text import Text

from labkit import environment
from labkit.catalog import Catalog, Lab, catalog
from labkit.commands.options import (
    console,
    db_option,
    engine_option,
    engine_path,
    print_unknown_engine,
)
from labkit.kept_files import private_files
from labkit.processes import ports
from labkit.processes.manage_py import lab_environment
from labkit.processes.output import OutputThread
from labkit.processes.parent_pipe import on_signals
from labkit.serve import lan_address
from labkit.serve.preload import start_fork_server
from labkit.serve.supervisor import LabProcess, Supervisor
from labkit.serve.version_servers import VersionServers
from labkit.services.database_choice import DatabaseKind, choose_database, open_databases
from labkit.text_format import command_line

HIGHEST = 99  # the highest possible number of a lab
LOOPBACK_TOO = "LAB_LAN_ON_LOOPBACK"  # set to 1 by tests on a machine without a network
WAIT_SECONDS = 10  # after this time, the console's URL is printed even if a lab is still starting
# This message is printed once every lab is running or has failed.
HOW_TO_END = "Ctrl-C ends everything."
PLAIN_HTTP = (
    "Students open this URL. Everything is sent over plain HTTP, so do not type real\n"
    "names or passwords.\n"
)
NO_NETWORK = (
    "No network address was found for this machine. Connect it to the classroom network, or "
    "specify its address: lab serve --lan --address 192.168.1.20"
)
NO_ADDRESS_OF_OURS = "{address} is not an address of this machine."
ALL_ADDRESSES = (
    "{address} stands for all addresses of this machine. Use --address to specify its address on "
    "the classroom network."
)
ONLY_LABS = "lab serve runs only the labs. To run a copy: {line}"
NO_ARGUMENTS = "Put the names of the labs after --only, with commas and without spaces: {line}"
IPV4_ONLY = "{address} is not an IPv4 address. Example: 192.168.1.20"
OWN_MACHINE_ONLY = (
    "Only this machine can reach {address}. Use --address to specify this machine's address on the "
    "classroom network."
)


@click.command()
@click.argument("more", metavar="", nargs=-1)
@click.option("--only", metavar="LABS", help="Run only these labs, such as 03,04.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535 - HIGHEST),
    default=8000,
    show_default=True,
    help="The console's port. A lab's port is this number plus the lab's number, such as 8004 for "
    "lab 04.",
)
@db_option
@engine_option("The session engine of all labs.")
@click.option("--lan", is_flag=True, help="Make the labs available on the local network.")
@click.option(
    "--address",
    metavar="IP",
    help="With --lan: the address to use on the classroom network, if this machine has several.",
)
def serve(
    more: tuple[str, ...],
    only: str | None,
    port: int,
    db: str | None,
    engine: str | None,
    lan: bool,
    address: str | None,
) -> None:
    """Run all labs and the console, at http://127.0.0.1:8000/.

    The console opens and resets the labs, and shows handouts, code, claims and the latest requests.
    It also starts textbook versions, and shows the exercises. Each lab runs in a separate process,
    on a server that can handle a whole class. DEBUG is off and there is no autoreload: after you
    change a lab's code, restart the lab in the console.

    With --lan, students open the printed URL or scan its QR code. They see a list of the labs with
    their handouts and code. Only this machine can open the console.

    Each lab's process logs to .lab/NN/server.log. Ctrl-C ends everything.
    """
    if more:
        wanted = ",".join(_names(",".join([only or "", *more])))
        raise click.UsageError(
            NO_ARGUMENTS.format(line=command_line("lab", "serve", "--only", wanted))
        )
    checkout = catalog()
    labs = chosen_labs(checkout, only)
    address = _address(lan, address)
    _check_ports(labs, port, address)
    began = time.monotonic()
    url = environment.database_url()
    kind = choose_database(db, url)
    fork_server = start_fork_server(mysql=kind is DatabaseKind.MARIADB or url.startswith("mysql"))
    end = Ending()
    with contextlib.ExitStack() as stack:
        if fork_server is not None:
            stack.callback(fork_server.stop)
        output = OutputThread()
        stack.callback(output.close)
        stack.enter_context(private_files())
        urls = stack.enter_context(open_databases(checkout, labs, kind, url))
        reported: set[str] = set()

        def report(process: LabProcess, sentence: str) -> None:
            seconds = time.monotonic() - began
            line = _progress_line(process, sentence, seconds, first=process.name not in reported)
            reported.add(process.name)
            if line and not end.requested:
                output.call(console.print, line, soft_wrap=True)

        environ = _environment(engine, address)
        supervisor = Supervisor(
            checkout,
            labs,
            port=port,
            environ=environ,
            database_urls=urls,
            address=address,
            database=kind.value,
            report=report,
            fork_server=fork_server,
        )
        stack.callback(supervisor.stop)
        versions = VersionServers(checkout, environ, report, fork_server)
        stack.callback(versions.stop_all)
        supervisor.start()
        _start_console(supervisor, versions)
        while time.monotonic() - began < WAIT_SECONDS and not end.wait(0.05):
            if all(process.stable.is_set() for process in supervisor.labs):
                break
        _print_addresses(supervisor, output)
        while not end.wait(0.5):  # on Windows, Ctrl-C has no effect during a wait without a timeout
            pass
        output.call(console.print, "Ending all labs …")


class Ending:
    """Collects the signals that end this process; `wait()` waits for one."""

    def __init__(self) -> None:
        self.requested = False
        # A signal handler may interrupt the main thread while it holds the lock of an Event.
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        on_signals(["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"], self._signals.put)

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most `seconds`; return whether there has been one."""
        with contextlib.suppress(queue.Empty):
            self._signals.get(timeout=seconds)
            self.requested = True
        return self.requested


def _names(only: str) -> list[str]:
    """Return the names in the option --only. Spaces and a final comma are allowed."""
    return [name.strip() for name in only.split(",") if name.strip()]


def chosen_labs(checkout: Catalog, only: str | None) -> list[Lab]:
    """Return the labs to serve, in teaching order. Raise CatalogError for an unknown one."""
    if only is None:
        return list(checkout.labs)
    found = [checkout.find(name) for name in _names(only)]
    if not found:
        raise click.UsageError("--only needs the numbers of labs, such as --only 03,04.")
    if copies := [lab for lab in found if lab not in checkout.labs]:
        line = command_line("lab", "run", str(copies[0].folder))
        raise click.ClickException(ONLY_LABS.format(line=line))
    wanted = {lab.number for lab in found}
    return [lab for lab in checkout.labs if lab.number in wanted]


def _address(lan: bool, address: str | None) -> str | None:
    """Return this machine's address for the class. Raise ClickException if it has none."""
    if not lan:
        if address:
            raise click.UsageError("--address needs --lan.")
        return None
    address = address or lan_address.own_address()
    if address is None:
        raise click.ClickException(NO_NETWORK)
    try:
        found = ip_address(address)
    except ValueError:
        raise click.ClickException(NO_ADDRESS_OF_OURS.format(address=address)) from None
    if found.version != 4 and not found.is_loopback:
        raise click.ClickException(IPV4_ONLY.format(address=address))
    if found.is_unspecified:
        raise click.ClickException(ALL_ADDRESSES.format(address=address))
    if found.is_loopback and os.environ.get(LOOPBACK_TOO) != "1":
        raise click.ClickException(OWN_MACHINE_ONLY.format(address=address))
    try:
        ports.bind(0, address)
    except OSError:
        raise click.ClickException(NO_ADDRESS_OF_OURS.format(address=address)) from None
    return address


def _check_ports(labs: list[Lab], port: int, address: str | None) -> None:
    """Raise ClickException with a sentence for each port that cannot be used."""
    sentences = []
    users = {0: "the console"} | {int(lab.number): f"lab {lab.number}" for lab in labs}
    for number, user in users.items():
        for where in filter(None, (ports.LOOPBACK, address)):
            if error := ports.port_error(port + number, where):
                sentences.append(f"{str(error)[:-1]}, and {user} needs it.")
                break
    if sentences:
        other = ports.suggest_port(max(port, 8000), *users)
        sentences.append(
            "End the programs that use them, leave labs out with --only, or use other ports: "
            + command_line("lab", "serve", "--port", str(other))
        )
        raise click.ClickException("\n".join(sentences))


def _environment(engine: str | None, address: str | None) -> dict[str, str]:
    environ = lab_environment() | {"LAB_DEBUG": "0"}
    if address:
        environ["LAB_HOSTS"] = ",".join(filter(None, [os.environ.get("LAB_HOSTS"), address]))
    if engine:
        environ["SESSION_ENGINE"] = engine_path(engine)
    else:
        print_unknown_engine()
    return environ


def _start_console(supervisor: Supervisor, versions: VersionServers) -> None:
    """Serve the console in a thread of this process."""
    from labkit.console import application
    from labkit.serve.worker import listen

    server = listen(
        application(supervisor, versions), supervisor.port, supervisor.addresses, threads=8
    )
    threading.Thread(target=server.run, daemon=True).start()


def _progress_line(process: LabProcess, sentence: str, seconds: float, *, first: bool) -> Text:
    """Return the line to print after a lab has started, died or failed, or "" for other changes."""
    name = Text.assemble((process.name, "b"), f" {process.lab.title}")
    if sentence:
        return Text.assemble(name, f": {sentence}")
    if process.state == "failed":
        reason = f" failed: {process.reason} (see {process.log})"
        return Text.assemble(("✗ ", "red"), name, reason)
    if process.state == "running":
        spent = (f"  {seconds:.1f} s", "dim") if first else ("  runs again", "")
        # The console has just started this textbook version.
        if first and process.name != process.number:
            spent = ("", "")
        return Text.assemble(("✓ ", "green"), name, f"  {process.url}", spent)
    return Text()


def _print_addresses(supervisor: Supervisor, output: OutputThread) -> None:
    url = f"http://127.0.0.1:{supervisor.port}/"
    output.call(console.print, Text(f"\nThe console:  {url}", "b"))
    output.call(console.print, f"Database: {supervisor.database}. {HOW_TO_END}\n")
    if supervisor.class_url:
        if console.encoding.startswith("utf"):  # other encodings do not have the block characters
            qr = lan_address.qr_for_terminal(supervisor.class_url)
            output.call(console.print, qr, style="bright_white on black")
        url = supervisor.class_url
        output.call(console.print, Panel.fit(Text(url, "b"), box=HEAVY, padding=(0, 3)))
        output.call(console.print, PLAIN_HTTP)
