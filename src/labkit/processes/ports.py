"""TCP ports: a free one, whether one is free, and the sentence that says it is not."""

import os
import random
import socket

LOOPBACK = "127.0.0.1"


def bind(port: int, address: str = LOOPBACK) -> None:
    """Bind this port for a moment. Raises PermissionError, or OSError where it is in use."""
    with socket.socket() as probe:
        if os.name != "nt":  # on Windows this option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def free_port(*more: int) -> int:
    """A TCP port of the loopback interface that nobody uses; those `more` above it are free too.

    Not the one that the system offers for port 0: it may give that to the next connection, of
    anybody, before a server has taken it. RFC 6335 has the ports of that kind, 49152 and above;
    Linux begins at 32768. The environment variable LABKIT_PORTS=10000-20999 names others: two
    that choose side by side may take the same one, since none is taken when it is chosen.
    """
    first, _, last = os.environ.get("LABKIT_PORTS", "10000-31999").partition("-")
    while True:
        port = random.randint(int(first), int(last) - max(more, default=0))
        if not any(trouble(port + offset) for offset in (0, *more)):
            return port


def free_ports(count: int, but: int = 0) -> list[int]:
    """So many of them, each another one; not `but`, a port that is chosen and not yet taken."""
    found = {but}
    while len(found) <= count:
        found.add(free_port())
    return list(found - {but})


def trouble(port: int, address: str = LOOPBACK) -> str:
    """Why nothing can listen on this port, as one sentence; empty where it is free."""
    try:
        bind(port, address)
    except OSError as error:
        return why_not(port, error)
    return ""


def why_not(port: int, error: OSError) -> str:
    """What `bind` raised for this port, as one sentence."""
    if isinstance(error, PermissionError):
        return f"Port {port} is not open to you."
    return f"Port {port} is in use."
