"""Choose free TCP ports, and explain why a port cannot be used."""

import errno
import os
import random
import socket

LOOPBACK = "127.0.0.1"
CHOSEN_FROM = "10000-31999"  # the range of free_port()
LOOPBACK_6 = "::1"  # for the host localhost, browsers try this address first
ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}  # without IPv6

# Browsers do not open http:// URLs with these ports: https://fetch.spec.whatwg.org/#port-blocking
_BLOCKED = """
0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113
115 117 119 123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554
556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665
6666 6667 6668 6669 6679 6697 10080
"""
BLOCKED = frozenset(map(int, _BLOCKED.split()))


class PortError(Exception):
    """A port is not available, or browsers refuse it; the message is one sentence."""

    def __init__(self, port: int, *, privileged: bool = False, address: str = LOOPBACK) -> None:
        """Compose the message. `privileged`: only an administrator may use the port."""
        self.privileged = privileged
        self.blocked = port in BLOCKED
        if self.blocked:
            reason = "refused by browsers, which reserve it for another protocol"
        elif privileged:
            reason = "only for administrators"
        else:
            reason = "in use at [::1]" if address == LOOPBACK_6 else "in use"
        super().__init__(f"Port {port} is {reason}.")


def bind(port: int, address: str = LOOPBACK) -> None:
    """Try to bind a port. Raise PermissionError, or OSError if the port is in use."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name != "nt":  # on Windows, this option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((address, port))


def port_error(port: int, address: str = LOOPBACK) -> PortError | None:
    """Return why a port cannot be used, or None if it is free.

    For 127.0.0.1, the port must also be free on [::1]. For localhost, a browser may try that
    address first, and would reach another server.
    """
    if port in BLOCKED:
        return PortError(port)
    for each in (LOOPBACK, LOOPBACK_6) if address == LOOPBACK else (address,):
        try:
            bind(port, each)
        except OSError as error:
            if each == LOOPBACK_6 and error.errno in ABSENT:
                continue
            return PortError(port, privileged=isinstance(error, PermissionError), address=each)
    return None


def suggest_port(port: int, *offsets: int) -> int:
    """Return another port to try. Browsers accept it and the ports at these offsets from it."""
    highest = 65535 - max(offsets, default=0)
    steps = (*range(port + 100, highest + 1, 100), 8100)
    return next(at for at in steps if not BLOCKED & {at + offset for offset in (0, *offsets)})


def free_port(*offsets: int) -> int:
    """Return a free loopback TCP port; the ports at these offsets from it are free too.

    The port is not one of those that the system assigns for port 0, since the system may use such a
    port for any outgoing connection before a server has bound it. These ports are 49152 and above
    in RFC 6335, and 32768 and above on Linux. Two programs that choose at the same time could
    choose the same port. To prevent this, run one of them with another range, such as
    LABKIT_PORTS=10000-20999 in its environment.
    """
    first, _, last = os.environ.get("LABKIT_PORTS", CHOSEN_FROM).partition("-")
    while True:
        port = random.randint(int(first), int(last) - max(offsets, default=0))
        if not any(port_error(port + offset) for offset in (0, *offsets)):
            return port


def free_ports(count: int, excluding: int = 0) -> list[int]:
    """Return `count` different free ports other than `excluding`, which may not be bound yet."""
    found = {excluding}
    while len(found) <= count:
        found.add(free_port())
    return list(found - {excluding})
