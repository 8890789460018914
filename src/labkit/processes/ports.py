"""TCP ports: choose free ones, and explain why a port cannot be used."""

import os
import random
import socket

LOOPBACK = "127.0.0.1"


class PortError(Exception):
    """Nothing can listen on this port; the message is one sentence."""

    def __init__(self, port: int, *, privileged: bool) -> None:
        """`privileged`: the port is reserved for the administrator, not in use."""
        self.privileged = privileged
        super().__init__(f"Port {port} is {'not open to you' if privileged else 'in use'}.")


def bind(port: int, address: str = LOOPBACK) -> None:
    """Bind a port for a moment. Raise PermissionError, or OSError if it is in use."""
    with socket.socket() as probe:
        if os.name != "nt":  # on Windows this option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def port_error(port: int, address: str = LOOPBACK) -> PortError | None:
    """Return why nothing can listen on a port, or None if it is free."""
    try:
        bind(port, address)
    except OSError as error:
        return PortError(port, privileged=isinstance(error, PermissionError))
    return None


def free_port(*offsets: int) -> int:
    """Return a free TCP port of the loopback interface; those at these offsets are free too.

    Not the port that the system offers for port 0: it may give that one to anyone's next
    connection before a server has bound it. Such ports are 49152 and above in RFC 6335, and begin
    at 32768 on Linux. The environment variable LABKIT_PORTS=10000-20999 sets another range:
    two programs that choose at the same time could choose the same port.
    """
    first, _, last = os.environ.get("LABKIT_PORTS", "10000-31999").partition("-")
    while True:
        port = random.randint(int(first), int(last) - max(offsets, default=0))
        if not any(port_error(port + offset) for offset in (0, *offsets)):
            return port


def free_ports(count: int, excluding: int = 0) -> list[int]:
    """Return so many different free ports, without one that is chosen but not bound yet."""
    found = {excluding}
    while len(found) <= count:
        found.add(free_port())
    return list(found - {excluding})
