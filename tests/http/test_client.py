"""Test labkit.http.client: requests from many concurrent clients, and their cookies."""

import asyncio

import pytest

from labkit.catalog import catalog
from labkit.http.client import NO_HTTP_RESPONSE, BrowserClient
from labkit.http.cookie_header import to_wire
from labkit.http.origin import Origin
from labkit.testing.lab_server import LabServer, free_port


@pytest.fixture(scope="module")
def cart():
    server = LabServer(catalog().find("03").folder, migrate=False, server="waitress")
    yield server
    server.stop()


def test_tabs_of_one_browser_share_their_cookies(cart):
    async def scene():
        one = BrowserClient(cart.port)
        await one.get("/add/")
        other = one.tab()
        adds = [
            tab.post("/add/", {"name": n, "quantity": "1"}) for tab, n in ((one, "a"), (other, "b"))
        ]
        answers = await asyncio.gather(*adds)
        return (
            answers,
            await other.get("/display/"),
            await BrowserClient(cart.port).get("/display/"),
        )

    answers, seen, stranger = asyncio.run(scene())
    assert [answer.status for answer in answers] == [302, 302]
    assert seen.body.count("<tr>") == 1 + 2
    assert "<tr>" not in stranger.body
    assert seen.cookie == seen.sent - stranger.sent - len("Cookie: \r\n")
    assert seen.received > len(seen.body)
    assert seen.seconds > 0


def served(message):
    """Return a client that has received this response."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(message)
        writer.close()

    async def scene():
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            client = BrowserClient(server.sockets[0].getsockname()[1])
            await client.get("/")
            return client

    return asyncio.run(scene())


def test_a_cookie_that_a_browser_refuses_is_not_kept():
    set_cookies = b"Set-Cookie: __Host-a=1; Path=/b\r\nSet-Cookie: c=2\r\n"
    client = served(b"HTTP/1.1 200 OK\r\n" + set_cookies + b"\r\n")
    assert [cookie.name for cookie in client.jar] == ["c"]


def test_a_cookie_comes_back_as_the_bytes_it_was():
    value = "अ".encode() + b"\xe9"
    client = served(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=" + value + b"\r\n\r\n")
    assert to_wire(client.jar.header(Origin("http", client.host))) == b"a=" + value


def test_a_server_that_breaks_off():
    with pytest.raises(ValueError, match=NO_HTTP_RESPONSE):
        served(b"")


def test_a_server_that_is_not_there():
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(BrowserClient(free_port()).get("/"))
