"""The load balancer, with small servers behind it."""

import contextlib
import http.client
import socket
import threading
from contextlib import closing, contextmanager

import pytest

from labkit.clusters.load_balancer import (
    LARGEST_HEAD,
    NO_SERVER,
    UNKNOWN_OUTCOME,
    LoadBalancer,
)
from labkit.processes.ports import free_port

LIMIT = 60  # in seconds; each step takes less than one second on an idle machine


class Server:
    """A server that responds with its name, or closes the connection after a request."""

    def __init__(self, name, *, dies=False):
        self.name, self.dies = name, dies
        self.asked = []  # the received requests, in order of arrival
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                request = [stream.readline()]
                while request[-1] not in {b"\r\n", b""}:
                    request.append(stream.readline())
                length = next(
                    (int(h.split()[1]) for h in request if h[:15] == b"Content-Length:"), 0
                )
                self.asked.append(b"".join(request) + stream.read(length))
                if not self.dies:
                    body = f"{self.name} {length}".encode()
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                    connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@contextmanager
def front(*servers):
    """Start a load balancer for these servers; yield its port."""
    port = free_port()
    relay = LoadBalancer(
        port, [server if isinstance(server, int) else server.port for server in servers]
    )
    relay.start()
    yield port
    relay.stop()
    for server in servers:
        if not isinstance(server, int):
            server.stop()


def ask(port, path="/", method="GET", body=None, **headers):
    """(status, page)"""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def test_each_request_goes_to_the_next_server():
    with front(Server("A"), Server("B"), Server("C")) as port:
        said = [ask(port)[1] for _ in range(5)]
    assert said == ["A 0", "B 0", "C 0", "A 0", "B 0"]


def test_a_browser_that_keeps_its_connections_open_does_not_stay_with_one_server():
    with front(Server("A"), Server("B")) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        said = []
        for _ in range(3):
            connection.request("GET", "/", headers={"Connection": "keep-alive"})
            response = connection.getresponse()
            assert response.getheader("Connection") == "close"
            said.append(response.read())
        connection.close()
    assert said == [b"A 0", b"B 0", b"A 0"]


def test_what_a_page_brings_along_does_not_move_the_turn():
    with front(Server("A"), Server("B")) as port:
        said = []
        for _ in range(2):
            said.append(ask(port)[1])
            ask(port, "/__lab__/static/lab.css")
    assert said == ["A 0", "B 0"]


def test_a_panels_page_comes_from_the_server_that_remembers_it():
    with front(Server("A"), Server("B")) as port:
        said = [ask(port, f"/__lab__/exchange/{name}-xyz/")[1] for name in "BBABCD"]
    # There are no servers C and D, so any server may respond to these URLs.
    assert said[:4] == ["B 0", "B 0", "A 0", "B 0"]
    assert {*said[4:]} <= {"A 0", "B 0"}


def test_a_lab_sees_who_asks_and_that_it_asks_for_somebody():
    a = Server("A")
    with front(a) as port:
        ask(port, Host="lab.example:8004", X_Other="stays")
    (request,) = a.asked
    lines = request.split(b"\r\n")
    assert lines[0] == b"GET / HTTP/1.1"
    assert {b"Host: lab.example:8004", b"X_Other: stays"} < {*lines}
    assert {b"Via: 1.1 labkit", b"X-Forwarded-For: 127.0.0.1", b"Connection: close"} < {*lines}


def test_a_form_of_any_length_arrives_whole():
    a = Server("A")
    with front(a) as port:
        assert ask(port, "/add/", "POST", b"x" * 3_000_000) == (200, "A 3000000")
    assert a.asked[0].endswith(b"\r\n\r\n" + b"x" * 3_000_000)


def test_where_a_server_is_gone_the_next_one_answers_at_once():
    with front(free_port(), Server("B")) as port:
        assert [ask(port, method=method)[1] for method in ("GET", "POST", "GET")] == ["B 0"] * 3


def test_a_page_is_asked_for_again_where_the_server_ends_before_it_answers():
    a, b = Server("A", dies=True), Server("B")
    with front(a, b) as port:
        assert ask(port) == (200, "B 0")
    assert len(a.asked) == len(b.asked) == 1


def test_a_form_is_not_sent_twice_where_the_server_ends_before_it_answers():
    a, b = Server("A", dies=True), Server("B")
    with front(a, b) as port:
        status, page = ask(port, "/add/", "POST", b"name=apple")
        assert status == 502
        assert UNKNOWN_OUTCOME.format(letter="A") in page
        assert (len(a.asked), len(b.asked)) == (1, 0)
        assert ask(port, "/add/", "POST", b"name=apple") == (200, "B 10")


def test_where_no_server_answers_it_says_so_and_to_try_again():
    with front(free_port(), free_port()) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert (response.status, response.getheader("Retry-After")) == (503, "1")
        assert NO_SERVER in response.read().decode()
        connection.close()


def test_a_head_without_an_end_is_refused():
    a = Server("A")
    with front(a) as port, socket.create_connection(("127.0.0.1", port), LIMIT) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * (LARGEST_HEAD + 10))
        assert raw.recv(12) == b"HTTP/1.1 431"
    assert a.asked == []


def test_a_tls_client_is_turned_away_at_once():
    a = Server("A")
    with front(a) as port, socket.create_connection(("127.0.0.1", port), LIMIT) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00")
        assert raw.recv(1) == b""
    assert a.asked == []


def test_a_browser_that_says_nothing_holds_up_nobody():
    with front(Server("A")) as port:
        with socket.create_connection(("127.0.0.1", port), LIMIT):
            assert ask(port) == (200, "A 0")
        assert ask(port) == (200, "A 0")


def test_it_stops_in_the_middle_of_anything():
    silent = socket.create_server(("127.0.0.1", 0))
    with front(silent.getsockname()[1]) as port:
        raw = socket.create_connection(("127.0.0.1", port), LIMIT)
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        inside, _ = silent.accept()
    with raw, inside, silent:
        assert raw.recv(10) == b""
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_what_it_breaks_off_is_no_error(caplog):
    with front(free_port()) as port:
        # When the load balancer stops, it may not have handled the last connection yet.
        idle = [socket.create_connection(("127.0.0.1", port), LIMIT) for _ in range(5)]
    for connection in idle:
        with connection, contextlib.suppress(ConnectionResetError):
            assert connection.recv(10) == b""
    assert caplog.records == []
