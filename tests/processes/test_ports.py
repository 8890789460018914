"""Usable ports: free on both loopback addresses, and accepted by browsers."""

import socket

import pytest

from labkit.processes import ports
from labkit.processes.ports import (
    BLOCKED,
    LOOPBACK_6,
    PortError,
    free_port,
    port_error,
    suggest_port,
)


def has_ipv6():
    try:
        ports.bind(0, LOOPBACK_6)
    except OSError:
        return False
    return True


@pytest.fixture
def taken():
    """Listen on a free port at this address; return the port."""
    listening = []

    def listen(family, address):
        server = socket.socket(family)
        listening.append(server)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port := free_port()))
        server.listen()
        return port

    yield listen
    for server in listening:
        server.close()


def test_a_free_port_has_no_error():
    assert port_error(free_port()) is None


def test_a_port_in_use_is_named(taken):
    port = taken(socket.AF_INET, "127.0.0.1")
    assert str(port_error(port)) == str(PortError(port))


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("address", ["::1", "::"])
def test_a_server_at_localhost_of_ipv6_is_noticed(taken, address):
    port = taken(socket.AF_INET6, address)
    assert port_error(port) is not None


def test_a_machine_without_ipv6_has_ports_too(monkeypatch):
    def bind(port, address="127.0.0.1"):
        if address == LOOPBACK_6:
            raise OSError(ports.errno.EADDRNOTAVAIL, "no IPv6")

    monkeypatch.setattr(ports, "bind", bind)
    assert port_error(8004) is None


@pytest.mark.parametrize("port", [6000, 6666, 10080])
def test_a_port_that_browsers_refuse_is_none(port):
    assert port_error(port).blocked
    assert port_error(port).privileged is False


def test_no_chosen_port_is_refused_by_browsers(monkeypatch):
    monkeypatch.setenv("LABKIT_PORTS", "6660-6680")
    assert not {free_port() for _ in range(100)} & BLOCKED
    assert not {free_port(1) + 1 for _ in range(100)} & BLOCKED


@pytest.mark.parametrize(
    ("port", "offsets", "expected"),
    [
        (8004, (), 8104),
        (6466, (), 6666 + 100),
        (6560, (6,), 6760),
        (9980, (), 10180),
        (65500, (), 8100),
    ],
)
def test_a_suggested_port_can_be_used(port, offsets, expected):
    assert suggest_port(port, *offsets) == expected


def test_chromium_blocks_some_of_these_ports(chromium):
    from playwright.sync_api import Error  # an extra

    def is_blocked(port):
        try:
            chromium.page.goto(f"http://127.0.0.1:{port}/", wait_until="commit", timeout=5000)
        except Error as error:
            return "ERR_UNSAFE_PORT" in str(error)
        return False

    # The standard also lists 4190 and 6679, but Chromium 156 does not block them yet.
    some = {2049, 6000, 6001, 6566, 6665, 6669, 6670, 10080}
    assert {port for port in some if is_blocked(port)} == some & BLOCKED
