"""WireVisitor detects the faults of a broken server."""

import http.client
import socket
import threading
import time

import pytest
from django.test.client import RedirectCycleError

from labkit.testing import WireVisitor, wire_visitor


@pytest.fixture
def serve():
    """Start a server that sends these bytes on every connection; return its port."""
    listeners = []

    def serve(*parts, pause=0.0):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    for part in parts:
                        try:
                            connection.sendall(part)
                        except OSError:
                            break
                        time.sleep(pause)

        threading.Thread(target=answer, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    for listener in listeners:
        listener.close()


def test_an_answer_that_breaks_off_in_its_headers_is_no_answer(serve):
    port = serve(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Na")
    with pytest.raises(http.client.HTTPException, match="X-Na"):
        WireVisitor(port).get("/")


def test_an_answer_that_breaks_off_in_its_body_is_no_answer(serve):
    port = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    with pytest.raises(http.client.IncompleteRead):
        WireVisitor(port).get("/")


def test_an_answer_that_trickles_runs_out_of_time(serve, monkeypatch):
    monkeypatch.setattr(wire_visitor, "LIMIT", 0.3)
    port = serve(*[b"H"] * 100, pause=0.05)
    with pytest.raises(TimeoutError):
        WireVisitor(port).get("/")


def test_a_redirect_in_circles_ends(serve):
    port = serve(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(RedirectCycleError):
        WireVisitor(port).get("/", follow=True)


def test_a_redirect_to_another_server_is_not_followed(serve):
    port = serve(
        b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/x\r\nContent-Length: 0\r\n\r\n"
    )
    with pytest.raises(AssertionError, match=r"http://evil\.example/x"):
        WireVisitor(port).get("/", follow=True)
