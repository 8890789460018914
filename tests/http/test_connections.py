"""One connection may carry many requests, but the server stores no state for the connection."""

import http.client

import pytest

from labkit.testing.lab_server import LabServer


@pytest.fixture(scope="module")
def count_server(checkout):
    server = LabServer(checkout.find("02").folder, migrate=False)
    yield server
    server.stop()


@pytest.fixture
def connection(count_server):
    connection = http.client.HTTPConnection("127.0.0.1", count_server.port, timeout=10)
    connection.connect()
    # Without this, the client would replace a closed connection with a new one.
    connection.auto_open = 0
    yield connection
    connection.close()


def visit(connection, cookie=None):
    """Visit the page that counts visits; return (status, number on the page, client port)."""
    port = connection.sock.getsockname()[1]
    connection.request("GET", "/", headers={"Cookie": cookie} if cookie else {})
    response = connection.getresponse()
    assert response.version == 11
    page = response.read().decode()
    return response.status, int(page.partition('class="number">')[2].partition("<")[0]), port


@pytest.mark.claim("C01", "C03")
def test_on_one_connection_every_request_without_a_cookie_is_the_first(connection):
    assert [visit(connection)[1] for _ in range(2)] == [1, 1]
    assert visit(connection, "count_02=1")[1] == 2
    assert visit(connection)[1] == 1


@pytest.mark.claim("C02")
def test_three_requests_go_over_one_connection(connection):
    statuses, _, ports = zip(*(visit(connection) for _ in range(3)), strict=True)
    assert statuses == (200, 200, 200)
    assert len(set(ports)) == 1


@pytest.mark.claim("C27")
def test_too_much_of_cookies_is_refused_by_the_server_itself(connection):
    assert visit(connection, "a=" + "x" * 60_000)[0] == 200
    connection.request("GET", "/", headers={"Cookie": "a=" + "x" * 70_000})
    assert connection.getresponse().status == 431
