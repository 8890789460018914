"""Test the HTTP server with clients that send too much, too slowly, or invalid HTTP."""

import contextlib
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from http.client import HTTPResponse

import pytest
from serving import until

from labkit.panel import exchange_log
from labkit.processes import log_file
from labkit.processes.ports import LOOPBACK, free_port
from labkit.serve import http_server
from labkit.serve.http_server import LARGEST_BODY, LARGEST_HEAD, LARGEST_REST, HttpServer

PAGE = b"GET / HTTP/1.1\r\nHost: x\r\n"
WHOLE = PAGE + b"\r\n"
LARGE = 10_000_000  # in bytes; this is more than the system buffers for a client that reads nothing
THREADS = 6
WAIT = 20  # the time limit, in seconds, for events that should be immediate


def echo(environ, start_response):
    """Respond with the size of the body in bytes; /wait waits until `go` is set."""
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/wait":
        go.wait(WAIT)
    content = b"x" * LARGE if environ["PATH_INFO"] == "/large" else str(len(body)).encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]


go = threading.Event()


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def server(port):
    go.clear()
    server = HttpServer(echo, port, [LOOPBACK], THREADS)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    go.set()
    server.stop()
    thread.join(WAIT)


@pytest.fixture
def connect(server, port):
    """Open a connection and send these bytes."""
    with ExitStack() as stack:

        def connect(data=b""):
            connection = stack.enter_context(socket.create_connection((LOOPBACK, port), WAIT))
            connection.sendall(data)
            return connection

        yield connect


def response(connection):
    """Return the status (0 without a response) and everything that the server sends."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return int(received.split()[1]) if received else 0, received


def status(connection):
    """Read the whole of the next response, and return its status."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def is_closed(connection):
    """Wait for a byte; return True if the server closes this connection instead."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("first", [b"\x16\x03\x01\x02\x00", b"\x80\x2e", b"\x05\x01\x00", b"\0"])
def test_another_protocol_is_closed_at_once(connect, first):
    assert response(connect(first)) == (0, b"")


@pytest.mark.parametrize("lines", [b"\r\n", b"\r\n\r\n"])
def test_empty_lines_before_a_request_are_ignored(connect, lines):
    assert status(connect(lines + WHOLE)) == 200


@pytest.mark.parametrize("size", [LARGEST_HEAD + 10_000, 200_000, LARGEST_REST - 100_000])
def test_too_many_cookies_get_a_page(connect, size):
    """Closing before the last byte would reset the connection."""
    connection = connect()
    sending = threading.Thread(
        target=connection.sendall, args=(PAGE + b"Cookie: a=" + b"x" * size + b"\r\n\r\n",)
    )
    sending.start()
    code, page = response(connection)
    sending.join()
    assert code == 431
    assert b'data-refusal="431"' in page


def test_181_cookies_of_300_bytes_fit(connect):
    cookies = b"; ".join(b"name_%03d=" % number + b"x" * 291 for number in range(181))
    assert status(connect(PAGE + b"Cookie: " + cookies + b"\r\n\r\n")) == 200


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_a_body_that_is_too_large_gets_a_page(connect, expect):
    connection = connect(PAGE + expect + b"Content-Length: %d\r\n\r\n" % LARGEST_BODY)
    if not expect:
        connection.sendall(b"x" * LARGEST_BODY)
    code, page = response(connection)
    assert code == 413
    assert b'data-refusal="413"' in page


def test_a_body_of_300_mb_is_not_read(connect):
    connection = connect(PAGE + b"Content-Length: 300000000\r\n\r\n")
    assert response(connection)[0] == 413


def test_a_chunked_body_has_the_same_limit(connect):
    connection = connect(PAGE + b"Transfer-Encoding: chunked\r\n\r\n")
    connection.sendall(b"%x\r\n" % LARGEST_BODY + b"x" * LARGEST_BODY)
    assert status(connection) == 413


def test_a_body_below_the_limit_arrives(connect):
    body = b"x" * (LARGEST_BODY - 1)
    head = PAGE + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert response(connect(head + body))[1].endswith(b"\r\n\r\n%d" % len(body))


@pytest.fixture
def few_connections(monkeypatch):
    monkeypatch.setattr(http_server, "connection_limit", lambda: 10)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP", PAGE], ids=["idle", "line", "header"])
def test_idle_connections_give_way(few_connections, connect, sent):
    idle = [connect(sent) for _ in range(30)]
    assert status(connect(WHOLE)) == 200
    assert is_closed(idle[0])


def test_a_request_under_way_never_gives_way(few_connections, connect):
    waiting = connect(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
    idle = [connect() for _ in range(30)]
    assert status(connect(WHOLE)) == 200
    assert is_closed(idle[0])
    go.set()
    assert status(waiting) == 200


def test_who_was_answered_gives_way_last(few_connections, monkeypatch, connect):
    monkeypatch.setattr(http_server, "GRACE_SECONDS", 0)
    answered = connect(WHOLE)
    assert status(answered) == 200
    for _ in range(30):
        connect()
    assert status(connect(WHOLE)) == 200
    answered.sendall(WHOLE)
    assert status(answered) == 200


@pytest.mark.parametrize(
    ("limit", "sent"), [("REQUEST_SECONDS", PAGE), ("IDLE_SECONDS", b""), ("IDLE_SECONDS", WHOLE)]
)
def test_waiting_has_an_end(monkeypatch, connect, limit, sent):
    connection = connect(sent)
    if sent == WHOLE:
        assert status(connection) == 200
    monkeypatch.setattr(http_server, limit, 0)
    assert is_closed(connection)


def test_a_response_that_nobody_reads_has_an_end(monkeypatch, connect):
    monkeypatch.setattr(http_server, "UNREAD_SECONDS", 0)
    monkeypatch.setattr(http_server, "IDLE_SECONDS", 0)
    unread = connect(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(2):  # the server closes such connections one by one, once a second
        assert is_closed(connect())
    with contextlib.suppress(ConnectionResetError):
        assert len(response(unread)[1]) < LARGE


def test_bytes_that_are_held_have_a_limit(monkeypatch, connect):
    monkeypatch.setattr(http_server, "HELD_BYTES", 150_000)
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 600)
    held = [connect(PAGE + b"X: " + b"x" * 60_000) for _ in range(4)]
    until(lambda: sum(map(was_closed, held)) >= 2)
    assert status(connect(WHOLE)) == 200


def was_closed(connection):
    """Return whether the server has already closed this connection."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_small_requests_pass_while_too_much_is_held(monkeypatch, server, connect):
    monkeypatch.setattr(http_server, "HELD_BYTES", 50_000)
    head = b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    for _ in range(THREADS - 1):  # the server cannot close any of these connections
        connect(b"POST /wait" + head % 15_000 + b"x" * 15_000)
    until(lambda: server.is_full)
    assert status(connect(WHOLE)) == 200


