"""`lab serve` with clients that hold connections or send too much: others are answered.

The server has few open files. bench/hostile.py measures how long others wait.
"""

import contextlib
import resource
import socket
import threading

import pytest
from serving import copy_of, serving

from labkit.processes.log_file import LARGEST_LOG, last_text

OPEN_FILES = 256
MOST_MEMORY = 100_000_000  # bytes
HEADERS = 2000
LARGE_HEADER = b"x" * 200_000
ANSWERABLE_HEADER = b"x" * 60_000
LAB = 3  # its number


def memory(pid):
    """Return the bytes of memory of a process that are not shared or swapped out."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def limit_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


@pytest.fixture(scope="module")
def served(checkout, tmp_path_factory):
    folder = copy_of(checkout, tmp_path_factory.mktemp("hostile"))
    with serving(folder, "--only", "03", prepare=limit_files) as served:
        yield served


@pytest.fixture(autouse=True)
def unharmed(served):
    """Afterwards the lab and the console answer, and are as small as before."""
    lab = served.worker(LAB)
    yield
    assert served.ask("/", number=LAB)[0] == 200
    assert served.state("03") == "running"
    assert served.worker(LAB) == lab  # it did not die
    assert memory(lab) < MOST_MEMORY
    log = served.log.parent / ".lab" / "03" / "server.log"
    assert log.stat().st_size <= LARGEST_LOG
    assert "Traceback" not in last_text(log, LARGEST_LOG)
    assert "Traceback" not in served.output


def connect(served, number=LAB):
    return socket.create_connection(("127.0.0.1", served.port + number), timeout=20)


@pytest.mark.parametrize("number", [0, LAB], ids=["console", "lab"])
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["idle", "half open"])
def test_others_are_answered_beside_300_connections(served, number, sent):
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(connect(served, number)).sendall(sent)
        path = "/" if number else "/console/"
        assert [served.ask(path, number=number)[0] for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("field", ["Host", "User-Agent", "Cookie", "X-Other"])
def test_long_headers_leave_nothing_behind(served, field):
    _send_headers(served, field.encode() + b": " + LARGE_HEADER, HEADERS // 4, {431})


@pytest.mark.parametrize("field", ["Host", "User-Agent", "Cookie", "Referer"])
def test_long_headers_that_are_answered_leave_little(served, field):
    host = b"" if field == "Host" else b"Host: 127.0.0.1\r\n"
    line = host + field.encode() + b": " + ANSWERABLE_HEADER
    _send_headers(served, line, HEADERS // 8, {400} if field == "Host" else {200})


def _send_headers(served, line, count, expected):
    request = b"GET / HTTP/1.1\r\nConnection: close\r\n" + line + b"\r\n\r\n"
    statuses = []

    def send():
        for _ in range(count // 10):
            with connect(served) as connection:
                connection.sendall(request)
                statuses.append(int(connection.recv(20).split()[1]))

    senders = [threading.Thread(target=send) for _ in range(10)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(statuses) == count // 10 * 10
    assert set(statuses) == expected


def test_a_body_of_300_mb_is_refused(served):
    size = 300_000_000
    with connect(served) as connection:
        connection.sendall(b"POST /add/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        assert b" 413 " in connection.recv(100)
        with contextlib.suppress(OSError):  # until the server closes
            for _ in range(size // 1_000_000):
                connection.sendall(b"x" * 1_000_000)


def test_large_bodies_at_once_are_bounded(served):
    """Each is just small enough to be read."""
    head = b"POST /add/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2900000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            with contextlib.suppress(OSError):
                stack.enter_context(connect(served)).sendall(head + b"x" * 2_800_000)
        assert served.ask("/", number=LAB)[0] == 200
        assert memory(served.worker(LAB)) < MOST_MEMORY


def test_a_tls_client_is_turned_away_at_once(served):
    with connect(served) as connection:
        connection.sendall(bytes.fromhex("1603010200010001fc0303") + b"x" * 506)
        assert connection.recv(1) == b""