def test_large_bodies_are_read_one_at_a_time(connect):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    first = connect(head + b"x" * 50_000)
    second = connect(head + b"x" * 100_000)
    for _ in range(5):
        assert status(connect(WHOLE)) == 200
    second.setblocking(False)
    with pytest.raises(BlockingIOError):
        second.recv(1)
    second.settimeout(WAIT)
    first.close()
    assert status(second) == 200


@pytest.mark.parametrize(
    ("soft", "hard", "expected"), [(256, 256, 156), (256, 4096, 1000), (50, 50, 16)]
)
def test_the_limit_is_below_the_systems(soft, hard, expected):
    pytest.importorskip("resource")
    code = (
        "import resource\n"
        "from labkit.serve.http_server import connection_limit\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "print(connection_limit(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    limit, files = map(int, done.stdout.split())
    assert limit == expected < files


def test_moving_the_clock_closes_nothing(monkeypatch, connect, clock):
    monkeypatch.setattr(http_server, "REQUEST_SECONDS", 0)
    connection = connect(WHOLE)
    assert status(connection) == 200
    clock.forward(days=30)
    assert is_closed(connect(PAGE))  # the server has closed the connections that waited too long
    connection.sendall(WHOLE)
    assert status(connection) == 200


def test_a_class_is_accepted_at_once(connect):
    crowd = [connect(WHOLE) for _ in range(100)]
    assert [status(each) for each in crowd] == [200] * 100


def test_the_limits_are_documented(checkout):
    text = (checkout.root / "docs" / "servers.md").read_text(encoding="utf-8")
    for limit in (
        f"{LARGEST_HEAD // 1024} KiB",
        f"{LARGEST_BODY // 1_000_000} MB",
        f"{http_server.CONNECTIONS:,}, but {http_server.SPARE_FILES} fewer",
        f"{http_server.REQUEST_SECONDS} seconds",
        f"{http_server.IDLE_SECONDS} seconds",
        f"{http_server.UNREAD_SECONDS} seconds",
        f"{http_server.HELD_BYTES // 1_000_000} MB",
        f"{log_file.LARGEST_LOG // 1_000_000} MB, {log_file.LONGEST_LINE:,} bytes",
        f"{log_file.KEPT_LOG // 1000} kB",
        f"Bodies above {http_server.SMALL // 1024} kB",
        f"{exchange_log.REMEMBERED:,}, and {exchange_log.MOST_BYTES // 1_000_000} MB",
    ):
        assert f"| {limit}" in text or f" {limit} " in text, limit
